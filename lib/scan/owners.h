/* Which package owns each executable of a scan, asked once for each path and
 * again when a package database changed.
 *
 * A digest is never to be paired with the version of another moment: what a
 * package manager does between the look at a file and the look at its database
 * must not read as a change of the one without the other. So the databases'
 * stamp is taken before the walk and after all digests are there. A scan is
 * quiet for an executable when both are equal, and its owner was read in a
 * database of that stamp; then its package is as the database says. Otherwise
 * the package is in transaction, for this scan, if
 * - the database calls it so;
 * - it differs from what was known when the database was last quiet, or nothing
 *   was known then;
 * - the file changed since the database was last quiet: the version that is
 *   known may be that of the file before. Without that, a file whose database
 *   is still being read would be paired with the old version.
 * Whether quiet or not, it also is if the file changed since the second from
 * which on a database says that files move (package_db.find).
 *
 * The databases are read by a thread of their own, so that neither the walk nor
 * hashing waits for them. An executable whose owner is not known yet is
 * `pending`. When reading hangs, fails, or takes two minutes, it is given up:
 * an owner that was known stays (in transaction, if the file changed since the
 * database was last quiet), a new executable has none, and reading is tried
 * again with each scan, which then doesn't wait for it. A database that this
 * program lacks a library for isn't. */
#ifndef PDNA_OWNERS_H
#define PDNA_OWNERS_H

#include "lib/record/package.h"
#include "lib/scan/package_db.h"
#include "lib/scan/worker.h"

struct owners;

enum { OWNERS_NONE = SIZE_MAX }; /* no number */

/* A reading that makes no progress for timeout_ms hangs. Returns 0 or a
 * negative errno. */
int owners_new(int proc_fd, unsigned timeout_ms, struct owners **ret);

/* Waits for a thread that is not stuck, at most a second. */
void owners_free(struct owners *o);

/* A scan, in this order. */

/* Before the walk: the databases below root_fd, which stays the caller's, are
 * looked at, until `deadline_ms` of clock_monotonic_ms at the latest. */
void owners_begin(struct owners *o, int root_fd, int64_t deadline_ms);

/* The number of a path, until owners_end. Returns 0 or -ENOMEM. */
int owners_use(struct owners *o, const char *path, size_t *ret_number);

/* After the walk: begin to read what is missing. Returns 0 or -ENOMEM. */
int owners_ask(struct owners *o);

/* After all digests: look again and read what changed, and wait for that.
 * Returns 0 or -ENOMEM. */
int owners_settle(struct owners *o, int64_t deadline_ms);

/* The owner of a path in use, for the file that changed last at `ctime_s`.
 * Returns 0 (no owner: manager is "") or -EAGAIN: not known yet. */
int owners_get(const struct owners *o, size_t number, int64_t ctime_s,
               struct package *ret);

/* Forgets what is not in use any more, when it is more than what is. */
void owners_end(struct owners *o);

/* The wall clock was set: times of files before and after don't compare. */
void owners_clock_was_set(struct owners *o);

/* Which database could not be read when it was last tried; manager NULL:
 * none. */
struct package_db_failure owners_failure(const struct owners *o);

struct worker_figures owners_figures(struct owners *o);

#endif
