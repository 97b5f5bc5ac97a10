/* Inside of the worker (worker.h): the queues and the threads. All functions
 * are called with the lock held unless they say otherwise. */
#ifndef PDNA_WORKER_THREAD_H
#define PDNA_WORKER_THREAD_H

#include <pthread.h>

#include "lib/scan/worker.h"

enum {
  WORKER_URGENT, /* look-ups and checks */
  WORKER_HASH,
  WORKER_REHASH,
  WORKER_QUEUES
};

struct worker_queue {
  struct job *head;
  struct job *tail;
};

struct worker_thread {
  pthread_t id; /* to be joined, or detached once it is left behind */
  struct worker *worker;
  struct worker_thread *next; /* in worker.stuck */
  struct job *job;            /* being worked on */
  struct job_key key;         /* of that job */
  int64_t busy_since_ms;
  bool abandoned;
  void *buf; /* only while there is work */
};

struct worker {
  pthread_mutex_t lock;
  pthread_cond_t work; /* for the thread: there is some */
  pthread_cond_t done; /* for the owner: less is left */
  int proc_fd;
  unsigned file_timeout_ms;
  unsigned references; /* the owner's and one a thread */
  bool closing;
  bool waits_urgent;
  bool holds_rehash; /* until all that is new is in line */
  uint64_t budget;   /* bytes left of this cycle's */
  uint64_t cycle;
  struct worker_queue queues[WORKER_QUEUES];
  struct worker_queue parked;   /* over, but closing their files may hang */
  struct worker_thread *thread; /* that works; NULL: too many are stuck */
  struct worker_thread *stuck;
  unsigned stuck_len;
  unsigned stuck_urgent;
  struct worker_figures figures;
};

void worker_enqueue(struct worker *w, struct job *job);

/* Is nothing left that can be done now? */
bool worker_is_idle(struct worker *w, bool urgent);

/* Leave the thread behind if its job makes no progress, see to it that there
 * is one that works, and answer the jobs that would get stuck. */
void worker_ensure_thread(struct worker *w);
void worker_abandon_if_stuck(struct worker *w);

/* Returns 0 or a negative errno. */
int worker_start_thread(struct worker *w);

void worker_unreference_job(struct job *job);

/* Without the lock: give up a reference of the worker itself. */
void worker_unreference(struct worker *w);

#endif
