/* The syslog source: messages over UDP (RFC 5426), TCP (RFC 6587) and TLS
 * (RFC 5425), for what sshd says in them. */
#ifndef PDNA_SYSLOG_SOURCE_H
#define PDNA_SYSLOG_SOURCE_H

#include <event2/event.h>

#include "correlator/config.h"
#include "correlator/ingest.h"

struct syslog_source;

/* Bind the sockets. What fails is logged. Returns 0 or a negative errno.
 * `config` and `ingest` must outlive the source. */
int syslog_source_new(struct event_base *base,
                      const struct syslog_config *config, struct ingest *ingest,
                      struct syslog_source **ret);

/* What has arrived is taken, as syslog_clients_free does. NULL does nothing. */
void syslog_source_free(struct syslog_source *source);

#endif
