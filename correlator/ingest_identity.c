#include "correlator/ingest_identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/ingest_bytes.h"

static int compare_executables(const void *a, const void *b) {
  const struct executable *x = *(const struct executable *const *)a;
  const struct executable *y = *(const struct executable *const *)b;
  int order = strcmp(x->path, y->path);

  if (order == 0)
    order = strcmp(x->container, y->container);
  if (order == 0)
    order = (int)x->state - (int)y->state;
  if (order == 0)
    order = (int)x->reason - (int)y->reason;
  if (order == 0)
    order = memcmp(&x->sha256, &y->sha256, sizeof(x->sha256));
  return order;
}

static int compare_addresses(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void put_executable(struct bytes *b, const struct executable *e) {
  bytes_put_text(b, e->container);
  bytes_put_text(b, e->path);
  bytes_put_u8(b, (uint8_t)e->state);
  bytes_put_u8(b, (uint8_t)e->reason);
  if (e->state != EXE_UNREADABLE)
    bytes_put(b, &e->sha256, sizeof(e->sha256));
  bytes_put_text(b, e->package.manager);
  bytes_put_text(b, e->package.name);
  bytes_put_text(b, e->package.version);
  bytes_put_text(b, e->package.arch);
  bytes_put_u8(b, e->package.in_transaction);
  /* An old image that is started anew is a downgrade; one that runs on is
   * not. */
  if (e->state == EXE_SUPERSEDED || e->state == EXE_DELETED)
    bytes_put_u64(b, (uint64_t)e->started_s);
}

int ingest_identity(const struct report *report, struct digest *ret_identity) {
  struct bytes b = {0};
  int rc = -ENOMEM;
  size_t n = report->executables_len;
  size_t m = report->addresses_len;
  const struct executable **executables =
      calloc(n + 1, sizeof(const struct executable *));
  const char **addresses = calloc(m + 1, sizeof(const char *));

  if (executables == NULL || addresses == NULL)
    goto out;
  for (size_t i = 0; i < n; i++)
    executables[i] = &report->executables[i];
  for (size_t i = 0; i < m; i++)
    addresses[i] = report->addresses[i];
  qsort(executables, n, sizeof(const struct executable *), compare_executables);
  qsort(addresses, m, sizeof(const char *), compare_addresses);

  bytes_put_text(&b, report->signer);
  bytes_put_u8(&b, report->relayed);
  bytes_put_text(&b, report->identity.id);
  bytes_put_u64(&b, (uint64_t)report->identity.boot_s);
  bytes_put_u64(&b, report->interval_s);
  bytes_put_u64(&b, n);
  for (size_t i = 0; i < n; i++)
    put_executable(&b, executables[i]);
  for (size_t i = 0; i < m; i++)
    bytes_put_text(&b, addresses[i]);
  if (!b.failed)
    rc = digest_of(b.data, b.len, ret_identity);

out:
  bytes_free(&b);
  free(executables);
  free(addresses);
  return rc;
}
