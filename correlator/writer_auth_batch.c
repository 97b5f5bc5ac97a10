#include "correlator/writer_auth_batch.h"

#include <stdio.h>
#include <stdlib.h>

#include "correlator/log.h"
#include "correlator/peer.h"
#include "correlator/sshd_message.h"

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

struct writer_auth_batch {
  struct db_array columns[COLUMNS];
};

struct writer_auth_batch *writer_auth_batch_new(void) {
  return calloc(1, sizeof(struct writer_auth_batch));
}

void writer_auth_batch_free(struct writer_auth_batch *b) {
  if (b == NULL)
    return;
  for (size_t i = 0; i < COLUMNS; i++)
    db_array_free(&b->columns[i]);
  free(b);
}

void writer_auth_batch_reset(struct writer_auth_batch *b) {
  for (size_t i = 0; i < COLUMNS; i++)
    db_array_reset(&b->columns[i]);
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

/* PAM logs a name as it is. In sshd's lines, which it is compared with, its
 * backslashes are doubled; what is not printable is written alike for both. */
static void add_user_or_null(struct db_array *a, const struct auth_event *e) {
  char doubled[2 * SSHD_USER_MAX];
  size_t len = 0;

  if (e->outcome != AUTH_SESSION_OPENED || e->user.len > SSHD_USER_MAX) {
    add_text_or_null(a, e->user);
    return;
  }
  for (size_t i = 0; i < e->user.len; i++) {
    doubled[len++] = e->user.at[i];
    if (e->user.at[i] == '\\')
      doubled[len++] = '\\';
  }
  add_text_or_null(a, (struct auth_text){doubled, len});
}

static void add_address_or_null(struct db_array *a,
                                const struct in6_addr *address) {
  char text[INET6_ADDRSTRLEN];

  if (address != NULL)
    peer_text(address, text);
  db_array_add_text(a, address != NULL ? text : NULL);
}

void writer_auth_batch_add_event(struct writer_auth_batch *b,
                                 const struct auth_item *item, size_t file) {
  const struct auth_record *r = item->record;
  const struct auth_event *e = &r->event;
  struct db_array *c = b->columns;

  add_int_or_null(&c[A_FILE], (int64_t)file);
  add_text_or_null(&c[A_HOST], e->host);
  add_address_or_null(&c[A_PEER], r->has_peer ? &r->peer : NULL);
  db_array_add_text(&c[A_TRUST], auth_trust_name(r->trust));
  db_array_add_text(&c[A_OUTCOME], auth_outcome_name(e->outcome));
  db_array_add_int(&c[A_REPEAT], e->repeat > INT32_MAX ? INT32_MAX : e->repeat);
  add_text_or_null(&c[A_METHOD], e->method);
  add_user_or_null(&c[A_USER], e);
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

void writer_auth_batch_add_file(struct writer_auth_batch *b,
                                const struct writer_auth_file *file) {
  const struct auth_position *p = file->position;
  struct db_array *c = b->columns;

  db_array_add_text(&c[F_FOLLOWER], file->follower);
  db_array_add_text(&c[F_PATH], file->path);
  db_array_add_int(&c[F_DEVICE], (int64_t)p->device);
  db_array_add_int(&c[F_INODE], (int64_t)p->inode);
  db_array_add_text(&c[F_HEAD], p->head);
  db_array_add_int(&c[F_POSITION], (int64_t)p->offset);
  db_array_add_int(&c[F_VERSION], file->version);
}

enum db_error writer_auth_batch_write(struct writer_auth_batch *b,
                                      struct db *db, int tenant,
                                      PGresult **ret_result) {
  char text[16];
  const char *params[COLUMNS + 1] = {text};

  (void)snprintf(text, sizeof(text), "%d", tenant);
  for (size_t i = 0; i < COLUMNS; i++) {
    params[i + 1] = db_array_text(&b->columns[i]);
    if (params[i + 1] == NULL) {
      log_error("database: out of memory");
      return DB_AWAY;
    }
  }
  return db_query(db, ingest_sql, COLUMNS + 1, params, ret_result);
}
