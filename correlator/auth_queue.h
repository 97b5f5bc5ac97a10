/* Auth events that wait for the database: a bounded queue in memory and,
 * behind it, a spool for those that can't wait with their source. Events of
 * followed files are never spooled: the file is their spool, and what a
 * database that is away did not take is read again. Thread-safe; batches are
 * taken by one thread. */
#ifndef PDNA_AUTH_QUEUE_H
#define PDNA_AUTH_QUEUE_H

#include "correlator/auth_event.h"
#include "correlator/auth_positions.h"

enum {
  AUTH_BATCH_LEN = 1000,
  AUTH_BATCH_WAIT_MS = 200,
  AUTH_NO_FILE = -1,
};

/* An event on its way, or only a position that moves on. */
struct auth_item {
  struct auth_record *record;    /* NULL: no event */
  int file;                      /* its number, or AUTH_NO_FILE */
  uint64_t generation;           /* of the file's position; files only */
  struct auth_position position; /* behind the event's line; files only */
  bool again;                    /* may have been written before */
};

struct auth_queue;

/* Opens the spool in state_dir; what fails is logged. `positions` must outlive
 * the queue. The database is away at first. Returns 0 or a negative errno. */
int auth_queue_new(const char *state_dir, uint64_t spool_max_bytes,
                   struct auth_positions *positions,
                   struct auth_queue **ret_queue);
/* What is in memory still goes to the spool. NULL does nothing. */
void auth_queue_free(struct auth_queue *q);

/* See ingest_auth, ingest_auth_spooled, ingest_auth_file and
 * ingest_auth_room_fd in ingest.h. */
bool auth_queue_put(struct auth_queue *q, struct auth_record **record);
void auth_queue_put_spooled(struct auth_queue *q, struct auth_record **record);
bool auth_queue_put_file(struct auth_queue *q, struct auth_item *items,
                         size_t len);
int auth_queue_room_fd(const struct auth_queue *q);

/* Readable when something was put; auth_queue_woken ends that. */
int auth_queue_fd(const struct auth_queue *q);
void auth_queue_woken(struct auth_queue *q);

/* When a batch is due: in so many milliseconds, -1 if nothing waits. */
int auth_queue_due_ms(struct auth_queue *q);

/* Take a batch, due or not, from memory and from the spool by turns; `items`
 * has room for AUTH_BATCH_LEN. If there are any, then exactly one of done and
 * give_back, which free what is left in them. */
size_t auth_queue_take(struct auth_queue *q, struct auth_item *items);
void auth_queue_done(struct auth_queue *q, struct auth_item *items, size_t len);
/* The database is away, and may have written what comes behind the first
 * `done`, on which it has had its say. */
void auth_queue_give_back(struct auth_queue *q, struct auth_item *items,
                          size_t len, size_t done);

void auth_queue_set_away(struct auth_queue *q, bool away);

/* What was spooled goes to the disk. */
void auth_queue_sync(struct auth_queue *q);

size_t auth_queue_len(struct auth_queue *q); /* in memory */

#endif
