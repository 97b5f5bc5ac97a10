/* What `manifest import` is told of a release is taken exactly or refused. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/manifest_options.h"
#include "correlator/manifest_progress.h"
#include "lib/record/pathname.h"
#include "tests/unit/unit.h"

static void a_pattern_matches_encoded_what_it_matches_raw(void **state) {
  static const struct {
    const char *glob, *path;
    bool matches;
  } cases[] = {
      {"/opt/*/bin/x", "/opt/a/bin/x", true},
      {"/opt/*/bin/x", "/opt/a/b/bin/x", false},
      {"/opt/my app/*", "/opt/my app/x:y", true},
      {"/opt/100%/\xc3\xa9*", "/opt/100%/\xc3\xa9t\xc3\xa9", true},
      {"/opt/[a-c]x", "/opt/bx", true},
      {"/opt/[!a-c]x", "/opt/bx", false},
      {"/opt/[]a]x", "/opt/]x", true},
      {"/opt/\\*", "/opt/*", true},
      {"/opt/\\*", "/opt/a", false},
      {"/opt/]x", "/opt/]x", true},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    char glob[MANIFEST_GLOB_MAX + 1], *text;
    bool raw = fnmatch(cases[i].glob, cases[i].path, FNM_PATHNAME) == 0;

    assert_int_equal(raw, cases[i].matches);
    assert_int_equal(manifest_glob(cases[i].glob, glob), 0);
    assert_int_equal(pathname_encode(cases[i].path, &text), 0);
    if ((fnmatch(glob, text, FNM_PATHNAME) == 0) != cases[i].matches)
      fail_msg("%s: %s", glob, text);
    free(text);
  }
}

static void a_pattern_that_cannot_be_taken_is_refused(void **state) {
  static const char *const globs[] = {
      "",          "opt/*",      "*",         "/opt/[a",
      "/opt/[ b]", "/opt/[a/b]", "/opt/[%]",  "/opt/[\\]]",
      "/opt/\\",   "/opt/\\\\",  "/opt/\\ x", "/opt/[[:alpha:]]"};
  char glob[MANIFEST_GLOB_MAX + 1] = "untouched", big[MANIFEST_GLOB_MAX + 2];

  (void)state;
  for (size_t i = 0; i < sizeof(globs) / sizeof(*globs); i++)
    if (manifest_glob(globs[i], glob) != -EINVAL)
      fail_msg("%s was taken", globs[i]);
  memset(big, '/', sizeof(big) - 1);
  big[sizeof(big) - 1] = '\0';
  assert_int_equal(manifest_glob(big, glob), -EINVAL);
  assert_string_equal(glob, "untouched");
  big[MANIFEST_GLOB_MAX] = '\0';
  assert_int_equal(manifest_glob(big, glob), 0);
  big[1] = ':';
  assert_int_equal(manifest_glob(big, glob), -EINVAL);
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
      cmocka_unit_test(a_pattern_matches_encoded_what_it_matches_raw),
      cmocka_unit_test(a_pattern_that_cannot_be_taken_is_refused),
      cmocka_unit_test(an_expiry_is_a_day_or_a_time_from_now),
      cmocka_unit_test(an_expiry_that_cannot_be_taken_is_refused),
      cmocka_unit_test(the_bar_says_how_far_it_is),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
