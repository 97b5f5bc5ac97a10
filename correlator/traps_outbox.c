#include "correlator/traps_outbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/db.h"
#include "correlator/log.h"
#include "lib/record/clock.h"

enum {
  NUMBER_MAX = 24,
  ERROR_MAX = 200,
  CONNECT_MAX_S = 30 /* the longest pause between two attempts */
};

struct result {
  int64_t outbox_id;
  unsigned wait_s;
  char error[ERROR_MAX + 1]; /* "": done */
};

struct traps_outbox {
  const struct config *config;
  const char *instance;
  char lease_s[NUMBER_MAX];
  char tenant[NUMBER_MAX]; /* its id; "" before the first connection */
  struct db *db;
  bool connected;
  unsigned connect_pause_s;
  int64_t connect_at_ms;
  struct result *results;
  size_t results_len;
  size_t results_capacity;
};

int traps_outbox_new(const struct config *config, const char *instance,
                     unsigned lease_s, struct traps_outbox **ret_outbox) {
  struct traps_outbox *o = calloc(1, sizeof(*o));
  if (o == NULL)
    return -ENOMEM;
  o->config = config;
  o->instance = instance;
  (void)snprintf(o->lease_s, sizeof(o->lease_s), "%u", lease_s);
  *ret_outbox = o;
  return 0;
}

void traps_outbox_free(struct traps_outbox *outbox) {
  if (outbox == NULL)
    return;
  db_close(outbox->db);
  free(outbox->results);
  free(outbox);
}

static void lost(struct traps_outbox *o, const char *what) {
  unsigned pause = o->connect_pause_s == 0 ? 1 : o->connect_pause_s;
  log_limited("traps-database", "", "traps: database: %s; tried again in %u s",
              what, pause);
  o->connected = false;
  o->connect_at_ms = clock_monotonic_ms() + (int64_t)pause * 1000;
  o->connect_pause_s = pause * 2 < CONNECT_MAX_S ? pause * 2 : CONNECT_MAX_S;
}

/* Look at how a statement went. True if its result may be used. */
static bool went_well(struct traps_outbox *o, enum db_error error) {
  if (error == DB_OK)
    return true;
  if (error == DB_AWAY)
    lost(o, db_message(o->db));
  else
    log_limited("traps-statement", "", "traps: database: %s",
                db_message(o->db));
  return false;
}

/* Returns NULL or what is not as it should be. */
static const char *find_tenant(struct traps_outbox *o) {
  PGresult *rows = NULL;
  const char *params[] = {o->config->tenant};
  const char *wrong = NULL;

  if (db_query(o->db, "SELECT process_dna.tenant_id($1)", 1, params, &rows) !=
      DB_OK)
    return db_message(o->db);
  if (PQntuples(rows) != 1 || PQgetisnull(rows, 0, 0))
    wrong = "the tenant is not there yet";
  else
    (void)snprintf(o->tenant, sizeof(o->tenant), "%s", PQgetvalue(rows, 0, 0));
  PQclear(rows);
  return wrong;
}

bool traps_outbox_connect(struct traps_outbox *o) {
  if (o->connected || clock_monotonic_ms() < o->connect_at_ms)
    return o->connected;
  enum db_error error = o->db == NULL ? db_open(o->config->database, &o->db)
                                      : db_reconnect(o->db);
  if (o->db == NULL) {
    lost(o, "out of memory");
    return false;
  }
  const char *wrong = error == DB_OK ? find_tenant(o) : db_message(o->db);
  if (wrong == NULL && db_script(o->db, "LISTEN process_dna_outbox") != DB_OK)
    wrong = db_message(o->db);
  if (wrong != NULL) {
    lost(o, wrong);
    return false;
  }
  o->connected = true;
  o->connect_pause_s = 0;
  return true;
}

int traps_outbox_socket(const struct traps_outbox *o) {
  return o->connected ? db_socket(o->db) : -1;
}

int64_t traps_outbox_connect_at_ms(const struct traps_outbox *o) {
  return o->connect_at_ms;
}

bool traps_outbox_notified(struct traps_outbox *o) {
  bool any = false;
  PGnotify *n = NULL;

  if (!o->connected)
    return false;
  while ((n = db_notification(o->db)) != NULL) {
    any = any || strcmp(n->extra, o->tenant) == 0;
    PQfreemem(n);
  }
  return any;
}

bool traps_outbox_lease(struct traps_outbox *o, const char *sink, size_t limit,
                        PGresult **ret_rows) {
  char limit_text[NUMBER_MAX];
  (void)snprintf(limit_text, sizeof(limit_text), "%zu", limit);
  const char *params[] = {o->tenant, sink, o->instance, o->lease_s, limit_text};

  return went_well(o, db_query(o->db,
                               "SELECT * FROM process_dna.outbox_lease("
                               "$1, ARRAY[$2::text], $3, $4, $5)",
                               5, params, ret_rows));
}

int traps_outbox_row(const PGresult *rows, int index,
                     struct traps_row *ret_row) {
  struct traps_row row = {0};
  const char *id = db_value(rows, index, "outbox_id");
  const char *attempts = db_value(rows, index, "attempts");

  if (id == NULL || attempts == NULL)
    return -EINVAL;
  row.outbox_id = strtoll(id, NULL, 10);
  row.attempts = (unsigned)strtoul(attempts, NULL, 10);
  for (enum trap_field f = 0; f < TRAP_FIELDS; f++) {
    row.payload.field[f] = db_value(rows, index, traps_pdu_column(f));
    if (row.payload.field[f] == NULL)
      return -EINVAL;
  }
  *ret_row = row;
  return 0;
}

void traps_outbox_result(struct traps_outbox *o, int64_t outbox_id,
                         const char *error, unsigned wait_s) {
  if (o->results_len == o->results_capacity) {
    size_t capacity = o->results_capacity == 0 ? 64 : 2 * o->results_capacity;
    struct result *grown =
        reallocarray(o->results, capacity, sizeof(*o->results));
    if (grown == NULL)
      return; /* the lease ends, and it is sent once more */
    o->results = grown;
    o->results_capacity = capacity;
  }
  struct result *r = &o->results[o->results_len++];
  r->outbox_id = outbox_id;
  r->wait_s = wait_s;
  (void)snprintf(r->error, sizeof(r->error), "%s", error == NULL ? "" : error);
}

static enum db_error report_done(struct traps_outbox *o, size_t *ret_len) {
  struct db_array ids = {0};
  enum db_error error = DB_OK;
  size_t len = 0;

  for (size_t i = 0; i < o->results_len; i++)
    if (o->results[i].error[0] == '\0') {
      db_array_add_int(&ids, o->results[i].outbox_id);
      len++;
    }
  if (len > 0) {
    const char *params[] = {o->tenant, db_array_text(&ids)};
    error = params[1] == NULL
                ? DB_RETRY
                : db_query(o->db, "SELECT process_dna.outbox_done($1, $2)", 2,
                           params, NULL);
  }
  db_array_free(&ids);
  *ret_len = len;
  return error;
}

static enum db_error report_failed(struct traps_outbox *o,
                                   const struct result *r) {
  char id[NUMBER_MAX];
  char wait[NUMBER_MAX];
  (void)snprintf(id, sizeof(id), "%lld", (long long)r->outbox_id);
  (void)snprintf(wait, sizeof(wait), "%u", r->wait_s);
  const char *params[] = {o->tenant, id, r->error, wait};

  return db_query(o->db, "SELECT process_dna.outbox_retry($1, $2, $3, $4)", 4,
                  params, NULL);
}

bool traps_outbox_report(struct traps_outbox *o) {
  size_t kept = 0;
  size_t done = 0;

  if (!o->connected || o->results_len == 0)
    return false;
  enum db_error error = report_done(o, &done);
  bool keep_done = error == DB_AWAY || error == DB_RETRY;
  bool any = went_well(o, error) && done > 0;
  for (size_t i = 0; i < o->results_len; i++) {
    const struct result *r = &o->results[i];
    bool keep = keep_done;
    if (r->error[0] != '\0') {
      error = o->connected ? report_failed(o, r) : DB_AWAY;
      if (o->connected)
        (void)went_well(o, error);
      keep = error == DB_AWAY || error == DB_RETRY;
    }
    if (keep)
      o->results[kept++] = *r;
  }
  o->results_len = kept;
  return any;
}
