/* An executable as it is published: one per distinct (container, path,
 * digest, state) of a scan, however many processes run it. A replaced
 * executable makes two: the disk's digest (replaced) and the running image's
 * (superseded). */
#ifndef PDNA_EXECUTABLE_H
#define PDNA_EXECUTABLE_H

#include "lib/record/record.h"

struct executable {
  char container[CONTAINER_MAX + 1];
  char *path; /* canonical text (pathname.h), unshortened on the host and the
                 identity in the correlator; owned */
  enum exe_state state;
  enum exe_reason reason; /* set exactly when state is EXE_UNREADABLE */
  struct digest sha256;   /* valid unless state is EXE_UNREADABLE */
  uint64_t processes;
  uint64_t rss_bytes;      /* sum over the processes */
  pid_t pid;               /* the lowest */
  uid_t uid;               /* of that process */
  char name[COMM_MAX + 1]; /* of that process; "" where the wire has none */
  int64_t started_s;       /* the oldest process's start, since the epoch */
  bool has_file;
  struct file_facts file;
  struct package package; /* no package: manager is "" */
};

/* Fold records into executables, sorted by (container, path, state, digest).
 * Records that do not validate are left out and counted in *ret_invalid (may
 * be NULL). The caller frees the result with executables_free. Returns 0 or
 * -ENOMEM. */
int executables_from_records(const struct record *records, size_t records_len,
                             struct executable **ret_executables,
                             size_t *ret_len, size_t *ret_invalid);

void executable_clear(struct executable *e);
void executables_free(struct executable *executables, size_t len);

#endif
