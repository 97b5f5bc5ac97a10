/* One syslog connection, TCP or TLS: what it sends, down to the events in it.
 * It is read only as far as ingest has room, so that the sender keeps what
 * there is none for. It has no events of a loop; who owns it has. */
#ifndef PDNA_SYSLOG_CONNECTION_H
#define PDNA_SYSLOG_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "correlator/ingest.h"
#include "correlator/peer.h"
#include "correlator/syslog_tls.h"

struct syslog_connection;

enum syslog_reading {
  SYSLOG_READING_DONE,    /* until there is more to be read */
  SYSLOG_READING_NO_ROOM, /* until ingest has room; it may be read again then */
  SYSLOG_READING_ENDED,   /* it is over: to be freed */
};

/* `fd`, which does not block, and `tls`, if it is not NULL, are taken over.
 * NULL: out of memory, and they are not. */
struct syslog_connection *syslog_connection_new(struct ingest *ingest, int fd,
                                                struct syslog_tls_session *tls,
                                                const struct peer *peer);

/* What has arrived and was not read is lost, what was read is not: where ingest
 * has no room it goes to the spool. NULL does nothing. */
void syslog_connection_free(struct syslog_connection *c);

/* Read some of what has arrived. *ret_lines is how many lines there were. What
 * goes wrong is counted and logged. */
enum syslog_reading syslog_connection_read(struct syslog_connection *c,
                                           size_t *ret_lines);

/* From now on what there is no room for goes to the spool. */
void syslog_connection_spool(struct syslog_connection *c);

/* Tell the peer that the connection ends; what it sent before is still read. */
void syslog_connection_say_end(struct syslog_connection *c);

int syslog_connection_fd(const struct syslog_connection *c);
bool syslog_connection_wants_write(const struct syslog_connection *c);
/* Has the peer shown a certificate, over TLS? */
bool syslog_connection_is_verified(const struct syslog_connection *c);
/* It has, or there is no TLS. */
bool syslog_connection_is_up(const struct syslog_connection *c);
const struct peer *syslog_connection_peer(const struct syslog_connection *c);

#endif
