/* Puts scans together. The value lists of a scan carry one time, arrive in
 * any order over any number of packets, and are all there when as many
 * different ones have come as its marker says. What has not come 10 s after
 * the first is given up, and the rest goes on as an incomplete report. */
#ifndef PDNA_COLLECTD_ASSEMBLER_H
#define PDNA_COLLECTD_ASSEMBLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "correlator/report.h"
#include "lib/record/wire.h"

struct collectd_assembler;
struct collectd_scan; /* one that is being put together */

/* What may be held in memory at a time. One signer gets a part of it only, so
 * that a user who sends scans without an end leaves room for the others. */
struct collectd_assembler_limits {
  size_t scans;
  size_t scans_per_signer;
  size_t scans_per_host;
  size_t rows; /* value lists, of all scans */
  size_t rows_per_signer;
  size_t rows_per_scan;
  int64_t timeout_ms;
};
extern const struct collectd_assembler_limits collectd_assembler_limits_default;

/* Takes over a finished report; sets *report to NULL. */
typedef void collectd_report_fn(void *context, struct report **report);

/* Returns 0, -ENOMEM, or what getrandom(2) gave. */
int collectd_assembler_new(const struct collectd_assembler_limits *limits,
                           collectd_report_fn *report, void *context,
                           struct collectd_assembler **ret_assembler);

/* Scans that are open are handed out as incomplete. */
void collectd_assembler_free(struct collectd_assembler *assembler);

/* The same host and time from another signer is another scan. */
struct collectd_scan_key {
  const char *host;   /* at most REPORT_NAME_MAX bytes, as the signer */
  const char *signer; /* "" for nobody */
  uint64_t time;      /* as it came, cdtime_t */
};

struct collectd_scan_start {
  bool relayed;
  int64_t observed_us; /* the key's time */
  int64_t arrived_us;  /* since the epoch */
  int64_t now_ms;      /* monotonic */
};

/* Is there an open scan with that key? */
bool collectd_assembler_has(const struct collectd_assembler *assembler,
                            const struct collectd_scan_key *key);

/* Find the open scan with that key or open one. It is valid until the next
 * call of collectd_assembler_settle or _expire. Returns 0, -ENOBUFS (too many)
 * or -ENOMEM. */
int collectd_assembler_open(struct collectd_assembler *assembler,
                            const struct collectd_scan_key *key,
                            const struct collectd_scan_start *start,
                            struct collectd_scan **ret_scan);

/* Add a value list. `identity` tells it from the others of its scan: the same
 * twice counts once. Returns 0, -ENOBUFS (too many) or -ENOMEM; the scan then
 * stays incomplete. */
int collectd_assembler_add(struct collectd_assembler *assembler,
                           struct collectd_scan *scan, uint64_t identity,
                           const struct wire_item *item);

/* The hash of a value list's identifier, for collectd_assembler_add. */
uint64_t collectd_assembler_identity(const struct collectd_assembler *assembler,
                                     const struct wire_list *list);

/* The cycle of the agent, which every value list carries. */
void collectd_assembler_set_interval(struct collectd_scan *scan,
                                     unsigned interval_s);

/* Hand the scan with that key out if it is complete; older ones of the same
 * host and signer go before it, as incomplete: after it they would be refused
 * as replays. */
void collectd_assembler_settle(struct collectd_assembler *assembler,
                               const struct collectd_scan_key *key);

/* Hand out, as incomplete, the scans that have been open for the timeout. */
void collectd_assembler_expire(struct collectd_assembler *assembler,
                               int64_t now_ms);

#endif
