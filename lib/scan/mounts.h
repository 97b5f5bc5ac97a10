/* Mount tables, as /proc/PID/mountinfo has them (proc(5)). */
#ifndef PDNA_MOUNTS_H
#define PDNA_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A field of a line: bytes with the kernel's octal escapes (\040) kept. */
struct mount_field {
  const char *text;
  size_t len;
};

struct mount_line {
  uint64_t id;
  struct mount_field point;
  struct mount_field type;
  struct mount_field options; /* of the file system, not of the mount */
};

/* Take the next line that is one off the text; false at the end. */
bool mount_next(const char **text, size_t *len, struct mount_line *ret);

bool mount_field_is(const struct mount_field *field, const char *text);

/* What it means to touch a file system of that type. */
enum mount_kind {
  MOUNT_LOCAL,
  MOUNT_FUSE,   /* a program answers, or does not */
  MOUNT_REMOTE, /* another machine does */
};
enum mount_kind mount_kind_of(const struct mount_field *type);

/* The mounts of one namespace by their number (statx(2) STATX_MNT_ID). */
struct mounts;

/* Read mountinfo below `dirfd`. Returns 0 or a negative errno. */
int mounts_read(int dirfd, const char *path, struct mounts **ret);
void mounts_free(struct mounts *m);

/* False: there is no such mount here. */
bool mounts_find(const struct mounts *m, uint64_t id, enum mount_kind *ret);

enum {
  MOUNTINFO_MAX = 4 << 20, /* bytes; a container may have 100,000 mounts */
};

#endif
