#include "correlator/manifest_reader.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "correlator/manifest_deb.h"
#include "correlator/manifest_list.h"
#include "correlator/manifest_rpm.h"
#include "correlator/manifest_tar.h"
#include "lib/record/clock.h"
#include "lib/record/pathname.h"

static const struct manifest_format *const formats[] = {
    &manifest_deb,
    &manifest_rpm,
    &manifest_list,
    &manifest_tar,
};

const struct manifest_limits manifest_limits_default = {
    .unpacked_bytes = UINT64_C(16) << 30,
    .entries = 1000000,
    .path_bytes = 4095, /* PATH_MAX without its NUL */
    .control_bytes = 1 << 20,
    .memory_bytes = (size_t)2 << 30,
    .time_s = 1800,
};

enum { MS_PER_S = 1000 };

const char *manifest_provenance_name(enum manifest_provenance provenance) {
  static const char *const names[] = {
      [MANIFEST_FILE] = "file",
      [MANIFEST_SIGNED_PACKAGE] = "signed-package",
      [MANIFEST_SIGNED_INDEX] = "signed-index",
  };

  return names[provenance];
}

void manifest_clear(struct manifest *m) {
  for (size_t i = 0; i < m->entries_len; i++)
    free(m->entries[i].path);
  free(m->entries);
  *m = (struct manifest){0};
}

int manifest_format_of(int fd, const struct manifest_format **ret_format) {
  uint8_t head[MANIFEST_HEAD];
  size_t len = 0;
  ssize_t n;

  while (len < sizeof(head) &&
         (n = pread(fd, head + len, sizeof(head) - len, (off_t)len)) != 0) {
    if (n < 0 && errno != EINTR)
      return -errno;
    len += n > 0 ? (size_t)n : 0;
  }
  *ret_format = NULL;
  for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++)
    if (*ret_format == NULL && formats[i]->matches(head, len))
      *ret_format = formats[i];
  return 0;
}

int manifest_fail(struct manifest_reading *r, int error) {
  if (r->error == 0)
    r->error = error;
  return r->error;
}

int manifest_broken(struct manifest_reading *r, const char *format, ...) {
  va_list ap;

  if (r->error != 0)
    return r->error;
  va_start(ap, format);
  /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is. */
  (void)vsnprintf(r->why, sizeof(r->why), format, ap);
  va_end(ap);
  return manifest_fail(r, -EBADMSG);
}

int manifest_go_on(struct manifest_reading *r) {
  if (r->error == 0 && clock_monotonic_ms() > r->deadline_ms)
    return manifest_broken(r, "takes longer than %u s to read",
                           r->limits->time_s);
  if (r->error == 0 && r->progress != NULL && !r->progress(r->arg, 0))
    return manifest_fail(r, -ECANCELED);
  return r->error;
}

int manifest_spend(struct manifest_reading *r, uint64_t bytes) {
  uint64_t limit = r->limits->unpacked_bytes;

  if (r->error == 0 && bytes > limit - r->unpacked)
    return manifest_broken(r, "unpacks to more than %llu MiB",
                           (unsigned long long)(limit >> 20));
  if (manifest_go_on(r) == 0)
    r->unpacked += bytes;
  return r->error;
}

int manifest_spend_member(struct manifest_reading *r) {
  if (r->error == 0 && r->members >= r->limits->entries)
    return manifest_broken(r, "has more than %llu members",
                           (unsigned long long)r->limits->entries);
  r->members++;
  return manifest_go_on(r);
}

int manifest_next_block(struct manifest_reading *r, const void **ret_block) {
  ssize_t n;

  if (manifest_go_on(r) != 0)
    return r->error;
  do
    n = read(r->fd, r->block, MANIFEST_BLOCK);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return manifest_fail(r, -errno);
  if (r->progress != NULL && !r->progress(r->arg, (uint64_t)n))
    return manifest_fail(r, -ECANCELED);
  *ret_block = r->block;
  return (int)n;
}

/* Rewind and get ready for manifest_next_block. */
static int begin(struct manifest_reading *r) {
  r->error = 0;
  r->unpacked = r->members = 0;
  r->deadline_ms = clock_monotonic_ms() + (int64_t)r->limits->time_s * MS_PER_S;
  r->block = malloc(MANIFEST_BLOCK);
  if (r->block == NULL)
    return manifest_fail(r, -ENOMEM);
  if (lseek(r->fd, 0, SEEK_SET) < 0)
    return manifest_fail(r, -errno);
  return 0;
}

static void end(struct manifest_reading *r) {
  free(r->block);
  r->block = NULL;
}

/* All of the file into the digest. Returns 0 or the error. */
static int digest_file(struct manifest_reading *r, EVP_MD_CTX *md,
                       struct digest *ret_content) {
  const void *block = NULL;
  int n;

  if (!EVP_DigestInit_ex(md, EVP_sha256(), NULL))
    return manifest_fail(r, -ENOMEM);
  while ((n = manifest_next_block(r, &block)) > 0)
    if (!EVP_DigestUpdate(md, block, (size_t)n))
      return manifest_fail(r, -ENOMEM);
  if (n == 0 && !EVP_DigestFinal_ex(md, ret_content->bytes, NULL))
    return manifest_fail(r, -ENOMEM);
  return n;
}

int manifest_content(struct manifest_reading *r, struct digest *ret_content) {
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  struct digest digest;
  int error = begin(r);

  if (md == NULL)
    error = manifest_fail(r, -ENOMEM);
  if (error == 0)
    error = digest_file(r, md, &digest);
  EVP_MD_CTX_free(md);
  end(r);
  if (error == 0)
    *ret_content = digest;
  return error;
}

static int compare_entries(const void *a, const void *b) {
  const struct manifest_entry *left = a, *right = b;
  int order = strcmp(left->path, right->path);

  return order != 0 ? order : memcmp(&left->digest, &right->digest, DIGEST_LEN);
}

/* By path, each pair of path and digest once. Two raw paths can be one
 * identity where /usr is merged; it is a conffile if either is. */
static void sort_entries(struct manifest *m) {
  struct manifest_entry *last = NULL;
  size_t kept = 0;

  if (m->entries_len == 0)
    return;
  qsort(m->entries, m->entries_len, sizeof(*m->entries), compare_entries);
  for (size_t i = 0; i < m->entries_len; i++) {
    if (last != NULL && compare_entries(last, &m->entries[i]) == 0) {
      last->conffile |= m->entries[i].conffile;
      free(m->entries[i].path);
    } else {
      m->entries[kept] = m->entries[i];
      last = &m->entries[kept++];
    }
  }
  m->entries_len = kept;
}

int manifest_read(struct manifest_reading *r,
                  const struct manifest_format *format,
                  struct manifest *ret_manifest) {
  struct manifest m = {0};

  if (begin(r) == 0) {
    int error = format->read(r, &m);

    if (error < 0)
      (void)manifest_fail(r, error);
  }
  end(r);
  if (r->error != 0) {
    manifest_clear(&m);
    return r->error;
  }
  sort_entries(&m);
  *ret_manifest = m;
  return 0;
}

int manifest_path(struct manifest_reading *r, const char *name,
                  char **ret_path) {
  size_t len = strlen(name), out = 0;
  char *path;

  if (len > r->limits->path_bytes)
    return manifest_broken(r, "a name has %zu bytes, at most %zu expected", len,
                           r->limits->path_bytes);
  path = malloc(len + 2);
  if (path == NULL)
    return manifest_fail(r, -ENOMEM);
  for (const char *part = name; *part != '\0';) {
    size_t n = strcspn(part, "/");

    if (n == 2 && part[0] == '.' && part[1] == '.') {
      free(path);
      return manifest_broken(r, "%s: a name with \"..\" in it", name);
    }
    if (n > 0 && !(n == 1 && part[0] == '.')) {
      path[out++] = '/';
      memcpy(path + out, part, n);
      out += n;
    }
    part += n + (part[n] == '/');
  }
  if (out == 0)
    path[out++] = '/';
  path[out] = '\0';
  *ret_path = path;
  return 0;
}

static int reserve(struct manifest *m) {
  enum { CAPACITY_MIN = 64 };
  size_t capacity =
      m->entries_capacity == 0 ? CAPACITY_MIN : 2 * m->entries_capacity;
  struct manifest_entry *entries;

  if (m->entries_len < m->entries_capacity)
    return 0;
  entries = reallocarray(m->entries, capacity, sizeof(*entries));
  if (entries == NULL)
    return -ENOMEM;
  m->entries = entries;
  m->entries_capacity = capacity;
  return 0;
}

static int identity_of(const char *path,
                       char ret_identity[static PATHNAME_MAX + 1]) {
  char *merged, *text = NULL;
  int error = pathname_merge_usr(path, &merged);

  if (error < 0)
    return error;
  error = pathname_encode(merged, &text);
  if (error == 0)
    error = pathname_to_identity("", text, ret_identity);
  free(text);
  free(merged);
  return error;
}

int manifest_add(struct manifest_reading *r, struct manifest *m,
                 const char *path, const struct manifest_entry *facts) {
  char identity[PATHNAME_MAX + 1];
  struct manifest_entry entry = *facts;
  int error = reserve(m);

  if (error == 0)
    error = identity_of(path, identity);
  if (error < 0)
    return manifest_fail(r, error);
  entry.path = strdup(identity);
  if (entry.path == NULL)
    return manifest_fail(r, -ENOMEM);
  m->entries[m->entries_len++] = entry;
  return 0;
}
