/* The outbox in the database: rows are leased, and what became of them is
 * reported, at the latest when the database is back. */
#ifndef PDNA_TRAPS_OUTBOX_H
#define PDNA_TRAPS_OUTBOX_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "correlator/config.h"
#include "correlator/traps_sink.h"

struct traps_outbox;

/* `config` and `instance`, which names this correlator in leases, must outlive
 * it. No lease ends within lease_s. Returns 0 or -ENOMEM. */
int traps_outbox_new(const struct config *config, const char *instance,
                     unsigned lease_s, struct traps_outbox **ret_outbox);
void traps_outbox_free(struct traps_outbox *outbox); /* NULL does nothing */

/* Connect if that is due, and listen for new rows. True if there is a
 * connection then. */
bool traps_outbox_connect(struct traps_outbox *outbox);

/* The socket to select on, -1 without a connection; and when to call
 * traps_outbox_connect again then, by clock_monotonic_ms. */
int traps_outbox_socket(const struct traps_outbox *outbox);
int64_t traps_outbox_connect_at_ms(const struct traps_outbox *outbox);

/* Has the database told of new rows since the last call? */
bool traps_outbox_notified(struct traps_outbox *outbox);

/* Take up to `limit` rows for a sink. The caller clears *ret_rows. Returns
 * false if nothing could be asked; that is logged. */
bool traps_outbox_lease(struct traps_outbox *outbox, const char *sink,
                        size_t limit, PGresult **ret_rows);

/* A row of that result; it points into it. Returns 0, or -EINVAL (a column is
 * not there or null). */
int traps_outbox_row(const PGresult *rows, int index,
                     struct traps_row *ret_row);

/* Keep in mind what became of a row; as traps_sink_result_fn says. */
void traps_outbox_result(struct traps_outbox *outbox, int64_t outbox_id,
                         const char *error, unsigned wait_s);

/* Report what is kept in mind. Returns whether a row is done. */
bool traps_outbox_report(struct traps_outbox *outbox);

#endif
