/* Writing a batch of which the database may refuse a part: what is refused is
 * halved until the item that is to blame stands alone. */
#ifndef PDNA_WRITER_HALVE_H
#define PDNA_WRITER_HALVE_H

#include <stdatomic.h>

#include "correlator/db.h"

struct writer_halve {
  void *arg;
  struct db *db;
  const atomic_bool *stopping; /* what is cancelled is not tried again then */
  /* Write `len` items from `from` on. */
  enum db_error (*write)(void *arg, size_t from, size_t len);
  /* The database refuses this one: db_message says why. */
  void (*set_aside)(void *arg, size_t at);
};

/* Write `len` items behind the first *done, and count in *done those on which
 * the database has had its say. Gives DB_OK, or DB_AWAY: the rest is to be
 * written later, since the database is away, too busy, or refuses whatever it
 * is given. */
enum db_error writer_halve(const struct writer_halve *h, size_t len,
                           size_t *done);

#endif
