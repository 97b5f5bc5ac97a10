/* The record: what is known of one process. It crosses every boundary of the
 * system, as a row of an SNMP table or folded with its likes into a struct
 * executable (executable.h). */
#ifndef PDNA_RECORD_H
#define PDNA_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/record/digest.h"
#include "lib/record/package.h"

/* State of a process's executable; the numbers are those of PROCESS-DNA-MIB.
 */
enum exe_state {
  EXE_CURRENT = 1,    /* the file at exe_path is the one that runs */
  EXE_REPLACED = 2,   /* exe_path holds another file than the one that runs */
  EXE_DELETED = 3,    /* nothing lies at exe_path */
  EXE_ANONYMOUS = 4,  /* never on disk under a name: memfd and the like */
  EXE_SPOOFED = 5,    /* nothing executable is mapped from the linked inode */
  EXE_UNREADABLE = 6, /* could not be hashed; the reason says why */
  EXE_SUPERSEDED = 7, /* on the wire only: the running image's digest of a
                         replaced executable */
};

/* Why there is no digest. */
enum exe_reason {
  EXE_REASON_NONE = 0,
  EXE_REASON_PENDING,  /* over the hash budget; its turn comes */
  EXE_REASON_DENIED,   /* EACCES or EPERM */
  EXE_REASON_CHANGING, /* changed while it was read, twice */
  EXE_REASON_TIMEOUT,  /* its filesystem does not answer */
  EXE_REASON_REMOTE,   /* on a remote filesystem, and RemoteFiles is false */
  EXE_REASON_IO,       /* any other error */
};

/* "current" ... "superseded"; "pending" ... "io". NULL for a number that is
 * none of them (and for EXE_REASON_NONE). Static storage. */
const char *exe_state_name(enum exe_state state);
const char *exe_reason_name(enum exe_reason reason);

/* The opposite direction, `len` bytes at `name`. Returns 0 or -EINVAL. */
int exe_state_from_name(const char *name, size_t len,
                        enum exe_state *ret_state);
int exe_reason_from_name(const char *name, size_t len,
                         enum exe_reason *ret_reason);

/* Facts of the file whose digest was taken, from fstat(2). */
struct file_facts {
  uint64_t size; /* bytes */
  uint32_t mode; /* permission and type bits */
  uint32_t uid;
  uint32_t gid;
  int64_t mtime_s; /* seconds since the epoch */
  int64_t ctime_s;
};

enum {
  COMM_MAX = 63,      /* bytes of a process's name */
  CONTAINER_MAX = 40, /* bytes of a container key */
};

struct record {
  pid_t pid;
  pid_t ppid;
  uint64_t start_ticks; /* clock ticks after boot, proc(5) field 22 */
  int64_t started_s;    /* the same as wall clock, seconds since the epoch */
  char name[COMM_MAX + 1];
  uid_t uid; /* effective */
  uint64_t rss_kib;
  char *exe_path; /* raw bytes as the kernel has them, '/' first; owned */
  char container[CONTAINER_MAX + 1];
  enum exe_state state;   /* never EXE_SUPERSEDED */
  enum exe_reason reason; /* set where a digest below is missing */
  bool has_exe_sha256;
  bool has_running_sha256;
  struct digest exe_sha256;       /* the file at exe_path */
  struct digest running_sha256;   /* the inode that runs */
  struct file_facts exe_file;     /* valid with has_exe_sha256 */
  struct file_facts running_file; /* valid with has_running_sha256 */
  struct package package;
  int64_t observed_at_s; /* seconds since the epoch */
};

/* Is the record one that may leave this host: a path, a state that goes with
 * the digests that are there, a reason where one is missing, a container key
 * of [A-Za-z0-9._-]? Returns 0 or -EINVAL. */
int record_validate(const struct record *r);

/* Is `key` a container key: [A-Za-z0-9._-], at most CONTAINER_MAX bytes,
 * perhaps empty (the host)? */
bool container_key_valid(const char *key);

/* Free what the record owns and zero it. */
void record_clear(struct record *r);

#endif
