/* The connections that are open, as many as there may be.
 *
 * They stay for as long as their peers live, however quiet: rsyslog keeps them
 * open. Who has to go for another (syslog_crowd.h says who) is told so, and
 * read to its end for a few seconds. Who waits for room in ingest may not go.
 * A TLS handshake may take ten seconds. */
#ifndef PDNA_SYSLOG_CLIENTS_H
#define PDNA_SYSLOG_CLIENTS_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "correlator/ingest.h"
#include "correlator/syslog_connection.h"

struct syslog_clients;

enum { SYSLOG_LEAVING_MAX = 64 }; /* who have to go, above the maximum */

/* Returns 0 or -ENOMEM. `ingest` must outlive them. */
int syslog_clients_new(struct event_base *base, struct ingest *ingest,
                       size_t max, struct syslog_clients **ret);

/* Tell all peers that it ends, and read what they had sent, until they have
 * been silent for a second, and for five at most; what ingest has no room for
 * goes to the spool. NULL does nothing. */
void syslog_clients_free(struct syslog_clients *clients);

/* Are as many here as may be? */
bool syslog_clients_are_full(const struct syslog_clients *clients);

/* Make one go. False: nobody may. */
bool syslog_clients_displace(struct syslog_clients *clients);

/* Takes the connection over, and begins to read it. Returns 0 or -ENOMEM. */
int syslog_clients_add(struct syslog_clients *clients,
                       struct syslog_connection *connection);

#endif
