/* One reading of all package databases below a root, as a job of a worker
 * (job.h): who owns the paths, and in which state the databases were. */
#ifndef PDNA_PACKAGE_READ_H
#define PDNA_PACKAGE_READ_H

#include "lib/scan/package_db.h"

struct package_read {
  /* Owned; filled in by whoever asks. */
  int root_fd;
  char **paths; /* raw, absolute, sorted by strcmp; none: only the stamp */
  size_t len;

  struct package *owners; /* one for each path, owned */
  uint64_t stamp;         /* of the databases when the reading began */
  bool stable; /* ... and when it ended, in the last of a few tries */
  bool failed; /* a database could not be read; those without an
                  owner may have one there */
  struct package_db_failure failure; /* of the first such */
  int64_t changing_s;                /* as package_db.find says, the earliest */
};

/* Takes over neither root_fd, which is duplicated, nor anything else; `len`
 * paths are to be filled in. NULL: no memory, or no descriptor. */
struct package_read *package_read_new(int root_fd, size_t len);
void package_read_free(struct package_read *p);

/* Fill in the rest. Returns 0, -ENOMEM or -ECANCELED: `progress` said false. */
int package_read_run(struct package_read *p, bool (*progress)(void *arg),
                     void *arg);

/* The stamps of all databases as one. What can't be looked at counts as not
 * there. Returns 0 or -EAGAIN (with `cached`, see package_db.stamp). */
int package_read_stamp(int root_fd, bool cached, uint64_t *ret_stamp);

#endif
