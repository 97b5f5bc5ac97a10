#include "correlator/writer_halve.h"

#include <string.h>

#include "correlator/counters.h"

enum { RETRIES_MAX = 20 /* of a batch, at once */ };

/* Errors of the schema, of rights and of the server itself (PostgreSQL,
 * appendix A): no item is to blame. */
static bool blames_item(const struct db *db) {
  static const char *const classes[] = {"42", "3F", "0A", "28", "XX"};

  for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
    if (strncmp(db_sqlstate(db), classes[i], strlen(classes[i])) == 0)
      return false;
  return true;
}

static enum db_error write_with_retries(const struct writer_halve *h,
                                        size_t from, size_t len) {
  enum db_error error = DB_RETRY;

  for (int i = 0; error == DB_RETRY && i < RETRIES_MAX; i++) {
    if (i > 0 && *h->stopping)
      break; /* cancelled by writer_stop */
    if (i > 0)
      counters_add(COUNTER_DB_RETRIES, 1);
    error = h->write(h->arg, from, len);
  }
  return error == DB_RETRY ? DB_AWAY : error;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as a batch can be halved. */
enum db_error writer_halve(const struct writer_halve *h, size_t len,
                           size_t *done) {
  enum db_error error = write_with_retries(h, *done, len);

  if (error == DB_REFUSED && !blames_item(h->db))
    return DB_AWAY;
  if (error == DB_REFUSED && len > 1) {
    size_t half = len / 2;
    error = writer_halve(h, half, done);
    return error != DB_OK ? error : writer_halve(h, len - half, done);
  }
  if (error == DB_REFUSED)
    h->set_aside(h->arg, *done);
  if (error == DB_AWAY)
    return error;
  *done += len;
  return DB_OK;
}
