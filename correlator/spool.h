/* What is kept on disk, in order, while the database is away: a bounded file
 * to which entries are appended, and which is emptied when all were read. What
 * an entry holds is for others to say (spool_report.h, spool_auth.h).
 * Thread-safe. */
#ifndef PDNA_SPOOL_H
#define PDNA_SPOOL_H

#include "correlator/ingest_bytes.h"

struct spool;

/* Open or make DIR/NAME, which one process at a time may hold. What an
 * earlier process left is read first. What fails is logged. Returns 0, -EBUSY
 * (held by another), or a negative errno. */
int spool_open(const char *dir, const char *name, uint64_t max_bytes,
               struct spool **ret_spool);
void spool_close(struct spool *s); /* syncs; NULL does nothing */

/* Returns 0, -ENOSPC (full), -ENOMEM or a negative errno of writing, after
 * which the file is as before. */
int spool_append(struct spool *s, const struct bytes *entry);

/* Make of an entry what `ret` points to. Returns 0, -EINVAL (no such entry) or
 * -ENOMEM. */
typedef int spool_decode_fn(const void *data, size_t len, void *ret);

/* The next entry that was not read, decoded into `ret`. What is damaged is
 * skipped and counted in *ret_skipped (which is added to). Returns 0, -ENOENT
 * (there is none) or -ENOMEM. */
int spool_next(struct spool *s, spool_decode_fn *decode, void *ret,
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
