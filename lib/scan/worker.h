/* The thread that does jobs (job.h), with a deadline. A thread that is stuck
 * in the kernel is left behind and another one starts; it goes when the kernel
 * lets it go. Used by one thread. */
#ifndef PDNA_WORKER_H
#define PDNA_WORKER_H

#include "lib/scan/job.h"

struct worker;

/* Takes a descriptor of its own of the proc folder. A job that makes no
 * progress for file_timeout_ms is stuck. Returns 0 or a negative errno. */
int worker_new(int proc_fd, unsigned file_timeout_ms, struct worker **ret);

/* Waits for a thread that is not stuck, at most a second. */
void worker_free(struct worker *w);

/* Begin a cycle: from now on at most `budget` bytes are read. Hashes that are
 * only repeated, and were left over, hold until all is waited for: what is new
 * goes first, and is yet to be found. */
void worker_begin(struct worker *w, uint64_t budget);

/* Put a job in line: look-ups and checks first, then hashes, then hashes that
 * are only repeated. Those of one kind take turns. */
void worker_submit(struct worker *w, struct job *job);

/* Wait for all look-ups and checks (urgent), or for all that the budget still
 * allows, until `deadline_ms` of clock_monotonic_ms. */
void worker_wait(struct worker *w, bool urgent, int64_t deadline_ms);

bool worker_finished(struct worker *w, struct job *job);

/* Give up a reference; nobody reads what comes of the job. NULL is nothing. */
void worker_release(struct worker *w, struct job *job);

/* Since the worker began. */
struct worker_figures {
  uint64_t bytes_read;
  int64_t cpu_ns;
  unsigned stuck; /* threads, now */
};
struct worker_figures worker_figures(struct worker *w);

#endif
