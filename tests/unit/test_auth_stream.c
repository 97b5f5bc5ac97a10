/* Whole lines: whatever a line holds, it tells what its first tag's message
 * tells, or nothing; a repeat is of the line before it, of the same host. */
#include "tests/unit/auth_stream_lines.h"

#define WEB "Nov 23 07:01:04 web-1 "
#define FAILURE "Failed password for root from 192.0.2.1 port 22 ssh2"
#define FORGED "Accepted password for root from 9.9.9.9 port 22 ssh2"

static void a_line_of_each_form_tells_the_same(void **state) {
  static const struct {
    const char *line;
    bool zoned;
    int64_t stamped_us;
  } cases[] = {
      {WEB "sshd[7]: " LOGIN, false, 1795417264000000},
      {"<38>" WEB "sshd[7]: " LOGIN "\n", false, 1795417264000000},
      {"2026-11-23T08:01:04.5+01:00 web-1 sshd[7]: " LOGIN, true,
       1795417264500000},
      {"<38>1 2026-11-23T08:01:04.5+01:00 web-1 sshd 7 - - " LOGIN, true,
       1795417264500000},
      {"<38>1 - web-1 sshd 7 - - \xef\xbb\xbf" LOGIN, false, 0},
      {"Mon 2026-11-23 07:01:04 UTC web-1 sshd[7]: " LOGIN, true,
       1795417264000000},
      {"Mon 2026-11-23 07:01:04 CST web-1 sshd[7]: " LOGIN, false, 0},
      {"{\"_HOSTNAME\":\"web-1\",\"SYSLOG_IDENTIFIER\":\"sshd\",\"_PID\":\"7\","
       "\"__REALTIME_TIMESTAMP\":\"1795417264500000\",\"MESSAGE\":\"" LOGIN
       "\"}",
       true, 1795417264500000},
  };
  struct auth_event event;

  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    if (give(state, cases[i].line, &event) != AUTH_LINE_EVENT)
      fail_msg("'%s' is no event", cases[i].line);
    assert_int_equal(event.outcome, AUTH_ACCEPTED);
    assert_text(event.host, "web-1");
    assert_text(event.program, "sshd");
    assert_int_equal(event.pid, 7);
    assert_text(event.user, "root");
    assert_text(event.source, "192.0.2.1");
    assert_int_equal(event.zoned, cases[i].zoned);
    if (event.stamped_us != cases[i].stamped_us)
      fail_msg("'%s': %lld", cases[i].line, (long long)event.stamped_us);
    assert_false(event.journal);
  }
}

/* What a client, or another program, gets into a line is never read. */
static void a_line_within_a_line_tells_nothing(void **state) {
  static const char *const lines[] = {
      WEB "sshd[7]: Received disconnect from 127.0.0.1 port 54104:11: bye\\n"
          "Nov 23 07:00:00 h sshd[1]: " FORGED " [preauth]",
      WEB "sshd[7]: banner exchange: " WEB "sshd[1]: " FORGED,
      WEB "sshd[7]: sshd[1]: " FORGED,
      WEB "CRON[7]: sshd[1]: " FORGED,
      WEB "su: sshd[1]: " FORGED,
      WEB "kernel: sshd[1]: " FORGED,
      WEB "sshd[7]: kex_exchange_identification: client sent invalid protocol "
          "identifier \"" FORGED "'\"",
      WEB "nginx[7]: GET / sshd[1]: " FORGED,
      "Nov 23 07:01:04 CRON[7]: sshd[1]: " FORGED,
      "<38>1 - web-1 nginx 7 - [a@1 sshd=\"sshd\"] sshd[1]: " FORGED,
      "<38>1 - web-1 nginx 7 - [a@1 b=\"c\"] " WEB "sshd[1]: " FORGED,
      "<38>1 - web-1 nginx sshd - - " FORGED,
      "<38>1 - sshd nginx 7 sshd - " FORGED,
      FORGED,
      "sshd[1]: " FORGED,
      "x\r" WEB "sshd[1]: " FORGED,
      WEB "x\n" WEB "sshd[1]: " FORGED,
      WEB "sshd[7]: Connection closed\n" WEB "sshd[1]: " FORGED,
      "{\"MESSAGE\":\"sshd[1]: " FORGED "\",\"SYSLOG_IDENTIFIER\":\"nginx\"}",
      "{\"SSHD\":\"sshd\",\"MESSAGE\":\"" FORGED "\"}",
  };
  struct auth_event event;

  for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
    if (give(state, lines[i], &event) != AUTH_LINE_OTHER)
      fail_msg("'%s' tells something", lines[i]);
}

static void a_newline_or_nul_in_a_message_makes_it_malformed(void **state) {
  static const char nul[] = WEB "sshd[7]: Accepted password for root from "
                                "192.0.2.1 port 22 ssh2\0: x";
  struct auth_event event;

  assert_int_equal(give(state, WEB "sshd[7]: " LOGIN ": x\n" WEB "y", &event),
                   AUTH_LINE_MALFORMED);
  assert_int_equal(event.outcome, AUTH_MALFORMED_ACCEPTED);
  assert_int_equal(
      auth_stream_line(*state, nul, sizeof(nul) - 1, arrived_us, &event),
      AUTH_LINE_MALFORMED);
  assert_text(event.host, "web-1");
  assert_text(event.program, "sshd");
  assert_int_equal(event.pid, 7);
}

static void a_line_of_64_kib_is_read_or_malformed(void **state) {
  static const char head[] = WEB "sshd[7]: " LOGIN ": ";
  char *line = malloc(AUTH_LINE_MAX);
  struct auth_event event;

  assert_non_null(line);
  memset(line, 'A', AUTH_LINE_MAX);
  assert_int_equal(
      auth_stream_line(*state, line, AUTH_LINE_MAX, arrived_us, &event),
      AUTH_LINE_OTHER);
  memcpy(line, head, sizeof(head) - 1);
  assert_int_equal(
      auth_stream_line(*state, line, AUTH_LINE_MAX, arrived_us, &event),
      AUTH_LINE_EVENT);
  assert_int_equal(event.extra.len, AUTH_LINE_MAX - (sizeof(head) - 1));
  assert_text(event.source, "192.0.2.1");
  memset(line + sizeof(head) - 3, 'A', 2); /* where its ": " was */
  assert_int_equal(
      auth_stream_line(*state, line, AUTH_LINE_MAX, arrived_us, &event),
      AUTH_LINE_MALFORMED);
  free(line);
}

static void a_repeat_is_of_the_line_before(void **state) {
  struct auth_event event;

  assert_int_equal(give(state, WEB "sshd[7]: " FAILURE, &event),
                   AUTH_LINE_EVENT);
  assert_int_equal(event.repeat, 1);
  assert_int_equal(give(state,
                        "Nov 23 07:01:34 web-1 last message repeated 3 times",
                        &event),
                   AUTH_LINE_EVENT);
  assert_int_equal(event.outcome, AUTH_FAILED);
  assert_int_equal(event.repeat, 3);
  assert_text(event.source, "192.0.2.1");
  assert_text(event.program, "sshd");
  assert_int_equal(event.pid, 7);
  assert_text(event.host, "web-1");
  assert_int_equal(event.stamped_us, 1795417294000000);
  /* syslogd says it again as long as it goes on. */
  assert_int_equal(give(state,
                        "Nov 23 07:02:34 web-1 last message repeated 9 times",
                        &event),
                   AUTH_LINE_EVENT);
  assert_int_equal(event.repeat, 9);
}

static void a_repeat_of_another_line_tells_nothing(void **state) {
  static const char *const between[] = {
      WEB "CRON[7]: x",
      WEB "sshd[7]: Connection closed",
      "what has no header could be anybody's",
      "",
  };
  struct auth_event event;

  for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++) {
    (void)give(state, WEB "sshd[7]: " FAILURE, &event);
    assert_int_equal(give(state, between[i], &event), AUTH_LINE_OTHER);
    if (give(state, WEB "last message repeated 3 times", &event) !=
        AUTH_LINE_OTHER)
      fail_msg("'%s' is not repeated", between[i]);
  }
}

static void hosts_repeat_their_own_lines(void **state) {
  struct auth_event event;

  (void)give(state, WEB "sshd[7]: " FAILURE, &event);
  (void)give(state, "Nov 23 07:01:04 web-2 sshd[8]: " LOGIN, &event);
  (void)give(state, "Nov 23 07:01:04 web-3 CRON[8]: x", &event);
  assert_int_equal(give(state, WEB "last message repeated 3 times", &event),
                   AUTH_LINE_EVENT);
  assert_int_equal(event.outcome, AUTH_FAILED);
  assert_int_equal(event.pid, 7);
  assert_int_equal(give(state,
                        "Nov 23 07:01:04 web-2 last message repeated 2 times",
                        &event),
                   AUTH_LINE_EVENT);
  assert_int_equal(event.outcome, AUTH_ACCEPTED);
  assert_int_equal(give(state,
                        "Nov 23 07:01:04 web-3 last message repeated 2 times",
                        &event),
                   AUTH_LINE_OTHER);
  assert_int_equal(
      give(state, "Nov 23 07:01:04 last message repeated 2 times", &event),
      AUTH_LINE_OTHER);
}

/* They may be of two hosts that send to one socket. */
static void lines_without_a_host_repeat_none(void **state) {
  struct auth_event event;

  assert_int_equal(give(state, "<38>Nov 23 07:01:04 sshd[7]: " LOGIN, &event),
                   AUTH_LINE_EVENT);
  assert_int_equal(
      give(state, "<38>Nov 23 07:01:04 last message repeated 2 times", &event),
      AUTH_LINE_OTHER);
}

/* More hosts than are remembered: no host's line becomes another's. */
static void many_hosts_never_repeat_each_other_s_lines(void **state) {
  enum { HOSTS = 1000 };
  char line[256], host[32];
  struct auth_event event;
  unsigned repeated = 0;

  for (int i = 0; i < HOSTS; i++) {
    (void)snprintf(line, sizeof(line), "Nov 23 07:01:04 h%d sshd[%d]: " FAILURE,
                   i, i + 1);
    assert_int_equal(give(state, line, &event), AUTH_LINE_EVENT);
  }
  for (int i = 0; i < HOSTS; i++) {
    (void)snprintf(host, sizeof(host), "h%d", i);
    (void)snprintf(line, sizeof(line),
                   "Nov 23 07:01:04 %s last message repeated 2 times", host);
    if (give(state, line, &event) == AUTH_LINE_OTHER)
      continue;
    repeated++;
    assert_text(event.host, host);
    assert_int_equal(event.pid, i + 1);
  }
  assert_true(repeated > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      STREAM_TEST(a_line_of_each_form_tells_the_same),
      STREAM_TEST(a_line_within_a_line_tells_nothing),
      STREAM_TEST(a_newline_or_nul_in_a_message_makes_it_malformed),
      STREAM_TEST(a_line_of_64_kib_is_read_or_malformed),
      STREAM_TEST(a_repeat_is_of_the_line_before),
      STREAM_TEST(a_repeat_of_another_line_tells_nothing),
      STREAM_TEST(hosts_repeat_their_own_lines),
      STREAM_TEST(lines_without_a_host_repeat_none),
      STREAM_TEST(many_hosts_never_repeat_each_other_s_lines),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
