/* Syslog over TLS, RFC 5425: TLS 1.2 or newer, and a client certificate that
 * the tls-ca signed (its extended key usage, if it has one, must allow
 * clients). Who shows none, or another's, is refused in the handshake. Sessions
 * are not resumed, so each connection is verified anew.
 *
 * tls-ca may hold revocation lists beside its certificates; if it does, each
 * certificate of the chain is looked up, and a list that is too old or missing
 * refuses all. */
#ifndef PDNA_SYSLOG_TLS_H
#define PDNA_SYSLOG_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "correlator/config.h"

/* What a buffer has to have room for: OpenSSL then keeps nothing back, and all
 * that is left to be read makes the socket readable. */
enum { SYSLOG_TLS_BUFFER = 16 * 1024 };

struct syslog_tls;
struct syslog_tls_session;

/* Read certificate, key (refused if others than its owner may read it, or if it
 * wants a passphrase) and CA of the configuration. What is wrong is logged.
 * Returns 0 or a negative errno. `config` must outlive it. */
int syslog_tls_new(const struct syslog_config *config, struct syslog_tls **ret);
void syslog_tls_free(struct syslog_tls *tls); /* NULL does nothing */

/* Read the files again if any has changed, looking at most once a second;
 * `now_ms` is a monotonic clock. If they are refused the old ones stay. Running
 * sessions go on as they are. */
void syslog_tls_refresh(struct syslog_tls *tls, int64_t now_ms);

/* The server's side on a connected socket that does not block, and which stays
 * the caller's. NULL: out of memory. */
struct syslog_tls_session *syslog_tls_session_new(struct syslog_tls *tls,
                                                  int fd);
void syslog_tls_session_free(struct syslog_tls_session *s); /* NULL: nothing */

/* Read, after the handshake, which the first calls do; `len` is at least
 * SYSLOG_TLS_BUFFER. Returns the number of bytes, 0 at the peer's end, -EAGAIN
 * (wait until the socket is readable, or writable if syslog_tls_wants_write),
 * -EPROTO (the peer is refused, or breaks the protocol: syslog_tls_problem says
 * why) or another negative errno. */
ssize_t syslog_tls_read(struct syslog_tls_session *s, char *buffer, size_t len);

bool syslog_tls_wants_write(const struct syslog_tls_session *s);
/* Has the peer shown its certificate? */
bool syslog_tls_is_verified(const struct syslog_tls_session *s);
/* What was wrong, in words; static storage. */
const char *syslog_tls_problem(const struct syslog_tls_session *s);

/* Tell the peer that nothing more is read. */
void syslog_tls_say_end(struct syslog_tls_session *s);

#endif
