/* The tarball of a test, put together member by member. */
#ifndef PDNA_MADE_TAR_H
#define PDNA_MADE_TAR_H

#include <archive.h>
#include <archive_entry.h>

#include "tests/unit/made_archive.h"

static struct blob tar;

static inline void add(const char *name, const char *data) {
  add_member(&tar, (struct made_member){.name = name, .data = data});
}

static inline void add_link(const char *name, char type, const char *target) {
  add_member(&tar,
             (struct made_member){.name = name, .type = type, .link = target});
}

/* A pax header for the next member: one record. */
static inline void add_pax(const char *key, const char *value,
                           size_t value_len) {
  char record[256];
  size_t len = strlen(key) + value_len + 3;

  for (size_t digits = 1; digits < 4; digits++) {
    int n = snprintf(record, sizeof(record), "%zu %s=", len + digits, key);

    if (strcspn(record, " ") != digits)
      continue;
    memcpy(record + n, value, value_len);
    record[(size_t)n + value_len] = '\n';
    add_member(&tar, (struct made_member){.name = "pax",
                                          .type = 'x',
                                          .data = record,
                                          .len = (size_t)n + value_len + 1});
    return;
  }
}

/* Compress the tarball, with filters in that order. */
static inline void compress_with(int (*const *filters)(struct archive *)) {
  struct archive *a = archive_write_new();
  struct archive_entry *entry = archive_entry_new();
  struct blob packed = {0};
  size_t size = 1 << 20, used = 0;
  char *buffer = malloc(size);

  for (; *filters != NULL; filters++)
    assert_int_equal((*filters)(a), ARCHIVE_OK);
  assert_int_equal(archive_write_set_format_raw(a), ARCHIVE_OK);
  assert_int_equal(archive_write_open_memory(a, buffer, size, &used),
                   ARCHIVE_OK);
  archive_entry_set_filetype(entry, AE_IFREG);
  assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
  assert_int_equal(archive_write_data(a, tar.data, tar.len), tar.len);
  assert_int_equal(archive_write_close(a), ARCHIVE_OK);
  archive_write_free(a);
  archive_entry_free(entry);
  put(&packed, buffer, used);
  free(buffer);
  blob_free(&tar);
  tar = packed;
}

#endif
