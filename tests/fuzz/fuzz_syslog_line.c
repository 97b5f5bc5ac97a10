/* Goal: no line makes the readers of headers and stamps read beyond it, and
 * what a header tells is a part of the line, in its order. */
#include "correlator/syslog_line.h"
#include "tests/fuzz/fuzz.h"

static void check_stamp(const struct syslog_stamp *stamp) {
  /* 26 November 2026. */
  static const int64_t arrived_us = 1795651200000000;
  static struct syslog_calendar kept;
  struct syslog_calendar fresh = {.year = 0};

  int64_t us = syslog_calendar_us(&kept, stamp, arrived_us);
  CHECK(us == syslog_calendar_us(&fresh, stamp, arrived_us));
  CHECK(us >= 0);
  CHECK(stamp->month != 0 || us == 0);
  if (stamp->month != 0 && stamp->year == 0)
    CHECK(us > 0 && us < arrived_us + INT64_C(43201) * 1000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const struct auth_text all = {(const char *)data, size};
  struct syslog_line line;
  unsigned times;

  if (!syslog_line_parse(all.at, all.len, &line))
    return 0;
  CHECK(is_in(line.host, all) && is_in(line.program, all) &&
        is_in(line.message, all));
  CHECK(syslog_line_is_host(line.host));
  if (line.host.len > 0 && line.program.len > 0)
    CHECK(line.host.at < line.program.at);
  if (line.program.len > 0 && line.message.len > 0)
    CHECK(line.program.at + line.program.len < line.message.at);
  check_stamp(&line.stamp);
  if (syslog_line_repeats(&line, &times))
    CHECK(times > 0);
  return 0;
}
