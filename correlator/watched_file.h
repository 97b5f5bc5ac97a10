/* A file of the operator's (users and passwords, a key, certificates) that is
 * read whole, and again whenever it has changed. */
#ifndef PDNA_WATCHED_FILE_H
#define PDNA_WATCHED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum { WATCHED_FILE_MAX = 1024 * 1024 }; /* bytes */

struct watched_file {
  const char *what; /* for the log: its key in correlator.conf */
  const char *path;
  bool secret;       /* refused if others than its owner may use it */
  struct stat seen;  /* when it was last looked at */
  int64_t looked_ms; /* by watched_file_changed; 0: never */
};

/* Read it through one descriptor. What is wrong is logged. The caller frees
 * *ret_text, by watched_file_free; it has a NUL behind it. Returns 0, -EINVAL
 * (no regular file), -EACCES (others may use it), -EFBIG, -EAGAIN (it changed
 * meanwhile), -ENOMEM, or what opening or reading it gave. */
int watched_file_read(struct watched_file *file, char **ret_text,
                      size_t *ret_len);

/* Is it another than at the last attempt, or at the last time that this was
 * asked? It is looked at once a second at most, and has not changed in between;
 * `now_ms` is a monotonic clock. False while it is away: an editor is about to
 * rename a new one there. */
bool watched_file_changed(struct watched_file *file, int64_t now_ms);

/* Wipes the text. NULL does nothing. */
void watched_file_free(char *text, size_t len);

#endif
