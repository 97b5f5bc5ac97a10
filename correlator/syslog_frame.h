/* Lines out of the bytes of a syslog connection, as RFC 6587 frames them. How a
 * frame is framed is told for each apart:
 *
 * - octet counting (3.4.1): a number without a leading zero, a space, and so
 *   many octets, of which the first is the '<' of a PRI;
 * - anything else ends with a trailer (3.4.2). The first one that a connection
 *   sends, LF or NUL, is that of all its lines, so that nobody whose text is
 *   in a line ends it early with the other.
 *
 * After a line with a trailer, a number over SYSLOG_LINE_MAX is taken for the
 * begin of a line: else a sender's user who gets an LF into a message could
 * have everything after it skipped. CR, LF and NUL at the end of a line are
 * taken off, and empty lines are none. */
#ifndef PDNA_SYSLOG_FRAME_H
#define PDNA_SYSLOG_FRAME_H

#include <stdbool.h>
#include <stddef.h>

#include "correlator/auth_stream.h"

enum {
  SYSLOG_LINE_MAX = AUTH_LINE_MAX,     /* octets; longer ones are skipped */
  SYSLOG_COUNT_MAX = 16 * 1024 * 1024, /* a larger number is no sender's */
};

enum syslog_frame_result {
  SYSLOG_FRAME_MORE,     /* the input is used up */
  SYSLOG_FRAME_LINE,     /* a line */
  SYSLOG_FRAME_TOO_LONG, /* there was a line, which is skipped */
  SYSLOG_FRAME_BROKEN,   /* a number over SYSLOG_COUNT_MAX: where the next frame
                            begins is not known */
};

struct syslog_bytes {
  const char *at;
  size_t len;
};

struct syslog_frame; /* of one connection */

struct syslog_frame *syslog_frame_new(void);        /* NULL: out of memory */
void syslog_frame_free(struct syslog_frame *frame); /* NULL does nothing */

/* Take the next line out of `input`, which is moved on. *ret_line, which is
 * set for a line only, lies in the input or in the frame, until the next call.
 * What is begun and not ended is kept, as long as it is no longer than a line;
 * if there is no memory for that, the line counts as too long. After
 * SYSLOG_FRAME_BROKEN it may not be called again. */
enum syslog_frame_result syslog_frame_next(struct syslog_frame *frame,
                                           struct syslog_bytes *input,
                                           struct syslog_bytes *ret_line);

/* Is there a frame that is begun and not ended? */
bool syslog_frame_is_open(const struct syslog_frame *frame);

/* Take CR, LF and NUL off the end. */
void syslog_frame_trim(struct syslog_bytes *line);

#endif
