/* Time stamps: each form is read to its end and no further, a stamp without a
 * year is of the nearest one before, and one without a zone is in ours. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "correlator/syslog_stamp.h"
#include "tests/unit/unit.h"

/* As TZ has them, so that no database of zones is needed. */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"

typedef size_t read_fn(const char *at, size_t len, struct syslog_stamp *ret);

static void set_zone(const char *zone) {
  assert_int_equal(setenv("TZ", zone, 1), 0);
  tzset();
}

/* "2026-11-23T07:01:04Z", as microseconds since the epoch. */
static int64_t us_of(const char *utc) {
  struct syslog_calendar calendar = {.year = 0};
  struct syslog_stamp s;

  assert_int_equal(syslog_stamp_rfc3339(utc, strlen(utc), &s), strlen(utc));
  assert_true(s.zoned);
  return syslog_calendar_us(&calendar, &s, 0);
}

static void expect_time(int64_t us, const char *utc, const char *what) {
  int64_t expected = utc == NULL ? 0 : us_of(utc);

  if (us != expected)
    fail_msg("'%s' is %lld, not %s (%lld)", what, (long long)us,
             utc == NULL ? "none" : utc, (long long)expected);
}

struct scenario {
  const char *stamp;
  const char *arrived; /* NULL: at some time */
  const char *utc;     /* NULL: no time */
};

/* Each scenario by itself, and all of them with one calendar. */
static void expect_times(read_fn *read, const struct scenario *scenarios,
                         size_t len) {
  struct syslog_calendar kept = {.year = 0};

  for (size_t i = 0; i < len; i++) {
    const struct scenario *s = &scenarios[i];
    struct syslog_calendar fresh = {.year = 0};
    struct syslog_stamp stamp;
    int64_t arrived =
        us_of(s->arrived == NULL ? "2026-11-25T12:00:00Z" : s->arrived);

    assert_int_equal(read(s->stamp, strlen(s->stamp), &stamp),
                     strlen(s->stamp));
    expect_time(syslog_calendar_us(&fresh, &stamp, arrived), s->utc, s->stamp);
    expect_time(syslog_calendar_us(&kept, &stamp, arrived), s->utc, s->stamp);
  }
}
#define EXPECT_TIMES(read, scenarios)                                          \
  expect_times(read, scenarios, sizeof(scenarios) / sizeof((scenarios)[0]))

static void known_times_are_right(void **state) {
  (void)state;
  assert_int_equal(us_of("2023-11-23T07:01:04Z"), INT64_C(1700722864000000));
  assert_int_equal(us_of("1970-01-01T00:00:01Z"), 1000000);
  assert_int_equal(us_of("2024-02-29T23:59:59.5Z"), INT64_C(1709251199500000));
  assert_int_equal(us_of("2100-03-01T00:00:00Z"), INT64_C(4107542400000000));
}

static void a_stamp_is_read_to_its_end(void **state) {
  static const struct {
    read_fn *read;
    const char *text;
    size_t len;
  } cases[] = {
      {syslog_stamp_bsd, "Nov 23 07:01:04 host", 15},
      {syslog_stamp_bsd, "Nov  3 07:01:04 host", 15},
      {syslog_stamp_bsd, "Nov 03 07:01:04 host", 15},
      {syslog_stamp_bsd, "Nov 3 07:01:04 host", 14},
      {syslog_stamp_bsd, "Nov 23 07:01:04.123456 host", 22},
      {syslog_stamp_bsd, "Feb 29 07:01:60", 15},
      {syslog_stamp_rfc3339, "2026-11-23T07:01:04 host", 19},
      {syslog_stamp_rfc3339, "2026-11-23T07:01:04Z host", 20},
      {syslog_stamp_rfc3339, "2026-11-23t07:01:04z host", 20},
      {syslog_stamp_rfc3339, "2026-11-23 07:01:04 host", 19},
      {syslog_stamp_rfc3339, "2026-11-23 07:01:04.1Z host", 22},
      {syslog_stamp_rfc3339, "2026-11-23T07:01:04+01:00 host", 25},
      {syslog_stamp_rfc3339, "2026-11-23T07:01:04-0130 host", 24},
      {syslog_stamp_rfc3339, "2026-11-23T07:01:04.1 host", 21},
      {syslog_stamp_rfc3339, "2026-11-23T07:01:04.123456789+01:00", 35},
      {syslog_stamp_full, "Mon 2026-11-23 07:01:04 UTC host", 27},
      {syslog_stamp_full, "Mon 2026-11-23 07:01:04.123456 +03 host", 34},
      {syslog_stamp_unix, "1700722864.123456 host", 17},
      {syslog_stamp_monotonic, "[   12.345678] host", 14},
      {syslog_stamp_monotonic, "[12345.678901] host", 14},
  };
  struct syslog_stamp s;

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    size_t len = cases[i].read(cases[i].text, strlen(cases[i].text), &s);
    if (len != cases[i].len)
      fail_msg("'%s': %zu bytes, not %zu", cases[i].text, len, cases[i].len);
    /* It is the same at the end of what can be read, or, with nothing behind
     * its zone, none. */
    if (cases[i].read != syslog_stamp_full)
      assert_int_equal(cases[i].read(cases[i].text, len, &s), len);
    for (size_t cut = 0; cut < len; cut++)
      (void)cases[i].read(cases[i].text, cut, &s);
  }
}

static void what_is_no_stamp_is_none(void **state) {
  static const struct {
    read_fn *read;
    const char *text;
  } cases[] = {
      {syslog_stamp_bsd, ""},
      {syslog_stamp_bsd, "Nov"},
      {syslog_stamp_bsd, "nov 23 07:01:04"},
      {syslog_stamp_bsd, "Noi 23 07:01:04"},
      {syslog_stamp_bsd, "Nov 32 07:01:04"},
      {syslog_stamp_bsd, "Nov 31 07:01:04"},
      {syslog_stamp_bsd, "Feb 30 07:01:04"},
      {syslog_stamp_bsd, "Nov  0 07:01:04"},
      {syslog_stamp_bsd, "Nov 00 07:01:04"},
      {syslog_stamp_bsd, "Nov  a 07:01:04"},
      {syslog_stamp_bsd, "Nov 23 24:01:04"},
      {syslog_stamp_bsd, "Nov 23 07:60:04"},
      {syslog_stamp_bsd, "Nov 23 07:01:61"},
      {syslog_stamp_bsd, "Nov 23 7:01:04 "},
      {syslog_stamp_bsd, "Nov 23 07.01.04"},
      {syslog_stamp_bsd, "Nov 23  07:01:04"},
      {syslog_stamp_bsd, "Nov 23 07:01:04."},
      {syslog_stamp_bsd, "Nov 23 07:01:04.1234567"},
      {syslog_stamp_rfc3339, "2026-11-23_07:01:04Z"},
      {syslog_stamp_rfc3339, "2026-11-23  07:01:04Z"},
      {syslog_stamp_rfc3339, "2026-02-29T07:01:04Z"},
      {syslog_stamp_rfc3339, "2026-13-23T07:01:04Z"},
      {syslog_stamp_rfc3339, "2026-00-23T07:01:04Z"},
      {syslog_stamp_rfc3339, "0000-11-23T07:01:04Z"},
      {syslog_stamp_rfc3339, "2026-11-23T07:01:04.Z"},
      {syslog_stamp_rfc3339, "2026-11-23T07:01:04.1234567890Z"},
      {syslog_stamp_rfc3339, "2026-11-23T07:01"},
      {syslog_stamp_full, "Xxx 2026-11-23 07:01:04 UTC host"},
      {syslog_stamp_full, "on  2026-11-23 07:01:04 UTC host"},
      {syslog_stamp_full, "Mon 2026-11-23 07:01:04"},
      {syslog_stamp_full, "Mon 2026-11-23 07:01:04 UTC"},
      {syslog_stamp_full, "Mon 2026-11-23 07:01:04  host"},
      {syslog_stamp_unix, "1700722864"},
      {syslog_stamp_unix, "1700722864. host"},
      {syslog_stamp_unix, "123456789012.1 host"},
      {syslog_stamp_unix, ".1"},
      {syslog_stamp_monotonic, "12.345678] host"},
      {syslog_stamp_monotonic, "[12.345678 host"},
      {syslog_stamp_monotonic, "[ x] host"},
      {syslog_stamp_monotonic, "["},
  };
  struct syslog_stamp s;

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
    if (cases[i].read(cases[i].text, strlen(cases[i].text), &s) != 0)
      fail_msg("'%s' is a stamp", cases[i].text);
}

static void an_offset_is_reckoned_with(void **state) {
  static const struct scenario scenarios[] = {
      {"2026-11-23T07:01:04Z", NULL, "2026-11-23T07:01:04Z"},
      {"2026-11-23T07:01:04+00:00", NULL, "2026-11-23T07:01:04Z"},
      {"2026-11-23T07:01:04-00:00", NULL, "2026-11-23T07:01:04Z"},
      {"2026-11-23T00:01:04.25+01:30", NULL, "2026-11-22T22:31:04.25Z"},
      {"2026-12-31T23:01:04-0130", NULL, "2027-01-01T00:31:04Z"},
      {"2026-11-23T07:01:04.123456789Z", NULL, "2026-11-23T07:01:04.123456Z"},
      {"2016-12-31T23:59:60Z", NULL, "2017-01-01T00:00:00Z"},
      /* before the epoch */
      {"1969-12-31T23:59:59Z", NULL, NULL},
  };

  (void)state;
  set_zone(NEW_YORK); /* has no part in it */
  EXPECT_TIMES(syslog_stamp_rfc3339, scenarios);
}

static void what_has_no_zone_is_in_ours(void **state) {
  static const struct scenario scenarios[] = {
      {"2026-07-23T07:01:04", NULL, "2026-07-23T05:01:04Z"},
      {"2026-11-23T07:01:04.5", NULL, "2026-11-23T06:01:04.5Z"},
      {"2026-11-24T00:00:00", NULL, "2026-11-23T23:00:00Z"},
      {"2026-11-23T23:59:59", NULL, "2026-11-23T22:59:59Z"},
  };

  (void)state;
  set_zone(BERLIN);
  EXPECT_TIMES(syslog_stamp_rfc3339, scenarios);
}

static void the_days_on_which_clocks_are_set_are_right(void **state) {
  static const struct scenario scenarios[] = {
      {"2026-03-29T01:59:59", NULL, "2026-03-29T00:59:59Z"},
      {"2026-03-29T03:00:00", NULL, "2026-03-29T01:00:00Z"},
      {"2026-10-25T01:59:59", NULL, "2026-10-24T23:59:59Z"},
      /* Twice that night: the later one that is not after the arrival. */
      {"2026-10-25T02:30:00", "2026-10-25T00:30:05Z", "2026-10-25T00:30:00Z"},
      {"2026-10-25T02:30:00", "2026-10-25T01:30:05Z", "2026-10-25T01:30:00Z"},
      {"2026-10-25T02:30:00", "2026-10-25T01:29:30Z", "2026-10-25T01:30:00Z"},
      {"2026-10-25T02:30:00", "2026-11-25T00:00:00Z", "2026-10-25T01:30:00Z"},
      {"2026-10-25T03:00:00", NULL, "2026-10-25T02:00:00Z"},
  };

  (void)state;
  set_zone(BERLIN);
  EXPECT_TIMES(syslog_stamp_rfc3339, scenarios);
}

static void a_stamp_without_a_year_is_of_the_nearest_before(void **state) {
  static const struct scenario scenarios[] = {
      {"Nov 23 07:01:04", "2026-11-23T07:01:05Z", "2026-11-23T07:01:04Z"},
      {"Nov  3 07:01:04.5", "2026-11-23T07:01:05Z", "2026-11-03T07:01:04.5Z"},
      /* A file that was read a year later. */
      {"Nov 24 07:01:04", "2026-11-23T07:01:05Z", "2025-11-24T07:01:04Z"},
      {"Dec 31 23:59:59", "2027-01-01T00:00:01Z", "2026-12-31T23:59:59Z"},
      {"Jan  1 00:00:00", "2027-01-01T00:00:01Z", "2027-01-01T00:00:00Z"},
      /* A clock that is ahead. */
      {"Jan  1 00:00:00", "2026-12-31T23:59:30Z", "2027-01-01T00:00:00Z"},
      {"Jan  1 11:00:00", "2026-12-31T23:59:30Z", "2027-01-01T11:00:00Z"},
      {"Jan  1 13:00:00", "2026-12-31T23:59:30Z", "2026-01-01T13:00:00Z"},
      {"Nov 23 19:01:05", "2026-11-23T07:01:05Z", "2026-11-23T19:01:05Z"},
      {"Nov 23 19:01:06", "2026-11-23T07:01:05Z", "2025-11-23T19:01:06Z"},
  };

  (void)state;
  set_zone("UTC0");
  EXPECT_TIMES(syslog_stamp_bsd, scenarios);
}

static void a_leap_day_is_of_the_last_leap_year(void **state) {
  static const struct scenario scenarios[] = {
      {"Feb 29 07:01:04", "2028-02-29T07:01:05Z", "2028-02-29T07:01:04Z"},
      {"Feb 29 07:01:04", "2028-03-01T00:00:00Z", "2028-02-29T07:01:04Z"},
      {"Feb 29 07:01:04", "2027-03-01T00:00:00Z", "2024-02-29T07:01:04Z"},
      {"Feb 29 07:01:04", "2028-02-28T00:00:00Z", "2024-02-29T07:01:04Z"},
      {"Feb 28 07:01:04", "2028-02-28T07:01:04Z", "2028-02-28T07:01:04Z"},
      {"Mar  1 07:01:04", "2028-03-01T07:01:04Z", "2028-03-01T07:01:04Z"},
      /* 2100 is none: eight years. */
      {"Feb 29 07:01:04", "2103-03-01T00:00:00Z", "2096-02-29T07:01:04Z"},
  };

  (void)state;
  set_zone("UTC0");
  EXPECT_TIMES(syslog_stamp_bsd, scenarios);
}

static void the_year_is_that_of_our_zone(void **state) {
  static const struct scenario east[] = {
      {"Jan  1 08:59:59", "2026-12-31T23:59:59Z", "2026-12-31T23:59:59Z"},
      {"Dec 31 23:59:59", "2026-12-31T15:00:00Z", "2026-12-31T14:59:59Z"},
  };
  static const struct scenario west[] = {
      {"Dec 31 19:00:00", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
      {"Jan  1 00:00:00", "2027-01-01T05:00:00Z", "2027-01-01T05:00:00Z"},
      {"Jan  1 00:00:00", "2027-01-01T04:59:59Z", "2027-01-01T05:00:00Z"},
  };

  (void)state;
  set_zone("JST-9");
  EXPECT_TIMES(syslog_stamp_bsd, east);
  set_zone(NEW_YORK);
  EXPECT_TIMES(syslog_stamp_bsd, west);
}

static void zones_by_name_are_known_or_none(void **state) {
  static const struct scenario scenarios[] = {
      {"Mon 2026-11-23 07:01:04 UTC", NULL, "2026-11-23T07:01:04Z"},
      {"Mon 2026-11-23 07:01:04 GMT", NULL, "2026-11-23T07:01:04Z"},
      {"Mon 2026-11-23 07:01:04.25 CET", NULL, "2026-11-23T06:01:04.25Z"},
      {"Thu 2026-07-23 07:01:04 CEST", NULL, "2026-07-23T05:01:04Z"},
      {"Mon 2026-11-23 07:01:04 +03", NULL, "2026-11-23T04:01:04Z"},
      {"Mon 2026-11-23 07:01:04 -03", NULL, "2026-11-23T10:01:04Z"},
      {"Mon 2026-11-23 07:01:04 +0530", NULL, "2026-11-23T01:31:04Z"},
      /* China's, Cuba's or Chicago's */
      {"Mon 2026-11-23 07:01:04 CST", NULL, NULL},
  };
  char text[64];

  (void)state;
  set_zone(BERLIN);
  for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
    struct syslog_calendar calendar = {.year = 0};
    struct syslog_stamp s;

    (void)snprintf(text, sizeof(text), "%s host", scenarios[i].stamp);
    assert_int_equal(syslog_stamp_full(text, strlen(text), &s),
                     strlen(scenarios[i].stamp));
    expect_time(
        syslog_calendar_us(&calendar, &s, us_of("2026-11-25T12:00:00Z")),
        scenarios[i].utc, text);
  }
}

static void seconds_since_the_epoch_are_a_time(void **state) {
  static const struct scenario scenarios[] = {
      {"1700722864.123456", NULL, "2023-11-23T07:01:04.123456Z"},
      {"0.0", NULL, NULL},
      {"99999999999.999999", NULL, "5138-11-16T09:46:39.999999Z"},
  };
  static const struct scenario none[] = {{"[   12.345678]", NULL, NULL}};

  (void)state;
  set_zone(BERLIN);
  EXPECT_TIMES(syslog_stamp_unix, scenarios);
  EXPECT_TIMES(syslog_stamp_monotonic, none);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_times_are_right),
      cmocka_unit_test(a_stamp_is_read_to_its_end),
      cmocka_unit_test(what_is_no_stamp_is_none),
      cmocka_unit_test(an_offset_is_reckoned_with),
      cmocka_unit_test(what_has_no_zone_is_in_ours),
      cmocka_unit_test(the_days_on_which_clocks_are_set_are_right),
      cmocka_unit_test(a_stamp_without_a_year_is_of_the_nearest_before),
      cmocka_unit_test(a_leap_day_is_of_the_last_leap_year),
      cmocka_unit_test(the_year_is_that_of_our_zone),
      cmocka_unit_test(zones_by_name_are_known_or_none),
      cmocka_unit_test(seconds_since_the_epoch_are_a_time),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
