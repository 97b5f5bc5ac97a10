#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/record/clock.h"
#include "lib/scan/worker_thread.h"

enum { CLOSE_MS = 1000 };

static int init_sync(struct worker *w) {
  pthread_condattr_t attr;
  int ret = pthread_condattr_init(&attr);

  if (ret != 0)
    return -ret;
  (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
  ret = pthread_mutex_init(&w->lock, NULL);
  if (ret == 0)
    ret = pthread_cond_init(&w->work, &attr);
  if (ret == 0)
    ret = pthread_cond_init(&w->done, &attr);
  (void)pthread_condattr_destroy(&attr);
  return -ret;
}

int worker_new(int proc_fd, unsigned file_timeout_ms, struct worker **ret) {
  struct worker *w = calloc(1, sizeof(*w));
  int r;

  if (w == NULL)
    return -ENOMEM;
  w->file_timeout_ms = file_timeout_ms;
  w->references = 1;
  r = init_sync(w);
  if (r < 0)
    goto err1;
  w->proc_fd = fcntl(proc_fd, F_DUPFD_CLOEXEC, 0);
  if (w->proc_fd < 0) {
    r = -errno;
    goto err1;
  }
  pthread_mutex_lock(&w->lock);
  r = worker_start_thread(w);
  pthread_mutex_unlock(&w->lock);
  if (r < 0)
    goto err2;
  *ret = w;
  return 0;

err2:
  close(w->proc_fd);
err1:
  free(w);
  return r;
}

static struct timespec to_timespec(int64_t ms) {
  return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
}

void worker_free(struct worker *w) {
  struct timespec deadline = to_timespec(clock_monotonic_ms() + CLOSE_MS);
  bool joins;
  pthread_t id = 0;

  if (w == NULL)
    return;
  pthread_mutex_lock(&w->lock);
  joins = w->thread != NULL;
  if (joins)
    id = w->thread->id;
  w->closing = true;
  pthread_cond_signal(&w->work);
  while (w->thread != NULL &&
         pthread_cond_timedwait(&w->done, &w->lock, &deadline) == 0)
    ;
  if (w->thread != NULL) {
    w->file_timeout_ms = 0;
    worker_abandon_if_stuck(w);
    /* Or it hangs closing a file. */
    if (w->thread != NULL)
      (void)pthread_detach(id);
    joins = false;
  }
  pthread_mutex_unlock(&w->lock);
  /* What it has in libraries (OpenSSL's per thread) must be gone before the
   * program ends them. */
  if (joins)
    (void)pthread_join(id, NULL);
  worker_unreference(w);
}

void worker_begin(struct worker *w, uint64_t budget) {
  pthread_mutex_lock(&w->lock);
  w->budget = budget;
  w->cycle++;
  w->holds_rehash = true;
  worker_ensure_thread(w);
  pthread_cond_signal(&w->work);
  pthread_mutex_unlock(&w->lock);
}

void worker_submit(struct worker *w, struct job *job) {
  pthread_mutex_lock(&w->lock);
  assert(job->phase == JOB_NEW);
  job->references++;
  job->phase = JOB_QUEUED;
  worker_enqueue(w, job);
  pthread_cond_signal(&w->work);
  pthread_mutex_unlock(&w->lock);
}

void worker_wait(struct worker *w, bool urgent, int64_t deadline_ms) {
  pthread_mutex_lock(&w->lock);
  w->waits_urgent = urgent;
  if (!urgent) {
    w->holds_rehash = false;
    pthread_cond_signal(&w->work);
  }
  for (;;) {
    int64_t until_ms;
    struct timespec until;

    worker_ensure_thread(w);
    if (worker_is_idle(w, urgent) || clock_monotonic_ms() >= deadline_ms)
      break;
    /* A job that hangs may begin at any time, and then nobody signals. */
    until_ms = clock_monotonic_ms();
    if (w->thread != NULL && w->thread->job != NULL)
      until_ms = w->thread->busy_since_ms;
    until_ms += w->file_timeout_ms;
    if (until_ms > deadline_ms)
      until_ms = deadline_ms;
    until = to_timespec(until_ms);
    (void)pthread_cond_timedwait(&w->done, &w->lock, &until);
  }
  w->waits_urgent = false;
  pthread_mutex_unlock(&w->lock);
}

bool worker_finished(struct worker *w, struct job *job) {
  bool finished;

  pthread_mutex_lock(&w->lock);
  finished = job->phase == JOB_FINISHED;
  pthread_mutex_unlock(&w->lock);
  return finished;
}

void worker_release(struct worker *w, struct job *job) {
  if (job == NULL)
    return;
  pthread_mutex_lock(&w->lock);
  job->cancelled = true;
  worker_unreference_job(job);
  pthread_mutex_unlock(&w->lock);
}

struct worker_figures worker_figures(struct worker *w) {
  struct worker_figures figures;

  pthread_mutex_lock(&w->lock);
  figures = w->figures;
  figures.stuck = w->stuck_len;
  pthread_mutex_unlock(&w->lock);
  return figures;
}
