#include "correlator/syslog_stamp.h"

#include <string.h>
#include <time.h>

enum {
  US = 1000000,
  DAY_S = 24 * 60 * 60,
  /* A clock may be ahead of ours; half a day also covers a zone that is. */
  FUTURE_S = DAY_S / 2,
  /* 29 February comes again after 8 years at the most (1896, 1904). */
  YEARS_BACK = 8,
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* A number of exactly `digits` digits, or -1. */
static int number(const char *at, int digits) {
  int value = 0;

  for (int i = 0; i < digits; i++) {
    if (!is_digit(at[i]))
      return -1;
    value = value * 10 + (at[i] - '0');
  }
  return value;
}

static bool is_leap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_of(int year, int month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

  return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* Days since the epoch. March is the first month, so that a leap day is the
 * last of its year. */
static int64_t days_since_epoch(int year, int month, int day) {
  int64_t y = month <= 2 ? year - 1 : year;
  int64_t day_of_year =
      (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

  return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

/* "07:01:04" */
static bool clock_time(const char *at, struct syslog_stamp *s) {
  s->hour = number(at, 2);
  s->minute = number(at + 3, 2);
  s->second = number(at + 6, 2);
  return s->hour >= 0 && s->hour <= 23 && at[2] == ':' && s->minute >= 0 &&
         s->minute <= 59 && at[5] == ':' && s->second >= 0 && s->second <= 60;
}

/* ".123456" of at most `most` digits, or nothing. Gives its bytes; false: a
 * point without digits, or too many. */
static bool fraction(const char *at, size_t len, size_t most,
                     struct syslog_stamp *s, size_t *ret_len) {
  size_t i = 1;

  *ret_len = 0;
  if (len == 0 || at[0] != '.')
    return true;
  for (int unit = US / 10; i < len && i <= most && is_digit(at[i]); i++) {
    s->microsecond += (at[i] - '0') * unit;
    unit /= 10;
  }
  *ret_len = i;
  return i > 1 && (i == len || !is_digit(at[i]));
}

#define MONTH(a, b, c)                                                         \
  ((uint32_t)(a) << 16 | (uint32_t)(b) << 8 | (uint32_t)(c))

static int month_of(const char *at) {
  static const uint32_t names[] = {
      MONTH('J', 'a', 'n'), MONTH('F', 'e', 'b'), MONTH('M', 'a', 'r'),
      MONTH('A', 'p', 'r'), MONTH('M', 'a', 'y'), MONTH('J', 'u', 'n'),
      MONTH('J', 'u', 'l'), MONTH('A', 'u', 'g'), MONTH('S', 'e', 'p'),
      MONTH('O', 'c', 't'), MONTH('N', 'o', 'v'), MONTH('D', 'e', 'c'),
  };
  const unsigned char *c = (const unsigned char *)at;
  uint32_t name = MONTH(c[0], c[1], c[2]);

  for (int i = 0; i < 12; i++)
    if (names[i] == name)
      return i + 1;
  return 0;
}

size_t syslog_stamp_bsd(const char *at, size_t len, struct syslog_stamp *ret) {
  enum { MONTH = 4, CLOCK = 8 };
  struct syslog_stamp s = {.year = 0};
  size_t i = MONTH, fraction_len;

  /* A day of one digit may have lost the blank before it. */
  if (len < MONTH + 2 + CLOCK || at[3] != ' ')
    return 0;
  s.month = month_of(at);
  if (is_digit(at[i]) && at[i + 1] == ' ')
    s.day = at[i] - '0';
  else if (at[i] == ' ' || is_digit(at[i]))
    s.day = number(&at[i + 1], 1) + (at[i] == ' ' ? 0 : (at[i] - '0') * 10);
  i += is_digit(at[i]) && at[i + 1] == ' ' ? 2 : 3;
  if (s.month == 0 || s.day < 1 || s.day > days_of(2000, s.month) ||
      len < i + CLOCK || at[i - 1] != ' ' || !clock_time(&at[i], &s))
    return 0;
  i += CLOCK;
  if (!fraction(&at[i], len - i, 6, &s, &fraction_len))
    return 0;
  *ret = s;
  return i + fraction_len;
}

/* "2026-11-23" */
static bool date(const char *at, struct syslog_stamp *s) {
  s->year = number(at, 4);
  s->month = number(at + 5, 2);
  s->day = number(at + 8, 2);
  return s->year > 0 && at[4] == '-' && s->month >= 1 && s->month <= 12 &&
         at[7] == '-' && s->day >= 1 && s->day <= days_of(s->year, s->month);
}

/* "+01:00" or "+0100". Gives its bytes, 0 if it is none. */
static size_t offset(const char *at, size_t len, struct syslog_stamp *s) {
  if (len < 5 || (at[0] != '+' && at[0] != '-'))
    return 0;
  bool colon = at[3] == ':';
  if (colon && len < 6)
    return 0;
  int hours = number(at + 1, 2);
  int minutes = number(at + (colon ? 4 : 3), 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
    return 0;
  s->zoned = true;
  s->offset_s = (hours * 60 + minutes) * 60 * (at[0] == '-' ? -1 : 1);
  return colon ? 6 : 5;
}

size_t syslog_stamp_rfc3339(const char *at, size_t len,
                            struct syslog_stamp *ret) {
  enum { CLOCK = 11, END = 19 };
  struct syslog_stamp s = {.year = 0};
  char between = len < END ? '\0' : at[CLOCK - 1];
  size_t i = END, fraction_len;

  /* A blank in the T's place is RFC 3339's too. */
  if ((between != 'T' && between != 't' && between != ' ') || !date(at, &s) ||
      !clock_time(at + CLOCK, &s) ||
      !fraction(at + i, len - i, 9, &s, &fraction_len))
    return 0;
  i += fraction_len;
  if (i < len && (at[i] == 'Z' || at[i] == 'z')) {
    s.zoned = true;
    i++;
  } else {
    i += offset(at + i, len - i, &s);
  }
  *ret = s;
  return i;
}

/* "UTC", "+03" or "CET" if that is one of this machine's names. */
static void zone(const char *at, size_t len, struct syslog_stamp *s) {
  if (len == 3 && (memcmp(at, "UTC", 3) == 0 || memcmp(at, "GMT", 3) == 0)) {
    s->zoned = true;
  } else if (len == 3 && (at[0] == '+' || at[0] == '-') &&
             number(at + 1, 2) >= 0) {
    s->zoned = true;
    s->offset_s = number(at + 1, 2) * 60 * 60 * (at[0] == '-' ? -1 : 1);
  } else if (offset(at, len, s) != len) {
    tzset();
    for (int i = 0; i < 2; i++)
      if (strlen(tzname[i]) == len && memcmp(tzname[i], at, len) == 0)
        return;
    s->month = 0;
  }
}

size_t syslog_stamp_full(const char *at, size_t len, struct syslog_stamp *ret) {
  enum { DATE = 4, CLOCK = 15, END = 23 };
  static const char days[] = "Mon Tue Wed Thu Fri Sat Sun ";
  struct syslog_stamp s = {.year = 0};
  size_t i = END, fraction_len;

  if (len < END || memmem(days, sizeof(days) - 1, at, DATE) == NULL ||
      at[3] != ' ' || at[CLOCK - 1] != ' ' || !date(at + DATE, &s) ||
      !clock_time(at + CLOCK, &s) ||
      !fraction(at + i, len - i, 6, &s, &fraction_len))
    return 0;
  i += fraction_len;
  if (i == len || at[i] != ' ')
    return 0;
  i++;
  const char *end = memchr(at + i, ' ', len - i);
  if (end == NULL || end == at + i)
    return 0;
  zone(at + i, (size_t)(end - (at + i)), &s);
  *ret = s;
  return (size_t)(end - at);
}

/* "1700727664.123456". Gives its bytes; 0: it is none. */
static size_t seconds(const char *at, size_t len, int64_t *ret_seconds,
                      struct syslog_stamp *s) {
  enum { DIGITS_MAX = 11 };
  size_t i = 0, fraction_len;

  *ret_seconds = 0;
  for (; i < len && i <= DIGITS_MAX && is_digit(at[i]); i++)
    *ret_seconds = *ret_seconds * 10 + (at[i] - '0');
  if (i == 0 || i > DIGITS_MAX || i == len || at[i] != '.' ||
      !fraction(at + i, len - i, 6, s, &fraction_len))
    return 0;
  return i + fraction_len;
}

size_t syslog_stamp_unix(const char *at, size_t len, struct syslog_stamp *ret) {
  struct syslog_stamp s = {.zoned = true};
  int64_t since_epoch;
  struct tm tm;
  size_t taken = seconds(at, len, &since_epoch, &s);
  time_t t = (time_t)since_epoch;

  if (taken == 0 || gmtime_r(&t, &tm) == NULL || tm.tm_year > 9999 - 1900)
    return 0;
  s.year = tm.tm_year + 1900;
  s.month = tm.tm_mon + 1;
  s.day = tm.tm_mday;
  s.hour = tm.tm_hour;
  s.minute = tm.tm_min;
  s.second = tm.tm_sec;
  *ret = s;
  return taken;
}

size_t syslog_stamp_monotonic(const char *at, size_t len,
                              struct syslog_stamp *ret) {
  struct syslog_stamp s = {.month = 0};
  int64_t since_boot;
  size_t i = 1;

  if (len == 0 || at[0] != '[')
    return 0;
  while (i < len && at[i] == ' ')
    i++;
  size_t taken = seconds(at + i, len - i, &since_boot, &s);
  i += taken;
  if (taken == 0 || i == len || at[i] != ']')
    return 0;
  *ret = s;
  return i + 1;
}

/* mktime(3), if that is a time of the local clock with that idea of summer
 * time; -1 if it is not. */
static int64_t local_time(const struct syslog_stamp *s, int summer) {
  struct tm tm = {.tm_year = s->year - 1900,
                  .tm_mon = s->month - 1,
                  .tm_mday = s->day,
                  .tm_hour = s->hour,
                  .tm_min = s->minute,
                  .tm_sec = s->second,
                  .tm_isdst = summer};
  int64_t t = mktime(&tm);

  return summer < 0 || (tm.tm_hour == s->hour && tm.tm_min == s->minute) ? t
                                                                         : -1;
}

/* Of a day on which the clock is set. */
static int64_t uneven_time(const struct syslog_stamp *s, int64_t arrived) {
  enum { AHEAD_S = 60 };
  int64_t winter = local_time(s, 0), summer = local_time(s, 1);

  if (winter < 0 && summer < 0)
    return local_time(s, -1);
  if (winter < 0 || summer < 0)
    return winter < 0 ? summer : winter;
  int64_t later = winter > summer ? winter : summer;
  return later <= arrived + AHEAD_S ? later
                                    : (winter > summer ? summer : winter);
}

static void find_day(struct syslog_day *day, const struct syslog_stamp *s) {
  struct syslog_stamp first = {
      .year = s->year, .month = s->month, .day = s->day};

  day->year = s->year;
  day->month = s->month;
  day->day = s->day;
  day->start = local_time(&first, -1);
  first.day++; /* mktime knows what follows the last of a month */
  day->even = local_time(&first, -1) - day->start == DAY_S;
}

static int64_t seconds_of(struct syslog_calendar *c,
                          const struct syslog_stamp *s, int64_t arrived) {
  int64_t of_day = (int64_t)(s->hour * 60 + s->minute) * 60 + s->second;

  if (s->zoned)
    return days_since_epoch(s->year, s->month, s->day) * DAY_S + of_day -
           s->offset_s;
  if (c->day.year != s->year || c->day.month != s->month ||
      c->day.day != s->day)
    find_day(&c->day, s);
  return c->day.even ? c->day.start + of_day : uneven_time(s, arrived);
}

/* The local year of the last time that a stamp can tell. */
static int last_year(struct syslog_calendar *c, int64_t arrived) {
  struct tm tm;
  time_t t = (time_t)arrived + FUTURE_S;

  if (c->year == 0 || c->now != arrived) {
    if (localtime_r(&t, &tm) == NULL)
      return 0;
    c->now = arrived;
    c->year = tm.tm_year + 1900;
  }
  return c->year;
}

/* The seconds of a stamp without a year; 0: no year fits. */
static int64_t seconds_of_yearless(struct syslog_calendar *c,
                                   struct syslog_stamp *s, int64_t arrived) {
  int last = last_year(c, arrived);

  for (s->year = last; s->year > last - 1 - YEARS_BACK; s->year--) {
    /* What is after the arrival in every zone needs no closer look, and does
     * not drive the day out of the memory. */
    if (s->day > days_of(s->year, s->month) ||
        (days_since_epoch(s->year, s->month, s->day) - 1) * DAY_S >
            arrived + FUTURE_S)
      continue;
    int64_t t = seconds_of(c, s, arrived);
    if (t <= arrived + FUTURE_S)
      return t;
  }
  return 0;
}

int64_t syslog_calendar_us(struct syslog_calendar *c,
                           const struct syslog_stamp *stamp,
                           int64_t arrived_us) {
  struct syslog_stamp s = *stamp;
  int64_t arrived = arrived_us / US;

  if (s.month == 0)
    return 0;
  int64_t t = s.year != 0 ? seconds_of(c, &s, arrived)
                          : seconds_of_yearless(c, &s, arrived);
  return t <= 0 ? 0 : t * US + s.microsecond;
}
