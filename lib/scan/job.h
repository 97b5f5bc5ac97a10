/* Work that may wait for a file system: looking up a path, reading a memory
 * map, hashing a file, reading package databases. A job is done by the worker
 * (worker.h) and read by whoever submitted it, each with a reference of its
 * own. */
#ifndef PDNA_JOB_H
#define PDNA_JOB_H

#include "lib/scan/exe.h"
#include "lib/scan/hash.h"
#include "lib/scan/package_read.h"

enum job_kind { JOB_PLACE, JOB_SPOOF, JOB_HASH, JOB_PACKAGES };

/* Fill in after job_new, before submitting. */
struct job_order {
  enum job_kind kind;
  bool rehash; /* hash: after all others */
  pid_t pid;
  pid_t tid; /* 0, or the thread that stands for the process */
  uint64_t start_ticks;
  struct file_stat file;    /* hash: the file; otherwise the one that runs */
  struct exe_lookup lookup; /* place, and hash by path; its descriptors are set
                               by the worker */
  enum exe_root root;       /* hash by path: where */
  char *text;               /* place, spoof: the exe link; hash: the path, or
                               NULL for the file that runs; owned */
  bool may_hang;            /* the file lies where a program answers */
  struct package_read *packages; /* packages: the order and its result; owned.
                                    All else is for the other kinds */
};

struct job {
  struct job_order order;

  /* Valid when the worker says that the job is finished. */
  int error; /* 0, or a negative errno: -ESRCH the process or the file is not
                that any more, -EAGAIN ask again, -ETIMEDOUT, ... */
  union {
    struct {
      struct exe_place place;
      struct file_stat running;
    } place;
    bool spoofed;
    struct {
      struct digest digest;
      struct file_stat file;
    } hash;
  } result;

  /* The worker's. */
  bool (*progress)(void *arg); /* a long step calls it now and then; false:
                                  give up */
  void *progress_arg;
  struct job *next;
  int references;
  enum { JOB_NEW, JOB_QUEUED, JOB_RUNNING, JOB_FINISHED } phase;
  bool cancelled;
  struct hash hash;
  uint64_t turn_bytes; /* since it was last put behind the others */
  int64_t turn_since_ms;
};

/* A job with one reference, all zero. NULL: no memory. */
struct job *job_new(enum job_kind kind);

/* Do some of it. Returns 1 (there is more), 0 (done) or a negative errno.
 * `buf` has HASH_CHUNK bytes; a hash reads at most `max` of them and says how
 * many in *ret_read. */
int job_step(struct job *job, int proc_fd, void *buf, size_t max,
             size_t *ret_read);

void job_destroy(struct job *job);

/* What else will not answer when this job does not: jobs with equal keys. */
struct job_key {
  enum { KEY_DEVICE, KEY_PATH, KEY_PROCESS, KEY_PACKAGES } kind;
  uint64_t value;
};
struct job_key job_key(const struct job *job);

#endif
