/* The journal's JSON: its own fields say who logged an entry, and what was
 * logged by sshd's name alone is malformed. */
#include "tests/unit/auth_stream_lines.h"

#define MESSAGE "\"MESSAGE\":\"" LOGIN "\""
#define TAG "\"SYSLOG_IDENTIFIER\":\"sshd-session\""
#define SSHD "\"_COMM\":\"sshd-session\",\"_UID\":\"0\""

/* As journalctl writes it. */
static void an_entry_is_read(void **state) {
  struct auth_event event;

  assert_int_equal(
      give(state,
           "{\"PRIORITY\":\"6\",\"_GID\":\"0\",\"SYSLOG_FACILITY\":\"10\","
           "\"_SYSTEMD_UNIT\":\"ssh.service\",\"__CURSOR\":\"s=1;i=2\","
           "\"_CAP_EFFECTIVE\":\"1ffffffffff\",\"_SELINUX_CONTEXT\":null,"
           "\"_HOSTNAME\":\"web-1\",\"_TRANSPORT\":\"syslog\"," SSHD
           ",\"_EXE\":\"/usr/lib/openssh/sshd-session\"," TAG
           ",\"_PID\":\"4711\",\"SYSLOG_PID\":\"4712\"," MESSAGE
           ",\"__REALTIME_TIMESTAMP\":\"1795417264500001\","
           "\"_SOURCE_REALTIME_TIMESTAMP\":\"1795417264500000\"}\n",
           &event),
      AUTH_LINE_EVENT);
  assert_int_equal(event.outcome, AUTH_ACCEPTED);
  assert_text(event.host, "web-1");
  assert_text(event.program, "sshd-session");
  assert_text(event.source, "192.0.2.1");
  assert_int_equal(event.pid, 4711);
  assert_true(event.stamped_us == 1795417264500000);
  assert_true(event.zoned);
  assert_true(event.journal);
}

static void an_entry_of_each_form_is_read(void **state) {
  static const char *const lines[] = {
      "{" TAG "," SSHD "," MESSAGE "}",
      "\x1e{" TAG "," SSHD "," MESSAGE "}",
      "data: {" TAG "," SSHD "," MESSAGE "}",
      "{ " TAG " , " SSHD " , " MESSAGE " } ",
      /* bytes of what is no text */
      "{" TAG "," SSHD
      ",\"MESSAGE\":[65,99,99,101,112,116,101,100,32,112,32,102,111,114,32,114,"
      "195,32,102,114,111,109,32,58,58,49,32,112,111,114,116,32,49,32,115,115,"
      "104,50]}",
      "{" TAG "," SSHD ",\"MESSAGE\":\"Accepted p for r\\u00e9 from ::1 port 1 "
      "ssh2\"}",
  };
  struct auth_event event;

  for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
    if (give(state, lines[i], &event) != AUTH_LINE_EVENT)
      fail_msg("'%s' is no event", lines[i]);
    assert_int_equal(event.outcome, AUTH_ACCEPTED);
    assert_true(event.has_address);
    assert_true(event.stamped_us == 0);
    assert_false(event.zoned);
    assert_int_equal(event.host.len, 0);
    assert_int_equal(event.pid, 0);
  }
}

static void what_was_not_logged_by_sshd_is_malformed(void **state) {
  static const char *const lines[] = {
      /* logger -t sshd-session */
      "{" TAG ",\"_COMM\":\"logger\",\"_UID\":\"0\"," MESSAGE "}",
      "{" TAG ",\"_COMM\":\"sshd-session\",\"_UID\":\"1000\"," MESSAGE "}",
      "{" TAG ",\"_COMM\":\"logger\"," MESSAGE "}",
      "{" TAG ",\"_UID\":\"1000\"," MESSAGE "}",
      "{" TAG ",\"_COMM\":\"sshd-session\",\"_UID\":\"00\"," MESSAGE "}",
  };
  struct auth_event event;

  for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
    if (give(state, lines[i], &event) != AUTH_LINE_MALFORMED)
      fail_msg("'%s' is not malformed", lines[i]);
    assert_int_equal(event.outcome, AUTH_MALFORMED_ACCEPTED);
    assert_text(event.extra, LOGIN);
    assert_text(event.program, "sshd-session");
    assert_int_equal(event.source.len, 0);
    assert_false(event.journal);
  }
}

static void
what_does_not_say_who_logged_it_is_not_the_journal_s_word(void **state) {
  static const char *const lines[] = {
      "{" TAG "," MESSAGE "}",
      "{" TAG ",\"_COMM\":\"sshd-session\"," MESSAGE "}",
      "{" TAG ",\"_UID\":\"0\"," MESSAGE "}",
  };
  struct auth_event event;

  for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
    assert_int_equal(give(state, lines[i], &event), AUTH_LINE_EVENT);
    assert_false(event.journal);
  }
}

/* The session's process is its user's. */
static void a_session_is_its_user_s(void **state) {
  struct auth_event event;

  assert_int_equal(give(state,
                        "{" TAG ",\"_COMM\":\"sshd-session\",\"_UID\":\"1000\","
                        "\"MESSAGE\":\"Starting session: shell on pts/0 for "
                        "alice from 192.0.2.1 port 22 id 0\"}",
                        &event),
                   AUTH_LINE_EVENT);
  assert_int_equal(event.outcome, AUTH_STARTING_SESSION);
  assert_int_equal(give(state,
                        "{" TAG ",\"_COMM\":\"logger\",\"_UID\":\"1000\","
                        "\"MESSAGE\":\"Starting session: shell on pts/0 for "
                        "alice from 192.0.2.1 port 22 id 0\"}",
                        &event),
                   AUTH_LINE_MALFORMED);
}

static void what_is_no_entry_of_sshd_s_tells_nothing(void **state) {
  static const char *const lines[] = {
      "{",
      "{}",
      "data: {}",
      "data: ",
      "\x1e",
      "{\"sshd\":1}",
      "{" TAG "}",
      "{" MESSAGE "}",
      "{\"SYSLOG_IDENTIFIER\":\"sshdx\"," MESSAGE "}",
      "{\"SYSLOG_IDENTIFIER\":[\"sshd\",\"sshd\"]," MESSAGE "}",
      "{" TAG ",\"MESSAGE\":null}",
      "{" TAG ",\"MESSAGE\":\"\"}",
      "{" TAG ",\"MESSAGE\":[]}",
      "{" TAG ",\"MESSAGE\":[\"" LOGIN "\",\"" LOGIN "\"]}",
      /* no bytes */
      "{" TAG ",\"MESSAGE\":[329,110,118,97,108,105,100,32,117,115,101,114,32,"
      "120,32,102,114,111,109,32,58,58,49]}",
      "{" TAG ",\"MESSAGE\":[65,-1]}",
      "{" TAG ",\"MESSAGE\":[65,1.5]}",
      /* A field twice: which one? */
      "{" TAG "," MESSAGE "," MESSAGE "}",
      "{" TAG "," MESSAGE ",\"_UID\":\"0\",\"_UID\":\"1\"}",
      "{" TAG "," MESSAGE "} x",
      "{" TAG "," MESSAGE "}{}",
      "{" TAG "," MESSAGE,
      "[{" TAG "," MESSAGE "}]",
      "{" TAG "," MESSAGE ",\"x\":\"\xff\"}",
      "{\"x\":{" TAG "," MESSAGE "}}",
  };
  struct auth_event event;

  for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
    if (give(state, lines[i], &event) != AUTH_LINE_OTHER)
      fail_msg("'%s' tells something", lines[i]);
}

static void odd_fields_are_none(void **state) {
  struct auth_event event;

  assert_int_equal(
      give(state,
           "{" TAG "," SSHD "," MESSAGE ",\"_HOSTNAME\":\"we\\u0000b\","
           "\"_PID\":\"x\",\"__REALTIME_TIMESTAMP\":\"-1\","
           "\"_SOURCE_REALTIME_TIMESTAMP\":\"99999999999999999999\"}",
           &event),
      AUTH_LINE_EVENT);
  assert_int_equal(event.host.len, 0);
  assert_int_equal(event.pid, 0);
  assert_true(event.stamped_us == 0);
}

static void an_escaped_newline_makes_a_message_malformed(void **state) {
  struct auth_event event;

  assert_int_equal(
      give(state, "{" TAG "," SSHD ",\"MESSAGE\":\"" LOGIN ": x\\n" LOGIN "\"}",
           &event),
      AUTH_LINE_MALFORMED);
  assert_int_equal(give(state,
                        "{" TAG "," SSHD ",\"MESSAGE\":\"" LOGIN "\\u0000\"}",
                        &event),
                   AUTH_LINE_MALFORMED);
}

/* Thousands of brackets, and as many members as fit. */
static void a_line_of_64_kib_is_survived(void **state) {
  static const char head[] = "{" TAG "," MESSAGE ",\"x\":";
  char *line = malloc(AUTH_LINE_MAX + 1);
  struct auth_event event;
  size_t at = sizeof(head) - 1;

  assert_non_null(line);
  memset(line, '[', AUTH_LINE_MAX);
  memcpy(line, head, at);
  assert_int_equal(auth_stream_line(*state, line, AUTH_LINE_MAX, 1, &event),
                   AUTH_LINE_OTHER);
  for (line[at++] = '['; at < AUTH_LINE_MAX - 4; at += 2)
    (void)snprintf(line + at, 3, "1,");
  (void)snprintf(line + at, 4, "1]}");
  assert_int_equal(auth_stream_line(*state, line, at + 3, 1, &event),
                   AUTH_LINE_EVENT);
  free(line);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      STREAM_TEST(an_entry_is_read),
      STREAM_TEST(an_entry_of_each_form_is_read),
      STREAM_TEST(what_was_not_logged_by_sshd_is_malformed),
      STREAM_TEST(what_does_not_say_who_logged_it_is_not_the_journal_s_word),
      STREAM_TEST(a_session_is_its_user_s),
      STREAM_TEST(what_is_no_entry_of_sshd_s_tells_nothing),
      STREAM_TEST(odd_fields_are_none),
      STREAM_TEST(an_escaped_newline_makes_a_message_malformed),
      STREAM_TEST(a_line_of_64_kib_is_survived),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
