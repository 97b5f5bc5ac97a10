/* A report: one scan of one host, put together from whatever way it came. */
#ifndef PDNA_REPORT_H
#define PDNA_REPORT_H

#include "lib/record/executable.h"
#include "lib/record/wire.h"

enum {
  REPORT_NAME_MAX = 127,
  /* A time of boot is a difference of clocks and trembles; no host is up again
   * within this time. (The same stands in ingest.sql.) */
  REPORT_BOOT_TREMBLE_S = 5,
};

/* The ways by which hosts are seen. */
#define REPORT_SOURCE_COLLECTD "collectd"
#define REPORT_SOURCE_SNMP "snmp"

struct report {
  char host[REPORT_NAME_MAX + 1];
  /* Who speaks for the host: the collectd user that signed it, "" if nobody
   * did, or the name of the snmp-poll. */
  char signer[REPORT_NAME_MAX + 1];
  bool relayed;              /* the signer is a configured relay */
  const char *source;        /* REPORT_SOURCE_...; static storage */
  struct wire_host identity; /* id "" if it did not arrive */
  int64_t observed_us;       /* the scan's one time, since the epoch */
  int64_t arrived_us;        /* the first packet's arrival */
  bool complete;             /* every series that the marker counts is there */
  struct wire_scan figures;  /* zero if the marker did not arrive */
  unsigned interval_s;       /* the agent's cycle, 0 if unknown */
  struct executable *executables; /* path is the identity */
  size_t executables_len;
  char (*addresses)[WIRE_ADDRESS_MAX + 1];
  size_t addresses_len;
};

struct report *report_new(void);    /* zeroed; NULL: out of memory */
void report_free(struct report *r); /* NULL does nothing */

/* The REPORT_SOURCE_... of that name, in static storage; NULL: there is none.
 */
const char *report_source(const char *name);

#endif
