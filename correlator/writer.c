#include "correlator/writer.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "correlator/counters.h"
#include "correlator/db.h"
#include "correlator/log.h"
#include "correlator/spool_report.h"
#include "correlator/worker.h"
#include "correlator/writer_auth.h"
#include "correlator/writer_batch.h"
#include "correlator/writer_halve.h"
#include "correlator/writer_queue.h"
#include "lib/record/clock.h"

enum {
  TICK_MS = 1000,
  PAUSE_MIN_MS = 500,
  PAUSE_MAX_MS = 30000,
  DRAIN_MS = 5000, /* at the end */
};

struct writer {
  pthread_t thread;
  atomic_bool stopping;
  const struct config *config;
  struct ingest_memory *memory;
  struct writer_queue *queue;
  struct writer_auth *auth;
  struct db *db;
  int requests_fd;
  bool connected;
  int pause_ms; /* before the next attempt to connect */
  struct worker worker;
  int64_t next_tick_ms;
  struct batch *batch;
  struct writer_item items[WRITER_BATCH_ROWS];
};

/* Verdicts changed elsewhere: equal scans have to be judged again. What a
 * batch of ours changed is what the memory was told of in the same moment. */
static void take_notifications(struct writer *w, bool own_too) {
  PGnotify *n;

  while ((n = db_notification(w->db)) != NULL) {
    char *rest = n->extra;
    long tenant = strtol(n->extra, &rest, 10);
    if (strcmp(n->relname, WORKER_REQUESTS_CHANNEL) == 0) {
      if (tenant == w->worker.tenant)
        (void)eventfd_write(w->requests_fd, 1);
    } else if (tenant == w->worker.tenant &&
               (own_too || n->be_pid != db_backend_pid(w->db))) {
      ingest_memory_invalidate(w->memory, strtoll(rest, NULL, 10));
      worker_reload(&w->worker);
    }
    PQfreemem(n);
  }
}

static void set_aside(void *arg, size_t at) {
  struct writer *w = arg;
  const struct report *report = w->items[at].report;
  struct bytes entry = {0};

  counters_add(COUNTER_SCANS_REFUSED, 1);
  spool_report_encode(report, &entry);
  int rc = writer_queue_set_aside(w->queue, &entry);
  bytes_free(&entry);
  log_error("host %s: scan refused by the database: %s; %s%s", report->host,
            db_message(w->db),
            rc == 0 ? "kept in the state-dir, in refused"
                    : "not kept in the state-dir: ",
            rc == 0 ? "" : strerrordesc_np(-rc));
}

static enum db_error write_items(void *arg, size_t from, size_t len) {
  struct writer *w = arg;

  return batch_ingest(w->batch, w->db, w->worker.tenant, w->memory,
                      w->items + from, len);
}

/* One batch, if one is due or if `now`. */
static enum db_error write_batch(struct writer *w, bool now) {
  int due_ms = writer_queue_due_ms(w->queue);

  if (due_ms < 0 || (due_ms > 0 && !now))
    return DB_OK;
  size_t len = writer_queue_take(w->queue, w->items);
  if (len == 0)
    return DB_OK;
  const struct writer_halve halve = {.arg = w,
                                     .db = w->db,
                                     .stopping = &w->stopping,
                                     .write = write_items,
                                     .set_aside = set_aside};
  size_t done = 0;
  enum db_error error = writer_halve(&halve, len, &done);
  if (error == DB_OK)
    writer_queue_done(w->queue, w->items, len);
  else
    writer_queue_give_back(w->queue, w->items, len, done);
  take_notifications(w, false);
  return error;
}

static struct writer_auth_target auth_target(const struct writer *w) {
  return (struct writer_auth_target){
      .db = w->db, .tenant = w->worker.tenant, .stopping = &w->stopping};
}

/* Reports and auth events by turns, so that neither waits for long. */
static enum db_error write_batches(struct writer *w, bool now) {
  const struct writer_auth_target target = auth_target(w);
  enum db_error error = write_batch(w, now);

  return error == DB_OK ? writer_auth_write(w->auth, &target, now) : error;
}

static enum db_error forgive(const struct writer *w, enum db_error error) {
  if (error == DB_REFUSED)
    log_limited("worker", db_sqlstate(w->db), "database: %s",
                db_message(w->db));
  return error == DB_AWAY ? error : DB_OK;
}

static void sync_spools(struct writer *w) {
  writer_queue_sync(w->queue);
  auth_queue_sync(writer_auth_queue(w->auth));
}

/* Every second: touches, and what the worker has due. Both come again, so
 * that only a database that is away matters. */
static enum db_error tick(struct writer *w) {
  int64_t now_ms = clock_monotonic_ms();

  if (now_ms < w->next_tick_ms)
    return DB_OK;
  w->next_tick_ms = now_ms + TICK_MS;
  sync_spools(w);
  enum db_error error =
      forgive(w, batch_touch(w->batch, w->db, w->worker.tenant, w->memory));
  /* Agents whose scans are still in the spool would look silent. */
  if (error == DB_OK && !writer_queue_is_spooling(w->queue)) {
    error = forgive(w, worker_tick(&w->worker, w->db));
    if (worker_has_more(&w->worker))
      w->next_tick_ms = now_ms;
  }
  if (error == DB_OK)
    w->pause_ms = PAUSE_MIN_MS;
  take_notifications(w, true);
  return error;
}

static void set_away(struct writer *w, bool away) {
  writer_queue_set_away(w->queue, away);
  writer_auth_set_away(w->auth, away);
}

static enum db_error begin(struct writer *w) {
  enum db_error error = w->db == NULL ? db_open(w->config->database, &w->db)
                                      : db_reconnect(w->db);

  if (error != DB_OK) {
    log_limited("database", "", "database: away, scans go to the spool: %s",
                db_message(w->db));
    return error;
  }
  error = worker_begin(&w->worker, w->db);
  if (error != DB_OK)
    return error;
  const struct writer_auth_target target = auth_target(w);
  error = writer_auth_load(w->auth, &target);
  if (error != DB_OK)
    return error;
  w->connected = true;
  (void)eventfd_write(w->requests_fd, 1);
  set_away(w, false);
  log_info("database: connected, tenant %s", w->config->tenant);
  return DB_OK;
}

static void lose(struct writer *w) {
  w->connected = false;
  set_away(w, true);
  log_limited("database", "", "database: away, scans go to the spool: %s",
              db_message(w->db));
}

/* Until something is put, notified, or the time is over. */
static void wait_for(struct writer *w, int timeout_ms) {
  struct pollfd fds[] = {
      {.fd = writer_queue_fd(w->queue), .events = POLLIN},
      {.fd = auth_queue_fd(writer_auth_queue(w->auth)), .events = POLLIN},
      {.fd = w->connected ? db_socket(w->db) : -1, .events = POLLIN},
  };

  if (poll(fds, sizeof(fds) / sizeof(fds[0]), timeout_ms) <= 0)
    return;
  if (fds[0].revents != 0)
    writer_queue_woken(w->queue);
  if (fds[1].revents != 0)
    auth_queue_woken(writer_auth_queue(w->auth));
}

/* The sooner of two; -1 is never. */
static int sooner_ms(int a, int b) {
  return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Until a batch or the next tick is due. */
static int due_ms(const struct writer *w) {
  int64_t tick_ms = w->next_tick_ms - clock_monotonic_ms();
  int batch_ms =
      sooner_ms(writer_queue_due_ms(w->queue), writer_auth_due_ms(w->auth));

  return sooner_ms(batch_ms, tick_ms < 0 ? 0 : (int)tick_ms);
}

static void pause_before_begin(struct writer *w) {
  int64_t until_ms = clock_monotonic_ms() + w->pause_ms;
  int64_t left_ms;

  sync_spools(w);
  while (!w->stopping && (left_ms = until_ms - clock_monotonic_ms()) > 0)
    wait_for(w, (int)left_ms);
  w->pause_ms = w->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : w->pause_ms * 2;
}

static void *run(void *arg) {
  struct writer *w = arg;

  while (!w->stopping) {
    if (!w->connected) {
      pause_before_begin(w);
      if (!w->stopping)
        (void)begin(w);
      continue;
    }
    wait_for(w, due_ms(w));
    take_notifications(w, true);
    if (db_socket(w->db) < 0 || write_batches(w, false) != DB_OK ||
        tick(w) != DB_OK)
      lose(w);
  }

  int64_t end_ms = clock_monotonic_ms() + DRAIN_MS;
  while (w->connected && clock_monotonic_ms() < end_ms &&
         (writer_queue_len(w->queue) > 0 || writer_auth_has_work(w->auth)))
    if (write_batches(w, true) != DB_OK)
      lose(w);
  if (w->connected)
    (void)batch_touch(w->batch, w->db, w->worker.tenant, w->memory);
  return NULL;
}

static void writer_free(struct writer *w) {
  if (w == NULL)
    return;
  db_close(w->db);
  if (w->requests_fd >= 0)
    (void)close(w->requests_fd);
  batch_free(w->batch);
  writer_auth_free(w->auth);
  writer_queue_free(w->queue);
  free(w);
}

/* Signals are the main thread's. */
static int start_thread(struct writer *w) {
  sigset_t all;
  sigset_t before;

  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&w->thread, NULL, run, w);
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  return -error;
}

int writer_start(const struct config *config, struct ingest_memory *memory,
                 struct writer **ret_writer) {
  struct writer *w = calloc(1, sizeof(*w));
  int rc = -ENOMEM;

  if (w == NULL)
    goto out;
  w->config = config;
  w->memory = memory;
  w->pause_ms = PAUSE_MIN_MS;
  w->requests_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (w->requests_fd < 0) {
    rc = -errno;
    goto out;
  }
  worker_init(&w->worker, config, memory);
  w->batch = batch_new();
  if (w->batch == NULL)
    goto out;
  rc = writer_queue_new(config->state_dir,
                        (uint64_t)config->spool_size_mib << 20, &w->queue);
  if (rc == 0)
    rc = writer_auth_new(config, w->worker.host, w->queue, &w->auth);
  if (rc != 0)
    goto out;
  enum db_error error = begin(w);
  if (w->db == NULL)
    rc = -ENOMEM;
  else
    rc = error == DB_REFUSED ? -EPROTO : start_thread(w);
  if (rc != 0)
    goto out;
  *ret_writer = w;
  w = NULL;

out:
  writer_free(w);
  return rc;
}

static bool join_within(struct writer *w, int timeout_ms) {
  struct timespec until = {0};

  (void)clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += timeout_ms / 1000;
  return pthread_clockjoin_np(w->thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}

void writer_stop(struct writer *w) {
  if (w == NULL)
    return;
  w->stopping = true;
  writer_queue_wake(w->queue);
  if (!join_within(w, DRAIN_MS + TICK_MS)) {
    log_warning("database: a statement takes too long, its scans go to the "
                "spool");
    do
      db_cancel(w->db);
    while (!join_within(w, TICK_MS));
  }
  writer_free(w);
}

void writer_put(struct writer *w, struct report **report,
                const struct ingest_ticket *ticket) {
  writer_queue_put(w->queue, report, ticket);
}

const char *writer_instance(const struct writer *w) {
  return w->worker.instance;
}

int writer_requests_fd(const struct writer *w) { return w->requests_fd; }

struct auth_queue *writer_auth_events(const struct writer *w) {
  return writer_auth_queue(w->auth);
}

struct auth_positions *writer_auth_files(const struct writer *w) {
  return writer_auth_positions(w->auth);
}
