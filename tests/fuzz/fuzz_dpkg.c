/* Goal: no status, journal entry, list or file of diversions crashes its parser
 * or gets a package past package_valid, and every owner is one that the list
 * names. The first byte says which of them the rest is. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/scan/dpkg.h"
#include "tests/fuzz/fuzz.h"

/* A file with these bytes, open at its beginning. */
static int file_of(const uint8_t *data, size_t size) {
  int fd = memfd_create("fuzz", MFD_CLOEXEC);

  CHECK(fd >= 0);
  CHECK(write(fd, data, size) == (ssize_t)size);
  CHECK(lseek(fd, 0, SEEK_SET) == 0);
  return fd;
}

static void check_facts(const struct dpkg_reader *r) {
  for (size_t i = 0; i < r->packages.len; i++) {
    const struct dpkg_facts *facts = &r->facts[i];
    struct package p;

    if (!facts->has_files)
      continue;
    if (package_set(&p, "dpkg", "p", facts->version, facts->arch) == 0)
      CHECK(package_valid(&p));
  }
}

static void check_keys(const struct dpkg_reader *r) {
  for (size_t i = 0; i < r->paths.len; i++) {
    CHECK(r->keys[i].owners_len <= DPKG_OWNERS_MAX);
    for (size_t k = 0; k < r->keys[i].owners_len; k++)
      CHECK(r->keys[i].owners[k] < r->packages.len);
  }
  for (size_t i = 0; i < r->diversions_len; i++)
    CHECK(r->diversions[i].to < r->paths.len);
}

static void parse(struct dpkg_reader *r, const uint8_t *data, size_t size) {
  uint8_t what = size > 0 ? data[0] : 0;
  int fd = file_of(data + (size > 0), size - (size > 0));
  bool replacing;
  size_t number;

  if (what % 3 == 0) {
    (void)texts_add(&r->packages, "p", 1, &number);
    (void)texts_add(&r->packages, "m:amd64", 7, &number);
    r->facts = calloc(r->packages.len + 1, sizeof(*r->facts));
    CHECK(r->facts != NULL);
    (void)dpkg_status_parse(r, fd, &replacing);
    check_facts(r);
  } else if (what % 3 == 1) {
    static const uint8_t diverted[] = "/usr/bin/a\n/usr/bin/b\nother\n";

    CHECK(dpkg_diversions_parse(r, file_of(diverted, sizeof(diverted) - 1)) ==
          0);
    (void)dpkg_list_parse(r, fd, "p:amd64");
  } else {
    static const uint8_t list[] = "/usr/bin/a\n/bin/b\n/usr/bin/c\n";

    (void)dpkg_diversions_parse(r, fd);
    CHECK(dpkg_list_parse(r, file_of(list, sizeof(list) - 1), "p") == 0);
  }
  check_keys(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const paths[] = {"/bin/b", "/usr/bin/a", "/usr/bin/c"};
  static int root_fd = -1;
  struct package_db_query query = {.paths = paths, .len = 3};
  struct dpkg_reader r = {.query = &query};

  if (root_fd < 0)
    root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  query.root_fd = root_fd;
  r.buf = malloc(LINES_BUFFER);
  CHECK(r.buf != NULL && dpkg_paths_ask(&r) == 0);
  parse(&r, data, size);
  dpkg_facts_clear(&r);
  dpkg_diversions_clear(&r);
  texts_clear(&r.packages);
  dpkg_paths_clear(&r);
  free(r.buf);
  return 0;
}
