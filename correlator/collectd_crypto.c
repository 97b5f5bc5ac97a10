#include "correlator/collectd_crypto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "correlator/collectd_packet.h"

enum {
  MAC_LEN = 32,
  IV_LEN = 16,
  CHECKSUM_LEN = 20, /* SHA-1 of the payload, encrypted with it */
  SIGN_LEN = COLLECTD_HEADER_LEN + MAC_LEN, /* then the user's name */
  ENCRYPT_LEN = COLLECTD_HEADER_LEN + 2 + IV_LEN + CHECKSUM_LEN,
};

struct collectd_crypto {
  EVP_MAC *hmac;
  EVP_MAC_CTX *mac;
  EVP_CIPHER *ofb;
  EVP_CIPHER_CTX *cipher;
  EVP_MD *sha1;
};

int collectd_crypto_new(struct collectd_crypto **ret_crypto) {
  struct collectd_crypto *c = calloc(1, sizeof(*c));
  char sha256[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
      OSSL_PARAM_construct_end()};

  if (!c)
    return -ENOMEM;
  c->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
  c->ofb = EVP_CIPHER_fetch(NULL, "AES-256-OFB", NULL);
  c->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
  c->mac = c->hmac ? EVP_MAC_CTX_new(c->hmac) : NULL;
  c->cipher = EVP_CIPHER_CTX_new();
  if (!c->ofb || !c->sha1 || !c->mac || !c->cipher ||
      !EVP_MAC_CTX_set_params(c->mac, params)) {
    collectd_crypto_free(c);
    return -ENOTSUP;
  }
  *ret_crypto = c;
  return 0;
}

void collectd_crypto_free(struct collectd_crypto *crypto) {
  if (!crypto)
    return;
  EVP_CIPHER_CTX_free(crypto->cipher);
  EVP_MAC_CTX_free(crypto->mac);
  EVP_MD_free(crypto->sha1);
  EVP_CIPHER_free(crypto->ofb);
  EVP_MAC_free(crypto->hmac);
  free(crypto);
}

static void set_envelope(struct collectd_envelope *e, const char *signer,
                         const uint8_t *payload, size_t payload_len) {
  memset(e->signer, 0, sizeof(e->signer));
  memcpy(e->signer, signer, strlen(signer));
  e->payload = payload;
  e->payload_len = payload_len;
}

/* type, length, HMAC-SHA256 of all that follows it, user, payload */
static int open_signed(struct collectd_crypto *c,
                       const struct collectd_auth *auth, const uint8_t *packet,
                       size_t len, struct collectd_envelope *ret) {
  const size_t part_len = collectd_read_u16(packet + 2);
  const struct collectd_user *user;
  uint8_t mac[MAC_LEN];
  size_t mac_len = 0;

  if (part_len <= SIGN_LEN || part_len > len)
    return -EBADMSG;
  if (!auth) {
    set_envelope(ret, "", packet + part_len, len - part_len);
    return 0;
  }
  user = collectd_auth_find(auth, packet + SIGN_LEN, part_len - SIGN_LEN);
  if (!user)
    return -ENOKEY;
  if (!EVP_MAC_init(c->mac, (const unsigned char *)user->password,
                    user->password_len, NULL) ||
      !EVP_MAC_update(c->mac, packet + SIGN_LEN, len - SIGN_LEN) ||
      !EVP_MAC_final(c->mac, mac, &mac_len, sizeof(mac)) || mac_len != MAC_LEN)
    return -EIO;
  if (CRYPTO_memcmp(mac, packet + COLLECTD_HEADER_LEN, MAC_LEN) != 0)
    return -EKEYREJECTED;
  set_envelope(ret, user->name, packet + part_len, len - part_len);
  return 0;
}

static int decrypt(struct collectd_crypto *c, const struct collectd_user *user,
                   const uint8_t *iv, uint8_t *data, size_t len) {
  int n;

  /* The key stream is the same both ways; OFB has no padding. */
  if (!EVP_DecryptInit_ex2(c->cipher, c->ofb, user->aes_key, iv, NULL) ||
      !EVP_DecryptUpdate(c->cipher, data, &n, data, (int)len) ||
      (size_t)n != len)
    return -EIO;
  return 0;
}

/* type, length, length of user, user, IV, then encrypted: SHA-1, payload */
static int open_encrypted(struct collectd_crypto *c,
                          const struct collectd_auth *auth, uint8_t *packet,
                          size_t len, struct collectd_envelope *ret) {
  const struct collectd_user *user;
  const uint8_t *name, *iv;
  uint8_t *sealed, checksum[CHECKSUM_LEN];
  size_t name_len, sealed_len, iv_at;
  int r;

  if (len <= ENCRYPT_LEN)
    return -EBADMSG;
  name = packet + COLLECTD_HEADER_LEN + 2;
  name_len = collectd_read_u16(packet + COLLECTD_HEADER_LEN);
  if (name_len == 0 || name_len >= len - ENCRYPT_LEN)
    return -EBADMSG;
  iv_at = COLLECTD_HEADER_LEN + 2 + name_len;
  iv = packet + iv_at;
  sealed = packet + iv_at + IV_LEN;
  sealed_len = len - iv_at - IV_LEN;
  user = auth ? collectd_auth_find(auth, name, name_len) : NULL;
  if (!user)
    return -ENOKEY;
  r = decrypt(c, user, iv, sealed, sealed_len);
  if (r != 0)
    return r;
  if (!EVP_Digest(sealed + CHECKSUM_LEN, sealed_len - CHECKSUM_LEN, checksum,
                  NULL, c->sha1, NULL))
    return -EIO;
  if (CRYPTO_memcmp(checksum, sealed, CHECKSUM_LEN) != 0)
    return -EKEYREJECTED;
  set_envelope(ret, user->name, sealed + CHECKSUM_LEN,
               sealed_len - CHECKSUM_LEN);
  return 0;
}

int collectd_crypto_open(struct collectd_crypto *crypto,
                         enum security_level level,
                         const struct collectd_auth *auth, uint8_t *packet,
                         size_t len, struct collectd_envelope *ret_envelope) {
  size_t part_len;

  if (len < COLLECTD_HEADER_LEN)
    return -EBADMSG;
  part_len = collectd_read_u16(packet + 2);
  switch (collectd_read_u16(packet)) {
  case COLLECTD_PART_SIGN:
    if (!auth && level != SECURITY_NONE)
      return -ENOKEY;
    return open_signed(crypto, auth, packet, len, ret_envelope);
  case COLLECTD_PART_ENCRYPT:
    if (level == SECURITY_SIGN)
      return -EACCES;
    if (part_len > len)
      return -EBADMSG;
    /* Nothing vouches for what follows the encrypted part. */
    if (part_len < len)
      return level == SECURITY_NONE ? -EBADMSG : -EACCES;
    return open_encrypted(crypto, auth, packet, len, ret_envelope);
  default:
    if (level != SECURITY_NONE)
      return -EACCES;
    set_envelope(ret_envelope, "", packet, len);
    return 0;
  }
}
