#include "correlator/writer_auth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/counters.h"
#include "correlator/log.h"
#include "correlator/spool_auth.h"
#include "correlator/writer_halve.h"

/* The array parameters of process_dna.auth_ingest, in their order. */
enum column {
  A_FILE,
  A_HOST,
  A_PEER,
  A_TRUST,
  A_OUTCOME,
  A_REPEAT,
  A_METHOD,
  A_USER,
  A_USER_KNOWN,
  A_ADDRESS,
  A_SOURCE,
  A_PORT,
  A_KEY_TYPE,
  A_KEY,
  A_CERT_ID,
  A_EXTRA,
  A_PROGRAM,
  A_PID,
  A_STAMPED,
  A_ZONED,
  A_ARRIVED,
  A_AGAIN,
  F_FOLLOWER,
  F_PATH,
  F_DEVICE,
  F_INODE,
  F_HEAD,
  F_POSITION,
  F_VERSION,
  COLUMNS
};

static const char ingest_sql[] =
    "SELECT file, taken FROM process_dna.auth_ingest("
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
    "$17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30)";

static const char positions_sql[] =
    "SELECT path, device, inode, position, head, version"
    " FROM process_dna.auth_positions_of($1, $2)";

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
  struct db_array columns[COLUMNS];
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
  a->rows = calloc(config->auth_logs_len + 1, sizeof(*a->rows));
  a->positions = auth_positions_new(config->auth_logs_len);
  if (a->rows != NULL && a->positions != NULL)
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
  for (size_t i = 0; i < COLUMNS; i++)
    db_array_free(&a->columns[i]);
  free(a->rows);
  free(a);
}

struct auth_queue *writer_auth_queue(const struct writer_auth *a) {
  return a->queue;
}

struct auth_positions *writer_auth_positions(const struct writer_auth *a) {
  return a->positions;
}

static void add_int_or_null(struct db_array *a, int64_t value) {
  if (value == 0)
    db_array_add_text(a, NULL);
  else
    db_array_add_int(a, value);
}

static void add_text_or_null(struct db_array *a, struct auth_text text) {
  if (text.len == 0)
    db_array_add_text(a, NULL);
  else
    db_array_add_escaped(a, text.at, text.len);
}

static void add_address_or_null(struct db_array *a,
                                const struct in6_addr *address) {
  char text[INET6_ADDRSTRLEN] = "";

  if (address == NULL)
    db_array_add_text(a, NULL);
  else if (IN6_IS_ADDR_V4MAPPED(address))
    db_array_add_text(
        a, inet_ntop(AF_INET, &address->s6_addr[12], text, sizeof(text)));
  else
    db_array_add_text(a, inet_ntop(AF_INET6, address, text, sizeof(text)));
}

static void add_event(struct writer_auth *a, const struct auth_item *item,
                      size_t row) {
  const struct auth_record *r = item->record;
  const struct auth_event *e = &r->event;
  struct db_array *c = a->columns;

  add_int_or_null(&c[A_FILE], (int64_t)row);
  add_text_or_null(&c[A_HOST], e->host);
  add_address_or_null(&c[A_PEER], r->has_peer ? &r->peer : NULL);
  db_array_add_text(&c[A_TRUST], auth_trust_name(r->trust));
  db_array_add_text(&c[A_OUTCOME], auth_outcome_name(e->outcome));
  db_array_add_int(&c[A_REPEAT], e->repeat > INT32_MAX ? INT32_MAX : e->repeat);
  add_text_or_null(&c[A_METHOD], e->method);
  add_text_or_null(&c[A_USER], e->user);
  db_array_add_bool(&c[A_USER_KNOWN], e->user_known);
  add_address_or_null(&c[A_ADDRESS], e->has_address ? &e->address : NULL);
  add_text_or_null(&c[A_SOURCE], e->source);
  add_int_or_null(&c[A_PORT], e->port);
  add_text_or_null(&c[A_KEY_TYPE], e->key_type);
  add_text_or_null(&c[A_KEY], e->key);
  add_text_or_null(&c[A_CERT_ID], e->cert_id);
  add_text_or_null(&c[A_EXTRA], e->extra);
  add_text_or_null(&c[A_PROGRAM], e->program);
  add_int_or_null(&c[A_PID], e->pid);
  if (e->stamped_us == 0)
    db_array_add_text(&c[A_STAMPED], NULL);
  else
    db_array_add_time(&c[A_STAMPED], e->stamped_us);
  db_array_add_bool(&c[A_ZONED], e->zoned);
  db_array_add_time(&c[A_ARRIVED], r->arrived_us);
  db_array_add_bool(&c[A_AGAIN], item->again);
}

static void add_file(struct writer_auth *a, const struct row *row) {
  const struct auth_position *p = &a->items[row->last].position;
  struct db_array *c = a->columns;

  db_array_add_text(&c[F_FOLLOWER], a->follower);
  db_array_add_text(&c[F_PATH], a->config->auth_logs[row->file].path);
  db_array_add_int(&c[F_DEVICE], (int64_t)p->device);
  db_array_add_int(&c[F_INODE], (int64_t)p->inode);
  db_array_add_text(&c[F_HEAD], p->head);
  db_array_add_int(&c[F_POSITION], (int64_t)p->offset);
  db_array_add_int(&c[F_VERSION],
                   auth_positions_version(a->positions, row->file));
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
  for (size_t i = 0; i < COLUMNS; i++)
    db_array_reset(&a->columns[i]);
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
      add_event(a, item, row);
  }
  for (size_t i = 0; i < a->rows_len; i++)
    add_file(a, &a->rows[i]);
  return events;
}

static enum db_error call(struct writer_auth *a, PGresult **ret_result) {
  char tenant[16];
  const char *params[COLUMNS + 1] = {tenant};

  (void)snprintf(tenant, sizeof(tenant), "%d", a->target.tenant);
  for (size_t i = 0; i < COLUMNS; i++) {
    params[i + 1] = db_array_text(&a->columns[i]);
    if (params[i + 1] == NULL) {
      log_error("database: out of memory");
      return DB_AWAY;
    }
  }
  return db_query(a->target.db, ingest_sql, COLUMNS + 1, params, ret_result);
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
  enum db_error error = call(a, &result);
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

static void items_done(void *arg, size_t from, size_t len) {
  struct writer_auth *a = arg;

  for (size_t i = from; i < from + len; i++)
    a->items[i].done = true;
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

enum db_error writer_auth_write(struct writer_auth *a,
                                const struct writer_auth_target *target,
                                bool now) {
  int due_ms = auth_queue_due_ms(a->queue);
  enum db_error error = writer_auth_load(a, target);

  a->target = *target;
  if (error != DB_OK || due_ms < 0 || (due_ms > 0 && !now))
    return error;
  size_t len = auth_queue_take(a->queue, a->items);
  if (len == 0)
    return DB_OK;
  const struct writer_halve halve = {.arg = a,
                                     .db = target->db,
                                     .stopping = target->stopping,
                                     .write = write_items,
                                     .set_aside = set_aside,
                                     .done = items_done};
  error = writer_halve(&halve, 0, len);
  if (error == DB_OK)
    auth_queue_done(a->queue, a->items, len);
  else
    auth_queue_give_back(a->queue, a->items, len);
  return error;
}
