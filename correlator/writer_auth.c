#include "correlator/writer_auth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/counters.h"
#include "correlator/log.h"
#include "correlator/spool_auth.h"
#include "correlator/writer_auth_batch.h"
#include "correlator/writer_halve.h"
#include "lib/record/clock.h"

static const char positions_sql[] =
    "SELECT path, device, inode, position, head, version"
    " FROM process_dna.auth_positions_of($1, $2)";

enum { PAUSE_MIN_MS = 500, PAUSE_MAX_MS = 30000 };

/* A file in a call: events and the last position of it. */
struct row {
  size_t file;
  size_t last; /* item */
  size_t events;
};

struct writer_auth {
  const struct config *config;
  const char *follower;
  struct writer_queue *refused;
  struct auth_positions *positions;
  struct auth_queue *queue;
  struct writer_auth_target target; /* of the batch at hand */
  bool paused;                      /* until then, monotonic */
  int64_t until_ms;
  int pause_ms; /* the next one */
  struct writer_auth_batch *batch;
  struct row *rows; /* of the call at hand */
  size_t rows_len;
  struct auth_item items[AUTH_BATCH_LEN];
};

int writer_auth_new(const struct config *config, const char *follower,
                    struct writer_queue *queue, struct writer_auth **ret_auth) {
  struct writer_auth *a = calloc(1, sizeof(*a));
  int rc = -ENOMEM;

  if (a == NULL)
    return rc;
  a->config = config;
  a->follower = follower;
  a->refused = queue;
  a->pause_ms = PAUSE_MIN_MS;
  a->rows = calloc(config->auth_logs_len + 1, sizeof(*a->rows));
  a->positions = auth_positions_new(config->auth_logs_len);
  a->batch = writer_auth_batch_new();
  if (a->rows != NULL && a->positions != NULL && a->batch != NULL)
    rc = auth_queue_new(config->state_dir,
                        (uint64_t)config->spool_size_mib << 20, a->positions,
                        &a->queue);
  if (rc == 0)
    *ret_auth = a;
  else
    writer_auth_free(a);
  return rc;
}

void writer_auth_free(struct writer_auth *a) {
  if (a == NULL)
    return;
  auth_queue_free(a->queue);
  auth_positions_free(a->positions);
  writer_auth_batch_free(a->batch);
  free(a->rows);
  free(a);
}

struct auth_queue *writer_auth_queue(const struct writer_auth *a) {
  return a->queue;
}

struct auth_positions *writer_auth_positions(const struct writer_auth *a) {
  return a->positions;
}

/* The number of the item's file in the call, from 1. */
static size_t row_of(struct writer_auth *a, size_t at) {
  size_t file = (size_t)a->items[at].file;
  size_t i = 0;

  while (i < a->rows_len && a->rows[i].file != file)
    i++;
  if (i == a->rows_len)
    a->rows[a->rows_len++] = (struct row){.file = file};
  a->rows[i].last = at;
  a->rows[i].events += a->items[at].record != NULL;
  return i + 1;
}

/* Gives how many events there are that no file gives. */
static size_t fill(struct writer_auth *a, size_t from, size_t len) {
  size_t events = 0;

  a->rows_len = 0;
  writer_auth_batch_reset(a->batch);
  for (size_t i = from; i < from + len; i++) {
    const struct auth_item *item = &a->items[i];
    size_t row = 0;
    if (item->file == AUTH_NO_FILE)
      events++;
    /* An earlier part of the batch may have found the file elsewhere. */
    else if (auth_positions_current(a->positions, (size_t)item->file,
                                    item->generation))
      row = row_of(a, i);
    else
      continue;
    if (item->record != NULL)
      writer_auth_batch_add_event(a->batch, item, row);
  }
  for (size_t i = 0; i < a->rows_len; i++) {
    const struct row *row = &a->rows[i];
    const struct writer_auth_file file = {
        .follower = a->follower,
        .path = a->config->auth_logs[row->file].path,
        .position = &a->items[row->last].position,
        .version = auth_positions_version(a->positions, row->file)};
    writer_auth_batch_add_file(a->batch, &file);
  }
  return events;
}

static void take_row(struct writer_auth *a, const PGresult *result, int i) {
  long n = strtol(PQgetvalue(result, i, 0), NULL, 10);

  if (n < 1 || (size_t)n > a->rows_len) {
    log_error("database: file: expected 1 to %zu, found %ld", a->rows_len, n);
    return;
  }
  const struct row *row = &a->rows[n - 1];
  if (PQgetvalue(result, i, 1)[0] == 't') {
    counters_add(COUNTER_AUTH_EVENTS, row->events);
    auth_positions_written(a->positions, row->file,
                           &a->items[row->last].position);
    return;
  }
  counters_add(COUNTER_AUTH_AGAIN, row->events);
  log_debug("auth-log %s: another correlator has read on, its position is "
            "taken over",
            a->config->auth_logs[row->file].path);
  auth_positions_forget(a->positions, row->file);
}

static enum db_error write_items(void *arg, size_t from, size_t len) {
  struct writer_auth *a = arg;
  PGresult *result = NULL;

  size_t events = fill(a, from, len);
  if (events == 0 && a->rows_len == 0)
    return DB_OK;
  enum db_error error = writer_auth_batch_write(a->batch, a->target.db,
                                                a->target.tenant, &result);
  if (error != DB_OK)
    return error;
  counters_add(COUNTER_AUTH_EVENTS, events);
  for (int i = 0; i < PQntuples(result); i++)
    take_row(a, result, i);
  PQclear(result);
  return DB_OK;
}

/* The event goes aside, and its file's position moves on without it. Should
 * that be refused as well, the file is read again from where it was. */
static void set_aside(void *arg, size_t at) {
  struct writer_auth *a = arg;
  struct auth_item *item = &a->items[at];
  struct bytes entry = {0};

  if (item->record != NULL) {
    spool_auth_encode(item->record, &entry);
    int rc = writer_queue_set_aside(a->refused, &entry);
    bytes_free(&entry);
    counters_add(COUNTER_AUTH_REFUSED, 1);
    log_limited("auth-refused", db_sqlstate(a->target.db),
                "auth event of %.*s refused by the database: %s; %s%s",
                (int)item->record->event.host.len, item->record->event.host.at,
                db_message(a->target.db),
                rc == 0 ? "kept in the state-dir, in refused"
                        : "not kept in the state-dir: ",
                rc == 0 ? "" : strerrordesc_np(-rc));
    auth_record_free(item->record);
    item->record = NULL;
    if (item->file == AUTH_NO_FILE || write_items(a, at, 1) == DB_OK)
      return;
  }
  log_limited("auth-position", db_sqlstate(a->target.db),
              "auth-log %s: position refused by the database: %s",
              a->config->auth_logs[item->file].path, db_message(a->target.db));
  auth_positions_forget(a->positions, (size_t)item->file);
}

static uint64_t number(const PGresult *result, int row, int column) {
  return (uint64_t)strtoll(PQgetvalue(result, row, column), NULL, 10);
}

static void load_row(struct writer_auth *a, const PGresult *result, int row) {
  struct auth_position position = {.device = number(result, row, 1),
                                   .inode = number(result, row, 2),
                                   .offset = number(result, row, 3)};
  const struct config *config = a->config;

  (void)snprintf(position.head, sizeof(position.head), "%s",
                 PQgetvalue(result, row, 4));
  for (size_t i = 0; i < config->auth_logs_len; i++)
    if (strcmp(config->auth_logs[i].path, PQgetvalue(result, row, 0)) == 0)
      auth_positions_load(a->positions, i, &position,
                          (int64_t)number(result, row, 5));
}

enum db_error writer_auth_load(struct writer_auth *a,
                               const struct writer_auth_target *target) {
  char tenant[16];
  const char *params[] = {tenant, a->follower};
  PGresult *result = NULL;

  if (!auth_positions_wanted(a->positions))
    return DB_OK;
  (void)snprintf(tenant, sizeof(tenant), "%d", target->tenant);
  enum db_error error = db_query(target->db, positions_sql, 2, params, &result);
  if (error == DB_REFUSED)
    log_limited("auth-positions", db_sqlstate(target->db), "database: %s",
                db_message(target->db));
  if (error != DB_OK)
    return error == DB_AWAY ? DB_AWAY : DB_OK; /* comes again */
  for (int row = 0; row < PQntuples(result); row++)
    load_row(a, result, row);
  PQclear(result);
  /* Of the others there is none. */
  for (size_t i = 0; i < a->config->auth_logs_len; i++)
    auth_positions_load(a->positions, i, &(struct auth_position){0}, 0);
  return DB_OK;
}

void writer_auth_set_away(struct writer_auth *a, bool away) {
  a->paused = false;
  auth_queue_set_away(a->queue, away);
}

static int left_ms(const struct writer_auth *a) {
  int64_t left = a->until_ms - clock_monotonic_ms();

  return left > 0 ? (int)left : 0;
}

int writer_auth_due_ms(const struct writer_auth *a) {
  return a->paused ? left_ms(a) : auth_queue_due_ms(a->queue);
}

bool writer_auth_has_work(const struct writer_auth *a) {
  return !a->paused && auth_queue_len(a->queue) > 0;
}

static void pause_for_a_while(struct writer_auth *a) {
  log_limited("auth-events", db_sqlstate(a->target.db),
              "database: takes no auth events: %s", db_message(a->target.db));
  a->paused = true;
  a->until_ms = clock_monotonic_ms() + a->pause_ms;
  a->pause_ms = a->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : a->pause_ms * 2;
}

static enum db_error write_batch(struct writer_auth *a) {
  const struct writer_halve halve = {.arg = a,
                                     .db = a->target.db,
                                     .stopping = a->target.stopping,
                                     .write = write_items,
                                     .set_aside = set_aside};
  size_t len = auth_queue_take(a->queue, a->items);
  size_t done = 0;

  if (len == 0)
    return DB_OK;
  enum db_error error = writer_halve(&halve, len, &done);
  if (error == DB_OK) {
    auth_queue_done(a->queue, a->items, len);
    a->pause_ms = PAUSE_MIN_MS;
    return DB_OK;
  }
  auth_queue_give_back(a->queue, a->items, len, done);
  if (!db_is_connected(a->target.db))
    return error;
  pause_for_a_while(a);
  return DB_OK;
}

enum db_error writer_auth_write(struct writer_auth *a,
                                const struct writer_auth_target *target,
                                bool now) {
  a->target = *target;
  if (a->paused && left_ms(a) > 0)
    return DB_OK;
  enum db_error error = writer_auth_load(a, target);
  if (error != DB_OK)
    return error;
  if (a->paused)
    writer_auth_set_away(a, false);
  int due_ms = auth_queue_due_ms(a->queue);
  return due_ms < 0 || (due_ms > 0 && !now) ? DB_OK : write_batch(a);
}
