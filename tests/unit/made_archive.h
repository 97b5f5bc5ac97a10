/* Tarballs and packages made byte by byte, so that they can be wrong in any
 * way, and reading them as manifests. */
#ifndef PDNA_MADE_ARCHIVE_H
#define PDNA_MADE_ARCHIVE_H

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "correlator/manifest_reader.h"
#include "tests/unit/unit.h"

struct blob {
  char *data;
  size_t len;
  size_t capacity;
};

static inline void put(struct blob *b, const void *data, size_t len) {
  if (b->len + len >= b->capacity) {
    b->capacity = 2 * (b->len + len + 1);
    b->data = realloc(b->data, b->capacity);
    assert_non_null(b->data);
  }
  if (len > 0)
    memcpy(b->data + b->len, data, len);
  b->len += len;
}

static inline void put_zeros(struct blob *b, size_t len) {
  char *zeros = calloc(1, len + 1);

  assert_non_null(zeros);
  put(b, zeros, len);
  free(zeros);
}

static inline void blob_free(struct blob *b) {
  free(b->data);
  *b = (struct blob){0};
}

/* A member of a tarball; zero is a regular file that anybody may run. */
struct made_member {
  const char *name;
  const char *data; /* NULL: none */
  size_t len;       /* 0: of the text */
  char type;        /* '0' */
  const char *link;
  unsigned mode;    /* 0755 */
  const char *size; /* octal digits, where not the true ones */
};

static inline void add_member(struct blob *tar, struct made_member m) {
  char header[512] = {0};
  size_t len = m.len > 0 ? m.len : m.data != NULL ? strlen(m.data) : 0;
  unsigned sum = 0;

  memcpy(header, m.name, strnlen(m.name, 100));
  (void)snprintf(header + 100, 8, "%07o", m.mode > 0 ? m.mode & 07777U : 0755U);
  (void)snprintf(header + 108, 8, "%07o", 0);
  (void)snprintf(header + 116, 8, "%07o", 0);
  if (m.size != NULL)
    memcpy(header + 124, m.size, strlen(m.size));
  else
    (void)snprintf(header + 124, 12, "%011zo", len);
  (void)snprintf(header + 136, 12, "%011o", 0);
  header[156] = m.type != '\0' ? m.type : '0';
  if (m.link != NULL)
    memcpy(header + 157, m.link, strnlen(m.link, 100));
  /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): nor shall it. */
  memcpy(header + 257, "ustar\00000", 8);
  memset(header + 148, ' ', 8);
  for (size_t i = 0; i < sizeof(header); i++)
    sum += (unsigned char)header[i];
  (void)snprintf(header + 148, 8, "%06o", sum);
  put(tar, header, sizeof(header));
  put(tar, m.data, len);
  put_zeros(tar, (512 - len % 512) % 512);
}

static inline void end_tar(struct blob *tar) { put_zeros(tar, 1024); }

static inline void add_ar(struct blob *ar, const char *name, const void *data,
                          size_t len) {
  char header[61];

  if (ar->len == 0)
    put(ar, "!<arch>\n", 8);
  (void)snprintf(header, sizeof(header), "%-16s%-12d%-6d%-6d%-8o%-10zu`\n",
                 name, 0, 0, 0, 0100644, len);
  put(ar, header, 60);
  put(ar, data, len);
  if (len % 2 == 1)
    put(ar, "\n", 1);
}

#define MADE_CONTROL "Package: made\nVersion: 1.0-1\nArchitecture: amd64\n"

/* A package with that control file and that data.tar, which is freed. */
static inline struct blob made_deb(const char *control, struct blob *data) {
  struct blob tar = {0}, deb = {0};

  add_member(&tar, (struct made_member){.name = "./control", .data = control});
  end_tar(&tar);
  add_ar(&deb, "debian-binary", "2.0\n", 4);
  add_ar(&deb, "control.tar", tar.data, tar.len);
  add_ar(&deb, "data.tar", data->data, data->len);
  blob_free(&tar);
  blob_free(data);
  return deb;
}

/* What the last reading said was broken. */
static char last_why[MANIFEST_WHY_MAX];

static inline int read_fd(int fd, const struct manifest_limits *limits,
                          struct manifest *ret) {
  struct manifest_reading r = {
      .fd = fd, .limits = limits != NULL ? limits : &manifest_limits_default};
  const struct manifest_format *format;
  int error;

  assert_int_equal(manifest_format_of(fd, &format), 0);
  set_text(last_why, format == NULL ? "no format" : "");
  if (format == NULL)
    return -ENOMSG;
  error = manifest_read(&r, format, ret);
  set_text(last_why, r.why);
  return error;
}

/* Read the first `len` bytes of it. */
static inline int read_part(const struct blob *b, size_t len,
                            const struct manifest_limits *limits,
                            struct manifest *ret) {
  int fd = memfd_create("made", MFD_CLOEXEC), error;

  assert_true(fd >= 0);
  assert_int_equal(write(fd, b->data, len), (ssize_t)len);
  error = read_fd(fd, limits, ret);
  (void)close(fd);
  return error;
}

static inline int read_blob(struct blob *b, struct manifest *ret) {
  int error = read_part(b, b->len, NULL, ret);

  blob_free(b);
  return error;
}

/* It is broken, and that is said in words with `why` in them. Frees it. */
static inline void expect_broken(struct blob *b, const char *why) {
  struct manifest m = {0};
  int error = read_blob(b, &m);

  if (error != -EBADMSG || strstr(last_why, why) == NULL)
    fail_msg("expected \"%s\", got %d \"%s\"", why, error, last_why);
  assert_int_equal(m.entries_len, 0);
  manifest_clear(&m);
}

static inline const struct manifest_entry *entry_at(const struct manifest *m,
                                                    size_t i) {
  if (m->entries == NULL || i >= m->entries_len)
    abort();
  return &m->entries[i];
}

/* The entry at `i` is that path with the digest of that text. */
static inline void expect_entry(const struct manifest *m, size_t i,
                                const char *path, const char *text) {
  struct digest digest;

  assert_int_equal(digest_of(text, strlen(text), &digest), 0);
  assert_string_equal(entry_at(m, i)->path, path);
  assert_true(digest_equal(&entry_at(m, i)->digest, &digest));
}

#endif
