/* What a followed file begins with: tells it from another that has its inode
 * or its name. A log's first lines have its first stamps in them, so that two
 * files that begin alike are one file, or one and its copy. */
#ifndef PDNA_AUTH_HEAD_H
#define PDNA_AUTH_HEAD_H

#include "correlator/auth_positions.h"
#include "lib/record/digest.h"

enum { AUTH_HEAD_BYTES = 1024 };

struct auth_head {
  size_t len; /* of the bytes that count, to AUTH_HEAD_BYTES; 0: not known */
  struct digest digest;
};

/* Of the first `len` bytes of a file, AUTH_HEAD_BYTES at most. Returns 0,
 * -ENODATA (it is shorter), -ENOMEM or a negative errno. */
int auth_head_read(int fd, uint64_t len, struct auth_head *ret_head);

/* Does the file still begin so, and is then, with *head, told by up to `len`
 * bytes, AUTH_HEAD_BYTES at most? Returns 0, -ESTALE (it begins otherwise) or
 * as auth_head_read. */
int auth_head_check(int fd, uint64_t len, struct auth_head *head);

/* As the database keeps it, with the time of the file's last change. */
void auth_head_text(const struct auth_head *head, int64_t mtime_ns,
                    char ret_text[AUTH_HEAD_MAX + 1]);
/* Returns 0 or -EINVAL. */
int auth_head_parse(const char *text, struct auth_head *ret_head,
                    int64_t *ret_mtime_ns);

#endif
