/* A buffer of bytes that grows: integers little-endian, texts with their
 * length before them. */
#ifndef PDNA_INGEST_BYTES_H
#define PDNA_INGEST_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
  uint8_t *data;
  size_t len;
  size_t capacity;
  bool failed; /* memory ran out; what was put since is not in it */
};

void bytes_put(struct bytes *b, const void *data, size_t len);
void bytes_put_u64(struct bytes *b, uint64_t value);
void bytes_put_u8(struct bytes *b, uint8_t value);
void bytes_put_text(struct bytes *b, const char *text); /* to 65535 bytes */
/* Any bytes, to 65535 of them. */
void bytes_put_sized(struct bytes *b, const void *data, size_t len);
void bytes_free(struct bytes *b);

/* Reading the same. */
struct bytes_reader {
  const uint8_t *at;
  size_t left;
  bool failed; /* something did not fit; everything read since is zero */
};

const void *bytes_get(struct bytes_reader *r, size_t len);
uint64_t bytes_get_u64(struct bytes_reader *r);
uint8_t bytes_get_u8(struct bytes_reader *r);
/* Gives where they are, and NULL where there are none. */
const void *bytes_get_sized(struct bytes_reader *r, size_t *ret_len);
/* A text without NUL that fits into `size` bytes with its NUL. */
void bytes_get_text(struct bytes_reader *r, char *ret_text, size_t size);

#endif
