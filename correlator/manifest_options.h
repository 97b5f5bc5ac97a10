/* What `manifest import` is told of a release, checked and as the database
 * takes it. */
#ifndef PDNA_MANIFEST_OPTIONS_H
#define PDNA_MANIFEST_OPTIONS_H

#include <time.h>

enum {
  MANIFEST_GLOB_MAX = 1024, /* bytes, with /usr before a /bin */
  MANIFEST_EXPIRES_MAX = 32,
};

/* --path: is it a pattern for absolute paths as the database takes it
 * (fnmatch(3) with FNM_PATHNAME), in printable UTF-8, that does not end in the
 * middle? What stands in its brackets is the database's to say (glob_regex).
 * Returns 0, -EINVAL or -ENOMEM. */
int manifest_glob_check(const char *glob);

/* --expires: a date (2026-12-31, which is its end, UTC), or a time from now: a
 * number and h, d or w. Written as a timestamptz. Returns 0, -EINVAL (neither)
 * or -ERANGE (not after now_s, or over a hundred years from it). */
int manifest_expires(const char *text, time_t now_s,
                     char ret_expires[static MANIFEST_EXPIRES_MAX]);

#endif
