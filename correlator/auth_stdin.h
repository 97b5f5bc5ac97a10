/* Standard input as a source of log lines, such as what journalctl -f writes.
 * It has no position: what was read and is not written when the correlator is
 * killed is lost. */
#ifndef PDNA_AUTH_STDIN_H
#define PDNA_AUTH_STDIN_H

#include <event2/event.h>

#include "correlator/ingest.h"

struct auth_stdin;

/* Read `fd` to its end. `ingest` must outlive it. Returns 0 or a negative
 * errno. */
int auth_stdin_new(struct event_base *base, int fd, struct ingest *ingest,
                   struct auth_stdin **ret);
/* What was written to a pipe is read, up to some MiB; the lines that find no
 * room go to the spool. NULL does nothing. */
void auth_stdin_free(struct auth_stdin *in);

#endif
