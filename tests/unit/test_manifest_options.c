/* What `manifest import` is told of a release is taken exactly or refused. */
#include <errno.h>
#include <string.h>

#include "correlator/manifest_options.h"
#include "correlator/manifest_progress.h"
#include "tests/unit/unit.h"

static void a_pattern_is_of_absolute_paths_and_printable(void **state) {
  static const char *const good[] = {
      "/opt/*",         "/",      "/opt/my app/[a-c]?", "/opt/\\\\",
      "/opt/\xc3\xa9*", "/opt/[a"};
  static const char *const bad[] = {
      "", "opt/*", "*", "/opt/\\", "/opt/\\\\\\", "/opt/\xff", "/a\nb"};
  char big[MANIFEST_GLOB_MAX + 2];

  (void)state;
  for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
    if (manifest_glob_check(good[i]) != 0)
      fail_msg("%s was refused", good[i]);
  for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
    if (manifest_glob_check(bad[i]) != -EINVAL)
      fail_msg("%s was taken", bad[i]);
  memset(big, '/', sizeof(big) - 1);
  big[sizeof(big) - 1] = '\0';
  assert_int_equal(manifest_glob_check(big), -EINVAL);
  big[MANIFEST_GLOB_MAX] = '\0';
  assert_int_equal(manifest_glob_check(big), 0);
  memcpy(big, "/bin/", strlen("/bin/")); /* the database says /usr/bin */
  assert_int_equal(manifest_glob_check(big), -EINVAL);
}

enum { NOW = 1767225600 /* 2026-01-01 00:00:00 UTC */ };

static void an_expiry_is_a_day_or_a_time_from_now(void **state) {
  static const struct {
    const char *text, *expires;
  } cases[] = {
      {"2026-12-31", "2027-01-01 00:00:00+00"},
      {"2026-01-01", "2026-01-02 00:00:00+00"},
      {"2028-02-29", "2028-03-01 00:00:00+00"},
      {"1h", "2026-01-01 01:00:00+00"},
      {"90d", "2026-04-01 00:00:00+00"},
      {"8w", "2026-02-26 00:00:00+00"},
  };
  char expires[MANIFEST_EXPIRES_MAX];

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    assert_int_equal(manifest_expires(cases[i].text, NOW, expires), 0);
    assert_string_equal(expires, cases[i].expires);
  }
}

static void an_expiry_that_cannot_be_taken_is_refused(void **state) {
  static const struct {
    const char *text;
    int error;
  } cases[] = {
      {"", -EINVAL},           {"soon", -EINVAL},
      {"90", -EINVAL},         {"90m", -EINVAL},
      {"-1d", -EINVAL},        {"1d ", -EINVAL},
      {"2027-02-29", -EINVAL}, {"2026-13-01", -EINVAL},
      {"2026-1-1", -EINVAL},   {"2026-12-31x", -EINVAL},
      {"0d", -ERANGE},         {"2025-12-31", -ERANGE},
      {"9999-12-31", -ERANGE}, {"99999999999999999999d", -ERANGE},
      {"5300w", -ERANGE},
  };
  char expires[MANIFEST_EXPIRES_MAX] = "untouched";

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
    if (manifest_expires(cases[i].text, NOW, expires) != cases[i].error)
      fail_msg("%s: not %d", cases[i].text, cases[i].error);
  assert_string_equal(expires, "untouched");
}

static void the_bar_says_how_far_it_is(void **state) {
  struct manifest_progress p = {
      .total = UINT64_C(2) << 30, .done = UINT64_C(1) << 29, .what = "a.deb"};
  char line[256];

  (void)state;
  manifest_progress_text(&p, 8000, 100, line, sizeof(line));
  assert_string_equal(line, " 25% [#####...............] 512.0 MiB of 2.0 GiB, "
                            "64.0 MiB/s, 00:24 left  a.deb");
  manifest_progress_text(&p, 8000, 20, line, sizeof(line));
  assert_string_equal(line, " 25% [#####.........");
  p.total = p.done = 0;
  manifest_progress_text(&p, 0, 100, line, sizeof(line));
  assert_string_equal(line, "100% [####################] 0 B of 0 B, 0 B/s, "
                            "--:-- left  a.deb");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_pattern_is_of_absolute_paths_and_printable),
      cmocka_unit_test(an_expiry_is_a_day_or_a_time_from_now),
      cmocka_unit_test(an_expiry_that_cannot_be_taken_is_refused),
      cmocka_unit_test(the_bar_says_how_far_it_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
