/* Syslog's TCP and TLS listeners. Who connects is one of syslog_clients.h;
 * while there is no place for one more, new connections are left in the
 * kernel's queue. */
#ifndef PDNA_SYSLOG_SERVER_H
#define PDNA_SYSLOG_SERVER_H

#include <event2/event.h>

#include "correlator/config.h"
#include "correlator/ingest.h"

struct syslog_server;

/* What fails is logged. Returns 0 or a negative errno. All arguments must
 * outlive the server. */
int syslog_server_new(struct event_base *base,
                      const struct syslog_config *config, struct ingest *ingest,
                      struct syslog_server **ret);

/* As syslog_clients_free. NULL does nothing. */
void syslog_server_free(struct syslog_server *server);

#endif
