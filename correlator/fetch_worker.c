#include "correlator/fetch_worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "correlator/commands.h"
#include "correlator/counters.h"
#include "correlator/log.h"
#include "correlator/program.h"

enum {
  INTERVAL_S = 30, /* what failed comes up again by and by */
  LINE_MAX_LEN = 2000,
  /* Beyond the steps of a fetch in each section: what `manifest fetch` goes on
   * taking, and what the import of its last packages may take. */
  ROUND_S = 600 + 3600,
  STEPS = 4, /* update, two look-ups, download */
};

struct fetch_worker {
  struct event_base *base;
  const struct config *config;
  struct event *interval;
  struct event *requests;
  struct event *ended; /* SIGCHLD */
  struct event *said;  /* what the child writes; NULL: there is no child */
  struct event *bound; /* its time is over */
  pid_t pid;
  int output; /* the reading end */
  bool again; /* something was asked for meanwhile */
  size_t line_len;
  char line[LINE_MAX_LEN + 1];
};

/* A line of `manifest fetch`: the outcome, what was fetched, and why. */
static void take_line(struct fetch_worker *w) {
  static const struct {
    const char *begin;
    enum counter counter;
  } outcomes[] = {
      {"found ", COUNTER_MANIFESTS_FOUND},
      {"none ", COUNTER_MANIFESTS_NONE},
      {"failed ", COUNTER_MANIFESTS_FAILED},
  };

  w->line[w->line_len] = '\0';
  for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
    if (strncmp(w->line, outcomes[i].begin, strlen(outcomes[i].begin)) == 0)
      counters_add(outcomes[i].counter, 1);
  if (w->line_len > 0)
    log_info("manifest fetch: %s", w->line);
  w->line_len = 0;
}

/* Returns false at the end of what there is now. */
static bool take_output(struct fetch_worker *w) {
  char buffer[4096];
  ssize_t n = read(w->output, buffer, sizeof(buffer));

  for (ssize_t i = 0; i < n; i++) {
    if (buffer[i] == '\n')
      take_line(w);
    else if (buffer[i] != '\0' && w->line_len < LINE_MAX_LEN)
      w->line[w->line_len++] = buffer[i]; /* the rest of a long one is lost */
  }
  if (n == 0 && w->said != NULL)
    (void)event_del(w->said); /* closed; SIGCHLD comes */
  return n > 0;
}

static void on_output(evutil_socket_t fd, short events, void *arg) {
  (void)fd;
  (void)events;
  (void)take_output(arg);
}

static void on_bound(evutil_socket_t fd, short events, void *arg) {
  const struct fetch_worker *w = arg;

  (void)fd;
  (void)events;
  log_warning("manifest fetch: took too long, ended");
  program_kill(w->pid);
}

static void forget_child(struct fetch_worker *w) {
  if (w->said != NULL)
    event_free(w->said);
  w->said = NULL;
  (void)evtimer_del(w->bound);
  (void)close(w->output);
  w->output = -1;
  w->pid = 0;
}

/* Two sections' steps may each take their whole time. */
static struct timeval bound_of(const struct config *config) {
  struct timeval bound = {ROUND_S, 0};

  for (size_t i = 0; i < config->fetches_len; i++)
    bound.tv_sec += STEPS * (time_t)config->fetches[i].timeout_s;
  return bound;
}

static int follow(struct fetch_worker *w, int output) {
  struct timeval bound = bound_of(w->config);

  w->output = output;
  w->line_len = 0;
  w->said = event_new(w->base, output, EV_READ | EV_PERSIST, on_output, w);
  if (w->said == NULL || event_add(w->said, NULL) != 0 ||
      evtimer_add(w->bound, &bound) != 0)
    return -ENOMEM;
  return 0;
}

/* The same program, also when its file was replaced meanwhile: its SQL fits
 * the database. */
static void start(struct fetch_worker *w) {
  char *const argv[] = {"process-dna-correlator",
                        "-c",
                        w->config->file,
                        "manifest",
                        "fetch",
                        NULL};
  const struct program program = {
      .path = "/proc/self/exe", .argv = argv, .environment = environ};
  int ends[2] = {-1, -1};

  w->again = false;
  int rc = pipe2(ends, O_CLOEXEC) != 0 ? -errno : 0;
  if (rc == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0)
    rc = -errno; /* our end only: the child's waits for us */
  if (rc == 0)
    rc = program_start(&program, ends[1], ends[1], &w->pid);
  if (ends[1] >= 0)
    (void)close(ends[1]);
  if (rc != 0) {
    log_limited("fetch", "", "manifest fetch: %s", strerrordesc_np(-rc));
    if (ends[0] >= 0)
      (void)close(ends[0]);
    w->pid = 0;
    return;
  }
  rc = follow(w, ends[0]);
  if (rc == 0)
    return;
  log_error("manifest fetch: %s", strerrordesc_np(-rc));
  program_kill(w->pid); /* and SIGCHLD comes */
}

static void on_interval(evutil_socket_t fd, short events, void *arg) {
  struct fetch_worker *w = arg;

  (void)fd;
  (void)events;
  if (w->pid == 0)
    start(w);
}

static void on_requests(evutil_socket_t fd, short events, void *arg) {
  struct fetch_worker *w = arg;
  eventfd_t ignored;

  (void)events;
  (void)eventfd_read(fd, &ignored);
  w->again = true;
  if (w->pid == 0)
    start(w);
}

static void say_status(int status) {
  if (WIFSIGNALED(status))
    log_warning("manifest fetch: ended by signal %d", WTERMSIG(status));
  else if (WEXITSTATUS(status) != EXIT_DONE && WEXITSTATUS(status) != EXIT_NO)
    log_limited("fetch", "", "manifest fetch: exit status %d",
                WEXITSTATUS(status));
}

static void on_ended(evutil_socket_t fd, short events, void *arg) {
  struct fetch_worker *w = arg;
  int status;

  (void)fd;
  (void)events;
  if (w->pid == 0 || waitpid(w->pid, &status, WNOHANG) != w->pid)
    return;
  while (take_output(w))
    ;
  take_line(w); /* one without a newline */
  forget_child(w);
  say_status(status);
  if (w->again)
    start(w);
}

int fetch_worker_new(struct event_base *base, const struct config *config,
                     int requests_fd, struct fetch_worker **ret_worker) {
  const struct timeval interval = {INTERVAL_S, 0};
  struct fetch_worker *w = calloc(1, sizeof(*w));

  if (w == NULL)
    return -ENOMEM;
  w->base = base;
  w->config = config;
  w->output = -1;
  w->interval = event_new(base, -1, EV_PERSIST, on_interval, w);
  w->requests =
      event_new(base, requests_fd, EV_READ | EV_PERSIST, on_requests, w);
  w->ended = evsignal_new(base, SIGCHLD, on_ended, w);
  w->bound = evtimer_new(base, on_bound, w);
  if (w->interval == NULL || w->requests == NULL || w->ended == NULL ||
      w->bound == NULL || event_add(w->interval, &interval) != 0 ||
      event_add(w->requests, NULL) != 0 || event_add(w->ended, NULL) != 0) {
    fetch_worker_free(w);
    return -ENOMEM;
  }
  *ret_worker = w;
  return 0;
}

static void free_event(struct event *event) {
  if (event != NULL)
    event_free(event);
}

void fetch_worker_free(struct fetch_worker *w) {
  if (w == NULL)
    return;
  if (w->pid != 0) {
    program_kill(w->pid);
    while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
      ;
    forget_child(w);
  }
  free_event(w->bound);
  free_event(w->ended);
  free_event(w->requests);
  free_event(w->interval);
  free(w);
}
