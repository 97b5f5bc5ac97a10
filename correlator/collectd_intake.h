/* What happens to one packet of collectd's: signature, form, what it may say
 * and what it says are checked, in that order, and only then are its value
 * lists added to their scans. A packet in which anything is wrong is dropped
 * whole, counted by reason and logged now and then.
 *
 * A relay's packet holds value lists of several hosts. What one of them got
 * wrong costs only that host's lists: else a host could silence its
 * neighbours. */
#ifndef PDNA_COLLECTD_INTAKE_H
#define PDNA_COLLECTD_INTAKE_H

#include <stddef.h>
#include <stdint.h>

#include "correlator/config.h"
#include "correlator/ingest.h"

/* More than any path's MTU: collectd's MaxPacketSize is 1452 by itself. */
enum { COLLECTD_PACKET_MAX = 16384 };

struct collectd_intake;

struct collectd_arrival {
  const char *peer;   /* address of the sender, for messages */
  int64_t arrived_us; /* since the epoch */
  int64_t now_ms;     /* monotonic */
};

/* Reads the auth-file; what fails is logged. `config` and `ingest` must
 * outlive the intake. Returns 0 or a negative errno. */
int collectd_intake_new(const struct collectd_config *config,
                        struct ingest *ingest,
                        struct collectd_intake **ret_intake);

/* Scans that are still open are handed in as incomplete. */
void collectd_intake_free(struct collectd_intake *intake);

/* Take one packet; it is overwritten. `len` over COLLECTD_PACKET_MAX says that
 * it was cut to that. */
void collectd_intake_packet(struct collectd_intake *intake, uint8_t *packet,
                            size_t len, const struct collectd_arrival *arrival);

/* To be called about once a second: scans time out, the auth-file changes. */
void collectd_intake_tick(struct collectd_intake *intake, int64_t now_ms);

#endif
