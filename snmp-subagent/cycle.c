#include "snmp-subagent/cycle.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct cycle {
  struct scanner *scanner;
  struct exe_index *index;
  struct view_sums sums;
  unsigned interval_s;
  int fd;
  pthread_t thread;
  bool running;

  pthread_mutex_t lock; /* over what follows */
  pthread_cond_t changed;
  bool stop;
  int result; /* of the last scan; -EAGAIN: was taken */
  struct view *view;
};

/* Scan once; the result stands where cycle_take finds it. */
static void scan(struct cycle *c) {
  const uint64_t one = 1;
  struct snapshot *snapshot = NULL;
  struct view *view = NULL, *missed;
  int r = scanner_run(c->scanner, &snapshot);

  if (r == 0)
    r = view_new(snapshot, c->index, &c->sums, &view);
  (void)pthread_mutex_lock(&c->lock);
  missed = c->view;
  if (r == 0)
    c->view = view;
  else
    missed = NULL;
  c->result = r;
  (void)pthread_mutex_unlock(&c->lock);
  view_free(missed);
  /* Can only fail where the counter is full, and then it is readable. */
  if (write(c->fd, &one, sizeof(one)) < 0)
    return;
}

/* Wait until it is time for the next scan. Returns false to stop. */
static bool wait_until(struct cycle *c, const struct timespec *when) {
  bool stop;

  (void)pthread_mutex_lock(&c->lock);
  while (!c->stop &&
         pthread_cond_timedwait(&c->changed, &c->lock, when) != ETIMEDOUT)
    ;
  stop = c->stop;
  (void)pthread_mutex_unlock(&c->lock);
  return !stop;
}

static void *run(void *arg) {
  struct cycle *c = arg;
  struct timespec next, now;

  (void)clock_gettime(CLOCK_MONOTONIC, &next);
  do {
    scan(c);
    /* What a scan that took too long has missed is not made up for. */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    do
      next.tv_sec += c->interval_s;
    while (next.tv_sec < now.tv_sec);
  } while (wait_until(c, &next));
  return NULL;
}

/* Signals are the agent's. */
static int start_thread(struct cycle *c) {
  sigset_t all, before;
  int r;

  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  r = pthread_create(&c->thread, NULL, run, c);
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  c->running = r == 0;
  return -r;
}

static int init_locks(struct cycle *c) {
  pthread_condattr_t attributes;
  int r = pthread_condattr_init(&attributes);

  if (r != 0)
    return -r;
  r = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  if (r == 0)
    r = pthread_cond_init(&c->changed, &attributes);
  (void)pthread_condattr_destroy(&attributes);
  if (r == 0)
    r = pthread_mutex_init(&c->lock, NULL);
  return -r;
}

int cycle_start(const struct scan_options *options, struct cycle **ret) {
  struct cycle *c = calloc(1, sizeof(*c));
  int r;

  if (c == NULL)
    return -ENOMEM;
  c->interval_s = options->scan_interval_s;
  c->result = -EAGAIN;
  r = init_locks(c);
  if (r < 0) {
    free(c);
    return r;
  }
  c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  r = c->fd < 0 ? -errno : exe_index_new(&c->index);
  if (r == 0)
    r = scanner_new(options, &c->scanner);
  if (r == 0)
    r = start_thread(c);
  if (r < 0) {
    cycle_stop(c);
    return r;
  }
  *ret = c;
  return 0;
}

int cycle_fd(const struct cycle *c) { return c->fd; }

int cycle_take(struct cycle *c, struct view **ret) {
  uint64_t ignored;
  int r;

  if (read(c->fd, &ignored, sizeof(ignored)) < 0 && errno != EAGAIN)
    return -errno;
  (void)pthread_mutex_lock(&c->lock);
  r = c->result;
  c->result = -EAGAIN;
  if (r == 0) {
    *ret = c->view;
    c->view = NULL;
  }
  (void)pthread_mutex_unlock(&c->lock);
  return r;
}

void cycle_stop(struct cycle *c) {
  if (c == NULL)
    return;
  if (c->running) {
    (void)pthread_mutex_lock(&c->lock);
    c->stop = true;
    (void)pthread_cond_signal(&c->changed);
    (void)pthread_mutex_unlock(&c->lock);
    (void)pthread_join(c->thread, NULL);
  }
  scanner_free(c->scanner);
  exe_index_free(c->index);
  view_free(c->view);
  if (c->fd >= 0)
    close(c->fd);
  (void)pthread_cond_destroy(&c->changed);
  (void)pthread_mutex_destroy(&c->lock);
  free(c);
}
