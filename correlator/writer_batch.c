#include "correlator/writer_batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/counters.h"
#include "correlator/log.h"

/* The array parameters of process_dna.ingest, in their order. */
enum column {
  S_HOST,
  S_HOST_ID,
  S_BOOT,
  S_SIGNER,
  S_RELAYED,
  S_SOURCE,
  S_OBSERVED,
  S_ARRIVED,
  S_SEQUENCE,
  S_INTERVAL,
  S_COMPLETE,
  E_SCAN,
  E_CONTAINER,
  E_PATH,
  E_SHA256,
  E_STATE,
  E_REASON,
  E_PROCESSES,
  E_RSS,
  E_PID,
  E_UID,
  E_STARTED,
  E_NAME,
  E_SIZE,
  E_MODE,
  E_OWNER,
  E_MTIME,
  E_CTIME,
  E_MANAGER,
  E_PACKAGE,
  E_VERSION,
  E_ARCH,
  E_TRANSACTION,
  A_SCAN,
  A_ADDRESS,
  COLUMNS
};

/* Those of process_dna.touch use the first ones. */
enum touch_column {
  T_AGENT,
  T_SOURCE,
  T_OBSERVED,
  T_ARRIVED,
  T_SEQUENCE,
  TOUCH_COLUMNS,
};

static const char ingest_sql[] =
    "SELECT scan, agent_id, outcome, settled FROM process_dna.ingest("
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, "
    "$17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, "
    "$31, $32, $33, $34, $35, $36)";

static const char touch_sql[] =
    "SELECT process_dna.touch($1, $2, $3, $4, $5, $6)";

#define USEC_PER_SEC INT64_C(1000000)

struct batch {
  struct db_array columns[COLUMNS];
};

struct batch *batch_new(void) {
  return calloc(1, sizeof(struct batch));
}

void batch_free(struct batch *b) {
  if (b == NULL)
    return;
  for (size_t i = 0; i < COLUMNS; i++)
    db_array_free(&b->columns[i]);
  free(b);
}

static void batch_reset(struct batch *b) {
  for (size_t i = 0; i < COLUMNS; i++)
    db_array_reset(&b->columns[i]);
}

static int64_t clamp(uint64_t value) {
  return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static const char *null_if_empty(const char *text) {
  return text[0] == '\0' ? NULL : text;
}

static void add_int_or_null(struct db_array *a, int64_t value, bool null) {
  if (null)
    db_array_add_text(a, NULL);
  else
    db_array_add_int(a, value);
}

static void add_seconds_or_null(struct db_array *a, int64_t time_s, bool null) {
  int64_t time_us;

  if (null)
    db_array_add_text(a, NULL);
  else if (__builtin_mul_overflow(time_s, USEC_PER_SEC, &time_us))
    db_array_add_time(a, time_s < 0 ? INT64_MIN : INT64_MAX);
  else
    db_array_add_time(a, time_us);
}

static void add_scan(struct batch *b, const struct report *r) {
  struct db_array *c = b->columns;

  db_array_add_text(&c[S_HOST], r->host);
  db_array_add_text(&c[S_HOST_ID], null_if_empty(r->identity.id));
  add_seconds_or_null(&c[S_BOOT], r->identity.boot_s, r->identity.boot_s == 0);
  db_array_add_text(&c[S_SIGNER], null_if_empty(r->signer));
  db_array_add_bool(&c[S_RELAYED], r->relayed);
  db_array_add_text(&c[S_SOURCE], r->source);
  db_array_add_time(&c[S_OBSERVED], r->observed_us);
  db_array_add_time(&c[S_ARRIVED], r->arrived_us);
  db_array_add_int(&c[S_SEQUENCE], clamp(r->figures.sequence));
  add_int_or_null(&c[S_INTERVAL], r->interval_s, r->interval_s == 0);
  db_array_add_bool(&c[S_COMPLETE], r->complete);
}

static void add_package(struct db_array *c, const struct package *p) {
  bool none = p->manager[0] == '\0';

  db_array_add_text(&c[E_MANAGER], none ? NULL : p->manager);
  db_array_add_text(&c[E_PACKAGE], none ? NULL : p->name);
  db_array_add_text(&c[E_VERSION], none ? NULL : p->version);
  db_array_add_text(&c[E_ARCH], none ? NULL : p->arch);
  if (none)
    db_array_add_text(&c[E_TRANSACTION], NULL);
  else
    db_array_add_bool(&c[E_TRANSACTION], p->in_transaction);
}

static void add_executable(struct batch *b, size_t scan,
                           const struct executable *e) {
  struct db_array *c = b->columns;
  char hex[DIGEST_HEX_LEN + 1];

  db_array_add_int(&c[E_SCAN], (int64_t)scan);
  db_array_add_text(&c[E_CONTAINER], e->container);
  db_array_add_text(&c[E_PATH], e->path);
  digest_to_hex(&e->sha256, hex);
  db_array_add_text(&c[E_SHA256], e->state == EXE_UNREADABLE ? NULL : hex);
  db_array_add_int(&c[E_STATE], e->state);
  db_array_add_text(&c[E_REASON], exe_reason_name(e->reason));
  db_array_add_int(&c[E_PROCESSES], clamp(e->processes));
  db_array_add_int(&c[E_RSS], clamp(e->rss_bytes));
  db_array_add_int(&c[E_PID], e->pid);
  db_array_add_int(&c[E_UID], e->uid);
  add_seconds_or_null(&c[E_STARTED], e->started_s, false);
  db_array_add_text(&c[E_NAME], e->name);
  add_int_or_null(&c[E_SIZE], clamp(e->file.size), !e->has_file);
  add_int_or_null(&c[E_MODE], e->file.mode, !e->has_file);
  add_int_or_null(&c[E_OWNER], e->file.uid, !e->has_file);
  add_seconds_or_null(&c[E_MTIME], e->file.mtime_s, !e->has_file);
  add_seconds_or_null(&c[E_CTIME], e->file.ctime_s, !e->has_file);
  add_package(c, &e->package);
}

static void add_report(struct batch *b, size_t scan, const struct report *r) {
  add_scan(b, r);
  for (size_t i = 0; i < r->executables_len; i++)
    add_executable(b, scan, &r->executables[i]);
  for (size_t i = 0; i < r->addresses_len; i++) {
    db_array_add_int(&b->columns[A_SCAN], (int64_t)scan);
    db_array_add_text(&b->columns[A_ADDRESS], r->addresses[i]);
  }
}

/* The tenant and the first `len` columns. Out of memory is like a database
 * that is away: it is tried again after a pause. */
static enum db_error call(struct batch *b, struct db *db, int tenant,
                          const char *sql, size_t len, PGresult **ret_result) {
  char tenant_text[16];
  const char *params[COLUMNS + 1] = {tenant_text};

  (void)snprintf(tenant_text, sizeof(tenant_text), "%d", tenant);
  for (size_t i = 0; i < len; i++) {
    params[i + 1] = db_array_text(&b->columns[i]);
    if (params[i + 1] == NULL) {
      log_error("database: out of memory");
      return DB_AWAY;
    }
  }
  return db_query(db, sql, len + 1, params, ret_result);
}

static void not_judged(const struct writer_item *item, const char *outcome) {
  const struct report *r = item->report;

  if (strcmp(outcome, "duplicate") == 0 ||
      (item->spooled && strcmp(outcome, "replayed") == 0)) {
    log_debug("host %s: the database has this scan already", r->host);
  } else if (strcmp(outcome, "replayed") == 0) {
    counters_add(COUNTER_DROP_REPLAYED, 1);
    log_limited("replayed", r->host,
                "host %s: scan: expected newer than the last, refused",
                r->host);
  } else if (strcmp(outcome, "wrong-signer") == 0) {
    counters_add(COUNTER_DROP_WRONG_USER, 1);
    log_limited(
        "wrong-signer", r->host,
        "host %s: %s: expected the host's own, found '%s', refused", r->host,
        strcmp(r->source, REPORT_SOURCE_SNMP) == 0 ? "snmp-poll" : "signer",
        r->signer);
  } else {
    counters_add(COUNTER_SCANS_REFUSED, 1);
    log_limited(outcome, r->host, "host %s: scan refused: %s", r->host,
                outcome);
  }
}

static void take_row(const PGresult *result, int row,
                     struct ingest_memory *memory,
                     const struct writer_item *items, size_t len) {
  long scan = strtol(PQgetvalue(result, row, 0), NULL, 10);
  int64_t agent_id = strtoll(PQgetvalue(result, row, 1), NULL, 10);
  const char *outcome = PQgetvalue(result, row, 2);
  bool settled = PQgetvalue(result, row, 3)[0] == 't';

  if (scan < 1 || (size_t)scan > len) {
    log_error("database: scan: expected 1 to %zu, found %ld", len, scan);
    return;
  }
  const struct writer_item *item = &items[scan - 1];
  bool judged = strcmp(outcome, "judged") == 0;
  if (!judged)
    not_judged(item, outcome);
  if (!PQgetisnull(result, row, 1))
    ingest_memory_judged(
        memory, &(struct ingest_key){item->report->host, item->report->source},
        &item->ticket, agent_id, judged && settled);
}

enum db_error batch_ingest(struct batch *b, struct db *db, int tenant,
                           struct ingest_memory *memory,
                           const struct writer_item *items, size_t len) {
  PGresult *result = NULL;
  uint64_t rows = 0;

  batch_reset(b);
  for (size_t i = 0; i < len; i++) {
    add_report(b, i + 1, items[i].report);
    rows += items[i].report->executables_len;
  }
  enum db_error error = call(b, db, tenant, ingest_sql, COLUMNS, &result);
  if (error != DB_OK)
    return error;
  counters_add(COUNTER_ROWS, rows);
  for (int row = 0; row < PQntuples(result); row++)
    take_row(result, row, memory, items, len);
  PQclear(result);
  return DB_OK;
}

enum db_error batch_touch(struct batch *b, struct db *db, int tenant,
                          struct ingest_memory *memory) {
  struct ingest_touch *touches = NULL;
  size_t len = 0;
  enum db_error error = DB_OK;

  if (ingest_memory_touches(memory, &touches, &len) != 0 || len == 0)
    goto out;
  batch_reset(b);
  for (size_t i = 0; i < len; i++) {
    db_array_add_int(&b->columns[T_AGENT], touches[i].agent_id);
    db_array_add_text(&b->columns[T_SOURCE], touches[i].source);
    db_array_add_time(&b->columns[T_OBSERVED], touches[i].observed_us);
    db_array_add_time(&b->columns[T_ARRIVED], touches[i].arrived_us);
    db_array_add_int(&b->columns[T_SEQUENCE], clamp(touches[i].sequence));
  }
  error = call(b, db, tenant, touch_sql, TOUCH_COLUMNS, NULL);
  if (error == DB_OK)
    ingest_memory_touched(memory, touches, len);

out:
  free(touches);
  return error;
}
