/* collectd notifications for executables in states that are watched. */
#ifndef PDNA_PLUGIN_NOTIFY_H
#define PDNA_PLUGIN_NOTIFY_H

#include "collectd-plugin/dispatch.h"

/* Remembers what was notified of. */
struct dna_notifier;

/* `states` is dna_config's `notify`. Returns 0 or -ENOMEM. */
int dna_notifier_new(uint64_t states, struct dna_notifier **ret_notifier);

/* Dispatch a notification for each executable that is in a watched state for
 * the first time; none for what the first scan finds, nor for what only
 * waited for its digest since then. A scan makes at most 100; the others come
 * with the next scans. Returns 0 or -ENOMEM. */
int dna_notifier_scan(struct dna_notifier *notifier,
                      const struct dna_scan *scan);

void dna_notifier_free(struct dna_notifier *notifier);

#endif
