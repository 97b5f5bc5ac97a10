/* Reports kept on disk, in order, while the database is away: a bounded file
 * to which entries are appended, and which is emptied when all were read.
 * Thread-safe. */
#ifndef PDNA_SPOOL_H
#define PDNA_SPOOL_H

#include <stdint.h>

#include "correlator/report.h"

struct spool;

/* Open or make DIR/NAME, which one process at a time may hold. What an
 * earlier process left is read first. Returns 0, -EBUSY (held by another), or a
 * negative errno. */
int spool_open(const char *dir, const char *name, uint64_t max_bytes,
               struct spool **ret_spool);
void spool_close(struct spool *s); /* syncs; NULL does nothing */

/* Returns 0, -ENOSPC (full), -ENOMEM or a negative errno of writing, after
 * which the file is as before. */
int spool_append(struct spool *s, const struct report *report);

/* The next report that was not read. What is damaged is skipped and counted
 * in *ret_skipped (which is added to). Returns 0, -ENOENT (there is none) or
 * -ENOMEM. */
int spool_next(struct spool *s, struct report **ret_report,
               uint64_t *ret_skipped);

/* All that was read has gone its way, or has to be read again, or the last
 * one only. */
void spool_commit(struct spool *s);
void spool_rewind(struct spool *s);
void spool_unread(struct spool *s);

/* Nothing is left but what was committed. */
bool spool_is_empty(struct spool *s);

/* To the disk, if something was appended. Returns 0 or a negative errno. */
int spool_sync(struct spool *s);

#endif
