#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "lib/record/digest.h"

void digest_to_hex(const struct digest *d,
                   char ret_hex[static DIGEST_HEX_LEN + 1]) {
  static const char digits[] = "0123456789abcdef";

  for (size_t i = 0; i < DIGEST_LEN; i++) {
    ret_hex[2 * i] = digits[d->bytes[i] >> 4];
    ret_hex[2 * i + 1] = digits[d->bytes[i] & 15];
  }
  ret_hex[DIGEST_HEX_LEN] = '\0';
}

static int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return -1;
}

int digest_from_hex(const char *hex, size_t len, struct digest *ret_digest) {
  struct digest d;

  if (len != DIGEST_HEX_LEN)
    return -EINVAL;
  for (size_t i = 0; i < DIGEST_LEN; i++) {
    int high = hex_value(hex[2 * i]);
    int low = hex_value(hex[2 * i + 1]);

    if (high < 0 || low < 0)
      return -EINVAL;
    d.bytes[i] = (uint8_t)(high << 4 | low);
  }
  *ret_digest = d;
  return 0;
}

bool digest_equal(const struct digest *a, const struct digest *b) {
  return memcmp(a->bytes, b->bytes, DIGEST_LEN) == 0;
}

int digest_of(const void *data, size_t len, struct digest *ret_digest) {
  struct digest d;

  if (!EVP_Digest(data, len, d.bytes, NULL, EVP_sha256(), NULL))
    return -ENOMEM;
  *ret_digest = d;
  return 0;
}
