/* Lines of a byte stream that is a file or standard input: put bytes in, take
 * lines out. What has no newline yet is kept. A line of more than AUTH_LINE_MAX
 * bytes is skipped as a whole: sshd's have 500 and a header. Bytes of 0 at a
 * line's begin are no part of it: such a hole is left where a file was cut to
 * nothing under a writer that goes on where it was. */
#ifndef PDNA_AUTH_LINES_H
#define PDNA_AUTH_LINES_H

#include "correlator/auth_stream.h"

struct auth_lines;

struct auth_lines *auth_lines_new(void);    /* NULL: out of memory */
void auth_lines_free(struct auth_lines *l); /* NULL does nothing */

/* Forget all; the next byte is that at `offset` of the file. */
void auth_lines_reset(struct auth_lines *l, uint64_t offset);

/* Where bytes are put, at least one, and then how many there are now. Takes the
 * lines' memory back. */
char *auth_lines_room(struct auth_lines *l, size_t *ret_len);
void auth_lines_filled(struct auth_lines *l, size_t len);

/* Where in the file the next byte to be put in is, and where what was not
 * taken out yet begins. */
uint64_t auth_lines_read_offset(const struct auth_lines *l);
uint64_t auth_lines_offset(const struct auth_lines *l);

enum auth_lines_found { AUTH_LINES_NONE, AUTH_LINES_LINE, AUTH_LINES_TOO_LONG };

/* The next line, without its newline; NONE: put more in. */
enum auth_lines_found auth_lines_next(struct auth_lines *l,
                                      struct auth_text *ret_line);

/* No more comes: what is left, which is a line too. */
enum auth_lines_found auth_lines_rest(struct auth_lines *l,
                                      struct auth_text *ret_line);

#endif
