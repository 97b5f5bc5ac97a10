/* Traps and informs: takes outbox rows by lease and sends them, in a thread
 * of its own with a database connection of its own. */
#ifndef PDNA_TRAPS_H
#define PDNA_TRAPS_H

#include "correlator/config.h"

struct traps;

/* Check the session string of a sink without sending: what is wrong goes into
 * message (one line). Returns 0 or -EINVAL. */
int traps_check_session(const char *session, char *message, size_t message_size,
                        bool *ret_inform);

/* Start the thread; without sinks there is none. `config` must outlive it;
 * `instance` names this correlator in leases and must outlive it too. Call it
 * before other threads run: setting up Net-SNMP changes the environment and
 * the locale. What fails is logged. Returns 0 or a negative errno. */
int traps_start(const struct config *config, const char *instance,
                struct traps **ret_traps);

/* Ask the thread to end and wait for it (a few seconds at most). NULL does
 * nothing. */
void traps_stop(struct traps *traps);

#endif
