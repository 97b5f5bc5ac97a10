/* The SNMP source: asks the configured agents for their scans, all of them at
 * once and each in its own cycle, in the main loop.
 *
 * It never waits there: sessions are Net-SNMP's single ones with asynchronous
 * sends, the engines of SNMPv3 agents are asked for as snmp_peer.h says, and
 * names are looked up by the resolver's threads. The traps have a thread of
 * their own, since they wait for the database; what the two share of the
 * library is behind a lock (snmp_engine.h). */
#ifndef PDNA_SNMP_SOURCE_H
#define PDNA_SNMP_SOURCE_H

#include <event2/event.h>

#include "correlator/config.h"
#include "correlator/ingest.h"

struct snmp_source;

/* Begin to ask, after snmp_engine_start; first polls are spread over each
 * agent's interval. What fails is logged. Returns 0 or a negative errno.
 * `config` and `ingest` must outlive the source. */
int snmp_source_new(struct event_base *base, const struct config *config,
                    struct ingest *ingest, struct snmp_source **ret);

/* Polls that are under way are given up. NULL does nothing. */
void snmp_source_free(struct snmp_source *source);

#endif
