#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/executable.h"
#include "lib/record/pathname.h"

void executable_clear(struct executable *e) {
  free(e->path);
  memset(e, 0, sizeof(*e));
}

void executables_free(struct executable *executables, size_t len) {
  for (size_t i = 0; i < len; i++)
    free(executables[i].path);
  free(executables);
}

static int compare_identity(const struct executable *a,
                            const struct executable *b) {
  int r = strcmp(a->container, b->container);

  if (r == 0)
    r = strcmp(a->path, b->path);
  if (r == 0)
    r = (int)a->state - (int)b->state;
  if (r == 0)
    r = (int)a->reason - (int)b->reason;
  if (r == 0)
    r = memcmp(&a->sha256, &b->sha256, sizeof(a->sha256));
  return r;
}

/* For qsort: the lowest pid first among equals. */
static int compare(const void *a, const void *b) {
  const struct executable *x = a;
  const struct executable *y = b;
  int r = compare_identity(x, y);

  return r != 0 ? r : (x->pid > y->pid) - (x->pid < y->pid);
}

/* Append the executable of one process, in one of its states. */
static int append(struct executable *executables, size_t *len,
                  const struct record *r, enum exe_state state) {
  struct executable *e = &executables[*len];
  bool on_disk = state == EXE_REPLACED;
  int ret;

  memset(e, 0, sizeof(*e));
  ret = pathname_encode(r->exe_path, &e->path);
  if (ret < 0)
    return ret;
  memcpy(e->container, r->container, sizeof(e->container));
  memcpy(e->name, r->name, sizeof(e->name));
  e->state = state;
  e->processes = 1;
  e->rss_bytes = r->rss_kib * 1024;
  e->pid = r->pid;
  e->uid = r->uid;
  e->started_s = r->started_s;
  e->package = r->package;
  if (state == EXE_UNREADABLE) {
    e->reason = r->reason;
  } else {
    e->sha256 = on_disk ? r->exe_sha256 : r->running_sha256;
    e->file = on_disk ? r->exe_file : r->running_file;
    e->has_file = true;
  }
  (*len)++;
  return 0;
}

/* A replaced executable speaks of two files, and one of them may not have a
 * digest yet. */
static int append_record(struct executable *executables, size_t *len,
                         const struct record *r) {
  int ret;

  if (r->state != EXE_REPLACED)
    return append(executables, len, r, r->state);
  ret = append(executables, len, r,
               r->has_exe_sha256 ? EXE_REPLACED : EXE_UNREADABLE);
  if (ret == 0 && r->has_running_sha256)
    ret = append(executables, len, r, EXE_SUPERSEDED);
  return ret;
}

/* Fold equal neighbours of the sorted array into one; returns how many are
 * left. */
static size_t fold(struct executable *executables, size_t len) {
  size_t kept = 0;

  for (size_t i = 0; i < len; i++) {
    struct executable *e = &executables[i];
    struct executable *last = kept > 0 ? &executables[kept - 1] : NULL;

    if (last == NULL || compare_identity(last, e) != 0) {
      executables[kept++] = *e;
      continue;
    }
    last->processes += e->processes;
    last->rss_bytes += e->rss_bytes;
    if (e->started_s < last->started_s)
      last->started_s = e->started_s;
    if (e->package.in_transaction)
      last->package.in_transaction = true;
    free(e->path);
  }
  return kept;
}

int executables_from_records(const struct record *records, size_t records_len,
                             struct executable **ret_executables,
                             size_t *ret_len, size_t *ret_invalid) {
  /* Two for each record at most, and never an allocation of nothing. */
  struct executable *executables =
      calloc(2 * records_len + 1, sizeof(*executables));
  size_t len = 0;
  size_t invalid = 0;

  if (executables == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < records_len; i++) {
    if (record_validate(&records[i]) < 0) {
      invalid++;
    } else if (append_record(executables, &len, &records[i]) < 0) {
      executables_free(executables, len);
      return -ENOMEM;
    }
  }
  qsort(executables, len, sizeof(*executables), compare);
  *ret_len = fold(executables, len);
  *ret_executables = executables;
  if (ret_invalid != NULL)
    *ret_invalid = invalid;
  return 0;
}
