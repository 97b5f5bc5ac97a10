/* An auth event as an entry of the spool. */
#ifndef PDNA_SPOOL_AUTH_H
#define PDNA_SPOOL_AUTH_H

#include "correlator/auth_event.h"
#include "correlator/spool.h"

/* Append the event; b->failed shows that memory ran out. */
void spool_auth_encode(const struct auth_record *record, struct bytes *b);

/* Returns 0, -EINVAL (not what encode writes) or -ENOMEM. */
int spool_auth_decode(const void *data, size_t len,
                      struct auth_record **ret_record);

/* As spool_append and spool_next; the caller frees *ret_record. */
int spool_auth_append(struct spool *s, const struct auth_record *record);
int spool_auth_next(struct spool *s, struct auth_record **ret_record,
                    uint64_t *ret_skipped);

#endif
