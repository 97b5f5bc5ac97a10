#include "correlator/db.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/log.h"

enum { MESSAGE_MAX = 1024, SQLSTATE_LEN = 5 };

struct db {
  PGconn *conn; /* NULL only if memory ran out */
  char *conninfo;
  char message[MESSAGE_MAX];
  char sqlstate[SQLSTATE_LEN + 1];
  pthread_mutex_t cancel_lock;
  PGcancel *cancel; /* of conn, for other threads */
};

/* SQLSTATE prefixes (PostgreSQL, appendix A) that are no fault of the
 * statement. */
static const struct {
  const char *prefix;
  enum db_error error;
} transient[] = {
    {"08", DB_AWAY},     /* connection exception */
    {"25006", DB_AWAY},  /* read-only: a standby after a failover */
    {"40", DB_RETRY},    /* serialization failure, deadlock */
    {"53", DB_AWAY},     /* disk full, too many connections */
    {"55P03", DB_RETRY}, /* lock not available */
    {"57014", DB_RETRY}, /* cancelled, statement timeout */
    {"57P", DB_AWAY},    /* shut down, starting up */
    {"58", DB_AWAY},     /* input or output error of the server */
};

/* The last error as one line. */
static void set_message(struct db *db, const char *message,
                        const char *detail) {
  bool has_detail = detail != NULL && *detail != '\0';
  (void)snprintf(db->message, sizeof(db->message), "%s%s%s",
                 message == NULL ? "out of memory" : message,
                 has_detail ? ": " : "", has_detail ? detail : "");
  size_t len = strlen(db->message);
  while (len > 0 && db->message[len - 1] == '\n')
    db->message[--len] = '\0';
  for (char *c = db->message; *c != '\0'; c++)
    if (*c == '\n' || *c == '\t')
      *c = ' ';
}

static void on_notice(void *arg, const PGresult *result) {
  (void)arg;
  const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char *severity =
      PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (text == NULL)
    return;
  if (severity != NULL && strcmp(severity, "WARNING") == 0)
    log_warning("database: %s", text);
  else
    log_debug("database: %s", text);
}

/* Frees the result unless it is handed on. */
static enum db_error take_result(struct db *db, PGresult *result,
                                 PGresult **ret_result) {
  ExecStatusType status = PQresultStatus(result); /* NULL: PGRES_FATAL_ERROR */

  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
    if (ret_result != NULL)
      *ret_result = result;
    else
      PQclear(result);
    return DB_OK;
  }

  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  (void)snprintf(db->sqlstate, sizeof(db->sqlstate), "%s",
                 state == NULL ? "" : state);
  const char *primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  if (primary != NULL)
    set_message(db, primary,
                PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
  else
    set_message(db, PQerrorMessage(db->conn), NULL);
  PQclear(result);

  if (PQstatus(db->conn) != CONNECTION_OK)
    return DB_AWAY;
  for (size_t i = 0; i < sizeof(transient) / sizeof(transient[0]); i++)
    if (strncmp(db->sqlstate, transient[i].prefix,
                strlen(transient[i].prefix)) == 0)
      return transient[i].error;
  return DB_REFUSED;
}

static void renew_cancel(struct db *db) {
  (void)pthread_mutex_lock(&db->cancel_lock);
  PQfreeCancel(db->cancel);
  db->cancel = PQgetCancel(db->conn); /* NULL where there is no connection */
  (void)pthread_mutex_unlock(&db->cancel_lock);
}

void db_cancel(struct db *db) {
  char message[MESSAGE_MAX];

  (void)pthread_mutex_lock(&db->cancel_lock);
  if (db->cancel != NULL)
    (void)PQcancel(db->cancel, message, sizeof(message));
  (void)pthread_mutex_unlock(&db->cancel_lock);
}

static enum db_error connect_to(struct db *db) {
  /* The entries before dbname are defaults, which the conninfo that is
   * expanded in its place overrides; those after it override. The time-outs
   * end a wait for a peer that went away without a word. */
  static const char *const keywords[] = {
      "connect_timeout",  "keepalives_idle",  "keepalives_interval",
      "keepalives_count", "tcp_user_timeout", "fallback_application_name",
      "dbname",           "client_encoding",  NULL};
  const char *values[] = {"10",         "20",    "10",
                          "3",          "30000", "process-dna-correlator",
                          db->conninfo, "UTF8",  NULL};

  db->sqlstate[0] = '\0';
  db->conn = PQconnectdbParams(keywords, values, 1 /* expand dbname */);
  if (PQstatus(db->conn) != CONNECTION_OK) {
    set_message(db, db->conn == NULL ? NULL : PQerrorMessage(db->conn), NULL);
    return DB_AWAY;
  }
  renew_cancel(db);
  (void)PQsetNoticeReceiver(db->conn, on_notice, NULL);
  return take_result(db, PQexec(db->conn, "SET TimeZone = 'UTC'"), NULL);
}

enum db_error db_open(const char *conninfo, struct db **ret_db) {
  struct db *db = calloc(1, sizeof(*db));

  *ret_db = db;
  if (db == NULL)
    return DB_AWAY;
  (void)pthread_mutex_init(&db->cancel_lock, NULL);
  db->conninfo = strdup(conninfo);
  if (db->conninfo == NULL) {
    set_message(db, NULL, NULL);
    return DB_AWAY;
  }
  return connect_to(db);
}

enum db_error db_reconnect(struct db *db) {
  PQfinish(db->conn);
  db->conn = NULL;
  renew_cancel(db);
  return db->conninfo == NULL ? DB_AWAY : connect_to(db);
}

void db_close(struct db *db) {
  if (db == NULL)
    return;
  PQfreeCancel(db->cancel);
  PQfinish(db->conn);
  (void)pthread_mutex_destroy(&db->cancel_lock);
  free(db->conninfo);
  free(db);
}

enum db_error db_query(struct db *db, const char *sql, size_t params_len,
                       const char *const *params, PGresult **ret_result) {
  return take_result(db,
                     PQexecParams(db->conn, sql, (int)params_len, NULL, params,
                                  NULL, NULL, 0 /* text */),
                     ret_result);
}

const char *db_value(const PGresult *result, int row, const char *column) {
  int field = PQfnumber(result, column);

  if (field < 0 || row >= PQntuples(result) || PQgetisnull(result, row, field))
    return NULL;
  return PQgetvalue(result, row, field);
}

const char *db_text(const PGresult *result, int row, const char *column) {
  const char *value = db_value(result, row, column);

  return value != NULL ? value : "";
}

enum db_error db_script(struct db *db, const char *sql) {
  /* The server runs a multi-statement string as one transaction. */
  return take_result(db, PQexec(db->conn, sql), NULL);
}

const char *db_message(const struct db *db) {
  return db == NULL ? "out of memory" : db->message;
}

const char *db_sqlstate(const struct db *db) {
  return db == NULL ? "" : db->sqlstate;
}

int db_backend_pid(const struct db *db) { return PQbackendPID(db->conn); }

bool db_is_connected(const struct db *db) {
  return PQstatus(db->conn) == CONNECTION_OK;
}

int db_socket(const struct db *db) { return PQsocket(db->conn); }

PGnotify *db_notification(struct db *db) {
  if (PQconsumeInput(db->conn) == 0) {
    set_message(db, PQerrorMessage(db->conn), NULL);
    return NULL;
  }
  return PQnotifies(db->conn);
}
