/* A sink: one receiver of traps or informs. It opens its session, finds out
 * the receiver's engine where v3 informs need it, sends, and waits for answers
 * without ever blocking on one. All sinks are used by one thread. */
#ifndef PDNA_TRAPS_SINK_H
#define PDNA_TRAPS_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "correlator/config.h"
#include "correlator/traps_pdu.h"

struct netsnmp_large_fd_set_s; /* netsnmp_large_fd_set */
struct snmp_peer;
struct traps_sink;

/* An outbox row, leased for this sink. */
struct traps_row {
  int64_t outbox_id;
  unsigned attempts; /* that were made before */
  struct trap_payload payload;
};

/* What became of a row: sent or acknowledged if `error` is NULL; else it is to
 * be tried again after wait_s. May be called from within traps_sink_send. */
typedef void traps_sink_result_fn(void *arg, int64_t outbox_id,
                                  const char *error, unsigned wait_s);

/* Parse the sink's session; nothing is sent yet. What fails is logged.
 * `config` must outlive the sink. Returns 0, -EINVAL or -ENOMEM. */
int traps_sink_new(const struct sink_config *config,
                   traps_sink_result_fn *result, void *result_arg,
                   struct traps_sink **ret_sink);

/* Rows without an answer are handed back by the result function. NULL does
 * nothing. */
void traps_sink_free(struct traps_sink *sink);

const char *traps_sink_name(const struct traps_sink *sink);
const struct snmp_peer *traps_sink_peer(const struct traps_sink *sink);

/* Open or close what is due. */
void traps_sink_step(struct traps_sink *sink);

/* How many rows it takes now; 0 while it is away. */
size_t traps_sink_room(const struct traps_sink *sink);

/* Rows that wait for an answer. */
size_t traps_sink_in_flight(const struct traps_sink *sink);

/* Send a row, if there is room. uptime_cs is sysUpTime. */
void traps_sink_send(struct traps_sink *sink, const struct traps_row *row,
                     uint32_t uptime_cs);

/* Add the sink's socket to *fds, and lower *wake_ms to when it wants to be
 * looked at again. */
void traps_sink_prepare(const struct traps_sink *sink, int *numfds,
                        struct netsnmp_large_fd_set_s *fds, int64_t *wake_ms);

/* Read what came and see to what timed out. */
void traps_sink_process(struct traps_sink *sink,
                        struct netsnmp_large_fd_set_s *fds);

#endif
