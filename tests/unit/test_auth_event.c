/* Events: their names, their addresses, and copies that own their texts. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/auth_event.h"
#include "correlator/auth_json.h"
#include "correlator/sshd_message.h"
#include "tests/unit/unit.h"

static struct auth_text text_of(const char *text) {
  return (struct auth_text){text, strlen(text)};
}

static void names_go_both_ways(void **state) {
  enum auth_outcome outcome;
  enum auth_trust trust;

  (void)state;
  for (int i = 0; i < AUTH_OUTCOMES; i++) {
    assert_true(auth_outcome_from_name(auth_outcome_name((enum auth_outcome)i),
                                       &outcome));
    assert_int_equal(outcome, i);
  }
  for (int i = 0; i < AUTH_TRUSTS; i++) {
    assert_true(
        auth_trust_from_name(auth_trust_name((enum auth_trust)i), &trust));
    assert_int_equal(trust, i);
  }
  assert_false(auth_outcome_from_name("", &outcome));
  assert_false(auth_outcome_from_name("Accepted", &outcome));
  assert_false(auth_trust_from_name("files", &trust));
}

static void addresses_are_read_without_their_scope(void **state) {
  static const struct {
    const char *text, *address; /* NULL: it is none */
  } cases[] = {
      {"192.0.2.1", "::ffff:192.0.2.1"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"2001:DB8:0::1", "2001:db8::1"},
      {"fe80::1%eth0", "fe80::1"},
      {"::1", "::1"},
      {"", NULL},
      {"%eth0", NULL},
      {"fe80::1%", NULL},
      {"fe80::1%2", "fe80::1"},
      {"fe80::1%eth0 port", NULL},
      {"fe80::1%eth0:1", NULL},
      {"fe80::1%\t", NULL},
      {"192.0.2.1%eth0", NULL},
      {"192.0.2", NULL},
      {"192.0.2.01", NULL},
      {"192.0.2.256", NULL},
      {"UNKNOWN", NULL},
      {"host.example", NULL},
      {" 192.0.2.1", NULL},
      {"1:2:3:4:5:6:7:8:9", NULL},
      {"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL},
  };
  struct in6_addr address;
  char text[INET6_ADDRSTRLEN];

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    bool is = auth_address_parse(text_of(cases[i].text), &address);

    if (is != (cases[i].address != NULL))
      fail_msg("'%s'", cases[i].text);
    if (!is)
      continue;
    assert_non_null(inet_ntop(AF_INET6, &address, text, sizeof(text)));
    assert_string_equal(text, cases[i].address);
  }
  assert_false(
      auth_address_parse((struct auth_text){"1.1.1.1\0", 8}, &address));
}

static void a_record_outlives_its_line(void **state) {
  char line[] = "publickey root 192.0.2.1 ED25519 web-1";
  const struct in6_addr peer = IN6ADDR_LOOPBACK_INIT;
  const struct auth_event event = {.outcome = AUTH_FAILED,
                                   .repeat = 3,
                                   .method = {line, 9},
                                   .user = {line + 10, 4},
                                   .source = {line + 15, 9},
                                   .key_type = {line + 25, 7},
                                   .host = {line + 33, 5},
                                   .pid = 7,
                                   .stamped_us = 5};
  const struct auth_arrival arrival = {9, AUTH_TRUST_TCP, &peer};
  struct auth_record *r = auth_record_new(&event, &arrival);

  (void)state;
  assert_non_null(r);
  memset(line, 'x', sizeof(line));
  assert_int_equal(r->event.method.len, 9);
  assert_memory_equal(r->event.method.at, "publickey", 9);
  assert_memory_equal(r->event.user.at, "root", 4);
  assert_memory_equal(r->event.source.at, "192.0.2.1", 9);
  assert_memory_equal(r->event.key_type.at, "ED25519", 7);
  assert_memory_equal(r->event.host.at, "web-1", 5);
  assert_int_equal(r->event.extra.len, 0);
  assert_int_equal(r->event.repeat, 3);
  assert_int_equal(r->event.pid, 7);
  assert_int_equal(r->arrived_us, 9);
  assert_int_equal(r->trust, AUTH_TRUST_TCP);
  assert_true(r->has_peer);
  assert_memory_equal(&r->peer, &peer, sizeof(peer));
  auth_record_free(r);
  auth_record_free(NULL);
}

static void the_journal_s_word_counts_where_nobody_else_writes(void **state) {
  static const struct {
    enum auth_trust came, trust;
  } cases[] = {
      {AUTH_TRUST_FILE, AUTH_TRUST_JOURNAL},
      {AUTH_TRUST_STDIN, AUTH_TRUST_JOURNAL},
      {AUTH_TRUST_TLS, AUTH_TRUST_TLS},
      {AUTH_TRUST_TCP, AUTH_TRUST_TCP},
      {AUTH_TRUST_UDP, AUTH_TRUST_UDP},
  };
  struct auth_event event = {.outcome = AUTH_ACCEPTED, .repeat = 1};

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const struct auth_arrival arrival = {1, cases[i].came, NULL};
    for (int journal = 0; journal < 2; journal++) {
      event.journal = journal != 0;
      struct auth_record *r = auth_record_new(&event, &arrival);

      assert_non_null(r);
      assert_int_equal(r->trust, journal ? cases[i].trust : cases[i].came);
      assert_false(r->has_peer);
      auth_record_free(r);
    }
  }
}

static void expect_json(const struct auth_event *event, const char *expected) {
  struct auth_json json = {.len = 0};

  assert_int_equal(auth_json_append(&json, 12, event), 0);
  if (json.len != strlen(expected) || memcmp(json.at, expected, json.len) != 0)
    fail_msg("%.*s is not\n%s", (int)json.len, json.at, expected);
  auth_json_clear(&json);
}

static void an_event_is_a_json_object(void **state) {
  const struct auth_event event = {
      .outcome = AUTH_ACCEPTED,
      .repeat = 2,
      .user_known = true,
      .method = text_of("publickey"),
      .user = text_of("jos\\303\\251 \\\\\"\\000\\377"),
      .source = text_of("fe80::1%eth0"),
      .protocol = text_of("ssh2"),
      .extra = text_of("ED25519-CERT SHA256:x ID \x01\x7f\xff\xc3\xa9"
                       "\xf0\x9f\x94\x91\xe2\x80\xae\xed\xa0\x80"),
      .key_type = text_of("ED25519-CERT"),
      .key = text_of("SHA256:x"),
      .cert_id = text_of("alice"),
      .program = text_of("sshd"),
      .host = text_of("web-1"),
      .port = 65535,
      .pid = UINT32_MAX,
      .stamped_us = 1795417264050001,
  };

  (void)state;
  expect_json(
      &event,
      "{\"line\":12,\"outcome\":\"accepted\",\"repeat\":2,"
      "\"method\":\"publickey\","
      "\"user\":\"jos\\\\303\\\\251 \\\\\\\\\\\"\\\\000\\\\377\","
      "\"user_unescaped\":\"jos\\u00e9 \\\\\\\"\\u0000\\ufffd\","
      "\"user_known\":true,\"address\":\"fe80::1%eth0\",\"port\":65535,"
      "\"protocol\":\"ssh2\",\"key_type\":\"ED25519-CERT\","
      "\"key_fingerprint\":\"SHA256:x\",\"cert_id\":\"alice\","
      "\"extra\":\"ED25519-CERT SHA256:x ID \\u0001\\u007f\\ufffd\\u00e9"
      "\\ud83d\\udd11\\u202e\\ufffd\\ufffd\\ufffd\","
      "\"time\":\"2026-11-23T07:01:04.050001Z\",\"program\":\"sshd\","
      "\"pid\":4294967295,\"host\":\"web-1\"}\n");
}

static void what_an_event_does_not_tell_is_null(void **state) {
  const struct auth_event nameless = {
      .outcome = AUTH_FAILED, .repeat = 1, .protocol = text_of("ssh2")};
  const struct auth_event refused = {.outcome = AUTH_ROOT_REFUSED,
                                     .repeat = 1,
                                     .user_known = true,
                                     .stamped_us = 1000000};

  (void)state;
  /* An empty name is a name, and port 0 a port. */
  expect_json(&nameless,
              "{\"line\":12,\"outcome\":\"failed\",\"repeat\":1,"
              "\"method\":null,\"user\":\"\",\"user_unescaped\":\"\","
              "\"user_known\":false,\"address\":null,\"port\":0,"
              "\"protocol\":\"ssh2\",\"key_type\":null,"
              "\"key_fingerprint\":null,\"cert_id\":null,\"extra\":null,"
              "\"time\":null,\"program\":null,\"pid\":null,\"host\":null}\n");
  expect_json(&refused,
              "{\"line\":12,\"outcome\":\"root_refused\",\"repeat\":1,"
              "\"method\":null,\"user\":null,\"user_unescaped\":null,"
              "\"user_known\":null,\"address\":null,\"port\":null,"
              "\"protocol\":null,\"key_type\":null,"
              "\"key_fingerprint\":null,\"cert_id\":null,\"extra\":null,"
              "\"time\":\"1970-01-01T00:00:01Z\",\"program\":null,"
              "\"pid\":null,\"host\":null}\n");
}

/* sshd escapes what it says, "error: PAM: ..." too; PAM escapes nothing. */
static void a_user_of_pam_has_no_escapes(void **state) {
  static const struct {
    const char *line, *user, *unescaped;
  } cases[] = {
      {"pam_unix(sshd:session): session opened for user DOM\\bob(uid=1000) by "
       "(uid=0)",
       "DOM\\\\bob", "DOM\\\\bob"},
      {"pam_unix(sshd:session): session closed for user DOM\\bob", "DOM\\\\bob",
       "DOM\\\\bob"},
      {"pam_unix(sshd:session): session opened for user DOM\\\\101 by (uid=0)",
       "DOM\\\\\\\\101", "DOM\\\\\\\\101"},
      {"error: PAM: Authentication failure for DOM\\\\bob from 192.0.2.7",
       "DOM\\\\\\\\bob", "DOM\\\\bob"},
      {"Starting session: command for DOM\\\\bob from 192.0.2.7 port 5 id 0",
       "DOM\\\\\\\\bob", "DOM\\\\bob"},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct auth_json json = {.len = 0};
    struct auth_event event;
    char expected[128];
    assert_int_equal(sshd_message_parse(text_of(cases[i].line), &event),
                     AUTH_LINE_EVENT);
    assert_int_equal(auth_json_append(&json, 1, &event), 0);
    int len = snprintf(expected, sizeof(expected),
                       ",\"user\":\"%s\",\"user_unescaped\":\"%s\",",
                       cases[i].user, cases[i].unescaped);
    if (memmem(json.at, json.len, expected, (size_t)len) == NULL)
      fail_msg("%s: %.*s has no %s", cases[i].line, (int)json.len, json.at,
               expected);
    auth_json_clear(&json);
  }
}

/* The longest that a text can become. */
static void a_long_text_has_room(void **state) {
  enum { LEN = 20000 };
  char *text = malloc(LEN);
  struct auth_json json = {.len = 0};

  (void)state;
  assert_non_null(text);
  for (size_t i = 0; i < LEN; i++)
    text[i] = "\\0013\xff"[i % 6];
  const struct auth_event event = {.outcome = AUTH_FAILED,
                                   .repeat = 1,
                                   .user = {text, LEN},
                                   .extra = {text, LEN},
                                   .source = {text, LEN},
                                   .host = {text, LEN}};
  for (uint64_t i = 0; i < 3; i++)
    assert_int_equal(auth_json_append(&json, UINT64_MAX - i, &event), 0);
  assert_int_equal(json.at[json.len - 1], '\n');
  assert_true(json.len <= json.size);
  auth_json_clear(&json);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_go_both_ways),
      cmocka_unit_test(addresses_are_read_without_their_scope),
      cmocka_unit_test(a_record_outlives_its_line),
      cmocka_unit_test(the_journal_s_word_counts_where_nobody_else_writes),
      cmocka_unit_test(an_event_is_a_json_object),
      cmocka_unit_test(what_an_event_does_not_tell_is_null),
      cmocka_unit_test(a_user_of_pam_has_no_escapes),
      cmocka_unit_test(a_long_text_has_room),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
