/* Inside of a scanner (scan.h). */
#ifndef PDNA_SCANNER_H
#define PDNA_SCANNER_H

#include "lib/scan/cache.h"
#include "lib/scan/owners.h"
#include "lib/scan/scan.h"
#include "lib/scan/walk.h"
#include "lib/scan/worker.h"

enum spoof {
  SPOOF_UNKNOWN, /* to be checked */
  SPOOF_NO,
  SPOOF_YES,
};

/* What is remembered of a process from one scan to the next, beside the record
 * that this scan makes of it. */
struct seen {
  pid_t pid;
  pid_t tid;
  pid_t ppid;
  char name[16];       /* of a process, no thread of the kernel's */
  uint64_t folder_ino; /* 0: always look in full */
  uint64_t start_ticks;
  uint64_t dev; /* the file that runs */
  uint64_t ino;
  uint64_t mnt_id;
  enum mount_kind kind; /* of its file system */
  uint64_t root_dev;    /* of a foreign root */
  uint64_t root_ino;
  char *container; /* NULL: the host, or not in a container */
  bool host_file;  /* in a container, but the host's own file runs there */
  enum spoof spoof;
  struct job *spoof_job;
  struct job *place_job;

  /* Only during a scan. */
  struct cache_entry *running;
  struct cache_entry *disk;
  size_t owner; /* the number of its path, or OWNERS_NONE */
};

struct scanner {
  struct scan_options options;
  char **patterns; /* options.executables, owned */
  int proc_fd;
  int clock_fd;
  long ticks_per_s;
  int64_t boot_s;
  uint64_t cycle; /* counts scans */
  uint64_t rehash_cycles;
  uint64_t phase; /* spreads first re-hashes */
  struct walk walk;
  struct worker *worker;
  struct cache *cache;
  struct owners *owners; /* NULL: packages are not looked at */
  int root_fd;           /* of their databases; -1: the host's root */
  int packages_fd;       /* the same, during a scan; -1: none */
  struct seen *seen;     /* of the last scan, sorted by pid */
  size_t seen_len;
  struct worker_figures reported; /* up to the last snapshot */

  /* This scan. */
  int64_t deadline_ms;
  pid_t *pids; /* sorted */
  size_t pids_len;
  struct record *records;
  struct seen *now; /* one for each record */
  size_t len;
  size_t urgent; /* jobs submitted since they were last waited for */
  struct wire_scan figures;
};

/* look.c: take the process's record, if there is one to take, as record and
 * seen number s->len. `before` is what was seen of the pid, or NULL; what is
 * still true moves over. Returns 0 or -ENOMEM. */
int scanner_look(struct scanner *s, pid_t pid, struct seen *before);

/* place.c: does the file of a process whose root is this program's and the
 * host's lie where it lay? A file with one name whose mount and change time are
 * the same does, as long as a look there finds it; that needs no reading of
 * the link. */
bool scanner_is_where_it_was(struct scanner *s, const struct file_stat *exe,
                             struct cache_entry *e);

/* Find out where the executable of record `i` lies and so its state. Returns
 * 0, -ESRCH (gone), -EAGAIN (changed meanwhile) or -ENOMEM. */
int scanner_find_place(struct scanner *s, size_t i, const struct sight *sight);

/* Take over what a finished look-up says. Returns 0 or -ENOMEM. */
int scanner_take_place(struct scanner *s, size_t i);

/* The record has a path but no more than that. Returns 0 or -ENOMEM. */
int scanner_set_unreadable(struct record *r, const char *text,
                           enum exe_reason reason);

/* ask.c: let the worker look the executable up or check it, by the link's text
 * in walk.text. Returns the job, with a reference, or NULL: no memory. */
struct job *scanner_ask(struct scanner *s, enum job_kind kind,
                        const struct seen *seen, const struct sight *sight);

/* Take over what the finished look-ups and checks say. Returns 0 or
 * -ENOMEM. */
int scanner_take_urgent(struct scanner *s);
void scanner_take_checks(struct scanner *s);

void seen_clear(struct scanner *s, struct seen *seen);

/* digests.c: take over the digests that are there. */
void scanner_take_digests(struct scanner *s);

/* The file is used in this scan: the process of `seen` can open it, at `path`
 * below `root`, or where path is NULL by its exe link. NULL: no memory. */
struct cache_entry *scanner_use(struct scanner *s, const struct seen *seen,
                                const struct file_stat *file, const char *path,
                                enum exe_root root);

/* Ask for the digest of a file in use, if there is none. Returns 0 or
 * -ENOMEM. */
int scanner_request(struct scanner *s, struct cache_entry *e);

/* Ask for the digests whose turn it is again. Returns 0 or -ENOMEM. */
int scanner_rehash(struct scanner *s);

/* packages.c: begin with what options says of packages. Returns 0 or a negative
 * errno. */
int scanner_open_packages(struct scanner *s,
                          const struct scan_options *options);

/* The steps of owners.h. Look at the databases, before any process is looked
 * at. */
void scanner_begin_packages(struct scanner *s);

/* Ask for the owners of all executables. Returns 0 or -ENOMEM. */
int scanner_ask_packages(struct scanner *s);

/* When all digests are there, put the packages into the records. Returns 0 or
 * -ENOMEM. */
int scanner_take_packages(struct scanner *s);
void scanner_end_packages(struct scanner *s);

/* Put digests and states into the records; those of processes that vanished
 * before their file could be opened go. */
void scanner_finish_records(struct scanner *s);

#endif
