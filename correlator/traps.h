/* Traps and informs: takes outbox rows by lease and sends them, in a thread
 * of its own with a database connection of its own. */
#ifndef PDNA_TRAPS_H
#define PDNA_TRAPS_H

#include "correlator/config.h"

struct traps;

/* Set up the sinks of `config`, which must outlive them, after
 * snmp_engine_start. What fails is logged. Returns 0 or a negative errno. */
int traps_new(const struct config *config, struct traps **ret_traps);

/* Start the thread. `instance` names this correlator in leases and must
 * outlive it. Returns 0 or a negative errno. */
int traps_start(struct traps *traps, const char *instance);

/* Ask the thread to end, wait for it (a few seconds at most), and free all.
 * NULL does nothing. */
void traps_stop(struct traps *traps);

#endif
