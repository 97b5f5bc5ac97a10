/* A set of texts, each with a number from 0 up in the order in which they came
 * in. Made for asking often for what mostly is not in it. */
#ifndef PDNA_TEXTS_H
#define PDNA_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXTS_FILTER_LEN = 512 };

/* All zero is an empty set. */
struct texts {
  char **texts; /* owned, NUL-terminated */
  size_t len;
  size_t size;
  uint32_t *slots; /* number + 1, or 0 */
  size_t slots_len;
  uint64_t filter[TEXTS_FILTER_LEN]; /* a bit for each text's length and end */
};

/* Put in `len` bytes at `text`, none of which is NUL, unless they are there
 * already. Returns 0 or -ENOMEM. */
int texts_add(struct texts *t, const char *text, size_t len,
              size_t *ret_number);

bool texts_find(const struct texts *t, const char *text, size_t len,
                size_t *ret_number);

/* Free what it owns; then it is empty. */
void texts_clear(struct texts *t);

#endif
