/* Lines of one log, read for what sshd says in them.
 *
 * A stream takes the lines of one file, one connection or one socket in their
 * order, since "last message repeated N times" tells of the line before it, of
 * the same host, which both have to name. It takes, side by side:
 *  - RFC 3164, with or without <PRI> and host name, as files, sockets and
 *    `journalctl -o short` and `-o short-precise` have it; with "auth.info"
 *    behind the host name as in BusyBox's files;
 *  - RFC 3339 stamps in its stead, as rsyslog's files and `journalctl -o
 *    short-iso` have them, and those of `-o short-full`, `-o short-unix` and
 *    `-o short-monotonic`;
 *  - RFC 5424;
 *  - the journal's JSON objects (`journalctl -o json`, `-o json-seq`, `-o
 *    json-sse`).
 * A header is read from the line's first byte on, and the first tag is the only
 * one, so that nothing that a message quotes is taken for a line. */
#ifndef PDNA_AUTH_STREAM_H
#define PDNA_AUTH_STREAM_H

#include "correlator/auth_event.h"

/* A longer line is skipped, by the sources of lines and by auth-test. */
enum { AUTH_LINE_MAX = 65536 };

struct auth_stream;

struct auth_stream *auth_stream_new(void);    /* NULL: out of memory */
void auth_stream_free(struct auth_stream *s); /* NULL does nothing */

/* What a line says that arrived at that time (since the epoch). Its newline may
 * be there or not; it may hold anything, and is not terminated. *ret_event is
 * set for an event and for what is malformed; its texts are good until the
 * line's memory goes or the next line is given. */
enum auth_line auth_stream_line(struct auth_stream *s, const char *line,
                                size_t len, int64_t arrived_us,
                                struct auth_event *ret_event);

#endif
