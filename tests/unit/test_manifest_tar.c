/* A tarball gives the executables that would lie on disk once it is unpacked,
 * and a hostile one gives an error that says what is wrong with it. */
#include "tests/unit/made_tar.h"

#define ELF                                                                    \
  "\x7F"                                                                       \
  "ELF and so on"

static void read_tar(struct manifest *ret) {
  int error;

  end_tar(&tar);
  error = read_blob(&tar, ret);
  if (error != 0)
    fail_msg("%d: %s", error, last_why);
}

static void expect_broken_tar(const char *why) {
  end_tar(&tar);
  expect_broken(&tar, why);
}

static void executables_and_shared_objects_are_taken(void **state) {
  struct manifest m = {0};

  (void)state;
  add_link("opt", '5', NULL);
  add("./opt/run", "#!/bin/sh\n");
  add_member(&tar, (struct made_member){
                       .name = "opt/readme", .data = "text", .mode = 0644});
  add_member(&tar, (struct made_member){
                       .name = "opt/x.so", .data = ELF, .mode = 0644});
  add_member(&tar, (struct made_member){
                       .name = "opt/group", .data = "g", .mode = 0610});
  add("/opt//./absolute", "a");
  add("opt/empty", "");
  add_member(&tar, (struct made_member){.name = "opt/short",
                                        .data = "\x7F"
                                                "EL",
                                        .mode = 0644});
  add_link("opt/null", '3', NULL);
  add_link("opt/fifo", '6', NULL);
  read_tar(&m);
  assert_int_equal(m.entries_len, 5);
  expect_entry(&m, 0, "/opt/absolute", "a");
  expect_entry(&m, 1, "/opt/empty", "");
  expect_entry(&m, 2, "/opt/group", "g");
  expect_entry(&m, 3, "/opt/run", "#!/bin/sh\n");
  expect_entry(&m, 4, "/opt/x.so", ELF);
  assert_string_equal(m.package.manager, "");
  manifest_clear(&m);
}

static void hard_links_have_what_they_link_to(void **state) {
  struct manifest m = {0};

  (void)state;
  add("./bin/a", "first");
  add_link("bin/b", '1', "bin/a");
  add_link("bin/c", '1', "./bin/b");
  add_member(&tar, (struct made_member){
                       .name = "bin/plain", .data = "p", .mode = 0644});
  add_link("bin/d", '1', "bin/plain");
  read_tar(&m);
  assert_int_equal(m.entries_len, 3);
  expect_entry(&m, 0, "/usr/bin/a", "first");
  expect_entry(&m, 1, "/usr/bin/b", "first");
  expect_entry(&m, 2, "/usr/bin/c", "first");
  manifest_clear(&m);
}

static void of_several_members_with_a_name_the_last_counts(void **state) {
  struct manifest m = {0};

  (void)state;
  add("a", "old");
  add_link("b", '1', "a"); /* keeps what a was when it was made */
  add("./a", "new");
  add("gone", "x");
  add_link("gone", '2', "a");
  add("folder", "x");
  add_link("folder/", '5', NULL);
  add("unset", "x");
  add_member(&tar,
             (struct made_member){.name = "unset", .data = "x", .mode = 0644});
  read_tar(&m);
  assert_int_equal(m.entries_len, 2);
  expect_entry(&m, 0, "/a", "new");
  expect_entry(&m, 1, "/b", "old");
  manifest_clear(&m);
}

static void below_a_symbolic_link_means_where_it_leads(void **state) {
  struct manifest m = {0};

  (void)state;
  add_link("opt/app/current", '2', "v2");
  add("opt/app/current/bin/x", "x");
  add_link("opt/app/v2/sbin", '2', "../../other/./sbin");
  add("opt/app/current/sbin/y", "y");
  add_link("abs", '2', "/srv//abs/");
  add("abs/z", "z");
  add_link("up", '2', "../../../top");
  add("up/w", "w");
  add_link("opt/link", '2', "app"); /* a link has no digest of its own */
  read_tar(&m);
  assert_int_equal(m.entries_len, 4);
  expect_entry(&m, 0, "/opt/app/v2/bin/x", "x");
  expect_entry(&m, 1, "/opt/other/sbin/y", "y");
  expect_entry(&m, 2, "/srv/abs/z", "z");
  expect_entry(&m, 3, "/top/w", "w");
  manifest_clear(&m);
}

static void long_and_odd_names_are_read(void **state) {
  char deep[300];
  struct manifest m = {0};

  (void)state;
  memset(deep, 'd', sizeof(deep) - 1);
  deep[sizeof(deep) - 1] = '\0';
  deep[20] = '/';
  add_member(&tar, (struct made_member){.name = "././@LongLink",
                                        .type = 'L',
                                        .data = deep,
                                        .len = sizeof(deep)});
  add("cut", "gnu");
  deep[0] = 'e';
  add_pax("path", deep, 200);
  add("cut", "pax");
  add("bin/\xff\xfe", "bytes");
  add_pax("path", "caf\xc3\xa9", 5);
  add("cut", "composed");
  add_pax("path", "cafe\xcc\x81", 6);
  add("cut", "decomposed");
  add_pax("hdrcharset", "BINARY", 6);
  add("q", "");
  add_pax("path", "nul\0hidden", 10);
  add("cut", "nul");
  read_tar(&m);
  assert_int_equal(m.entries_len, 7);
  expect_entry(&m, 0, "/caf%C3%A9", "composed");
  expect_entry(&m, 1, "/cafe%CC%81", "decomposed");
  assert_non_null(strchr(entry_at(&m, 2)->path, '~'));
  assert_memory_equal(entry_at(&m, 2)->path, "/dddddddddddddddddddd/d", 23);
  assert_memory_equal(entry_at(&m, 3)->path, "/eddddddddddddddddddd/d", 23);
  expect_entry(&m, 4, "/nul", "nul");
  expect_entry(&m, 5, "/q", "");
  expect_entry(&m, 6, "/usr/bin/%FF%FE", "bytes");
  manifest_clear(&m);
}

static void path_traversal_is_broken(void **state) {
  static const char *const names[] = {"../etc/x", "a/../../x", "/..", "a/.."};

  (void)state;
  for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
    add(names[i], "x");
    expect_broken_tar("\"..\"");
  }
  add("a", "x");
  add_link("b", '1', "../a");
  expect_broken_tar("\"..\"");
}

static void hard_link_to_nothing_is_broken(void **state) {
  (void)state;
  add_link("b", '1', "a");
  add("a", "too late");
  expect_broken_tar("b: a hard link to a");
  add_link("a", '2', "x");
  add_link("b", '1', "a");
  expect_broken_tar("b: a hard link to a");
}

static void loop_of_symbolic_links_is_broken(void **state) {
  (void)state;
  add_link("a", '2', "b");
  add_link("b", '2', "a");
  add("a/x", "x");
  expect_broken_tar("loop");
}

static void links_that_grow_without_end_are_broken(void **state) {
  char target[100];

  (void)state;
  memset(target, 't', sizeof(target) - 1);
  target[sizeof(target) - 1] = '\0';
  for (size_t i = 1; i < sizeof(target) - 1; i += 2)
    target[i] = '/';
  memcpy(target, "a/", 2);
  add_link("a", '2', target);
  add("a/x", "x");
  expect_broken_tar("symbolic links");
}

static void cut_off_anywhere_is_broken(void **state) {
  struct manifest m = {0};

  (void)state;
  for (int i = 0; i < 5; i++)
    add("opt/x", "some bytes");
  end_tar(&tar);
  assert_int_equal(read_part(&tar, tar.len, NULL, &m), 0);
  manifest_clear(&m);
  /* Of the two blocks of zeros at the end one is enough. */
  for (size_t len = 512; len < tar.len - 512; len += 512) {
    if (read_part(&tar, len, NULL, &m) != -EBADMSG)
      fail_msg("%zu bytes of %zu were enough", len, tar.len);
    assert_int_equal(m.entries_len, 0);
  }
  blob_free(&tar);
}

static void each_compression_is_unpacked_and_checked_to_its_end(void **state) {
  static int (*const filters[])(struct archive *) = {
      archive_write_add_filter_gzip, archive_write_add_filter_bzip2,
      archive_write_add_filter_xz,   archive_write_add_filter_zstd,
      archive_write_add_filter_lz4,  archive_write_add_filter_lzip,
      archive_write_add_filter_lzma, archive_write_add_filter_compress,
  };
  struct manifest m = {0};

  (void)state;
  for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
    int (*const one[])(struct archive *) = {filters[i], NULL};

    add("opt/x", "packed");
    end_tar(&tar);
    compress_with(one);
    if (read_part(&tar, tar.len, NULL, &m) != 0)
      fail_msg("compression %zu: %s", i, last_why);
    expect_entry(&m, 0, "/opt/x", "packed");
    manifest_clear(&m);
    for (size_t len = tar.len / 2; len < tar.len / 2 + 3; len++)
      if (read_part(&tar, len, NULL, &m) != -EBADMSG)
        fail_msg("compression %zu: %zu of %zu bytes were enough", i, len,
                 tar.len);
    blob_free(&tar);
  }
}

static void compressed_twice_is_broken(void **state) {
  int (*const two[])(struct archive *) = {archive_write_add_filter_gzip,
                                          archive_write_add_filter_xz, NULL};

  (void)state;
  add("opt/x", "packed");
  end_tar(&tar);
  compress_with(two);
  expect_broken(&tar, "twice");
}

static void what_is_compressed_but_no_tarball_is_broken(void **state) {
  int (*const one[])(struct archive *) = {archive_write_add_filter_gzip, NULL};

  (void)state;
  put(&tar, "a log\n", 6);
  compress_with(one);
  expect_broken(&tar, "format");
}

static void without_executables_a_release_is_broken(void **state) {
  (void)state;
  add_member(&tar,
             (struct made_member){.name = "a", .data = "x", .mode = 0644});
  expect_broken_tar("no executables");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(executables_and_shared_objects_are_taken),
      cmocka_unit_test(hard_links_have_what_they_link_to),
      cmocka_unit_test(of_several_members_with_a_name_the_last_counts),
      cmocka_unit_test(below_a_symbolic_link_means_where_it_leads),
      cmocka_unit_test(long_and_odd_names_are_read),
      cmocka_unit_test(path_traversal_is_broken),
      cmocka_unit_test(hard_link_to_nothing_is_broken),
      cmocka_unit_test(loop_of_symbolic_links_is_broken),
      cmocka_unit_test(links_that_grow_without_end_are_broken),
      cmocka_unit_test(cut_off_anywhere_is_broken),
      cmocka_unit_test(each_compression_is_unpacked_and_checked_to_its_end),
      cmocka_unit_test(compressed_twice_is_broken),
      cmocka_unit_test(what_is_compressed_but_no_tarball_is_broken),
      cmocka_unit_test(without_executables_a_release_is_broken),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
