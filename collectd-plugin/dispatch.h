/* A scan as collectd's value lists. */
#ifndef PDNA_PLUGIN_DISPATCH_H
#define PDNA_PLUGIN_DISPATCH_H

#include "collectd.h"

#include "plugin.h"

#include "lib/scan/host.h"
#include "lib/scan/scan.h"

struct dna_scan {
  const struct snapshot *snapshot;
  cdtime_t time; /* of every value list */
  cdtime_t interval;
  const struct wire_host *host; /* NULL: not known */
  const struct host_address *addresses;
  size_t addresses_len;
};

/* Make the data sets known to collectd. Returns 0 or what collectd gave. */
int dna_dispatch_register(void);

/* Hand the scan's value lists to collectd, the marker last. What can't be
 * carried is left out, not counted by the marker, and logged. A list that
 * collectd does not take is counted, so that the receiver misses it. */
void dna_dispatch(const struct dna_scan *scan);

#endif
