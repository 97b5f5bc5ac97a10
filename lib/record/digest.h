/* SHA-256 digests (FIPS 180-4) and their text form: 64 lower-case hex digits.
 */
#ifndef PDNA_DIGEST_H
#define PDNA_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_LEN = 32, DIGEST_HEX_LEN = 64 };

struct digest {
  uint8_t bytes[DIGEST_LEN];
};

/* Write the digest's 64 hex digits and a NUL. */
void digest_to_hex(const struct digest *d,
                   char ret_hex[static DIGEST_HEX_LEN + 1]);

/* Read a digest from exactly 64 lower-case hex digits, as `len` bytes at
 * `hex`. Returns 0, or -EINVAL for anything else. */
int digest_from_hex(const char *hex, size_t len, struct digest *ret_digest);

bool digest_equal(const struct digest *a, const struct digest *b);

/* Digest `len` bytes at `data`. Returns 0 or -ENOMEM. */
int digest_of(const void *data, size_t len, struct digest *ret_digest);

#endif
