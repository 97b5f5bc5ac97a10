/* Goal: a directive's text is taken if it is what the directive expects, and
 * refused with what was expected and what was found if not. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "snmp-subagent/settings.h"
#include "tests/unit/unit.h"

static int set(struct scan_settings *s, const char *directive,
               const char *text) {
  char why[SETTINGS_WHY_MAX] = "";
  int r = settings_set(s, directive, text, why);

  assert_true((r == 0) == (why[0] == '\0'));
  return r;
}

static void a_number_is_nothing_but_digits(void **state) {
  static const char *const never[] = {
      "", "x", "1x", "1 1", "1.5", "+1", "-1", "0x1", "99999999999999999999"};
  struct scan_settings s;

  (void)state;
  scan_settings_init(&s);
  for (size_t k = 0; k < sizeof(never) / sizeof(never[0]); k++)
    assert_int_equal(set(&s, "minRss", never[k]), -EINVAL);
  assert_int_equal(set(&s, "minRss", "1048577"), -EINVAL);
  assert_int_equal(s.min_rss_mib, 50);
  assert_int_equal(set(&s, "minRss", "1048576"), 0);
  assert_int_equal(s.min_rss_mib, 1048576);
}

static void each_directive_reaches_the_scanner(void **state) {
  struct scan_settings s;
  struct scan_options o;

  (void)state;
  scan_settings_init(&s);
  assert_int_equal(set(&s, "scanInterval", "2"), 0);
  assert_int_equal(set(&s, "MINRSS", " 3 "), 0);
  assert_int_equal(set(&s, "alwaysRoot", "no"), 0);
  assert_int_equal(set(&s, "executable", "\"/opt/a b/*\""), 0);
  assert_int_equal(set(&s, "executable", "/usr/sbin/sshd"), 0);
  assert_int_equal(set(&s, "rehashInterval", "4"), 0);
  assert_int_equal(set(&s, "hashBudget", "5"), 0);
  assert_int_equal(set(&s, "remoteFiles", "True"), 0);
  assert_int_equal(set(&s, "packages", "no"), 0);
  assert_int_equal(set(&s, "packageRoot", "/host"), 0);
  assert_int_equal(set(&s, "procRoot", "/somewhere"), 0);
  assert_int_equal(set(&s, "procRoot", "/else"), 0);
  o = scan_settings_options(&s);
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
  assert_false(o.packages);
  assert_string_equal(o.package_root, "/host");
  assert_string_equal(o.proc_root, "/else");
  scan_settings_clear(&s);
}

static void what_is_wrong_is_said(void **state) {
  char why[SETTINGS_WHY_MAX], huge[PATH_MAX + 2];
  struct scan_settings s;

  (void)state;
  scan_settings_init(&s);
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
  scan_settings_clear(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_number_is_nothing_but_digits),
      cmocka_unit_test(each_directive_reaches_the_scanner),
      cmocka_unit_test(what_is_wrong_is_said),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
