/* Time stamps of log lines: as they are written, and what time that is. */
#ifndef PDNA_SYSLOG_STAMP_H
#define PDNA_SYSLOG_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct syslog_stamp {
  int year;                 /* 0: the stamp has none */
  int month, day;           /* 1 to 12, 1 to 31; month 0: no stamp */
  int hour, minute, second; /* second 60 is a leap second's */
  int microsecond;
  bool zoned;   /* offset_s was told */
  int offset_s; /* east of UTC */
};

/* Each reads a stamp from the first byte on and gives how many bytes it has, 0
 * if there is none; *ret is set only then. What follows is not looked at. */

/* "Nov  3 07:01:04", also with one blank before a day of one digit, or a zero,
 * and with a fraction of 1 to 6 digits. */
size_t syslog_stamp_bsd(const char *at, size_t len, struct syslog_stamp *ret);

/* "2026-11-23T07:01:04", with a fraction of 1 to 9 digits or none, and with Z,
 * +01:00, +0100 or no zone. */
size_t syslog_stamp_rfc3339(const char *at, size_t len,
                            struct syslog_stamp *ret);

/* "Mon 2026-11-23 07:01:04 UTC", with a fraction or none (journalctl -o
 * short-full). A zone that is neither UTC nor this machine's nor a number of
 * hours could be anything: the stamp's month is 0 then. */
size_t syslog_stamp_full(const char *at, size_t len, struct syslog_stamp *ret);

/* "1700727664.123456", seconds since the epoch (journalctl -o short-unix). */
size_t syslog_stamp_unix(const char *at, size_t len, struct syslog_stamp *ret);

/* "[   12.345678]", seconds since the boot (journalctl -o short-monotonic): no
 * stamp, *ret's month is 0. */
size_t syslog_stamp_monotonic(const char *at, size_t len,
                              struct syslog_stamp *ret);

/* What reckoning remembers of the last day. Zeroed: nothing. */
struct syslog_calendar {
  struct syslog_day {
    int year, month, day;
    bool even;     /* 24 hours of one offset */
    int64_t start; /* seconds since the epoch, if even */
  } day;
  int64_t now; /* the arrival that `year` is of */
  int year;
};

/* Microseconds since the epoch; 0: there is no stamp, or one from
 * before the epoch. A stamp
 * without a zone is in this machine's, and where its clock shows that time
 * twice, it is the later one that is not after the arrival. One without a
 * year is of the year that puts it last before the arrival, or at most half a
 * day after it. */
int64_t syslog_calendar_us(struct syslog_calendar *c,
                           const struct syslog_stamp *stamp,
                           int64_t arrived_us);

#endif
