/* Goal: host and import write one package in one way, whatever the length of
 * its name and version, and every one that is written travels. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/record/package.h"
#include "lib/record/wire.h"
#include "tests/unit/unit.h"

static void fill(char *text, char c, size_t len) {
  memset(text, c, len);
  text[len] = '\0';
}

static void parts_that_fit_are_taken_as_they_are(void **state) {
  struct package p = {.in_transaction = true};

  (void)state;
  assert_int_equal(
      package_set(&p, "dpkg", "libstdc++6", "1:9.18-1~deb12u1", "amd64"), 0);
  assert_string_equal(p.manager, "dpkg");
  assert_string_equal(p.name, "libstdc++6");
  assert_string_equal(p.version, "1:9.18-1~deb12u1");
  assert_string_equal(p.arch, "amd64");
  assert_false(p.in_transaction);
  assert_true(package_valid(&p));
}

static void what_no_manager_allows_is_refused(void **state) {
  static const char *const bad[][4] = {
      {"", "a", "1", "all"},          {"dpkg", "", "1", "all"},
      {"dpkg", "a", "", "all"},       {"dpkg", "a", "1", ""},
      {"dpkg", "a:b", "1", "all"},    {"dpkg", "a=b", "1", "all"},
      {"dpkg", "a b", "1", "all"},    {"dpkg", "a~b", "1", "all"},
      {"dpkg", "a\xff", "1", "all"},  {"dpkg", "a", "1 2", "all"},
      {"dpkg", "a", "1\n", "all"},    {"dpkg", "a", "1", "am:64"},
      {"dpkg", "a", "1=2", "all"},    {"dp:kg", "a", "1", "all"},
      {"longmanag", "a", "1", "all"}, {"dpkg", "a", "1", "architecture-of-17"},
  };
  struct package p = {.name = "kept"};

  (void)state;
  assert_int_equal(package_set(&p, "dpkg", "a", "1", "all"), 0);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(
        package_set(&p, bad[i][0], bad[i][1], bad[i][2], bad[i][3]), -EINVAL);
  assert_string_equal(p.name, "a");
}

static void long_parts_are_shortened_and_stay_distinct(void **state) {
  char name[201], other[201], version[301];
  struct package p, q;

  (void)state;
  fill(name, 'n', 200);
  fill(other, 'n', 200);
  other[199] = 'm';
  fill(version, '9', 300);
  assert_int_equal(package_set(&p, "dpkg", name, version, "all"), 0);
  assert_int_equal(package_set(&q, "dpkg", other, version, "all"), 0);
  assert_int_equal(strlen(p.name), PACKAGE_NAME_MAX);
  assert_memory_equal(p.name, name, PACKAGE_NAME_MAX - 17);
  assert_true(p.name[PACKAGE_NAME_MAX - 17] == '~');
  assert_string_not_equal(p.name, q.name);
  assert_string_equal(p.version, q.version);
  assert_true(package_valid(&p));
  assert_true(package_is_short(p.name, "1"));
  assert_true(package_is_short("a", p.version));
  assert_false(package_is_short("a", "1.2~0123456789abcdef"));
  assert_false(package_is_short("a", ""));
  version[PACKAGE_VERSION_MAX] = '\0';
  assert_false(package_is_short("a", version));
  /* sha256sum of 200 times n */
  assert_string_equal(p.name + PACKAGE_NAME_MAX - 16, "1be63cc0bde6bd45");
}

static void a_name_with_a_tilde_is_none_but_a_shortened_one(void **state) {
  struct package p;

  (void)state;
  assert_int_equal(package_set(&p, "dpkg", "a", "1", "all"), 0);
  (void)set_text(p.name, "a~0123456789abcdef");
  assert_false(package_valid(&p));
  (void)set_text(p.name, "~");
  assert_false(package_valid(&p));
}

static void any_length_travels_over_collectd(void **state) {
  static char path[] = "/usr/bin/x";
  char name[121], version[121];

  (void)state;
  for (size_t n = 1; n <= 120; n++) {
    for (size_t v = 1; v <= 120; v++) {
      struct executable e = {.path = path};
      struct wire_list list;
      struct wire_item item;

      fill(name, 'n', n);
      fill(version, '9', v);
      assert_int_equal(package_set(&e.package, "manager8", name, version,
                                   "architecture1234"),
                       0);
      assert_int_equal(wire_from_package(&e, &list), 0);
      assert_int_equal(wire_decode(&list, 1, &item), 0);
      assert_string_equal(item.executable.package.name, e.package.name);
      assert_string_equal(item.executable.package.version, e.package.version);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(parts_that_fit_are_taken_as_they_are),
      cmocka_unit_test(what_no_manager_allows_is_refused),
      cmocka_unit_test(long_parts_are_shortened_and_stay_distinct),
      cmocka_unit_test(a_name_with_a_tilde_is_none_but_a_shortened_one),
      cmocka_unit_test(any_length_travels_over_collectd),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
