/* The source of what is followed here: log files and standard input. Files are
 * looked at each second: inotify(7) would still want that, for logs on network
 * file systems and for names that come to be. */
#ifndef PDNA_AUTH_SOURCE_H
#define PDNA_AUTH_SOURCE_H

#include <event2/event.h>

#include "correlator/config.h"
#include "correlator/ingest.h"

struct auth_source;

/* Follow config->auth_logs. `config` and `ingest` must outlive the source.
 * Returns 0 or a negative errno. */
int auth_source_new(struct event_base *base, const struct config *config,
                    struct ingest *ingest, struct auth_source **ret);
void auth_source_free(struct auth_source *source); /* NULL does nothing */

#endif
