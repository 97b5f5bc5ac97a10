/* A log and what lies beside it that it was rotated to by logrotate(8), or in
 * its manner: files with the log's name and a number or a date, such as
 * auth.log.1, auth.log-20261126, auth.1.log. What is compressed has another
 * name and is left alone. */
#ifndef PDNA_AUTH_SIBLINGS_H
#define PDNA_AUTH_SIBLINGS_H

#include <limits.h>

#include "correlator/auth_head.h"

/* A place in a file, as far as one can be told of it. */
struct auth_place {
  uint64_t device;
  uint64_t inode;
  uint64_t offset;
  int64_t mtime_ns;      /* of the file's last change */
  struct auth_head head; /* len 0: nothing is known of it */
};

/* A file that was opened. */
struct auth_file {
  int fd; /* the caller's to close */
  struct auth_place place;
};

struct auth_sibling {
  char name[NAME_MAX + 1]; /* "": the log itself */
  size_t rotation;         /* where in the name its number or date is */
  uint64_t device;
  uint64_t inode;
  uint64_t size;
  int64_t mtime_ns;
};

struct auth_siblings {
  const char *path;
  const char *base; /* its name */
  int folder_fd;
  struct auth_sibling *at; /* the log itself is the last, if it is there */
  size_t len;
  bool mixed; /* some have numbers, some dates */
};

/* List them. Files may be renamed while a folder is read, and one that is
 * missed would be passed over: only what two looks agree on counts. `path`
 * must outlive it. Returns 0, -EAGAIN (they did not) or another negative
 * errno; free it in any case. */
int auth_siblings_list(const char *path, struct auth_siblings *ret_siblings);
void auth_siblings_free(struct auth_siblings *s);

/* Open a file by the way to it. The place's offset is the file's end, its head
 * is not known. Returns 0, -EINVAL (no regular file) or another negative
 * errno. */
int auth_siblings_open_path(const char *path, struct auth_file *ret_file);
/* The same of one that is listed; -EAGAIN: it was renamed since. */
int auth_siblings_open(const struct auth_siblings *s,
                       const struct auth_sibling *sibling,
                       struct auth_file *ret_file);

/* Was a rotated file the log before another one was? Their names tell, since
 * that is how logrotate itself knows which are the oldest: the greater number,
 * the smaller date. Only among both does the time of the last change. */
bool auth_siblings_older(const struct auth_siblings *s,
                         const struct auth_sibling *a,
                         const struct auth_sibling *b);

#endif
