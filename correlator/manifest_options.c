#include "correlator/manifest_options.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  HOUR_S = 3600,
  DAY_S = 24 * HOUR_S,
  YEARS_MAX_S = 100, /* times a year */
};

/* Does an identity have this byte as a %XX code? */
static bool is_encoded(unsigned char c) {
  return c <= ' ' || c > 0x7E || c == ':' || c == '%' || c == '"';
}

/* The length of the bracket expression that `glob` begins with, 0 if it is
 * none that can be taken: "[]a]" and "[!]a]" have their first ']' as a member.
 */
static size_t bracket_len(const char *glob) {
  size_t i = 1;

  if (glob[i] == '!' || glob[i] == '^')
    i++;
  if (glob[i] == ']')
    i++;
  for (; glob[i] != '\0' && glob[i] != ']'; i++)
    if (is_encoded((unsigned char)glob[i]) || glob[i] == '\\' ||
        glob[i] == '/' || glob[i] == '[')
      return 0;
  return glob[i] == ']' ? i + 1 : 0;
}

int manifest_glob(const char *raw,
                  char ret_glob[static MANIFEST_GLOB_MAX + 1]) {
  enum { CODE_LEN = 3 };
  char glob[MANIFEST_GLOB_MAX + 1];
  size_t out = 0, n;

  if (raw[0] != '/')
    return -EINVAL;
  for (const char *in = raw; *in != '\0'; in += n) {
    char code[CODE_LEN + 1];
    const char *text = in;
    size_t len;

    n = len = 1;
    if (*in == '[') {
      n = len = bracket_len(in);
    } else if (*in == '\\') {
      n = len =
          in[1] != '\0' && in[1] != '\\' && !is_encoded((unsigned char)in[1])
              ? 2
              : 0;
    } else if (is_encoded((unsigned char)*in)) {
      (void)snprintf(code, sizeof(code), "%%%02X", (unsigned char)*in);
      text = code;
      len = CODE_LEN;
    }
    if (len == 0 || out + len > MANIFEST_GLOB_MAX)
      return -EINVAL;
    memcpy(glob + out, text, len);
    out += len;
  }
  glob[out] = '\0';
  memcpy(ret_glob, glob, out + 1);
  return 0;
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
