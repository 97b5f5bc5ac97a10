#include "snmp-subagent/exe_index.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/digest.h"

/* An executable that has a number. */
struct entry {
  struct digest key; /* of what identifies it, of one length for any path */
  uint32_t number;
  uint64_t seen; /* the scan that saw it last */
};

struct exe_index {
  struct entry *entries; /* sorted by key */
  size_t len;
  uint64_t scan;
  uint32_t last; /* the number given last */
  bool wrapped;
};

int exe_index_new(struct exe_index **ret) {
  struct exe_index *x = calloc(1, sizeof(*x));

  if (x == NULL)
    return -ENOMEM;
  *ret = x;
  return 0;
}

void exe_index_skip_to(struct exe_index *x, uint32_t last) { x->last = last; }

void exe_index_free(struct exe_index *x) {
  if (x == NULL)
    return;
  free(x->entries);
  free(x);
}

/* Neither container keys nor canonical paths have a newline. */
static int key_of(const struct executable *e, struct digest *ret_key) {
  char hex[DIGEST_HEX_LEN + 1] = "";
  char *text;
  int len, r;

  if (e->state != EXE_UNREADABLE)
    digest_to_hex(&e->sha256, hex);
  len = asprintf(&text, "%s\n%s\n%d\n%d\n%s", e->container, e->path,
                 (int)e->state, (int)e->reason, hex);
  if (len < 0)
    return -ENOMEM;
  r = digest_of(text, (size_t)len, ret_key);
  free(text);
  return r;
}

static int compare_keys(const void *left, const void *right) {
  const struct entry *a = left, *b = right;

  return memcmp(&a->key, &b->key, sizeof(a->key));
}

/* The one that was seen last first. */
static int compare_seen(const void *left, const void *right) {
  const struct entry *a = left, *b = right;

  return (a->seen < b->seen) - (a->seen > b->seen);
}

static bool is_taken(const struct exe_index *x, size_t len, uint32_t number) {
  for (size_t i = 0; i < len; i++) {
    if (x->entries[i].number == number)
      return true;
  }
  return false;
}

/* The next number that none of the first `len` entries has. */
static uint32_t next_number(struct exe_index *x, size_t len) {
  do {
    x->last++;
    if (x->last == 0) {
      x->last = 1;
      x->wrapped = true;
    }
  } while (x->wrapped && is_taken(x, len, x->last));
  return x->last;
}

static void forget(struct exe_index *x) {
  size_t absent = 0, kept = 0;

  if (x->len > 1)
    qsort(x->entries, x->len, sizeof(*x->entries), compare_seen);
  for (; kept < x->len; kept++) {
    uint64_t seen = x->entries[kept].seen;

    absent += seen != x->scan;
    if (absent > EXE_INDEX_ABSENT_MAX ||
        x->scan - seen >= EXE_INDEX_FORGET_SCANS)
      break;
  }
  x->len = kept;
  if (x->len > 1)
    qsort(x->entries, x->len, sizeof(*x->entries), compare_keys);
}

int exe_index_assign(struct exe_index *x, const struct executable *executables,
                     size_t len, uint32_t *ret_numbers) {
  struct entry *wanted = calloc(len + 1, sizeof(*wanted));
  struct entry *entries =
      reallocarray(x->entries, x->len + len + 1, sizeof(*entries));
  size_t sorted = x->len;
  int r = wanted != NULL && entries != NULL ? 0 : -ENOMEM;

  if (entries != NULL)
    x->entries = entries;
  for (size_t i = 0; r == 0 && i < len; i++)
    r = key_of(&executables[i], &wanted[i].key);
  if (r < 0)
    goto out;
  x->scan++;
  for (size_t i = 0; i < len; i++) {
    struct entry *e = sorted == 0 ? NULL
                                  : bsearch(&wanted[i], x->entries, sorted,
                                            sizeof(*x->entries), compare_keys);

    if (e == NULL) {
      e = &x->entries[x->len];
      e->key = wanted[i].key;
      e->number = next_number(x, x->len);
      x->len++;
    }
    e->seen = x->scan;
    ret_numbers[i] = e->number;
  }
  forget(x);

out:
  free(wanted);
  return r;
}
