/* Package managers' databases below a root: which package owns a file. Each
 * manager is an entry of package_dbs; the scanner asks them in order, the next
 * one for what the one before has no owner for (owners.h).
 *
 * All of it comes from a disk that an attacker may have written to: paths are
 * resolved below the root and never lead out of it, only regular files are
 * opened, and sizes, lines and counts are bounded. */
#ifndef PDNA_PACKAGE_DB_H
#define PDNA_PACKAGE_DB_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/record/package.h"

struct package_db_query {
  int root_fd;              /* the folder below which all paths are */
  const char *const *paths; /* raw, absolute, sorted by strcmp, no doubles */
  size_t len;
  /* Called now and then; false: give up. May be NULL. */
  bool (*progress)(void *arg);
  void *arg;
};

enum {
  PACKAGE_DB_SETTLED = 0, /* for ret_changing_s: nothing is being changed */
};

struct package_db {
  const char *manager; /* "dpkg", "rpm" */

  /* A number that changes when the database may have changed: a few statx. With
   * `cached` it never waits for a file system; without it may, and then the
   * worker calls it. Both ways give the same number. Returns 0, -ENOENT (there
   * is no such database below the root), -EAGAIN (cached: the kernel's caches
   * can't tell) or another negative errno. */
  int (*stamp)(int root_fd, bool cached, uint64_t *ret_stamp);

  /* Find the owners of the query's paths, one in `owners` for each. All of them
   * come in without a package (manager "") and one that the database has no
   * owner for stays so. Only packages that have files are owners.
   *
   * in_transaction is set for a package that the manager is changing: its
   * version may be another than that of its files. What the manager is changing
   * and the database doesn't tell of which file (one that moves from package to
   * package) is told by *ret_changing_s: a file that was changed at that second
   * (since the epoch) or later may belong to a package or a version that is not
   * yet in the database; PACKAGE_DB_SETTLED where there is none.
   *
   * Whoever calls it takes the stamp before and after, and asks again if they
   * differ; what find reads may be torn then. Called by one thread at a time,
   * any one; may take long. Returns 0, -ENOMEM, -ECANCELED (progress said so)
   * or another negative errno: the database can't be read. Then `owners` says
   * nothing. */
  int (*find)(const struct package_db_query *query, struct package *owners,
              int64_t *ret_changing_s);
};

/* Ends with NULL. */
extern const struct package_db *const package_dbs[];

/* A database that could not be read. */
struct package_db_failure {
  const char *manager; /* or "the host", where it isn't known which; static
                          storage; NULL: there is none */
  int error;           /* a negative errno */
};

/* What the error means, for a log: static storage. */
const char *package_db_error(const struct package_db_failure *failure);

/* For the entries. */

/* Open what lies at `path` below the root, as O_PATH; symbolic links are
 * followed and stay inside the root. With `cached` it is -EAGAIN where a file
 * system would have to be asked. Returns a descriptor or a negative errno. */
int package_db_open_path(int root_fd, const char *path, bool cached);

/* Open a regular file for reading, a folder for listing. Returns a descriptor,
 * -EINVAL (something else lies there) or another negative errno. */
int package_db_open_file(int root_fd, const char *path);
int package_db_open_folder(int root_fd, const char *path);

/* Read the link that lies at `path`, on the root's own file system: another one
 * may hang. It must belong to the root's owner, and no folder of `path` may be
 * a link: whoever else could make one would have a file of his own taken for a
 * package's. Returns 0, -EINVAL (no link, or one that is longer), -EPERM
 * (anyone's), -ELOOP (a folder is a link) or another negative errno. */
int package_db_read_link(int root_fd, const char *path,
                         char ret_target[static PATH_MAX]);

/* Is a folder of `path` a link, as this program sees it? Where nothing lies
 * there is none; kernels before 5.6 can't tell, and then it is none. */
bool package_db_has_link(const char *path);

/* Work what lies at `path`, its inode, size and times, into a stamp; that
 * nothing lies there is worked in as well. Returns 0, -ENOENT (nothing),
 * -EAGAIN (see cached) or another negative errno. */
int package_db_stamp(int root_fd, const char *path, bool cached,
                     uint64_t *stamp);

#endif
