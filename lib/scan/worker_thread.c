#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lib/record/clock.h"
#include "lib/scan/worker_thread.h"

enum {
  STUCK_MAX = 16,        /* threads left behind */
  STUCK_URGENT_MAX = 8,  /* of them by look-ups and checks: these must not
                            keep hashing from going on */
  TURN_BYTES = 64 << 20, /* a job that has had as much goes behind others */
  TURN_MS = 500,
  STACK_SIZE = 256 * 1024,
};

static size_t queue_of(const struct job *job) {
  if (job->order.kind != JOB_HASH)
    return WORKER_URGENT;
  return job->order.rehash ? WORKER_REHASH : WORKER_HASH;
}

static void push_tail(struct worker_queue *q, struct job *job) {
  job->next = NULL;
  if (q->tail != NULL)
    q->tail->next = job;
  else
    q->head = job;
  q->tail = job;
}

static void push_head(struct worker_queue *q, struct job *job) {
  job->next = q->head;
  q->head = job;
  if (q->tail == NULL)
    q->tail = job;
}

void worker_enqueue(struct worker *w, struct job *job) {
  push_tail(&w->queues[queue_of(job)], job);
}

static struct job *pop(struct worker_queue *q) {
  struct job *job = q->head;

  if (job == NULL)
    return NULL;
  q->head = job->next;
  if (q->head == NULL)
    q->tail = NULL;
  job->next = NULL;
  return job;
}

void worker_unreference_job(struct job *job) {
  if (--job->references == 0)
    job_destroy(job);
}

static void finish(struct job *job, int error) {
  job->error = error;
  job->phase = JOB_FINISHED;
}

static bool is_stuck(const struct worker *w, const struct job *job) {
  struct job_key key = job_key(job);

  if (queue_of(job) == WORKER_URGENT && w->stuck_urgent >= STUCK_URGENT_MAX)
    return true;
  for (const struct worker_thread *t = w->stuck; t != NULL; t = t->next) {
    if (t->key.kind == key.kind && t->key.value == key.value)
      return true;
  }
  return false;
}

/* Answer the jobs at the heads that would get stuck, and drop those that
 * nobody waits for. Closing a file may hang too (FUSE is told): only threads do
 * it, and only without the lock. */
static void tidy(struct worker *w) {
  for (size_t i = 0; i < WORKER_QUEUES; i++) {
    struct worker_queue *q = &w->queues[i];

    while (q->head != NULL) {
      bool stuck = w->thread == NULL || is_stuck(w, q->head);
      bool open = q->head->hash.fd >= 0;
      struct job *job;

      if (!stuck && (open || !q->head->cancelled))
        break;
      job = pop(q);
      finish(job, -ETIMEDOUT);
      if (open)
        push_tail(&w->parked, job);
      else
        worker_unreference_job(job);
    }
  }
}

/* Close the files of jobs that are over. Called and returns with the lock
 * held. */
static void close_all(struct worker *w, struct worker_queue *q) {
  struct job *job;

  while ((job = pop(q)) != NULL) {
    pthread_mutex_unlock(&w->lock);
    hash_clear(&job->hash);
    pthread_mutex_lock(&w->lock);
    worker_unreference_job(job);
  }
}

/* The queue whose turn it is, or NULL: nothing is left that can be done now. */
static struct worker_queue *next_queue(struct worker *w) {
  size_t end = w->holds_rehash ? WORKER_REHASH : WORKER_QUEUES;

  if (w->budget == 0)
    end = WORKER_HASH;
  for (size_t i = 0; i < end; i++) {
    if (w->queues[i].head != NULL)
      return &w->queues[i];
  }
  return NULL;
}

static struct job *pick(struct worker *w) {
  struct worker_queue *q;

  tidy(w);
  q = next_queue(w);
  return q != NULL ? pop(q) : NULL;
}

bool worker_is_idle(struct worker *w, bool urgent) {
  bool busy = w->thread != NULL && w->thread->job != NULL;

  if (!urgent)
    return !busy && next_queue(w) == NULL;
  return w->queues[WORKER_URGENT].head == NULL &&
         !(busy && queue_of(w->thread->job) == WORKER_URGENT);
}

void worker_unreference(struct worker *w) {
  bool last;

  pthread_mutex_lock(&w->lock);
  last = --w->references == 0;
  pthread_mutex_unlock(&w->lock);
  if (!last)
    return;
  /* Threads have emptied the queues, if there ever was one. */
  for (size_t i = 0; i < WORKER_QUEUES; i++) {
    struct job *job;

    while ((job = pop(&w->queues[i])) != NULL)
      worker_unreference_job(job);
  }
  pthread_cond_destroy(&w->done);
  pthread_cond_destroy(&w->work);
  pthread_mutex_destroy(&w->lock);
  close(w->proc_fd);
  free(w);
}

static int64_t thread_cpu_ns(void) {
  struct timespec t;

  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void *buffer_get(struct worker_thread *t) {
  if (t->buf == NULL) {
    void *buf = mmap(NULL, HASH_CHUNK, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    t->buf = buf != MAP_FAILED ? buf : NULL;
  }
  return t->buf;
}

static void buffer_drop(struct worker_thread *t) {
  if (t->buf != NULL)
    (void)munmap(t->buf, HASH_CHUNK);
  t->buf = NULL;
}

/* Put a job that has more to do back in line: it goes on at once, unless it
 * has had its turn. */
static void put_back(struct worker *w, struct job *job, size_t n) {
  struct worker_queue *q = &w->queues[queue_of(job)];
  int64_t now_ms = clock_monotonic_ms();

  job->phase = JOB_QUEUED;
  job->turn_bytes += n;
  if (job->turn_bytes < TURN_BYTES && now_ms - job->turn_since_ms < TURN_MS) {
    push_head(q, job);
    return;
  }
  job->turn_bytes = 0;
  job->turn_since_ms = 0;
  push_tail(q, job);
}

/* A step that takes long goes on. */
static bool progress(void *arg) {
  struct worker_thread *t = arg;
  struct worker *w = t->worker;
  bool go_on;

  pthread_mutex_lock(&w->lock);
  t->busy_since_ms = clock_monotonic_ms();
  go_on = !t->abandoned && !t->job->cancelled && !w->closing;
  pthread_mutex_unlock(&w->lock);
  return go_on;
}

/* One step of one job. Called and returns with the lock held, but works
 * without; false: the thread was left behind meanwhile. */
static bool work(struct worker_thread *t, struct job *job) {
  struct worker *w = t->worker;
  size_t max = w->budget < HASH_CHUNK ? w->budget : HASH_CHUNK;
  bool hash = job->order.kind == JOB_HASH;
  bool cancelled = job->cancelled;
  uint64_t cycle = w->cycle;
  int64_t cpu_ns;
  size_t n = 0;
  int ret;

  if (hash)
    w->budget -= max;
  job->phase = JOB_RUNNING;
  job->progress = progress;
  job->progress_arg = t;
  t->job = job;
  t->key = job_key(job);
  t->busy_since_ms = clock_monotonic_ms();
  if (job->turn_since_ms == 0)
    job->turn_since_ms = t->busy_since_ms;
  pthread_mutex_unlock(&w->lock);
  cpu_ns = thread_cpu_ns();
  if (cancelled)
    ret = -ECANCELED;
  else if (hash && buffer_get(t) == NULL)
    ret = -ENOMEM;
  else
    ret = job_step(job, w->proc_fd, t->buf, max, &n);
  if (ret <= 0)
    hash_clear(&job->hash);
  cpu_ns = thread_cpu_ns() - cpu_ns;
  pthread_mutex_lock(&w->lock);

  w->figures.cpu_ns += cpu_ns;
  w->figures.bytes_read += n;
  if (t->abandoned)
    return false;
  if (hash && w->cycle == cycle)
    w->budget += max - n;
  t->job = NULL;
  if (ret > 0) {
    put_back(w, job, n);
    return true;
  }
  finish(job, ret);
  worker_unreference_job(job);
  return true;
}

/* The kernel has let go of a thread that was left behind. */
static void leave_stuck(struct worker_thread *t) {
  struct worker *w = t->worker;
  struct worker_thread **p = &w->stuck;

  while (*p != t)
    p = &(*p)->next;
  *p = t->next;
  w->stuck_len--;
  if (queue_of(t->job) == WORKER_URGENT)
    w->stuck_urgent--;
  worker_unreference_job(t->job);
}

/* A thread's end. What is parked may be what it hung in. */
static void leave(struct worker_thread *t) {
  struct worker *w = t->worker;

  if (t->abandoned)
    leave_stuck(t);
  if (w->closing) {
    for (size_t i = 0; i < WORKER_QUEUES; i++)
      close_all(w, &w->queues[i]);
  }
  close_all(w, &w->parked);
  if (!t->abandoned)
    w->thread = NULL;
  pthread_cond_signal(&w->done);
}

static void *run(void *arg) {
  struct worker_thread *t = arg;
  struct worker *w = t->worker;

  pthread_mutex_lock(&w->lock);
  while (!w->closing) {
    struct job *job = pick(w);

    if (job == NULL) {
      buffer_drop(t);
      pthread_cond_signal(&w->done);
      pthread_cond_wait(&w->work, &w->lock);
    } else if (!work(t, job)) {
      break;
    } else if (w->waits_urgent && worker_is_idle(w, true)) {
      pthread_cond_signal(&w->done);
    }
  }
  leave(t);
  pthread_mutex_unlock(&w->lock);
  buffer_drop(t);
  free(t);
  worker_unreference(w);
  return NULL;
}

int worker_start_thread(struct worker *w) {
  struct worker_thread *t = calloc(1, sizeof(*t));
  pthread_attr_t attr;
  sigset_t all;
  sigset_t before;
  int ret;

  if (t == NULL)
    return -ENOMEM;
  t->worker = w;
  ret = pthread_attr_init(&attr);
  if (ret != 0)
    goto out;
  (void)pthread_attr_setstacksize(&attr, STACK_SIZE);
  /* Signals are for the program's own threads. */
  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  ret = pthread_create(&t->id, &attr, run, t);
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  (void)pthread_attr_destroy(&attr);
  if (ret == 0) {
    w->references++;
    w->thread = t;
    t = NULL;
  }

out:
  free(t);
  return -ret;
}

/* Leave the thread behind if its job makes no progress. */
void worker_abandon_if_stuck(struct worker *w) {
  struct worker_thread *t = w->thread;

  if (t == NULL || t->job == NULL ||
      clock_monotonic_ms() - t->busy_since_ms < w->file_timeout_ms)
    return;
  t->abandoned = true;
  (void)pthread_detach(t->id);
  finish(t->job, -ETIMEDOUT);
  /* Its own reference stays with the thread, which still uses the job. */
  t->next = w->stuck;
  w->stuck = t;
  w->stuck_len++;
  if (queue_of(t->job) == WORKER_URGENT)
    w->stuck_urgent++;
  w->thread = NULL;
}

void worker_ensure_thread(struct worker *w) {
  worker_abandon_if_stuck(w);
  if (w->thread == NULL && w->stuck_len < STUCK_MAX)
    (void)worker_start_thread(w);
  tidy(w);
}
