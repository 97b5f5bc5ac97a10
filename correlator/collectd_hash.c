#include "correlator/collectd_hash.h"

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

struct sip {
  uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t x, unsigned bits) {
  return x << bits | x >> (64 - bits);
}

static void sip_round(struct sip *s) {
  s->v0 += s->v1;
  s->v1 = rotate(s->v1, 13) ^ s->v0;
  s->v0 = rotate(s->v0, 32);
  s->v2 += s->v3;
  s->v3 = rotate(s->v3, 16) ^ s->v2;
  s->v0 += s->v3;
  s->v3 = rotate(s->v3, 21) ^ s->v0;
  s->v2 += s->v1;
  s->v1 = rotate(s->v1, 17) ^ s->v2;
  s->v2 = rotate(s->v2, 32);
}

static void sip_word(struct sip *s, uint64_t word) {
  s->v3 ^= word;
  sip_round(s);
  s->v0 ^= word;
}

int collectd_hash_key_new(struct collectd_hash_key *ret_key) {
  struct collectd_hash_key key;

  /* Up to 256 bytes are never cut short. */
  if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
    return -errno;
  *ret_key = key;
  return 0;
}

uint64_t collectd_hash(const struct collectd_hash_key *key, const void *data,
                       size_t len) {
  const uint8_t *p = data;
  struct sip s = {key->k0 ^ UINT64_C(0x736f6d6570736575),
                  key->k1 ^ UINT64_C(0x646f72616e646f6d),
                  key->k0 ^ UINT64_C(0x6c7967656e657261),
                  key->k1 ^ UINT64_C(0x7465646279746573)};
  uint64_t last = (uint64_t)len << 56;
  size_t left = len;

  for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t)) {
    uint64_t word;

    memcpy(&word, p, sizeof(word));
    sip_word(&s, le64toh(word));
    p += sizeof(word);
  }
  for (size_t i = 0; i < left; i++)
    last |= (uint64_t)p[i] << (8 * i);
  sip_word(&s, last);
  s.v2 ^= 0xff;
  for (int i = 0; i < 3; i++)
    sip_round(&s);
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
