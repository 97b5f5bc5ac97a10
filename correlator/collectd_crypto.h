/* What collectd's SecurityLevel puts around a packet: a signature over all
 * that follows it, or the encrypted whole. */
#ifndef PDNA_COLLECTD_CRYPTO_H
#define PDNA_COLLECTD_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#include "correlator/collectd_auth.h"
#include "correlator/config.h"

struct collectd_crypto;

/* Returns 0, -ENOMEM, or -ENOTSUP if OpenSSL lacks an algorithm. */
int collectd_crypto_new(struct collectd_crypto **ret_crypto);
void collectd_crypto_free(struct collectd_crypto *crypto);

struct collectd_envelope {
  char signer[COLLECTD_USER_MAX + 1]; /* "": nobody is known to vouch for it */
  const uint8_t *payload;             /* in the packet */
  size_t payload_len;
};

/* Check what is around a packet and take it off; an encrypted one is
 * decrypted in place. The packet is covered whole or it is refused:
 *   SECURITY_SIGN    takes Sign,
 *   SECURITY_ENCRYPT takes Sign and Encrypt,
 *   SECURITY_NONE    takes everything; a signature that is there is checked
 *                    all the same, unless `auth` is NULL.
 * Returns 0, -EBADMSG (malformed), -EACCES (not what the level asks for),
 * -ENOKEY (user not in the auth-file), -EKEYREJECTED (wrong signature or
 * checksum), -EIO (OpenSSL failed). */
int collectd_crypto_open(struct collectd_crypto *crypto,
                         enum security_level level,
                         const struct collectd_auth *auth, uint8_t *packet,
                         size_t len, struct collectd_envelope *ret_envelope);

#endif
