/* What waits for the database: a bounded queue in memory, and behind it the
 * spool. Reports go to the spool while the database is away, while the queue
 * is full, and while there are others in the spool, since the order counts.
 * Thread-safe; batches are taken by one thread. */
#ifndef PDNA_WRITER_QUEUE_H
#define PDNA_WRITER_QUEUE_H

#include "correlator/spool.h"
#include "correlator/writer_batch.h"

enum {
  WRITER_BATCH_ROWS = 1000, /* and as many items at most */
  WRITER_BATCH_WAIT_MS = 200,
};

struct writer_queue;

/* Opens the spool and the file of what is refused in state_dir. What fails is
 * logged. Returns 0 or a negative errno. */
int writer_queue_new(const char *state_dir, uint64_t spool_max_bytes,
                     struct writer_queue **ret_queue);
/* What is in memory still goes to the spool. NULL does nothing. */
void writer_queue_free(struct writer_queue *q);

/* Takes the report over. */
void writer_queue_put(struct writer_queue *q, struct report **report,
                      const struct ingest_ticket *ticket);

/* Readable when something was put; writer_queue_wake makes it so. */
int writer_queue_fd(const struct writer_queue *q);
void writer_queue_wake(struct writer_queue *q);
void writer_queue_woken(struct writer_queue *q);

/* When a batch is due: in so many milliseconds, -1 if nothing waits. */
int writer_queue_due_ms(struct writer_queue *q);

/* Take a batch, due or not; `items` has room for
 * WRITER_BATCH_ROWS. Then exactly one of done and give_back, which free what
 * they are given. */
size_t writer_queue_take(struct writer_queue *q, struct writer_item *items);
void writer_queue_done(struct writer_queue *q, struct writer_item *items,
                       size_t len);
/* The database is away: what is behind the first `done`, and all that comes, is
 * spooled. */
void writer_queue_give_back(struct writer_queue *q, struct writer_item *items,
                            size_t len, size_t done);

/* Is the database away? At first it is. */
void writer_queue_set_away(struct writer_queue *q, bool away);

/* Keep what the database refuses, as an entry of the spool. Returns 0 or a
 * negative errno. */
int writer_queue_set_aside(struct writer_queue *q, const struct bytes *entry);

/* What was spooled goes to the disk. */
void writer_queue_sync(struct writer_queue *q);

/* Is something in the spool? */
bool writer_queue_is_spooling(struct writer_queue *q);

/* Reports in memory. */
size_t writer_queue_len(struct writer_queue *q);

#endif
