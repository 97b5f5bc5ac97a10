/* The digest of an open file, taken in steps, so that one file can be put
 * aside for another and a large one read over many cycles. */
#ifndef PDNA_HASH_H
#define PDNA_HASH_H

#include <openssl/evp.h>

#include "lib/record/digest.h"
#include "lib/scan/exe.h"

enum { HASH_CHUNK = 256 * 1024 }; /* bytes a step */

struct hash {
  int fd; /* -1: not open */
  EVP_MD_CTX *md;
  struct file_stat before; /* as it was when reading began */
  uint64_t done;           /* bytes */
  bool again;              /* it changed once while it was read */
};

/* Nothing open yet. */
void hash_init(struct hash *h);

/* Begin with `fd`, which belongs to the hash from now on. -ESRCH if it is
 * another inode than `expected`, or no regular file. Returns 0 or a negative
 * errno. */
int hash_begin(struct hash *h, int fd, const struct file_id *expected);

/* Read at most `max` bytes on, at least 1, through a buffer of HASH_CHUNK.
 * Returns 1 (there is more), 0 (*ret_digest is that of the file described by
 * h->before), -ESTALE (it changed twice while it was read) or another negative
 * errno. */
int hash_step(struct hash *h, void *buf, size_t max, size_t *ret_read,
              struct digest *ret_digest);

void hash_clear(struct hash *h);

#endif
