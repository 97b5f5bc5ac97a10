/* Keys and certificates are told, as far as they are sure. */
#include "tests/unit/sshd_expected.h"

static void a_key_is_told(void **state) {
  static const struct expected events[] = {
      {.message = HEAD("root") ": ED25519 " FP,
       ROOT,
       .extra = "ED25519 " FP,
       .key_type = "ED25519",
       .key = FP},
      {.message = HEAD("root") ": ED25519-SK " FP,
       ROOT,
       .extra = "ED25519-SK " FP,
       .key_type = "ED25519-SK",
       .key = FP},
      {.message = HEAD("root") ": RSA MD5:" MD5,
       ROOT,
       .extra = "RSA MD5:" MD5,
       .key_type = "RSA",
       .key = "MD5:" MD5},
      /* before OpenSSH 6.8 */
      {.message = HEAD("root") ": RSA " MD5,
       ROOT,
       .extra = "RSA " MD5,
       .key_type = "RSA",
       .key = MD5},
      {.message = HEAD("root") ": ED25519-CERT " FP
                               " ID alice@corp (serial 7) CA ED25519 " CA,
       ROOT,
       .extra = "ED25519-CERT " FP " ID alice@corp (serial 7) CA ED25519 " CA,
       .key_type = "ED25519-CERT",
       .key = FP,
       .cert_id = "alice@corp"},
      {.message = HEAD("root") ": ED25519-CERT " FP
                               " ID x (serial 9) CA y (serial 7) CA RSA " CA,
       ROOT,
       .extra =
           "ED25519-CERT " FP " ID x (serial 9) CA y (serial 7) CA RSA " CA,
       .key_type = "ED25519-CERT",
       .key = FP,
       .cert_id = "x (serial 9) CA y"},
      /* before OpenSSH 7.6 */
      {.message = HEAD("root") ": RSA-CERT ID alice (serial 7) CA RSA " CA,
       ROOT,
       .extra = "RSA-CERT ID alice (serial 7) CA RSA " CA,
       .key_type = "RSA-CERT",
       .cert_id = "alice"},
      /* before OpenSSH 7.0 */
      {.message = HEAD("root") ": RSA-CERT-V00 ID alice (serial 0) CA RSA " CA,
       ROOT,
       .extra = "RSA-CERT-V00 ID alice (serial 0) CA RSA " CA,
       .key_type = "RSA-CERT-V00",
       .cert_id = "alice"},
      {.message = HEAD("root") ": RSA-V00 ID alice (serial 0) CA RSA " CA,
       ROOT,
       .extra = "RSA-V00 ID alice (serial 0) CA RSA " CA},
      {.message =
           HEAD("root") ": ED25519-CERT " FP " ID  (serial 0) CA ED25519 " CA,
       ROOT,
       .extra = "ED25519-CERT " FP " ID  (serial 0) CA ED25519 " CA,
       .key_type = "ED25519-CERT",
       .key = FP},
      /* A fingerprint that was cut is none. */
      {.message = HEAD("root") ": ED25519 SHA256:ZxDiJ7UaW6FryRwz",
       ROOT,
       .extra = "ED25519 SHA256:ZxDiJ7UaW6FryRwz"},
      {.message = HEAD("root") ": ED25519 ", ROOT, .extra = "ED25519 "},
      {.message = HEAD("root") ": ", ROOT},
  };

  (void)state;
  EXPECT_ALL(events);
}

static void a_host_s_key_is_told_with_its_client(void **state) {
#define CLIENT ", client user \"root\", client host \"client.example\""
  static const struct expected events[] = {
      {.message = "Accepted hostbased for root from 192.0.2.1 port 22 ssh2: "
                  "ED25519 " FP CLIENT,
       .outcome = "accepted",
       .method = "hostbased",
       .user = "root",
       .source = "192.0.2.1",
       .protocol = "ssh2",
       .extra = "ED25519 " FP CLIENT,
       .key_type = "ED25519",
       .key = FP,
       .port = 22},
      /* Of a host's certificate both ends are the client's: no id is sure. */
      {.message = "Accepted hostbased for root from 192.0.2.1 port 22 ssh2: "
                  "ED25519-CERT " FP " ID web-1 (serial 7) CA ED25519 " CA
                  ", client user \"x (serial 1) CA ED25519 " CA
                  "\", client host \"client.example\"",
       .outcome = "accepted",
       .method = "hostbased",
       .user = "root",
       .source = "192.0.2.1",
       .protocol = "ssh2",
       .extra = "ED25519-CERT " FP " ID web-1 (serial 7) CA ED25519 " CA
                ", client user \"x (serial 1) CA ED25519 " CA
                "\", client host \"client.example\"",
       .key_type = "ED25519-CERT",
       .key = FP,
       .port = 22},
  };

  (void)state;
  EXPECT_ALL(events);
}

/* sshd cuts a message at 500 bytes. An id that ends like a whole text just
 * there is not told. */
static void an_id_that_was_cut_is_not_told(void **state) {
  static const char head[] = HEAD("root") ": ED25519-CERT " FP " ID alice",
                    tail[] = " (serial 7) CA ED25519 " CA;
  enum { CUT = 500, HEAD_LEN = sizeof(head) - 1, TAIL_LEN = sizeof(tail) - 1 };
  char message[CUT + 1];
  struct auth_event event;

  (void)state;
  memset(message, 'A', CUT);
  memcpy(message, head, HEAD_LEN);
  memcpy(message + CUT - TAIL_LEN, tail, TAIL_LEN + 1);
  assert_int_equal(parse(message, &event), AUTH_LINE_EVENT);
  assert_int_equal(event.cert_id.len, 0);
  assert_int_equal(event.key.len, strlen(FP));

  /* A shorter one is whole. */
  memcpy(message + CUT - TAIL_LEN - 50, tail, TAIL_LEN + 1);
  assert_int_equal(parse(message, &event), AUTH_LINE_EVENT);
  assert_int_equal(event.cert_id.len,
                   CUT - TAIL_LEN - 50 - HEAD_LEN + strlen("alice"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_key_is_told),
      cmocka_unit_test(a_host_s_key_is_told_with_its_client),
      cmocka_unit_test(an_id_that_was_cut_is_not_told),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
