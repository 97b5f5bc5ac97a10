#include "correlator/ingest_bytes.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 4096 };

void bytes_put(struct bytes *b, const void *data, size_t len) {
  if (b->failed || len == 0)
    return;
  if (len > b->capacity - b->len) {
    size_t capacity = b->capacity == 0 ? CAPACITY_MIN : b->capacity;
    while (capacity - b->len < len)
      capacity *= 2;
    uint8_t *grown = realloc(b->data, capacity);
    if (grown == NULL) {
      b->failed = true;
      return;
    }
    b->data = grown;
    b->capacity = capacity;
  }
  memcpy(b->data + b->len, data, len);
  b->len += len;
}

void bytes_put_u8(struct bytes *b, uint8_t value) { bytes_put(b, &value, 1); }

void bytes_put_u64(struct bytes *b, uint64_t value) {
  uint8_t text[8];

  for (size_t i = 0; i < sizeof(text); i++)
    text[i] = (uint8_t)(value >> (8 * i));
  bytes_put(b, text, sizeof(text));
}

void bytes_put_sized(struct bytes *b, const void *data, size_t len) {
  if (len > UINT16_MAX)
    len = UINT16_MAX;
  bytes_put_u8(b, (uint8_t)len);
  bytes_put_u8(b, (uint8_t)(len >> 8));
  bytes_put(b, data, len);
}

void bytes_put_text(struct bytes *b, const char *text) {
  bytes_put_sized(b, text, strlen(text));
}

void bytes_free(struct bytes *b) {
  free(b->data);
  *b = (struct bytes){0};
}

const void *bytes_get(struct bytes_reader *r, size_t len) {
  if (r->failed || len > r->left) {
    r->failed = true;
    return NULL;
  }
  const uint8_t *at = r->at;
  r->at += len;
  r->left -= len;
  return at;
}

uint8_t bytes_get_u8(struct bytes_reader *r) {
  const uint8_t *at = bytes_get(r, 1);

  return at == NULL ? 0 : *at;
}

uint64_t bytes_get_u64(struct bytes_reader *r) {
  const uint8_t *at = bytes_get(r, 8);
  uint64_t value = 0;

  for (size_t i = 0; at != NULL && i < 8; i++)
    value |= (uint64_t)at[i] << (8 * i);
  return value;
}

const void *bytes_get_sized(struct bytes_reader *r, size_t *ret_len) {
  size_t len = bytes_get_u8(r);

  len |= (size_t)bytes_get_u8(r) << 8;
  const void *at = bytes_get(r, len);
  *ret_len = at == NULL ? 0 : len;
  return len == 0 ? NULL : at;
}

void bytes_get_text(struct bytes_reader *r, char *ret_text, size_t size) {
  size_t len;
  const void *at = bytes_get_sized(r, &len);

  ret_text[0] = '\0';
  if (at == NULL)
    return;
  if (len >= size || memchr(at, '\0', len) != NULL) {
    r->failed = true;
    return;
  }
  memcpy(ret_text, at, len);
  ret_text[len] = '\0';
}
