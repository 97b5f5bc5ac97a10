/* A scanner: /proc to records. It keeps what makes the next scan cheap (the
 * digest cache, the processes seen) and the thread that opens and hashes
 * files. One scanner is used by one thread at a time. */
#ifndef PDNA_SCAN_H
#define PDNA_SCAN_H

#include "lib/record/executable.h"
#include "lib/record/record.h"
#include "lib/record/wire.h"
#include "lib/scan/package_db.h"

struct scan_options {
  const char *proc_root;          /* "/proc" */
  bool packages;                  /* tell which package owns an executable */
  const char *package_root;       /* below which the package databases are;
                                     NULL: the host's root */
  uint64_t min_rss_kib;           /* 0 is everything */
  bool always_root;               /* uid 0 whatever its RSS */
  const char *const *executables; /* paths that are taken whatever their RSS,
                                     fnmatch(3) patterns with FNM_PATHNAME */
  size_t executables_len;
  unsigned rehash_interval_s; /* every cache entry is read again once in it */
  unsigned scan_interval_s;   /* how often scan_run is called; the re-hash is
                                 spread over these cycles */
  uint64_t hash_budget;       /* bytes read a scan */
  bool remote_files;          /* hash on remote filesystems too */
  unsigned file_timeout_ms;   /* without progress on one file: `timeout` */
  unsigned scan_timeout_ms;   /* a scan waits at most this long for digests;
                                 what is not ready then is `pending` */
  size_t cache_max;           /* entries */
};

/* The design's defaults. */
extern const struct scan_options scan_options_default;

struct scanner;

/* The result of a scan; immutable. */
struct snapshot {
  int64_t observed_at_s;  /* seconds since the epoch, at its start */
  struct record *records; /* sorted by pid */
  size_t records_len;
  struct executable *executables;
  size_t executables_len;
  bool *rehashed; /* per executable: hashed for the first time or
                     again in this scan */
  size_t denied;  /* processes without a record, since this program
                     may not look at them (root may, or who has
                     CAP_SYS_PTRACE) */
  /* A package database that can't be read; manager NULL: none. */
  struct package_db_failure packages;
  struct wire_scan figures; /* `series` is left 0 */
};

/* Copies the options. Returns 0, -ENOMEM, or what opening proc_root or
 * package_root or starting the threads gave. */
int scanner_new(const struct scan_options *options, struct scanner **ret);

/* Take one snapshot. A process that vanishes is no error. Returns 0, -ENOMEM,
 * or what reading proc_root gave. */
int scanner_run(struct scanner *s, struct snapshot **ret_snapshot);

/* Never waits for a hung filesystem: a hashing thread that is stuck in the
 * kernel is left behind. */
void scanner_free(struct scanner *s);

void snapshot_free(struct snapshot *snapshot);

#endif
