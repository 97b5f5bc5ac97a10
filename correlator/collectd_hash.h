/* SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"): a
 * keyed hash for tables whose keys come from outside. Nobody who does not
 * know the key can make two inputs meet. */
#ifndef PDNA_COLLECTD_HASH_H
#define PDNA_COLLECTD_HASH_H

#include <stddef.h>
#include <stdint.h>

struct collectd_hash_key {
  uint64_t k0;
  uint64_t k1;
};

/* A random key. Returns 0, or a negative errno of getrandom(2). */
int collectd_hash_key_new(struct collectd_hash_key *ret_key);

uint64_t collectd_hash(const struct collectd_hash_key *key, const void *data,
                       size_t len);

#endif
