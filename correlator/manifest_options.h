/* What `manifest import` is told of a release, checked and as the database
 * takes it. */
#ifndef PDNA_MANIFEST_OPTIONS_H
#define PDNA_MANIFEST_OPTIONS_H

#include <time.h>

enum {
  MANIFEST_GLOB_MAX = 1024, /* bytes of the encoded pattern */
  MANIFEST_EXPIRES_MAX = 32,
};

/* --path: a pattern of fnmatch(3) for absolute paths, in which '*' and '?'
 * match no '/'. Its bytes are encoded as those of identities are (pathname.h),
 * since that is what it is matched with. Returns 0, or -EINVAL: no absolute
 * path, too long, a bracket that is not closed, or in one, or behind '\', a
 * byte that identities encode. */
int manifest_glob(const char *raw, char ret_glob[static MANIFEST_GLOB_MAX + 1]);

/* --expires: a date (2026-12-31, which is its end, UTC), or a time from now: a
 * number and h, d or w. Written as a timestamptz. Returns 0, -EINVAL (neither)
 * or -ERANGE (not after now_s, or over a hundred years from it). */
int manifest_expires(const char *text, time_t now_s,
                     char ret_expires[static MANIFEST_EXPIRES_MAX]);

#endif
