/* The lines of a file that may be anything: bounded, one buffer, and told
 * whether the file changed while it was read. */
#ifndef PDNA_LINES_H
#define PDNA_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/scan/exe.h"

enum { LINES_BUFFER = 64 * 1024 }; /* bytes; no line is longer */

struct lines {
  int fd; /* owned; -1: none */
  struct file_id before;
  char *buf;
  size_t start, end;
  uint64_t left; /* bytes that may still be read */
  bool eof;
  bool skipping; /* the rest of a line that was longer */
};

/* Begin to read `fd`, which is closed even if that fails, through a buffer of
 * LINES_BUFFER bytes. A file of more than `max` bytes is -EFBIG, at once or
 * when it turns out. Returns 0 or a negative errno. */
int lines_begin(struct lines *l, int fd, char *buf, uint64_t max);

/* The next line, without its end: 1, and it may be changed in place until the
 * next call; 0: there is none; or a negative errno. It may hold any byte but
 * '\n'. A longer line than the buffer is *ret_len 0 and *ret_cut. */
int lines_next(struct lines *l, char **ret_line, size_t *ret_len,
               bool *ret_cut);

/* Close the file. Returns 0, -EAGAIN (it changed since lines_begin) or another
 * negative errno. */
int lines_end(struct lines *l);

#endif
