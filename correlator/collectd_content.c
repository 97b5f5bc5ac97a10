#include "correlator/collectd_content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN_MIN = 64, ROWS_MIN = 16 };

/* Put an identity, which is not 0, into its slot. */
static bool seen_put(uint64_t *slots, size_t capacity, uint64_t identity) {
  size_t i = identity & (capacity - 1);

  while (slots[i] != 0) {
    if (slots[i] == identity)
      return false;
    i = (i + 1) & (capacity - 1);
  }
  slots[i] = identity;
  return true;
}

/* At most half full, so that a free slot is near. */
static int seen_reserve(struct collectd_content *c) {
  const size_t capacity = c->seen_capacity ? c->seen_capacity * 2 : SEEN_MIN;
  uint64_t *slots;

  if (c->seen_len * 2 < c->seen_capacity)
    return 0;
  slots = calloc(capacity, sizeof(*slots));
  if (!slots)
    return -ENOMEM;
  for (size_t i = 0; i < c->seen_capacity; i++)
    if (c->seen[i] != 0)
      (void)seen_put(slots, capacity, c->seen[i]);
  free(c->seen);
  c->seen = slots;
  c->seen_capacity = capacity;
  return 0;
}

/* Make room for one more of `size` bytes in `array`. Returns the array, or
 * NULL if memory ran out; the old one is intact then. */
static void *reserve(void *array, size_t len, size_t *capacity, size_t size) {
  const size_t more = *capacity ? *capacity * 2 : ROWS_MIN;
  void *grown;

  if (len < *capacity)
    return array;
  grown = reallocarray(array, more, size);
  if (grown)
    *capacity = more;
  return grown;
}

static int rows_add(struct collectd_rows *rows, const struct wire_item *item) {
  struct executable *items =
      reserve(rows->items, rows->len, &rows->capacity, sizeof(*items));
  char *path = strdup(item->identity);

  if (items)
    rows->items = items;
  if (!items || !path) {
    free(path);
    return -ENOMEM;
  }
  items[rows->len] = item->executable;
  items[rows->len].path = path;
  rows->len++;
  return 0;
}

static int addresses_add(struct collectd_content *c, const char *address) {
  void *grown = reserve(c->addresses, c->addresses_len, &c->addresses_capacity,
                        sizeof(*c->addresses));

  if (!grown)
    return -ENOMEM;
  c->addresses = grown;
  memcpy(c->addresses[c->addresses_len++], address, sizeof(*c->addresses));
  return 0;
}

static int take_item(struct collectd_content *c, const struct wire_item *item) {
  switch (item->type) {
  case WIRE_EXECUTABLE:
    return rows_add(&c->executables, item);
  case WIRE_FILE:
    return rows_add(&c->files, item);
  case WIRE_PACKAGE:
    return rows_add(&c->packages, item);
  case WIRE_ADDRESS:
    return addresses_add(c, item->address);
  case WIRE_HOST:
    c->host = item->host;
    return 0;
  case WIRE_SCAN:
    c->figures = item->scan;
    return 0;
  default:
    return 0;
  }
}

int collectd_content_add(struct collectd_content *c, uint64_t identity,
                         const struct wire_item *item) {
  int r = seen_reserve(c);

  if (r != 0)
    return r;
  if (!seen_put(c->seen, c->seen_capacity, identity ? identity : 1))
    return -EEXIST;
  r = take_item(c, item);
  /* What is lost here is missing in the count, and so the scan incomplete. */
  if (r == 0)
    c->seen_len++;
  return r;
}

bool collectd_content_complete(const struct collectd_content *c) {
  return c->figures.series != 0 && c->figures.series == c->seen_len;
}

static int compare_paths(const void *a, const void *b) {
  const struct executable *x = a, *y = b;
  const int r = strcmp(x->container, y->container);

  return r != 0 ? r : strcmp(x->path, y->path);
}

static int compare_digests(const void *a, const void *b) {
  const struct executable *x = a, *y = b;
  const int r = compare_paths(a, b);

  return r != 0 ? r : memcmp(&x->sha256, &y->sha256, sizeof(x->sha256));
}

static int compare_executables(const void *a, const void *b) {
  const struct executable *x = a, *y = b;
  int r = compare_paths(a, b);

  if (r == 0)
    r = (int)x->state - (int)y->state;
  if (r == 0)
    r = (int)x->reason - (int)y->reason;
  return r != 0 ? r : memcmp(&x->sha256, &y->sha256, sizeof(x->sha256));
}

static void sort(struct collectd_rows *rows,
                 int (*compare)(const void *, const void *)) {
  if (rows->len > 1)
    qsort(rows->items, rows->len, sizeof(*rows->items), compare);
}

static const struct executable *
find(const struct collectd_rows *rows, const struct executable *e,
     int (*compare)(const void *, const void *)) {
  if (rows->len == 0)
    return NULL;
  return bsearch(e, rows->items, rows->len, sizeof(*rows->items), compare);
}

static void join(struct collectd_content *c) {
  sort(&c->executables, compare_executables);
  sort(&c->files, compare_digests);
  sort(&c->packages, compare_paths);
  for (size_t i = 0; i < c->executables.len; i++) {
    struct executable *e = &c->executables.items[i];
    const struct executable *found;

    found = find(&c->packages, e, compare_paths);
    if (found)
      e->package = found->package;
    found =
        e->state == EXE_UNREADABLE ? NULL : find(&c->files, e, compare_digests);
    if (found) {
      e->has_file = true;
      e->file = found->file;
    }
  }
}

static int compare_addresses(const void *a, const void *b) {
  return strcmp(a, b);
}

void collectd_content_give(struct collectd_content *c, struct report *report) {
  join(c);
  if (c->addresses_len > 1)
    qsort(c->addresses, c->addresses_len, sizeof(*c->addresses),
          compare_addresses);
  report->identity = c->host;
  report->figures = c->figures;
  report->executables = c->executables.items;
  report->executables_len = c->executables.len;
  c->executables = (struct collectd_rows){0};
  report->addresses = c->addresses;
  report->addresses_len = c->addresses_len;
  c->addresses = NULL;
  collectd_content_clear(c);
}

void collectd_content_clear(struct collectd_content *c) {
  free(c->seen);
  executables_free(c->executables.items, c->executables.len);
  executables_free(c->files.items, c->files.len);
  executables_free(c->packages.items, c->packages.len);
  free(c->addresses);
  *c = (struct collectd_content){0};
}
