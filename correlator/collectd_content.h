/* What has come of one scan so far, and how a report is made of it. */
#ifndef PDNA_COLLECTD_CONTENT_H
#define PDNA_COLLECTD_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "correlator/report.h"
#include "lib/record/wire.h"

/* Executables as they came; each owns its path. */
struct collectd_rows {
  struct executable *items;
  size_t len;
  size_t capacity;
};

/* Zeroed, it is empty. */
struct collectd_content {
  uint64_t *seen; /* identities, open addressing; 0 is a free slot */
  size_t seen_len;
  size_t seen_capacity; /* a power of two */
  struct collectd_rows executables;
  struct collectd_rows files;    /* identity and file facts */
  struct collectd_rows packages; /* container, path and package */
  char (*addresses)[WIRE_ADDRESS_MAX + 1];
  size_t addresses_len;
  size_t addresses_capacity;
  struct wire_host host;
  struct wire_scan figures; /* series is 0 until the marker has come */
};

/* Add a decoded value list. Returns 0, -EEXIST if one of that identity is
 * there, or -ENOMEM. */
int collectd_content_add(struct collectd_content *c, uint64_t identity,
                         const struct wire_item *item);

/* Has the marker come, and as many value lists as it says? */
bool collectd_content_complete(const struct collectd_content *c);

/* Give all of it to a report and become empty: file facts go to the
 * executables with that container, path and digest, packages to all with that
 * container and path. Executables are sorted by container, path, state,
 * reason and digest, addresses by their text. */
void collectd_content_give(struct collectd_content *c, struct report *report);

void collectd_content_clear(struct collectd_content *c);

#endif
