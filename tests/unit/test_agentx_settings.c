/* Goal: a directive is taken exactly within its bounds, and whatever else is
 * refused with what was expected and what was found. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "snmp-subagent/settings.h"
#include "tests/unit/unit.h"

static int set(struct settings *s, const char *directive, const char *text) {
  char why[SETTINGS_WHY_MAX] = "";
  int r = settings_set(s, directive, text, why);

  assert_true((r == 0) == (why[0] == '\0'));
  return r;
}

static void defaults_are_the_scanners(void **state) {
  struct settings s;
  struct scan_options o;

  (void)state;
  settings_init(&s);
  o = settings_scan_options(&s);
  assert_string_equal(o.proc_root, scan_options_default.proc_root);
  assert_int_equal(o.min_rss_kib, scan_options_default.min_rss_kib);
  assert_int_equal(o.always_root, scan_options_default.always_root);
  assert_int_equal(o.executables_len, scan_options_default.executables_len);
  assert_int_equal(o.rehash_interval_s, scan_options_default.rehash_interval_s);
  assert_int_equal(o.scan_interval_s, scan_options_default.scan_interval_s);
  assert_int_equal(o.hash_budget, scan_options_default.hash_budget);
  assert_int_equal(o.remote_files, scan_options_default.remote_files);
  assert_int_equal(o.scan_timeout_ms, scan_options_default.scan_timeout_ms);
}

static void numbers_are_taken_within_their_bounds(void **state) {
  static const struct {
    const char *directive, *good[2], *bad[2];
  } cases[] = {
      {"scanInterval", {"1", "86400"}, {"0", "86401"}},
      {"minRss", {"0", "1048576"}, {"-1", "1048577"}},
      {"rehashInterval", {"1", "2592000"}, {"0", "2592001"}},
      {"hashBudget", {"1", "1048576"}, {"0", "1048577"}},
  };
  static const char *const never[] = {
      "", "x", "1x", "1 1", "1.5", "+1", "0x1", "99999999999999999999"};
  struct settings s;

  (void)state;
  settings_init(&s);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    for (int k = 0; k < 2; k++) {
      assert_int_equal(set(&s, cases[i].directive, cases[i].good[k]), 0);
      assert_int_equal(set(&s, cases[i].directive, cases[i].bad[k]), -EINVAL);
    }
    for (size_t k = 0; k < sizeof(never) / sizeof(never[0]); k++)
      assert_int_equal(set(&s, cases[i].directive, never[k]), -EINVAL);
  }
}

static void each_directive_reaches_the_scanner(void **state) {
  struct settings s;
  struct scan_options o;

  (void)state;
  settings_init(&s);
  assert_int_equal(set(&s, "scanInterval", "2"), 0);
  assert_int_equal(set(&s, "MINRSS", " 3 "), 0);
  assert_int_equal(set(&s, "alwaysRoot", "no"), 0);
  assert_int_equal(set(&s, "executable", "\"/opt/a b/*\""), 0);
  assert_int_equal(set(&s, "executable", "/usr/sbin/sshd"), 0);
  assert_int_equal(set(&s, "rehashInterval", "4"), 0);
  assert_int_equal(set(&s, "hashBudget", "5"), 0);
  assert_int_equal(set(&s, "remoteFiles", "True"), 0);
  assert_int_equal(set(&s, "procRoot", "/somewhere"), 0);
  assert_int_equal(set(&s, "procRoot", "/else"), 0);
  o = settings_scan_options(&s);
  assert_int_equal(o.scan_interval_s, 2);
  assert_int_equal(o.scan_timeout_ms, 1000); /* half the interval */
  assert_int_equal(o.min_rss_kib, 3 * 1024);
  assert_false(o.always_root);
  assert_int_equal(o.executables_len, 2);
  assert_string_equal(o.executables[0], "/opt/a b/*");
  assert_string_equal(o.executables[1], "/usr/sbin/sshd");
  assert_int_equal(o.rehash_interval_s, 4);
  assert_int_equal(o.hash_budget, 5 * 1024 * 1024);
  assert_true(o.remote_files);
  assert_string_equal(o.proc_root, "/else");
  settings_clear(&s);
  defaults_are_the_scanners(state);
}

static void what_is_wrong_is_said(void **state) {
  char why[SETTINGS_WHY_MAX], huge[PATH_MAX + 2];
  struct settings s;

  (void)state;
  settings_init(&s);
  assert_int_equal(settings_set(&s, "scanIntervall", "1", why), -EINVAL);
  assert_string_equal(why, "no such directive");
  assert_int_equal(settings_set(&s, "alwaysRoot", "maybe", why), -EINVAL);
  assert_string_equal(why, "expected true or false, found \"maybe\"");
  assert_int_equal(settings_set(&s, "executable", "sshd", why), -EINVAL);
  assert_string_equal(why, "expected an absolute path, found \"sshd\"");
  memset(huge, '/', sizeof(huge) - 1);
  huge[sizeof(huge) - 1] = '\0';
  assert_int_equal(settings_set(&s, "procRoot", huge, why), -EINVAL);
  assert_int_equal(s.executables_len, 0);
  settings_clear(&s);
}

static void every_directive_is_listed(void **state) {
  size_t i = 0;

  (void)state;
  while (settings_directive(i) != NULL) {
    assert_non_null(settings_expected(i));
    i++;
  }
  assert_int_equal(i, 8);
  assert_null(settings_expected(i));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_are_the_scanners),
      cmocka_unit_test(numbers_are_taken_within_their_bounds),
      cmocka_unit_test(each_directive_reaches_the_scanner),
      cmocka_unit_test(what_is_wrong_is_said),
      cmocka_unit_test(every_directive_is_listed),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
