/* What a hostile file may cost has an end: bytes, members, memory, and time,
 * while its bytes are read and while they are unpacked. */
#include <sys/resource.h>

#include "correlator/manifest_import.h"
#include "correlator/manifest_members.h"
#include "correlator/manifest_tar.h"
#include "tests/unit/made_tar.h"

static void expect_broken_tar(const char *why) {
  end_tar(&tar);
  expect_broken(&tar, why);
}

static void expect_over(const struct manifest_limits *limits, const char *why) {
  struct manifest m = {0};

  end_tar(&tar);
  assert_int_equal(read_part(&tar, tar.len, limits, &m), -EBADMSG);
  if (strstr(last_why, why) == NULL)
    fail_msg("expected \"%s\", got \"%s\"", why, last_why);
  blob_free(&tar);
}

static void bomb_of_zeros_ends_by_the_limit(void **state) {
  int (*const one[])(struct archive *) = {archive_write_add_filter_zstd, NULL};
  struct manifest_limits limits = manifest_limits_default;
  struct manifest m = {0};
  struct blob zeros = {0};

  (void)state;
  put_zeros(&zeros, 9 << 20);
  /* Whether its bytes are wanted or passed over. */
  for (unsigned mode = 0644; mode <= 0755; mode += 0111) {
    add_member(&tar, (struct made_member){.name = "zeros",
                                          .data = zeros.data,
                                          .len = zeros.len,
                                          .mode = mode});
    add("x", "x");
    end_tar(&tar);
    compress_with(one);
    assert_true(tar.len < 64 << 10);
    limits.unpacked_bytes = 8 << 20;
    assert_int_equal(read_part(&tar, tar.len, &limits, &m), -EBADMSG);
    assert_non_null(strstr(last_why, "unpacks to more than 8 MiB"));
    limits.unpacked_bytes = 10 << 20;
    assert_int_equal(read_part(&tar, tar.len, &limits, &m), 0);
    manifest_clear(&m);
    blob_free(&tar);
  }
  blob_free(&zeros);
}

static void sparse_file_of_terabytes_ends_by_the_limit(void **state) {
  struct manifest_limits limits = manifest_limits_default;
  struct blob exact = {0};
  char line[64];
  static const char *const fields[] = {
      "GNU.sparse.major=0", "GNU.sparse.minor=1",
      "GNU.sparse.size=8796093022208", "GNU.sparse.numblocks=1",
      "GNU.sparse.map=0,1"};

  (void)state;
  limits.unpacked_bytes = 1 << 20;
  for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
    int n = snprintf(line, sizeof(line), "%zu %s\n", strlen(fields[i]) + 4,
                     fields[i]);
    put(&exact, line, (size_t)n);
  }
  add_member(&tar, (struct made_member){.name = "pax",
                                        .type = 'x',
                                        .data = exact.data,
                                        .len = exact.len});
  blob_free(&exact);
  add("sparse", "x");
  expect_over(&limits, "unpacks to more than 1 MiB");
}

static void
too_many_members_and_too_long_names_end_by_their_limits(void **state) {
  struct manifest_limits limits = manifest_limits_default;

  (void)state;
  limits.entries = 10;
  for (int i = 0; i < 11; i++)
    add_link("folder", '5', NULL);
  expect_over(&limits, "more than 10 members");
  limits.path_bytes = 8;
  add("123456789", "x");
  expect_over(&limits, "a name has 9 bytes");
}

static void pax_header_bombs_are_broken(void **state) {
  struct blob huge = {0};

  (void)state;
  put_zeros(&huge, 3 << 20);
  memset(huge.data, 'a', huge.len);
  add_member(&tar, (struct made_member){.name = "pax",
                                        .type = 'x',
                                        .data = huge.data,
                                        .len = huge.len});
  add("x", "x");
  expect_broken_tar("");
  blob_free(&huge);

  /* A header says that it has terabytes. */
  add_member(&tar, (struct made_member){
                       .name = "pax", .type = 'x', .size = "77777777777"});
  expect_broken_tar("");

  /* Headers for headers, without a member. */
  for (int i = 0; i < 10000; i++)
    add_pax("path", "deeper", 6);
  expect_broken_tar("");
}

/* An xz file with a small block that says that a dictionary of 4 GiB is needed
 * to unpack it: "opt/x", which is executable. */
static const uint8_t needs_gigabytes[] = {
    0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00, 0x00, 0x01, 0x69, 0x22, 0xDE, 0x36,
    0x02, 0x00, 0x21, 0x01, 0x28, 0x00, 0x00, 0x00, 0xE6, 0xA0, 0x11, 0xB3,
    0xE0, 0x27, 0xFF, 0x00, 0x52, 0x5D, 0x00, 0x37, 0x9C, 0x0A, 0xDA, 0x34,
    0xF3, 0xDC, 0x43, 0xC9, 0x96, 0x91, 0xB2, 0x0A, 0x95, 0xE5, 0x80, 0xEE,
    0x99, 0xF5, 0xAB, 0x84, 0xAF, 0x9B, 0x26, 0x65, 0xB9, 0x58, 0xFA, 0x6B,
    0x43, 0x19, 0x50, 0x50, 0x22, 0x8D, 0xC0, 0xBC, 0x53, 0xF2, 0x49, 0xA9,
    0x4C, 0xAE, 0x83, 0xFC, 0x03, 0x4A, 0x07, 0x60, 0x44, 0x68, 0x58, 0x43,
    0x17, 0x98, 0x56, 0xC1, 0xFF, 0xCB, 0x5B, 0xB0, 0xD7, 0xF1, 0x35, 0xF2,
    0x45, 0x60, 0x87, 0x3E, 0xED, 0x23, 0xBE, 0xD9, 0xF2, 0x26, 0x6C, 0x1F,
    0xF6, 0x3A, 0x4B, 0xC2, 0x00, 0x00, 0x00, 0x00, 0xD1, 0x73, 0xA4, 0x70,
    0x00, 0x01, 0x6A, 0x80, 0x50, 0x00, 0x00, 0x00, 0xD1, 0x47, 0xD1, 0x10,
    0x3E, 0x30, 0x0D, 0x8B, 0x02, 0x00, 0x00, 0x00, 0x00, 0x01, 0x59, 0x5A,
};

static int import_bytes(const void *data, size_t len,
                        const struct manifest_limits *limits) {
  struct manifest_import import = {.limits = limits};
  struct manifest_result result;
  int fd = memfd_create("made", MFD_CLOEXEC), error;

  assert_true(fd >= 0);
  assert_int_equal(write(fd, data, len), (ssize_t)len);
  error = manifest_import_file(&import, fd, "made", &result);
  set_text(last_why, result.why);
  manifest_result_clear(&result);
  (void)close(fd);
  return error;
}

static void a_file_that_needs_gigabytes_is_broken(void **state) {
  struct rlimit before, after;

  (void)state;
#ifdef PDNA_SANITIZED
  skip();
#endif
  assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
  assert_int_equal(import_bytes(needs_gigabytes, sizeof(needs_gigabytes),
                                &manifest_limits_default),
                   -EBADMSG);
  assert_string_equal(last_why, "needs more memory than 2048 MiB to be read");
  assert_int_equal(getrlimit(RLIMIT_DATA, &after), 0);
  assert_int_equal(after.rlim_cur, before.rlim_cur);

  /* The next one is read. */
  add("opt/x", "x");
  end_tar(&tar);
  assert_int_equal(import_bytes(tar.data, tar.len, &manifest_limits_default),
                   0);
  blob_free(&tar);
}

/* Gives up when it is asked for the `arg`th time without a byte read. */
static bool gives_up(void *arg, uint64_t bytes) {
  int *left = arg;

  return bytes > 0 || --*left > 0;
}

static void what_is_unpacked_can_be_given_up(void **state) {
  int (*const one[])(struct archive *) = {archive_write_add_filter_zstd, NULL};
  struct manifest_reading r = {.limits = &manifest_limits_default,
                               .progress = gives_up};
  struct manifest m = {0};
  struct blob zeros = {0};
  int left = 50;

  (void)state;
  r.arg = &left;
  put_zeros(&zeros, 9 << 20);
  add_member(&tar, (struct made_member){
                       .name = "zeros", .data = zeros.data, .len = zeros.len});
  end_tar(&tar);
  compress_with(one);
  assert_true(tar.len < MANIFEST_BLOCK);
  r.fd = memfd_create("made", MFD_CLOEXEC);
  assert_true(r.fd >= 0);
  assert_int_equal(write(r.fd, tar.data, tar.len), (ssize_t)tar.len);
  assert_int_equal(manifest_read(&r, &manifest_tar, &m), -ECANCELED);
  assert_int_equal(m.entries_len, 0);
  (void)close(r.fd);
  blob_free(&zeros);
  blob_free(&tar);
}

/* Names with thousands of folders cost more than their bytes. */
static void finding_where_members_lie_can_be_given_up(void **state) {
  struct manifest_reading r = {.limits = &manifest_limits_default,
                               .progress = gives_up,
                               .deadline_ms = INT64_MAX};
  struct manifest_members *members = manifest_members_new();
  struct digest digest = {0};
  struct manifest m = {0};
  int left = 2;

  (void)state;
  r.arg = &left;
  assert_non_null(members);
  assert_int_equal(manifest_members_file(members, &r, "a/b", &digest), 0);
  assert_int_equal(manifest_members_file(members, &r, "a/c", &digest), 0);
  assert_int_equal(manifest_members_list(members, &r, &m), -ECANCELED);
  manifest_members_free(members);
  manifest_clear(&m);

  /* And ends by its time. */
  r = (struct manifest_reading){.limits = &manifest_limits_default};
  members = manifest_members_new();
  assert_non_null(members);
  assert_int_equal(manifest_members_file(members, &r, "a/b", &digest), 0);
  assert_int_equal(manifest_members_list(members, &r, &m), -EBADMSG);
  assert_non_null(strstr(r.why, "takes longer than"));
  manifest_members_free(members);
  manifest_clear(&m);
}

static void link_targets_have_the_limit_of_names(void **state) {
  struct manifest_reading r = {.limits = &manifest_limits_default};
  struct manifest_members *members = manifest_members_new();
  char target[4097];

  (void)state;
  memset(target, 'a', sizeof(target) - 1);
  target[sizeof(target) - 1] = '\0';
  assert_non_null(members);
  assert_int_equal(manifest_members_symlink(members, &r, "l", target),
                   -EBADMSG);
  assert_non_null(strstr(r.why, "4096 bytes"));
  manifest_members_free(members);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bomb_of_zeros_ends_by_the_limit),
      cmocka_unit_test(sparse_file_of_terabytes_ends_by_the_limit),
      cmocka_unit_test(too_many_members_and_too_long_names_end_by_their_limits),
      cmocka_unit_test(pax_header_bombs_are_broken),
      cmocka_unit_test(a_file_that_needs_gigabytes_is_broken),
      cmocka_unit_test(what_is_unpacked_can_be_given_up),
      cmocka_unit_test(finding_where_members_lie_can_be_given_up),
      cmocka_unit_test(link_targets_have_the_limit_of_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
