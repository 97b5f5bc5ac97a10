#include "correlator/spool_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
  VERSION = 1, /* of this format */
  HAS_FILE = 1,
  HAS_TRANSACTION = 2,
  /* The least that an executable takes, and an address: what bounds a count
   * that is read. */
  EXECUTABLE_MIN = 60,
  ADDRESS_MIN = 2,
};

static void put_executable(struct bytes *b, const struct executable *e) {
  bytes_put_text(b, e->container);
  bytes_put_text(b, e->path);
  bytes_put_u8(b, (uint8_t)e->state);
  bytes_put_u8(b, (uint8_t)e->reason);
  bytes_put(b, &e->sha256, sizeof(e->sha256));
  bytes_put_u64(b, e->processes);
  bytes_put_u64(b, e->rss_bytes);
  bytes_put_u64(b, (uint64_t)e->pid);
  bytes_put_u64(b, e->uid);
  bytes_put_text(b, e->name);
  bytes_put_u64(b, (uint64_t)e->started_s);
  bytes_put_u8(b, (uint8_t)((e->has_file ? HAS_FILE : 0) |
                            (e->package.in_transaction ? HAS_TRANSACTION : 0)));
  if (e->has_file) {
    bytes_put_u64(b, e->file.size);
    bytes_put_u64(b, e->file.mode);
    bytes_put_u64(b, e->file.uid);
    bytes_put_u64(b, e->file.gid);
    bytes_put_u64(b, (uint64_t)e->file.mtime_s);
    bytes_put_u64(b, (uint64_t)e->file.ctime_s);
  }
  bytes_put_text(b, e->package.manager);
  if (e->package.manager[0] != '\0') {
    bytes_put_text(b, e->package.name);
    bytes_put_text(b, e->package.version);
    bytes_put_text(b, e->package.arch);
  }
}

void spool_report_encode(const struct report *report, struct bytes *b) {
  bytes_put_u8(b, VERSION);
  bytes_put_text(b, report->host);
  bytes_put_text(b, report->signer);
  bytes_put_u8(b, report->relayed);
  bytes_put_text(b, report->source);
  bytes_put_text(b, report->identity.id);
  bytes_put_u64(b, (uint64_t)report->identity.boot_s);
  bytes_put_u64(b, (uint64_t)report->observed_us);
  bytes_put_u64(b, (uint64_t)report->arrived_us);
  bytes_put_u8(b, report->complete);
  bytes_put_u64(b, report->figures.sequence);
  bytes_put_u64(b, report->interval_s);
  bytes_put_u64(b, report->executables_len);
  for (size_t i = 0; i < report->executables_len; i++)
    put_executable(b, &report->executables[i]);
  bytes_put_u64(b, report->addresses_len);
  for (size_t i = 0; i < report->addresses_len; i++)
    bytes_put_text(b, report->addresses[i]);
}

static bool get_bool(struct bytes_reader *r) {
  uint8_t value = bytes_get_u8(r);

  if (value > 1)
    r->failed = true;
  return value == 1;
}

static void get_executable(struct bytes_reader *r, struct executable *e) {
  char path[PATHNAME_MAX + 1];

  bytes_get_text(r, e->container, sizeof(e->container));
  bytes_get_text(r, path, sizeof(path));
  uint8_t state = bytes_get_u8(r);
  uint8_t reason = bytes_get_u8(r);
  if (exe_state_name((enum exe_state)state) == NULL ||
      (state == EXE_UNREADABLE) !=
          (exe_reason_name((enum exe_reason)reason) != NULL)) {
    r->failed = true;
    return;
  }
  e->state = (enum exe_state)state;
  e->reason = (enum exe_reason)reason;
  const void *digest = bytes_get(r, sizeof(e->sha256));
  if (digest != NULL)
    memcpy(&e->sha256, digest, sizeof(e->sha256));
  e->processes = bytes_get_u64(r);
  e->rss_bytes = bytes_get_u64(r);
  e->pid = (pid_t)bytes_get_u64(r);
  e->uid = (uid_t)bytes_get_u64(r);
  bytes_get_text(r, e->name, sizeof(e->name));
  e->started_s = (int64_t)bytes_get_u64(r);
  uint8_t flags = bytes_get_u8(r);
  e->has_file = (flags & HAS_FILE) != 0;
  e->package.in_transaction = (flags & HAS_TRANSACTION) != 0;
  if (e->has_file) {
    e->file.size = bytes_get_u64(r);
    e->file.mode = (uint32_t)bytes_get_u64(r);
    e->file.uid = (uint32_t)bytes_get_u64(r);
    e->file.gid = (uint32_t)bytes_get_u64(r);
    e->file.mtime_s = (int64_t)bytes_get_u64(r);
    e->file.ctime_s = (int64_t)bytes_get_u64(r);
  }
  bytes_get_text(r, e->package.manager, sizeof(e->package.manager));
  if (e->package.manager[0] != '\0') {
    bytes_get_text(r, e->package.name, sizeof(e->package.name));
    bytes_get_text(r, e->package.version, sizeof(e->package.version));
    bytes_get_text(r, e->package.arch, sizeof(e->package.arch));
  }
  if (!r->failed)
    e->path = strdup(path); /* checked by the caller */
}

static void get_head(struct bytes_reader *r, struct report *report) {
  char source[16];

  if (bytes_get_u8(r) != VERSION)
    r->failed = true;
  bytes_get_text(r, report->host, sizeof(report->host));
  bytes_get_text(r, report->signer, sizeof(report->signer));
  report->relayed = get_bool(r);
  bytes_get_text(r, source, sizeof(source));
  report->source = report_source(source);
  bytes_get_text(r, report->identity.id, sizeof(report->identity.id));
  report->identity.boot_s = (int64_t)bytes_get_u64(r);
  report->observed_us = (int64_t)bytes_get_u64(r);
  report->arrived_us = (int64_t)bytes_get_u64(r);
  report->complete = get_bool(r);
  report->figures.sequence = bytes_get_u64(r);
  report->interval_s = (unsigned)bytes_get_u64(r);
  if (report->source == NULL || report->host[0] == '\0')
    r->failed = true;
}

/* A count of things that take at least `each` bytes. */
static size_t get_count(struct bytes_reader *r, size_t each) {
  uint64_t count = bytes_get_u64(r);

  if (count > r->left / each) {
    r->failed = true;
    return 0;
  }
  return (size_t)count;
}

int spool_report_decode(const void *data, size_t len,
                        struct report **ret_report) {
  struct bytes_reader r = {.at = data, .left = len};
  int rc = -ENOMEM;
  struct report *report = report_new();

  if (report == NULL)
    return -ENOMEM;
  get_head(&r, report);
  size_t count = get_count(&r, EXECUTABLE_MIN);
  report->executables = calloc(count + 1, sizeof(*report->executables));
  if (report->executables == NULL)
    goto out;
  while (report->executables_len < count && !r.failed) {
    struct executable *e = &report->executables[report->executables_len++];
    get_executable(&r, e);
    if (!r.failed && e->path == NULL)
      goto out;
  }
  count = get_count(&r, ADDRESS_MIN);
  report->addresses = calloc(count + 1, sizeof(*report->addresses));
  if (report->addresses == NULL)
    goto out;
  while (report->addresses_len < count && !r.failed)
    bytes_get_text(&r, report->addresses[report->addresses_len++],
                   sizeof(*report->addresses));
  rc = r.failed || r.left > 0 ? -EINVAL : 0;
  if (rc == 0) {
    *ret_report = report;
    report = NULL;
  }

out:
  report_free(report);
  return rc;
}

int spool_report_append(struct spool *s, const struct report *report) {
  struct bytes b = {0};

  spool_report_encode(report, &b);
  int rc = spool_append(s, &b);
  bytes_free(&b);
  return rc;
}

static int decode(const void *data, size_t len, void *ret) {
  return spool_report_decode(data, len, ret);
}

int spool_report_next(struct spool *s, struct report **ret_report,
                      uint64_t *ret_skipped) {
  return spool_next(s, decode, ret_report, ret_skipped);
}
