/* PostgreSQL through libpq, synchronous. A struct db belongs to one thread.
 */
#ifndef PDNA_DB_H
#define PDNA_DB_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

enum db_error {
  DB_OK = 0,
  DB_AWAY,    /* no connection, or it broke: try again later */
  DB_RETRY,   /* serialization failure or deadlock: try again at once */
  DB_REFUSED, /* the statement failed; db_message says why */
};

/* Connect; search_path is not relied on: statements name process_dna. The
 * session's TimeZone is UTC. Always gives a handle (but for -ENOMEM); on
 * DB_AWAY it may be used for db_message and db_reconnect. */
enum db_error db_open(const char *conninfo, struct db **ret_db);
enum db_error db_reconnect(struct db *db);
void db_close(struct db *db); /* NULL does nothing */

/* Run a statement with text parameters (NULL is SQL null). On DB_OK
 * *ret_result (may be NULL) is the caller's to PQclear. */
enum db_error db_query(struct db *db, const char *sql, size_t params_len,
                       const char *const *params, PGresult **ret_result);

/* A value of a result's row by the column's name; NULL if it is null, or there
 * is no such row or column, as in a result that is NULL. */
const char *db_value(const PGresult *result, int row, const char *column);
/* The same, with "" for NULL. */
const char *db_text(const PGresult *result, int row, const char *column);

/* From another thread: have the statement that runs fail with DB_RETRY. */
void db_cancel(struct db *db);

/* Several statements at once, no parameters, as one transaction. */
enum db_error db_script(struct db *db, const char *sql);

/* The last error in one line, without a newline. */
const char *db_message(const struct db *db);
/* Its SQLSTATE; "" if the server gave none. */
const char *db_sqlstate(const struct db *db);

/* Is the connection still good, as far as the last statement showed? */
bool db_is_connected(const struct db *db);

/* For LISTEN: the socket to poll (negative once the connection is found
 * broken), and the next notification or NULL (free with PQfreemem). */
int db_socket(const struct db *db);
PGnotify *db_notification(struct db *db);
int db_backend_pid(const struct db *db); /* as in PGnotify's be_pid */

/* A PostgreSQL array literal ('{"a",NULL,"b"}') that grows as elements are
 * appended. Failure to allocate is remembered and shown by db_array_text. */
struct db_array {
  char *text;
  size_t len;
  size_t capacity;
  bool failed;
};
void db_array_add_text(struct db_array *a, const char *value); /* NULL: null */
/* Any bytes: all but printable ASCII as \ooo, octal, as sshd logs them. */
void db_array_add_escaped(struct db_array *a, const char *text, size_t len);
void db_array_add_int(struct db_array *a, int64_t value);
void db_array_add_bool(struct db_array *a, bool value);
/* Microseconds since the epoch as a timestamptz. */
void db_array_add_time(struct db_array *a, int64_t time_us);
/* The literal, or NULL if memory ran out. Valid until the next call on it. */
const char *db_array_text(struct db_array *a);
void db_array_reset(struct db_array *a); /* empty, memory kept */
void db_array_free(struct db_array *a);

#endif
