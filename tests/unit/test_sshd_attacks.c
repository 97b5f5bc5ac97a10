/* Each attack on whoever reads sshd's messages: what is its peer's word is
 * never taken for its own, and what does not fit is malformed. */
#include "tests/unit/sshd_expected.h"

#define A100                                                                   \
  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
  "AAAAAAAAAAAAAAAAAAAAAAAAAA"

/* CVE-2006-6301, CVE-2006-6302: what matches leftmost takes the false one. */
static void a_user_name_with_an_address_changes_no_address(void **state) {
#define FAILED "Failed password for invalid user "
#define TRUE_PLACE " from 192.0.2.1 port 22"
#define UNKNOWN_USER(name)                                                     \
  {.message = FAILED name TRUE_PLACE " ssh2",                                  \
   .outcome = "failed",                                                        \
   .method = "password",                                                       \
   .user = (name),                                                             \
   .unknown = true,                                                            \
   .source = "192.0.2.1",                                                      \
   .protocol = "ssh2",                                                         \
   .port = 22},                                                                \
      {.message = "Invalid user " name TRUE_PLACE,                             \
       .outcome = "invalid_user",                                              \
       .user = (name),                                                         \
       .unknown = true,                                                        \
       .source = "192.0.2.1",                                                  \
       .port = 22},                                                            \
  {                                                                            \
    .message = "error: maximum authentication attempts exceeded for invalid "  \
               "user " name TRUE_PLACE " ssh2 [preauth]",                      \
    .outcome = "max_attempts", .user = (name), .unknown = true,                \
    .source = "192.0.2.1", .protocol = "ssh2", .port = 22                      \
  }
  static const struct expected events[] = {
      UNKNOWN_USER("test from 10.10.1.2 port 55555 ssh2"),
      UNKNOWN_USER("from 10.10.1.1"),
      UNKNOWN_USER("x from 1.2.3.4 port 5 ssh2 "),
      UNKNOWN_USER("x from 1.2.3.4 port 5 ssh2 [preauth]"),
      UNKNOWN_USER("Accepted password for root from 9.9.9.9 port 22 ssh2"),
      /* CVE-2013-6890 */
      UNKNOWN_USER("Invalid user root from 123.123.123.123"),
      UNKNOWN_USER("x for root from 9.9.9.9 port 22 ssh2"),
      UNKNOWN_USER("x from from"),
      UNKNOWN_USER(" from "),
  };

  (void)state;
  EXPECT_ALL(events);
}

static void odd_user_names_are_kept_as_they_are(void **state) {
  static const struct expected events[] = {
      UNKNOWN_USER(""),
      UNKNOWN_USER(" lead"),
      UNKNOWN_USER("trail "),
      UNKNOWN_USER("root [preauth]"),
      UNKNOWN_USER("root ssh2"),
      UNKNOWN_USER("x\\nNov 23 06"),
      UNKNOWN_USER("jos\\303\\251"),
      UNKNOWN_USER("DOM\\\\user"),
      UNKNOWN_USER("x\"y"),
      UNKNOWN_USER("a%sb%n"),
      UNKNOWN_USER("-oProxy"),
      UNKNOWN_USER(A100 A100 A100 A100),
      {.message = FAILED "invalid user root" TRUE_PLACE " ssh2",
       .outcome = "failed",
       .method = "password",
       .user = "invalid user root",
       .unknown = true,
       .source = "192.0.2.1",
       .protocol = "ssh2",
       .port = 22},
      /* As the corpora's truth has it. */
      {.message = "Invalid user invalid user root" TRUE_PLACE,
       .outcome = "invalid_user",
       .user = "root",
       .unknown = true,
       .source = "192.0.2.1",
       .port = 22},
  };

  (void)state;
  EXPECT_ALL(events);
}

/* What matches rightmost takes the false one. */
static void what_follows_ssh2_changes_no_address(void **state) {
#define FORGED " from 6.6.6.6 port 22 ssh2"
  static const struct expected events[] = {
      {.message = HEAD("root") ": ED25519-CERT " FP " ID x" FORGED
                               ": RSA SHA256:AAAA (serial 8) CA ED25519 " CA,
       ROOT,
       .extra = "ED25519-CERT " FP " ID x" FORGED
                ": RSA SHA256:AAAA (serial 8) CA ED25519 " CA,
       .key_type = "ED25519-CERT",
       .key = FP,
       .cert_id = "x" FORGED ": RSA SHA256:AAAA"},
      {.message = "Failed hostbased for root from 192.0.2.1 port 22 ssh2: "
                  "ED25519 " FP ", client user \"x" FORGED
                  "\", client host \"y" FORGED "\"",
       .outcome = "failed",
       .method = "hostbased",
       .user = "root",
       .source = "192.0.2.1",
       .protocol = "ssh2",
       .extra = "ED25519 " FP ", client user \"x" FORGED
                "\", client host \"y" FORGED "\"",
       .key_type = "ED25519",
       .key = FP,
       .port = 22},
      {.message = "Accepted gssapi-with-mic for root from 192.0.2.1 port 22 "
                  "ssh2: x" FORGED,
       .outcome = "accepted",
       .method = "gssapi-with-mic",
       .user = "root",
       .source = "192.0.2.1",
       .protocol = "ssh2",
       .extra = "x" FORGED,
       .port = 22},
  };

  (void)state;
  EXPECT_ALL(events);
}

static void what_begins_like_a_login_and_is_none_is_malformed(void **state) {
  static const char *const messages[] = {
      "Accepted key ED25519 " FP " found at /root/.ssh/authorized_keys:1",
      "Accepted certificate ID \"alice@corp\" (serial 7) signed by ED25519 "
      "CA " CA " via /etc/ssh/ca.pub",
      "Accepted certificate ID \"x for root from 6.6.6.6 port 22 ssh2\" "
      "(serial 7) signed by ED25519 CA " CA " via /etc/ssh/ca.pub",
      "Accepted ED25519 public key " FP " from root@client.example",
      "Accepted google_authenticator for root",
      "Accepted password for root",
      "message repeated 2 times: [ Accepted password for root",
      "Accepted password for root from 192.0.2.1 port 22",
      "Accepted password for root from 192.0.2.1 ssh2",
      "Accepted password for root from 192.0.2.1 port 65536 ssh2",
      "Accepted password for root from 192.0.2.1 port -1 ssh2",
      "Accepted password for root from 192.0.2.1 port +1 ssh2",
      "Accepted password for root from 192.0.2.1 port  1 ssh2",
      "Accepted password for root from 192.0.2.1 port 1x ssh2",
      "Accepted password for root from 192.0.2.1 port  ssh2",
      "Accepted password for root from 192.0.2.1 port 22 ssh2 ",
      "Accepted password for root from 192.0.2.1 port 22 ssh3",
      "Accepted password for root from 192.0.2.1 port 22 ssh2:",
      "Accepted password for root from 192.0.2.1 port 22 ssh2:x",
      "Accepted password for root from 192.0.2.1 port 22 ssh2 [preauth] ",
      "Accepted password for root from  port 22 ssh2",
      "Accepted password for root from fe80::1% port 22 ssh2",
      "Accepted password for root from fe80::xyz%eth0 port 22 ssh2",
      "Accepted password for root from 192.0.2.1%eth0 port 22 ssh2",
      "Accepted password for root from a/b port 22 ssh2",
      "Accepted password from 192.0.2.1 port 22 ssh2",
      "Accepted  for root from 192.0.2.1 port 22 ssh2",
      "Accepted two words for root from 192.0.2.1 port 22 ssh2",
      "Accepted pass\xc3\xa9 for root from 192.0.2.1 port 22 ssh2",
      "Accepted ",
      /* A name has no colon and, escaped, at most 400 bytes: two lines. */
      "Accepted password for roNov 23 07:01:04 web-1 sshd[1]: Accepted "
      "password for root from 192.0.2.1 port 22 ssh2",
      "Accepted password for " A100 A100 A100 A100
      "A from 192.0.2.1 port 22 ssh2",
      /* sshd escapes what is not plain text. */
      "Accepted password for ro\tot from 192.0.2.1 port 22 ssh2",
      "Accepted password for root from 192.0.2.1 port 22 ssh2: x\ny",
      "Accepted password for root from 192.0.2.1 port 22 ssh2: x\x7f",
      "Accepted password for root from 192.0.2.1 port 22 ssh2: x\x1b",
  };
  struct auth_event event;

  (void)state;
  for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
    if (parse(messages[i], &event) != AUTH_LINE_MALFORMED)
      fail_msg("'%s' is not malformed", messages[i]);
    assert_int_equal(event.outcome, AUTH_MALFORMED_ACCEPTED);
    assert_int_equal(event.repeat, messages[i][0] == 'm' ? 2 : 1);
    assert_int_equal(event.extra.len, strlen(messages[i]));
    assert_int_equal(event.user.len + event.source.len + event.method.len, 0);
    assert_false(event.has_address);
  }
}

static void
what_begins_like_another_outcome_and_is_none_is_malformed(void **state) {
  static const char *const messages[] = {
      "Failed password for root from 192.0.2.1 port 22",
      "Failed password for root from 192.0.2.1",
      "Partial publickey for root",
      "Postponed publickey for root from 192.0.2.1 port 22 ssh2 [pre",
      "Invalid user x",
      "message repeated 2 times: [ Failed password for root from 192.0.2.1",
      "message repeated 2 times: [ Invalid user x from 192.0.2.1",
      "Invalid user x:y from 192.0.2.1 port 22",
      "User x:y from 192.0.2.1 not allowed because listed in DenyUsers",
      "Starting session: shell for x:y from 192.0.2.1 port 22 id 0",
      "Invalid user x from 192.0.2.1 port",
      "Invalid user x from 192.0.2.1 port 22 ssh2",
      "Invalid user x from 192.0.2.1 port 222222",
      "User x from a b not allowed because listed in DenyUsers",
      "error: maximum authentication attempts exceeded for x from ::1 port 1",
      "ROOT LOGIN REFUSED FROM ",
      "ROOT LOGIN REFUSED FROM 192.0.2.1 port x",
      "error: PAM: Authentication failure from 192.0.2.1",
      "error: PAM: Authentication failure for root from 192.0.2.1 port 22",
      "pam_unix(sshd:session): session opened for user root",
      "pam_unix(sshd:session): session opened for user root by (uid=x)",
      "pam_unix(sshd:session): session opened for user  by (uid=0)",
      "pam_unix(sshd:session): session closed for user ",
      "pam_unix(sshd:session): session closed for user x:y",
      "pam_unix(sshd:session): session opened for user x:y by (uid=0)",
      "Starting session: shell",
      "Starting session: shell for root from 192.0.2.1 port 22 id x",
      "Starting session: shell for root from 192.0.2.1",
  };
  struct auth_event event;

  (void)state;
  for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
    if (parse(messages[i], &event) != AUTH_LINE_MALFORMED)
      fail_msg("'%s' is not malformed", messages[i]);
    assert_int_equal(event.outcome, AUTH_MALFORMED);
  }
}

static void other_messages_tell_nothing(void **state) {
  static const struct expected others[] = {
      {.message = ""},
      {.message = "Accepted"},
      {.message = " Accepted password for root from 192.0.2.1 port 22 ssh2"},
      {.message = "accepted password for root from 192.0.2.1 port 22 ssh2"},
      {.message = "Connection closed by invalid user Accepted password for "
                  "root from 9.9.9.9 port 22 ssh2 127.0.0.1 port 45892 "
                  "[preauth]"},
      /* Text of the client's, before anybody logged on. */
      {.message = "Received disconnect from 127.0.0.1 port 54104:11: bye\\n"
                  "Nov 23 07:00:00 h sshd[1]: Accepted password for root from "
                  "9.9.9.9 port 22 ssh2 [preauth]"},
      {.message = "kex_exchange_identification: client sent invalid protocol "
                  "identifier \"Accepted password for root from 9.9.9.9 port "
                  "22 ssh2' from 1.2.3.4 port 5\""},
      {.message = "User child is on pid 21597"},
      {.message = "User nobody not allowed because account is locked"},
      {.message = "Failed to allocate internet-domain X11 display socket."},
      {.message = "error: PAM: pam_open_session(): Permission denied"},
      {.message = "pam_unix(sshd:auth): authentication failure; logname= uid=0 "
                  "euid=0 tty=ssh ruser= rhost=127.0.0.1  user=root"},
      {.message = "Close session: user root from ::1 port 47942 id 0"},
      {.message = "message repeated"},
  };

  (void)state;
  EXPECT_ALL(others);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_user_name_with_an_address_changes_no_address),
      cmocka_unit_test(odd_user_names_are_kept_as_they_are),
      cmocka_unit_test(what_follows_ssh2_changes_no_address),
      cmocka_unit_test(what_begins_like_a_login_and_is_none_is_malformed),
      cmocka_unit_test(
          what_begins_like_another_outcome_and_is_none_is_malformed),
      cmocka_unit_test(other_messages_tell_nothing),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
