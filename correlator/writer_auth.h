/* The writer's part for auth events: batches from their queue to the database,
 * and how far followed files were read back from it. Its calls are those of
 * the writer's thread, but for the queue's and the positions' own. */
#ifndef PDNA_WRITER_AUTH_H
#define PDNA_WRITER_AUTH_H

#include <stdatomic.h>

#include "correlator/auth_queue.h"
#include "correlator/config.h"
#include "correlator/db.h"
#include "correlator/writer_queue.h"

struct writer_auth;

/* `follower` names this host, whose files they are. What the database refuses
 * is set aside with `queue`. All must outlive it. What fails is logged. Returns
 * 0 or a negative errno. */
int writer_auth_new(const struct config *config, const char *follower,
                    struct writer_queue *queue, struct writer_auth **ret_auth);
void writer_auth_free(struct writer_auth *a); /* NULL does nothing */

/* Valid as long as it is. */
struct auth_queue *writer_auth_queue(const struct writer_auth *a);
struct auth_positions *writer_auth_positions(const struct writer_auth *a);

/* Where to write. */
struct writer_auth_target {
  struct db *db;
  int tenant;
  const atomic_bool *stopping;
};

/* Load the positions that are not known. Gives DB_OK or DB_AWAY. */
enum db_error writer_auth_load(struct writer_auth *a,
                               const struct writer_auth_target *target);

/* The database is here, or away. */
void writer_auth_set_away(struct writer_auth *a, bool away);

/* When a batch is due: in so many milliseconds, -1 if nothing waits. */
int writer_auth_due_ms(const struct writer_auth *a);
/* Is there something in memory that can be written? */
bool writer_auth_has_work(const struct writer_auth *a);

/* As writer_auth_load, and then one batch, if one is due or if `now`. While the
 * database is there and takes no event at all (a damaged table, say), events
 * are treated as if it were away, for a growing while, and reports go on. */
enum db_error writer_auth_write(struct writer_auth *a,
                                const struct writer_auth_target *target,
                                bool now);

#endif
