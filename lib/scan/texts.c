#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/scan/texts.h"

enum { SLOTS_MIN = 64, FILTER_BITS = TEXTS_FILTER_LEN * 64 };

static uint32_t hash_of(const char *text, size_t len) {
  uint64_t h = 14695981039346656037U; /* FNV-1a */

  for (size_t i = 0; i < len; i++)
    h = (h ^ (unsigned char)text[i]) * 1099511628211U;
  return (uint32_t)(h ^ (h >> 32));
}

/* Paths differ at their ends. */
static size_t filter_bit(const char *text, size_t len) {
  uint64_t end = 0;

  if (len >= sizeof(end))
    memcpy(&end, text + len - sizeof(end), sizeof(end));
  else
    memcpy(&end, text, len);
  return (size_t)(((end ^ len) * 0x9e3779b97f4a7c15U) >> 32) % FILTER_BITS;
}

/* The slot that has the text, or the free one where it belongs. */
static size_t slot_of(const struct texts *t, const char *text, size_t len) {
  size_t i = hash_of(text, len) & (t->slots_len - 1);

  while (t->slots[i] != 0) {
    const char *other = t->texts[t->slots[i] - 1];

    if (strncmp(other, text, len) == 0 && other[len] == '\0')
      break;
    i = (i + 1) & (t->slots_len - 1);
  }
  return i;
}

bool texts_find(const struct texts *t, const char *text, size_t len,
                size_t *ret_number) {
  size_t bit = filter_bit(text, len);
  size_t i;

  if ((t->filter[bit / 64] >> bit % 64 & 1) == 0)
    return false;
  i = slot_of(t, text, len);
  if (t->slots[i] == 0)
    return false;
  *ret_number = t->slots[i] - 1;
  return true;
}

static int grow_slots(struct texts *t) {
  struct texts bigger = *t;

  bigger.slots_len = t->slots_len > 0 ? t->slots_len * 2 : SLOTS_MIN;
  bigger.slots = calloc(bigger.slots_len, sizeof(*bigger.slots));
  if (bigger.slots == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < t->len; i++)
    bigger.slots[slot_of(&bigger, t->texts[i], strlen(t->texts[i]))] =
        (uint32_t)i + 1;
  free(t->slots);
  t->slots = bigger.slots;
  t->slots_len = bigger.slots_len;
  return 0;
}

int texts_add(struct texts *t, const char *text, size_t len,
              size_t *ret_number) {
  size_t bit = filter_bit(text, len);
  char *copy;

  if (texts_find(t, text, len, ret_number))
    return 0;
  if (t->len == t->size) {
    size_t size = t->size > 0 ? t->size * 2 : SLOTS_MIN;
    char **texts = reallocarray(t->texts, size, sizeof(*texts));

    if (texts == NULL)
      return -ENOMEM;
    t->texts = texts;
    t->size = size;
  }
  if (2 * (t->len + 1) > t->slots_len && grow_slots(t) < 0)
    return -ENOMEM;
  copy = strndup(text, len);
  if (copy == NULL)
    return -ENOMEM;
  t->slots[slot_of(t, text, len)] = (uint32_t)t->len + 1;
  t->filter[bit / 64] |= (uint64_t)1 << bit % 64;
  t->texts[t->len] = copy;
  *ret_number = t->len++;
  return 0;
}

void texts_clear(struct texts *t) {
  for (size_t i = 0; i < t->len; i++)
    free(t->texts[i]);
  free(t->texts);
  free(t->slots);
  memset(t, 0, sizeof(*t));
}
