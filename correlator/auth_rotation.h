/* Which file a followed log is: PATH itself, or one that it was rotated to, by
 * logrotate(8) or in its manner, which lies beside it (auth_siblings.h). */
#ifndef PDNA_AUTH_ROTATION_H
#define PDNA_AUTH_ROTATION_H

#include "correlator/auth_siblings.h"

/* PATH itself, from its begin. Returns 0, -EINVAL (no regular file), -ENOENT or
 * another negative errno. */
int auth_rotation_path(const char *path, struct auth_file *ret_file);

/* The file that a place is in, wherever it was rotated to. That is a file that
 * begins as the place's does: rather one that has something behind the offset
 * than not, since a file that was copied and cut is its copy; and rather with
 * its inode than not. Returns 0, -ENOENT (there is none any more), -EACCES
 * (there is one with its inode that may not be read), -EAGAIN (files are being
 * renamed) or another negative errno. */
int auth_rotation_find(const char *path, const struct auth_place *place,
                       struct auth_file *ret_file);

/* The file that follows on a place's file: the oldest of those that are
 * younger, if it has anything in it; PATH is the youngest. Which are younger
 * than a file that is no longer there is told by the time of its last change.
 * Copies of the place's file and of PATH don't count. Returns 0, -ENOENT (there
 * is none yet) or another negative errno. */
int auth_rotation_next(const char *path, const struct auth_place *place,
                       struct auth_file *ret_file);

#endif
