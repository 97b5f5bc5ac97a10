/* The collectd source: UDP sockets that take what collectd's network plugin
 * sends, check it and put scans together. */
#ifndef PDNA_COLLECTD_SOURCE_H
#define PDNA_COLLECTD_SOURCE_H

#include <event2/event.h>

#include "correlator/config.h"
#include "correlator/ingest.h"

struct collectd_source;

/* Bind the sockets and read the auth-file. What fails is logged. Returns 0 or
 * a negative errno. `config` and `ingest` must outlive the source. */
int collectd_source_new(struct event_base *base,
                        const struct collectd_config *config,
                        struct ingest *ingest, struct collectd_source **ret);

/* Scans that are still open are handed in as incomplete. */
void collectd_source_free(struct collectd_source *source);

#endif
