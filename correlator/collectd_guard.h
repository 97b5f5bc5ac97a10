/* What a packet whose signature holds may say: for which hosts its signer may
 * speak, and of what time. Judged by what this correlator remembers; the
 * database is the last to judge. */
#ifndef PDNA_COLLECTD_GUARD_H
#define PDNA_COLLECTD_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "correlator/config.h"
#include "correlator/ingest.h"

struct collectd_guard {
  const struct collectd_config *config;
  struct ingest *ingest;
};

/* A signer that speaks for a host. */
struct collectd_speaker {
  bool relayed;              /* as a relay */
  struct ingest_agent agent; /* zero if nothing is known of the host */
};

/* Is `signer` a configured relay? */
bool collectd_guard_is_relay(const struct collectd_guard *guard,
                             const char *signer);

/* May `signer` ("" for nobody) speak for `host`: as a relay with a glob that
 * fits, or as the user that the host is bound to, or for a host that is bound
 * to none? Returns 0 or -EPERM. */
int collectd_guard_signer(const struct collectd_guard *guard, const char *host,
                          const char *signer,
                          struct collectd_speaker *ret_speaker);

/* Is a scan's time within max-skew of the arrival? Returns 0 or -ETIME. */
int collectd_guard_skew(const struct collectd_guard *guard, int64_t observed_us,
                        int64_t arrived_us);

/* May a scan be begun that was taken at `observed_us` by a host that booted at
 * `boot_s` (0 if the packet does not say)? Only if it is newer than the last,
 * or comes from a boot newer by more than 5 s. Returns 0 or -EALREADY. */
int collectd_guard_replay(const struct collectd_speaker *speaker,
                          int64_t observed_us, int64_t boot_s);

#endif
