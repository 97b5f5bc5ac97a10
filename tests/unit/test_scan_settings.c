/* Goal: the table leaves the scanner's defaults, takes each setting exactly
 * within its bounds and hands it on to the scanner; what is refused changes
 * nothing. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "lib/scan/settings.h"
#include "tests/unit/unit.h"

static int set_number(struct scan_settings *s, const char *name,
                      uint64_t number) {
  return scan_settings_set_number(s, scan_settings_find(name), number);
}

static int set_flag(struct scan_settings *s, const char *name, bool flag) {
  return scan_settings_set_flag(s, scan_settings_find(name), flag);
}

static int set_path(struct scan_settings *s, const char *name,
                    const char *path) {
  return scan_settings_set_path(s, scan_settings_find(name), path);
}

static void assert_defaults(const struct scan_settings *s) {
  const struct scan_options *d = &scan_options_default;
  struct scan_options o = scan_settings_options(s);

  assert_string_equal(o.proc_root, d->proc_root);
  assert_int_equal(o.min_rss_kib, d->min_rss_kib);
  assert_int_equal(o.always_root, d->always_root);
  assert_int_equal(o.executables_len, d->executables_len);
  assert_int_equal(o.rehash_interval_s, d->rehash_interval_s);
  assert_int_equal(o.scan_interval_s, d->scan_interval_s);
  assert_int_equal(o.hash_budget, d->hash_budget);
  assert_int_equal(o.remote_files, d->remote_files);
  assert_int_equal(o.packages, d->packages);
  assert_ptr_equal(o.package_root, d->package_root);
  assert_int_equal(o.file_timeout_ms, d->file_timeout_ms);
  assert_int_equal(o.scan_timeout_ms, d->scan_timeout_ms);
  assert_int_equal(o.cache_max, d->cache_max);
}

static void defaults_are_the_scanners(void **state) {
  struct scan_settings s;

  (void)state;
  scan_settings_init(&s);
  assert_defaults(&s);
}

static void each_setting_is_found_whatever_its_case(void **state) {
  (void)state;
  for (size_t i = 0; i < SCAN_SETTINGS_LEN; i++) {
    const struct scan_setting *s = &scan_settings_table[i];

    assert_non_null(s->expected);
    assert_ptr_equal(scan_settings_find(s->name), s);
    assert_ptr_equal(scan_settings_find(s->directive), s);
  }
  assert_null(scan_settings_find("ScanIntervall"));
  assert_null(scan_settings_find("ScanInterva"));
  assert_null(scan_settings_find(""));
}

static void numbers_are_taken_within_their_bounds(void **state) {
  static const struct {
    const char *name;
    uint64_t min, max;
  } cases[] = {
      {"ScanInterval", 1, 86400},
      {"MinRSS", 0, 1048576},
      {"RehashInterval", 1, 2592000},
      {"HashBudget", 1, 1048576},
  };
  struct scan_settings s;

  (void)state;
  scan_settings_init(&s);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char *name = cases[i].name;
    char expected[64];

    /* Below 0 is far above. */
    assert_int_equal(set_number(&s, name, cases[i].min - 1), -EINVAL);
    assert_int_equal(set_number(&s, name, cases[i].max + 1), -EINVAL);
    assert_int_equal(set_number(&s, name, UINT64_MAX), -EINVAL);
    assert_defaults(&s);
    assert_int_equal(set_number(&s, name, cases[i].min), 0);
    assert_int_equal(set_number(&s, name, cases[i].max), 0);
    snprintf(expected, sizeof(expected), " from %d to %d", (int)cases[i].min,
             (int)cases[i].max);
    assert_non_null(strstr(scan_settings_find(name)->expected, expected));
    scan_settings_clear(&s);
  }
}

static void what_is_set_reaches_the_scanner(void **state) {
  struct scan_settings s;
  struct scan_options o;

  (void)state;
  scan_settings_init(&s);
  assert_int_equal(set_number(&s, "ScanInterval", 2), 0);
  assert_int_equal(set_number(&s, "MinRSS", 3), 0);
  assert_int_equal(set_number(&s, "RehashInterval", 4), 0);
  assert_int_equal(set_number(&s, "HashBudget", 5), 0);
  assert_int_equal(set_flag(&s, "AlwaysRoot", false), 0);
  assert_int_equal(set_flag(&s, "RemoteFiles", true), 0);
  assert_int_equal(set_flag(&s, "Packages", false), 0);
  assert_int_equal(set_path(&s, "PackageRoot", "/host"), 0);
  assert_int_equal(set_path(&s, "Executable", "/opt/a b/*"), 0);
  assert_int_equal(set_path(&s, "Executable", "/usr/sbin/sshd"), 0);
  assert_int_equal(set_path(&s, "ProcRoot", "/somewhere"), 0);
  assert_int_equal(set_path(&s, "ProcRoot", "/else"), 0);
  o = scan_settings_options(&s);
  assert_int_equal(o.scan_interval_s, 2);
  assert_int_equal(o.min_rss_kib, 3 * 1024);
  assert_int_equal(o.rehash_interval_s, 4);
  assert_int_equal(o.hash_budget, 5 * 1024 * 1024);
  assert_false(o.always_root);
  assert_true(o.remote_files);
  assert_false(o.packages);
  assert_string_equal(o.package_root, "/host");
  assert_int_equal(o.executables_len, 2);
  assert_string_equal(o.executables[0], "/opt/a b/*");
  assert_string_equal(o.executables[1], "/usr/sbin/sshd");
  assert_string_equal(o.proc_root, "/else");
  scan_settings_clear(&s);
  assert_defaults(&s);
}

static void a_scan_takes_at_most_half_of_its_interval(void **state) {
  struct scan_settings s;

  (void)state;
  scan_settings_init(&s);
  s.scan_interval_s = 1;
  assert_int_equal(scan_settings_options(&s).scan_timeout_ms, 500);
  s.scan_interval_s = 3;
  assert_int_equal(scan_settings_options(&s).scan_timeout_ms, 1500);
  s.scan_interval_s = 86400;
  assert_int_equal(scan_settings_options(&s).scan_timeout_ms,
                   scan_options_default.scan_timeout_ms);
}

static void a_path_is_absolute_and_fits(void **state) {
  static const char *const names[] = {"Executable", "ProcRoot"};
  char path[PATH_MAX + 1];
  struct scan_settings s;

  (void)state;
  scan_settings_init(&s);
  memset(path, '/', PATH_MAX);
  path[PATH_MAX] = '\0';
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    assert_int_equal(set_path(&s, names[i], ""), -EINVAL);
    assert_int_equal(set_path(&s, names[i], "sshd"), -EINVAL);
    assert_int_equal(set_path(&s, names[i], path), -EINVAL);
    assert_defaults(&s);
    assert_int_equal(set_path(&s, names[i], path + 1), 0);
    scan_settings_clear(&s);
  }
}

static void another_type_is_refused(void **state) {
  struct scan_settings s;

  (void)state;
  scan_settings_init(&s);
  for (size_t i = 0; i < SCAN_SETTINGS_LEN; i++) {
    const struct scan_setting *row = &scan_settings_table[i];

    if (row->type != SCAN_SETTING_NUMBER)
      assert_int_equal(scan_settings_set_number(&s, row, 1), -EINVAL);
    if (row->type != SCAN_SETTING_FLAG)
      assert_int_equal(scan_settings_set_flag(&s, row, true), -EINVAL);
    if (row->type != SCAN_SETTING_PATH && row->type != SCAN_SETTING_PATHS)
      assert_int_equal(scan_settings_set_path(&s, row, "/a"), -EINVAL);
  }
  assert_defaults(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_are_the_scanners),
      cmocka_unit_test(each_setting_is_found_whatever_its_case),
      cmocka_unit_test(numbers_are_taken_within_their_bounds),
      cmocka_unit_test(what_is_set_reaches_the_scanner),
      cmocka_unit_test(a_scan_takes_at_most_half_of_its_interval),
      cmocka_unit_test(a_path_is_absolute_and_fits),
      cmocka_unit_test(another_type_is_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
