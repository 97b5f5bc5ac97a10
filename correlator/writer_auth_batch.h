/* Auth events and positions of files to the database in one call, which is one
 * transaction: process_dna.auth_ingest. */
#ifndef PDNA_WRITER_AUTH_BATCH_H
#define PDNA_WRITER_AUTH_BATCH_H

#include "correlator/auth_queue.h"
#include "correlator/db.h"

struct writer_auth_batch;

struct writer_auth_batch *writer_auth_batch_new(void);    /* NULL: no memory */
void writer_auth_batch_free(struct writer_auth_batch *b); /* NULL: nothing */
void writer_auth_batch_reset(struct writer_auth_batch *b);

/* The event of an item; `file` is the number of its file in this call, from 1,
 * or 0: none. */
void writer_auth_batch_add_event(struct writer_auth_batch *b,
                                 const struct auth_item *item, size_t file);

struct writer_auth_file {
  const char *follower;
  const char *path;
  const struct auth_position *position;
  int64_t version; /* that the database's row has */
};
void writer_auth_batch_add_file(struct writer_auth_batch *b,
                                const struct writer_auth_file *file);

/* On DB_OK *ret_result is the caller's to PQclear: for each file its number in
 * the call, and whether its position was the database's ('t'), or nothing of it
 * was written. Out of memory is like a database that is away. */
enum db_error writer_auth_batch_write(struct writer_auth_batch *b,
                                      struct db *db, int tenant,
                                      PGresult **ret_result);

#endif
