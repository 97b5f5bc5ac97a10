/* Headers: each form is read from the first byte on, its first tag is the only
 * one, and what has none is no line. */
#include <stdlib.h>
#include <string.h>

#include "correlator/syslog_line.h"
#include "tests/unit/auth_texts.h"

#define MESSAGE "Accepted password for root from 192.0.2.1 port 22 ssh2"
#define BOM "\xef\xbb\xbf"

struct expected {
  const char *line;
  const char *host, *program, *message; /* host NULL: none */
  uint32_t pid;
  int year; /* of the stamp; 0: none */
  bool no_stamp;
};

static bool parse(const char *line, size_t len, struct syslog_line *ret) {
  /* A copy of its own size, so that a sanitizer sees what reads on. */
  static char *copy;

  free(copy);
  copy = malloc(len + (len == 0));
  assert_non_null(copy);
  memcpy(copy, line, len);
  return syslog_line_parse(copy, len, ret);
}

static void assert_part(const char *line, struct auth_text text,
                        const char *expected) {
  if (!text_is(text, expected))
    fail_msg("'%s': '%.*s' is not '%s'", line, (int)text.len,
             text.len > 0 ? text.at : "", expected != NULL ? expected : "");
}

static void expect_all(const struct expected *all, size_t len) {
  struct syslog_line line;

  for (const struct expected *e = all; e < all + len; e++) {
    if (!parse(e->line, strlen(e->line), &line))
      fail_msg("'%s' has no header", e->line);
    assert_part(e->line, line.host, e->host);
    assert_part(e->line, line.program, e->program);
    assert_part(e->line, line.message, e->message);
    if (line.pid != e->pid || (line.stamp.month == 0) != e->no_stamp ||
        (!e->no_stamp && line.stamp.year != e->year))
      fail_msg("'%s': pid %u, month %d, year %d", e->line, line.pid,
               line.stamp.month, line.stamp.year);
  }
}
#define EXPECT_ALL(all) expect_all(all, sizeof(all) / sizeof((all)[0]))

static void rfc_3164_is_read(void **state) {
  static const struct expected all[] = {
      {"Nov 23 07:01:04 web-1 sshd[21595]: " MESSAGE, "web-1", "sshd", MESSAGE,
       21595, 0, false},
      {"<38>Nov 23 07:01:04 web-1 sshd[21595]: " MESSAGE, "web-1", "sshd",
       MESSAGE, 21595, 0, false},
      /* as a host's own socket has them */
      {"<38>Nov 23 07:01:04 sshd-session[4294967295]: " MESSAGE, NULL,
       "sshd-session", MESSAGE, UINT32_MAX, 0, false},
      {"Nov 23 07:01:04 sshd: " MESSAGE, NULL, "sshd", MESSAGE, 0, 0, false},
      {"Nov  3 07:01:04 web-1.example.com sshd[1]: x", "web-1.example.com",
       "sshd", "x", 1, 0, false},
      {"Nov 3 07:01:04 web_1 sshd[1]: x", "web_1", "sshd", "x", 1, 0, false},
      {"<0>Nov 3 07:01:04 192.0.2.7 sshd[1]: x", "192.0.2.7", "sshd", "x", 1, 0,
       false},
      {"<191>Nov 3 07:01:04 2001:db8::7 sshd[1]: x", "2001:db8::7", "sshd", "x",
       1, 0, false},
      {"Nov 3 07:01:04 fe80::1%eth0 sshd[1]: x", "fe80::1%eth0", "sshd", "x", 1,
       0, false},
      {"Nov 3 07:01:04 2001:db8:: sshd[1]: x", "2001:db8::", "sshd", "x", 1, 0,
       false},
      /* BusyBox's files */
      {"Nov 23 07:01:04 web-1 auth.info sshd[1]: x", "web-1", "sshd", "x", 1, 0,
       false},
      {"Nov 23 07:01:04 web-1 authpriv.err sshd-session[1]: x", "web-1",
       "sshd-session", "x", 1, 0, false},
      {"Nov 23 07:01:04 auth.info local0.warn su: sshd[1]: x", "auth.info",
       "su", "sshd[1]: x", 0, 0, false},
      /* a relay that was given no stamp */
      {"<38>sshd[1]: x", NULL, "sshd", "x", 1, 0, true},
      {"<38>web-1 sshd[1]: x", "web-1", "sshd", "x", 1, 0, true},
      /* what the message has is the message's */
      {"Nov 23 07:01:04 web-1 CRON[7]: sshd[1]: " MESSAGE, "web-1", "CRON",
       "sshd[1]: " MESSAGE, 7, 0, false},
      {"Nov 23 07:01:04 CRON[7]: sshd[1]: " MESSAGE, NULL, "CRON",
       "sshd[1]: " MESSAGE, 7, 0, false},
      {"Nov 23 07:01:04 su: sshd[1]: x", NULL, "su", "sshd[1]: x", 0, 0, false},
      {"Nov 23 07:01:04 web-1 sshd[1]: ", "web-1", "sshd", "", 1, 0, false},
      {"Nov 23 07:01:04 web-1 sshd[1]:  two", "web-1", "sshd", " two", 1, 0,
       false},
      {"Nov 23 07:01:04 web-1 postfix/smtpd[1]: x", "web-1", "postfix/smtpd",
       "x", 1, 0, false},
      {"Nov 23 07:01:04 web-1 sshd(pam_unix)[1]: x", "web-1", "sshd(pam_unix)",
       "x", 1, 0, false},
  };

  (void)state;
  EXPECT_ALL(all);
}

static void other_stamps_are_read(void **state) {
  static const struct expected all[] = {
      /* rsyslog's files */
      {"2026-11-23T07:01:04.123456+01:00 web-1 sshd[1]: x", "web-1", "sshd",
       "x", 1, 2026, false},
      {"2026-11-23T07:01:04Z web-1 sshd[1]: x", "web-1", "sshd", "x", 1, 2026,
       false},
      {"2026-11-23T07:01:04 web-1 sshd[1]: x", "web-1", "sshd", "x", 1, 2026,
       false},
      {"2026-11-23 07:01:04.123456+01:00 web-1 sshd[1]: x", "web-1", "sshd",
       "x", 1, 2026, false},
      {"<38>2026-11-23T07:01:04.123456+01:00 web-1 sshd[1]: x", "web-1", "sshd",
       "x", 1, 2026, false},
      /* journalctl -o short-precise, -iso, -iso-precise, -full, -unix and
       * -monotonic */
      {"Nov 23 07:01:04.123456 web-1 sshd[1]: x", "web-1", "sshd", "x", 1, 0,
       false},
      {"2026-11-23T07:01:04+0100 web-1 sshd[1]: x", "web-1", "sshd", "x", 1,
       2026, false},
      {"2026-11-23T07:01:04.123456+0100 web-1 sshd[1]: x", "web-1", "sshd", "x",
       1, 2026, false},
      {"Mon 2026-11-23 07:01:04 UTC web-1 sshd[1]: x", "web-1", "sshd", "x", 1,
       2026, false},
      {"1795417264.123456 web-1 sshd[1]: x", "web-1", "sshd", "x", 1, 2026,
       false},
      {"[   12.345678] web-1 sshd[1]: x", "web-1", "sshd", "x", 1, 0, true},
  };

  (void)state;
  EXPECT_ALL(all);
}

static void rfc_5424_is_read(void **state) {
#define STAMP "2026-11-23T07:01:04.123456+01:00"
  static const struct expected all[] = {
      {"<38>1 " STAMP " web-1 sshd 21595 - - " MESSAGE, "web-1", "sshd",
       MESSAGE, 21595, 2026, false},
      {"<38>1 - - - - - -", NULL, NULL, "", 0, 0, true},
      {"<38>1 - - sshd - - - x", NULL, "sshd", "x", 0, 0, true},
      {"<38>1 " STAMP " web-1 sshd 1 ID47 - " BOM "x", "web-1", "sshd", "x", 1,
       2026, false},
      /* what rsyslog makes of a message of RFC 3164 */
      {"<38>1 " STAMP " web-1 sshd 1 - -  x", "web-1", "sshd", "x", 1, 2026,
       false},
      {"<38>1 " STAMP " web-1 sshd worker-1 - - x", "web-1", "sshd", "x", 0,
       2026, false},
      {"<38>1 " STAMP " web-1 sshd 1 - [a@1 b=\"c\"] x", "web-1", "sshd", "x",
       1, 2026, false},
      {"<38>1 " STAMP " web-1 sshd 1 - [a@1 b=\"c\" d=\"e\"][f@2] x", "web-1",
       "sshd", "x", 1, 2026, false},
      {"<38>1 " STAMP " web-1 sshd 1 - [a@1 b=\"\\\"] y [\\\\\\]\"] x", "web-1",
       "sshd", "x", 1, 2026, false},
      {"<38>1 " STAMP " web-1 sshd 1 - [a@1 b=\"] sshd 2 - - y\"]", "web-1",
       "sshd", "", 1, 2026, false},
      {"<38>1 " STAMP " 2001:db8::7 su 1 - - sshd[1]: x", "2001:db8::7", "su",
       "sshd[1]: x", 1, 2026, false},
  };

  (void)state;
  EXPECT_ALL(all);
}

static void what_has_no_header_is_no_line(void **state) {
  static const char *const lines[] = {
      "",
      " ",
      "\n",
      "sshd[1]: " MESSAGE,
      MESSAGE,
      "web-1 sshd[1]: " MESSAGE,
      " Nov 23 07:01:04 web-1 sshd[1]: " MESSAGE,
      "x Nov 23 07:01:04 web-1 sshd[1]: " MESSAGE,
      "Nov 23 07:01:04",
      "Nov 23 07:01:04 ",
      "Nov 23 07:01:04 web-1",
      "Nov 23 07:01:04 web-1 ",
      "Nov 23 07:01:04 web-1 sshd",
      "Nov 23 07:01:04 web-1 sshd[1]",
      "Nov 23 07:01:04 web-1 sshd[1]:",
      "Nov 23 07:01:04 web-1 sshd[1] x",
      "Nov 23 07:01:04 web-1 sshd[1: x",
      "Nov 23 07:01:04 web-1 sshd[]: x",
      "Nov 23 07:01:04 web-1 sshd[x]: x",
      "Nov 23 07:01:04 web-1 sshd[4294967296]: x",
      "Nov 23 07:01:04 web-1 sshd[-1]: x",
      "Nov 23 07:01:04 web-1 : x",
      "Nov 23 07:01:04 web-1 [1]: x",
      "Nov 23 07:01:04 web-1  sshd[1]: x",
      "Nov 23 07:01:04  web-1 sshd[1]: x",
      "Nov 23 07:01:04\tweb-1 sshd[1]: x",
      "Nov 23 07:01:04web-1 sshd[1]: x",
      /* A word that is neither a name nor a tag. */
      "Nov 23 07:01:04 we'b sshd[1]: x",
      "Nov 23 07:01:04 [x] sshd[1]: x",
      "Nov 23 07:01:04 web-1 auth.info",
      "Nov 23 07:01:04 web-1 auth.info sshd[1]",
      "Nov 23 07:01:04 web-1 auth.info auth.info sshd[1]: x",
      "Nov 23 07:01:04 web-1 auth. sshd[1]: x",
      "Nov 23 07:01:04 web-1 .info sshd[1]: x",
      "Nov 23 07:01:04 web-1 auth.infos sshd[1]: x",
      "Nov 23 07:01:04 web-1 hello.info sshd[1]: x",
      "<>Nov 23 07:01:04 web-1 sshd[1]: x",
      "<192>Nov 23 07:01:04 web-1 sshd[1]: x",
      "<0038>Nov 23 07:01:04 web-1 sshd[1]: x",
      "<-1>Nov 23 07:01:04 web-1 sshd[1]: x",
      "<38Nov 23 07:01:04 web-1 sshd[1]: x",
      "<38",
      "<38>",
      "<38> Nov 23 07:01:04 web-1 sshd[1]: x",
      "1 " STAMP " web-1 sshd 1 - - x",
      "<38>1",
      "<38>1 ",
      "<38>2 " STAMP " web-1 sshd 1 - - x",
      "<38>1 yesterday web-1 sshd 1 - - x",
      "<38>1 " STAMP "x web-1 sshd 1 - - x",
      "<38>1 " STAMP " we'b sshd 1 - - x",
      "<38>1 " STAMP " web-1 sshd 1 -",
      "<38>1 " STAMP " web-1 sshd 1 - ",
      "<38>1 " STAMP " web-1 sshd 1 - x",
      "<38>1 " STAMP " web-1 sshd 1 - -x",
      "<38>1 " STAMP " web-1 sshd 1 - [a",
      "<38>1 " STAMP " web-1 sshd 1 - [a b=\"c] x",
      "<38>1 " STAMP " web-1 sshd 1 - [a b=\"\\",
      "<38>1 " STAMP " web-1 sshd 1 - [a]x",
      "### CASE accepted",
      "-- Boot 0123456789abcdef0123456789abcdef --",
      "    of a message of several lines sshd[1]: " MESSAGE,
  };
  struct syslog_line line;

  (void)state;
  for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
    if (parse(lines[i], strlen(lines[i]), &line))
      fail_msg("'%s' has a header", lines[i]);
}

static void every_cut_of_a_line_is_survived(void **state) {
  static const char *const lines[] = {
      "<38>Nov 23 07:01:04 web-1 sshd[21595]: x",
      "<38>1 " STAMP " web-1 sshd 1 ID47 [a@1 b=\"\\\"]\"] " BOM "x",
      "2026-11-23T07:01:04.123456+01:00 web-1 sshd[1]: x",
      "Mon 2026-11-23 07:01:04 UTC web-1 sshd[1]: x",
      "[   12.345678] web-1 sshd[1]: x",
      "Nov 23 07:01:04 web-1 last message repeated 3 times",
  };
  struct syslog_line line;

  (void)state;
  for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
    for (size_t len = 0; len < strlen(lines[i]); len++)
      (void)parse(lines[i], len, &line);
}

static void the_end_of_a_line_is_no_part_of_it(void **state) {
  static const char text[] = "Nov 23 07:01:04 web-1 sshd[1]: x \r\n\0\n";
  struct syslog_line line;

  (void)state;
  assert_true(parse(text, sizeof(text) - 1, &line));
  assert_part(text, line.message, "x ");
}

static void a_nul_is_a_byte_like_others(void **state) {
  static const char text[] = "Nov 23 07:01:04 web-1 sshd[1]: x\0y";
  static const char host[] = "Nov 23 07:01:04 web\0-1 sshd[1]: x";
  struct syslog_line line;

  (void)state;
  assert_true(parse(text, sizeof(text) - 1, &line));
  assert_int_equal(line.message.len, 3);
  assert_memory_equal(line.message.at, "x\0y", 3);
  assert_false(parse(host, sizeof(host) - 1, &line));
}

static void a_repeat_of_the_line_before_is_known(void **state) {
  static const struct {
    const char *line;
    const char *host;
    unsigned times; /* 0: it is none */
  } cases[] = {
      {"Nov 23 07:01:04 web-1 last message repeated 3 times", "web-1", 3},
      {"<38>Nov 23 07:01:04 last message repeated 3 times", NULL, 3},
      {"Nov 23 07:01:04 web-1 syslogd: last message repeated 2 times", "web-1",
       2},
      {"Nov 23 07:01:04 web-1 last message repeated 1 time", "web-1", 1},
      {"Nov 23 07:01:04 web-1 last message repeated 0 times", "web-1", 0},
      {"Nov 23 07:01:04 web-1 last message repeated x times", "web-1", 0},
      {"Nov 23 07:01:04 web-1 last message repeated  times", "web-1", 0},
      {"Nov 23 07:01:04 web-1 last message repeated times", "web-1", 0},
      {"Nov 23 07:01:04 web-1 last message repeated 3 times ", "web-1", 0},
      {"Nov 23 07:01:04 web-1 last message repeated 4294967296 times", "web-1",
       0},
      {"Nov 23 07:01:04 web-1 sshd[1]: last message repeated 3 times", "web-1",
       0},
  };
  struct syslog_line line;

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    unsigned times = 0;

    assert_true(parse(cases[i].line, strlen(cases[i].line), &line));
    assert_part(cases[i].line, line.host, cases[i].host);
    if (syslog_line_repeats(&line, &times) != (cases[i].times > 0) ||
        times != cases[i].times)
      fail_msg("'%s': %u times", cases[i].line, times);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rfc_3164_is_read),
      cmocka_unit_test(other_stamps_are_read),
      cmocka_unit_test(rfc_5424_is_read),
      cmocka_unit_test(what_has_no_header_is_no_line),
      cmocka_unit_test(every_cut_of_a_line_is_survived),
      cmocka_unit_test(the_end_of_a_line_is_no_part_of_it),
      cmocka_unit_test(a_nul_is_a_byte_like_others),
      cmocka_unit_test(a_repeat_of_the_line_before_is_known),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
