/* Each format of sshd's messages is told with all that is in it. */
#include <arpa/inet.h>

#include "correlator/sshd_escape.h"
#include "tests/unit/sshd_expected.h"

static void a_result_is_told_with_all_that_is_in_it(void **state) {
  static const struct expected events[] = {
      {.message = "Accepted password for root from 192.0.2.1 port 22 ssh2",
       .outcome = "accepted",
       .method = "password",
       .user = "root",
       .source = "192.0.2.1",
       .protocol = "ssh2",
       .port = 22},
      {.message = "Failed password for invalid user admin from 2001:db8::1 "
                  "port 65535 ssh2",
       .outcome = "failed",
       .method = "password",
       .user = "admin",
       .unknown = true,
       .source = "2001:db8::1",
       .protocol = "ssh2",
       .port = 65535},
      {.message = "Partial keyboard-interactive/pam for alice from "
                  "fe80::1%eth0 port 0 ssh2",
       .outcome = "partial",
       .method = "keyboard-interactive/pam",
       .user = "alice",
       .source = "fe80::1%eth0",
       .protocol = "ssh2"},
      {.message = "Postponed publickey for alice from 192.0.2.1 port 22 ssh2 "
                  "[preauth]",
       .outcome = "postponed",
       .method = "publickey",
       .user = "alice",
       .source = "192.0.2.1",
       .protocol = "ssh2",
       .port = 22},
      {.message = "Failed none for invalid user x from UNKNOWN port 65535 ssh2",
       .outcome = "failed",
       .method = "none",
       .user = "x",
       .unknown = true,
       .source = "UNKNOWN",
       .no_address = true,
       .protocol = "ssh2",
       .port = 65535},
  };

  (void)state;
  EXPECT_ALL(events);
}

static void what_follows_a_protocol_is_told_as_well(void **state) {
  static const struct expected events[] = {
      {.message = "Postponed gssapi-with-mic for alice from 192.0.2.1 port 22 "
                  "ssh2: alice@EXAMPLE.COM [preauth]",
       .outcome = "postponed",
       .method = "gssapi-with-mic",
       .user = "alice",
       .source = "192.0.2.1",
       .protocol = "ssh2",
       .extra = "alice@EXAMPLE.COM",
       .port = 22},
      {.message = "Accepted gssapi-with-mic for alice from 192.0.2.1 port 22 "
                  "ssh2: alice@EXAMPLE.COM",
       .outcome = "accepted",
       .method = "gssapi-with-mic",
       .user = "alice",
       .source = "192.0.2.1",
       .protocol = "ssh2",
       .extra = "alice@EXAMPLE.COM",
       .port = 22},
      /* A principal that reads like a key is none. */
      {.message = "Accepted gssapi-keyex for alice from 192.0.2.1 port 22 "
                  "ssh2: ED25519 " FP,
       .outcome = "accepted",
       .method = "gssapi-keyex",
       .user = "alice",
       .source = "192.0.2.1",
       .protocol = "ssh2",
       .extra = "ED25519 " FP,
       .port = 22},
  };

  (void)state;
  EXPECT_ALL(events);
}

static void old_daemons_are_understood(void **state) {
  static const struct expected events[] = {
      {.message = "Accepted rsa for ROOT from 192.0.2.1 port 22 ssh1",
       .outcome = "accepted",
       .method = "rsa",
       .user = "ROOT",
       .source = "192.0.2.1",
       .protocol = "ssh1",
       .port = 22},
      {.message =
           "Accepted rsa for alice from 192.0.2.1 port 22 ssh1: RSA1 " MD5,
       .outcome = "accepted",
       .method = "rsa",
       .user = "alice",
       .source = "192.0.2.1",
       .protocol = "ssh1",
       .extra = "RSA1 " MD5,
       .key_type = "RSA1",
       .key = MD5,
       .port = 22},
      {.message = "Failed password for illegal user x from ::ffff:192.0.2.1 "
                  "port 22 ssh2",
       .outcome = "failed",
       .method = "password",
       .user = "x",
       .unknown = true,
       .source = "::ffff:192.0.2.1",
       .protocol = "ssh2",
       .port = 22},
      {.message = "Illegal user x from 192.0.2.1",
       .outcome = "invalid_user",
       .user = "x",
       .unknown = true,
       .source = "192.0.2.1"},
      {.message = "Invalid user x from 192.0.2.1",
       .outcome = "invalid_user",
       .user = "x",
       .unknown = true,
       .source = "192.0.2.1"},
      {.message = "ROOT LOGIN REFUSED FROM 192.0.2.1",
       .outcome = "root_refused",
       .source = "192.0.2.1"},
  };

  (void)state;
  EXPECT_ALL(events);
}

static void those_who_may_not_log_on_are_told(void **state) {
  static const struct expected events[] = {
      {.message = "Invalid user admin from 192.0.2.1 port 22",
       .outcome = "invalid_user",
       .user = "admin",
       .unknown = true,
       .source = "192.0.2.1",
       .port = 22},
      {.message = "User alice from client.example not allowed because not "
                  "listed in AllowUsers",
       .outcome = "not_allowed",
       .user = "alice",
       .source = "client.example",
       .no_address = true,
       .extra = "not listed in AllowUsers"},
      {.message = "User alice from 192.0.2.1 not allowed because none of "
                  "user's groups are listed in AllowGroups",
       .outcome = "not_allowed",
       .user = "alice",
       .source = "192.0.2.1",
       .extra = "none of user's groups are listed in AllowGroups"},
      {.message = "error: maximum authentication attempts exceeded for root "
                  "from 192.0.2.1 port 22 ssh2 [preauth]",
       .outcome = "max_attempts",
       .user = "root",
       .source = "192.0.2.1",
       .protocol = "ssh2",
       .port = 22},
      {.message = "error: maximum authentication attempts exceeded for "
                  "invalid user x from 192.0.2.1 port 22 ssh2 [preauth]",
       .outcome = "max_attempts",
       .user = "x",
       .unknown = true,
       .source = "192.0.2.1",
       .protocol = "ssh2",
       .port = 22},
      {.message = "ROOT LOGIN REFUSED FROM 2001:db8::1 port 22",
       .outcome = "root_refused",
       .source = "2001:db8::1",
       .port = 22},
  };

  (void)state;
  EXPECT_ALL(events);
}

static void failures_of_pam_are_told(void **state) {
  static const struct expected events[] = {
      {.message = "error: PAM: Authentication failure for root from 192.0.2.1",
       .outcome = "pam_failure",
       .user = "root",
       .source = "192.0.2.1",
       .extra = "Authentication failure"},
      {.message = "error: PAM: Authentication failure for illegal user x from "
                  "192.0.2.1 [preauth]",
       .outcome = "pam_failure",
       .user = "x",
       .unknown = true,
       .source = "192.0.2.1",
       .extra = "Authentication failure"},
      {.message = "error: PAM: User not known to the underlying "
                  "authentication module for illegal user x from "
                  "client.example",
       .outcome = "pam_failure",
       .user = "x",
       .unknown = true,
       .source = "client.example",
       .no_address = true,
       .extra = "User not known to the underlying authentication module"},
      {.message = "error: PAM: Have exhausted maximum number of retries for "
                  "service for root from 192.0.2.1",
       .outcome = "pam_failure",
       .user = "root",
       .source = "192.0.2.1",
       .extra = "Have exhausted maximum number of retries for service"},
      {.message = "error: PAM: Authentication failure for illegal user a for "
                  "b from c from 192.0.2.1",
       .outcome = "pam_failure",
       .user = "a for b from c",
       .unknown = true,
       .source = "192.0.2.1",
       .extra = "Authentication failure"},
  };

  (void)state;
  EXPECT_ALL(events);
}

static void sessions_are_told(void **state) {
#define PAM "pam_unix(sshd:session): session "
  static const struct expected events[] = {
      {.message = PAM "opened for user root by (uid=0)",
       .outcome = "session_opened",
       .method = "pam",
       .user = "root"},
      {.message = PAM "opened for user root by root(uid=0)",
       .outcome = "session_opened",
       .method = "pam",
       .user = "root"},
      {.message = PAM "opened for user alice(uid=1000) by (uid=0)",
       .outcome = "session_opened",
       .method = "pam",
       .user = "alice"},
      /* PAM escapes nothing: the end is its word. */
      {.message = PAM "opened for user x by (uid=0) by y(uid=1) by (uid=0)",
       .outcome = "session_opened",
       .method = "pam",
       .user = "x by (uid=0) by y"},
      {.message = PAM "closed for user alice",
       .outcome = "session_closed",
       .method = "pam",
       .user = "alice"},
      {.message = "Starting session: shell on pts/0 for alice from 192.0.2.1 "
                  "port 22 id 0",
       .outcome = "starting_session",
       .user = "alice",
       .source = "192.0.2.1",
       .extra = "shell on pts/0 for alice from 192.0.2.1 port 22 id 0",
       .port = 22},
      {.message = "Starting session: subsystem 'x for root from 9.9.9.9 port "
                  "1 id 0' for alice from 192.0.2.1 port 22",
       .outcome = "starting_session",
       .user = "alice",
       .source = "192.0.2.1",
       .extra = "subsystem 'x for root from 9.9.9.9 port 1 id 0' for alice "
                "from 192.0.2.1 port 22",
       .port = 22},
      {.message = "pam_unix(cron:session): session opened for user root by "
                  "(uid=0)"},
      {.message = "pam_unix(sudo:session): session opened for user root by "
                  "(uid=0)"},
  };

  (void)state;
  EXPECT_ALL(events);
}

static void a_repeated_message_is_told_with_how_often(void **state) {
  static const struct expected events[] = {
      {.message = "message repeated 5 times: [ Failed password for root from "
                  "192.0.2.1 port 22 ssh2]",
       .outcome = "failed",
       .repeat = 5,
       .method = "password",
       .user = "root",
       .source = "192.0.2.1",
       .protocol = "ssh2",
       .port = 22},
      {.message = "message repeated 2 times: [Invalid user x from 192.0.2.1]",
       .outcome = "invalid_user",
       .repeat = 2,
       .user = "x",
       .unknown = true,
       .source = "192.0.2.1"},
      {.message = "message repeated 2 times: [ Connection closed]"},
      {.message = "message repeated 0 times: [ Invalid user x from 192.0.2.1]"},
      {.message = "message repeated -1 times: [ Invalid user x from 1.2.3.4]"},
      {.message = "message repeated 2 times: [ Connection clo"},
      {.message = "message repeated 99999999999 times: [ Invalid user x from "
                  "192.0.2.1]"},
      /* Once only: nobody repeats a repeat. */
      {.message = "message repeated 2 times: [ message repeated 2 times: [ "
                  "Invalid user x from 192.0.2.1]]"},
  };

  (void)state;
  EXPECT_ALL(events);
}

static void a_mapped_address_is_the_other_one(void **state) {
  struct auth_event event;
  char text[INET6_ADDRSTRLEN];

  (void)state;
  assert_int_equal(
      parse("Failed password for x from ::ffff:192.0.2.1 port 22 ssh2", &event),
      AUTH_LINE_EVENT);
  assert_non_null(inet_ntop(AF_INET6, &event.address, text, sizeof(text)));
  assert_string_equal(text, "::ffff:192.0.2.1");
  assert_int_equal(
      parse("Failed password for x from 192.0.2.1 port 22 ssh2", &event),
      AUTH_LINE_EVENT);
  assert_non_null(inet_ntop(AF_INET6, &event.address, text, sizeof(text)));
  assert_string_equal(text, "::ffff:192.0.2.1");
}

static void what_is_neither_address_nor_host_name_is_malformed(void **state) {
  static const struct {
    const char *source;
    enum auth_line what;
  } cases[] = {
      {"host-1", AUTH_LINE_EVENT},    {"web_1.1.example.org", AUTH_LINE_EVENT},
      {"UNKNOWN", AUTH_LINE_EVENT},   {"10.10.10.300", AUTH_LINE_MALFORMED},
      {"web.1", AUTH_LINE_MALFORMED}, {"1234", AUTH_LINE_MALFORMED},
      {"web.", AUTH_LINE_MALFORMED},  {"...", AUTH_LINE_MALFORMED},
      {"-", AUTH_LINE_MALFORMED},     {"", AUTH_LINE_MALFORMED},
  };
  struct auth_event event;
  char message[80];

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    (void)snprintf(message, sizeof(message),
                   "Accepted password for x from %s port 22 ssh2",
                   cases[i].source);
    if (parse(message, &event) != cases[i].what)
      fail_msg("'%s'", cases[i].source);
  }
}

/* sshd cuts it at 100 bytes, wherever they end. */
static void a_host_name_may_have_been_cut(void **state) {
  static const char *const ends[] = {".", ".1", ".e"};
  struct auth_event event;
  char message[256];

  (void)state;
  for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
    for (int len = 99; len <= 101; len++) {
      int head = len - (int)strlen(ends[i]);
      bool known = len == 100 || strcmp(ends[i], ".e") == 0;
      (void)snprintf(message, sizeof(message),
                     "User bob from %.*s%s not allowed because not listed in "
                     "AllowUsers",
                     head,
                     "a.example.a.example.a.example.a.example.a.example."
                     "a.example.a.example.a.example.a.example.a.example.x",
                     ends[i]);
      if ((parse(message, &event) == AUTH_LINE_EVENT) != known)
        fail_msg("%d: '%s'", len, message);
    }
  }
}

static void only_sshd_s_programs_are_read(void **state) {
  static const char *const ours[] = {"sshd", "sshd-session", "sshd-auth"};
  static const char *const others[] = {
      "",           "ssh",       "sshd-", "sshd-sessio", "sshd-sessions",
      "sshd-auth2", "sshd(pam)", "SSHD",  "login",       "sshd ",
  };

  (void)state;
  for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
    assert_true(
        sshd_message_is_from((struct auth_text){ours[i], strlen(ours[i])}));
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
    assert_false(
        sshd_message_is_from((struct auth_text){others[i], strlen(others[i])}));
}

static void escapes_are_read_for_showing(void **state) {
  static const struct {
    const char *escaped, *bytes;
  } cases[] = {
      {"root", "root"},
      {"jos\\303\\251", "jos\xc3\xa9"},
      {"DOM\\\\user", "DOM\\user"},
      {"DOM\\\\nuser", "DOM\\nuser"},
      {"a\\tb\\nc\\rd", "a\tb\nc\rd"},
      {"\\a\\b\\v\\f\\s", "\a\b\v\f "},
      {"\\033[31m", "\033[31m"},
      /* no escapes */
      {"\\", "\\"},
      {"\\x41", "\\x41"},
      {"\\30", "\\30"},
      {"\\389", "\\389"},
      {"\\777", "\\777"},
      {"", ""},
  };
  char bytes[64];

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct auth_text text = {cases[i].escaped, strlen(cases[i].escaped)};
    size_t len = sshd_unescape(text, bytes);

    assert_int_equal(len, strlen(cases[i].bytes));
    assert_memory_equal(bytes, cases[i].bytes, len);
  }
  assert_int_equal(sshd_unescape((struct auth_text){"\\000\\0", 6}, bytes), 2);
  assert_memory_equal(bytes, "\0\0", 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_result_is_told_with_all_that_is_in_it),
      cmocka_unit_test(what_follows_a_protocol_is_told_as_well),
      cmocka_unit_test(old_daemons_are_understood),
      cmocka_unit_test(those_who_may_not_log_on_are_told),
      cmocka_unit_test(failures_of_pam_are_told),
      cmocka_unit_test(sessions_are_told),
      cmocka_unit_test(a_repeated_message_is_told_with_how_often),
      cmocka_unit_test(a_mapped_address_is_the_other_one),
      cmocka_unit_test(what_is_neither_address_nor_host_name_is_malformed),
      cmocka_unit_test(a_host_name_may_have_been_cut),
      cmocka_unit_test(only_sshd_s_programs_are_read),
      cmocka_unit_test(escapes_are_read_for_showing),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
