#include "correlator/manifest_options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/text.h"
#include "lib/record/pathname.h"

enum {
  HOUR_S = 3600,
  DAY_S = 24 * HOUR_S,
  YEARS_MAX_S = 100, /* times a year */
};

int manifest_glob_check(const char *glob) {
  char *printable, *merged;
  size_t len = strlen(glob), backslashes = 0;
  bool same, too_long;

  if (glob[0] != '/')
    return -EINVAL;
  if (pathname_merge_usr(glob, &merged) < 0)
    return -ENOMEM;
  too_long = strlen(merged) > MANIFEST_GLOB_MAX;
  free(merged);
  if (too_long)
    return -EINVAL;
  while (glob[len - 1 - backslashes] == '\\')
    backslashes++;
  if (backslashes % 2 == 1)
    return -EINVAL; /* nothing stands behind it: matches nothing */
  printable = text_printable(glob);
  if (printable == NULL)
    return -ENOMEM;
  same = strcmp(printable, glob) == 0;
  free(printable);
  return same ? 0 : -EINVAL;
}

/* "2026-12-31": the moment after that day. */
static int read_date(const char *text, time_t *ret_s) {
  struct tm tm = {0};
  const char *end = strptime(text, "%Y-%m-%d", &tm);
  int year = tm.tm_year, month = tm.tm_mon, day = tm.tm_mday;
  time_t s;

  if (end == NULL || *end != '\0' || strlen(text) != strlen("2026-12-31"))
    return -EINVAL;
  s = timegm(&tm);
  if (tm.tm_year != year || tm.tm_mon != month || tm.tm_mday != day)
    return -EINVAL; /* the 30th of February */
  *ret_s = s + DAY_S;
  return 0;
}

/* "90d" */
static int read_duration(const char *text, time_t now_s, time_t *ret_s) {
  static const struct {
    char letter;
    int seconds;
  } units[] = {{'h', HOUR_S}, {'d', DAY_S}, {'w', 7 * DAY_S}};
  char *end;
  unsigned long n;

  if (*text < '0' || *text > '9')
    return -EINVAL;
  errno = 0;
  n = strtoul(text, &end, 10);
  for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
    if (end[0] != units[i].letter || end[1] != '\0')
      continue;
    if (errno != 0 || n > (unsigned long)YEARS_MAX_S * 366 * 24)
      return -ERANGE;
    *ret_s = now_s + (time_t)n * units[i].seconds;
    return 0;
  }
  return -EINVAL;
}

int manifest_expires(const char *text, time_t now_s,
                     char ret_expires[static MANIFEST_EXPIRES_MAX]) {
  struct tm tm;
  time_t s;
  int error = read_date(text, &s);

  if (error < 0)
    error = read_duration(text, now_s, &s);
  if (error < 0)
    return error;
  if (s <= now_s || s - now_s > (time_t)YEARS_MAX_S * 366 * DAY_S ||
      gmtime_r(&s, &tm) == NULL)
    return -ERANGE;
  (void)strftime(ret_expires, MANIFEST_EXPIRES_MAX, "%Y-%m-%d %H:%M:%S+00",
                 &tm);
  return 0;
}
