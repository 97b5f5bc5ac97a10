/* Goal: what alice's collectd signed or encrypted is taken at the levels that
 * ask for no more, and nothing that differs from it by a bit. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "correlator/collectd_crypto.h"
#include "correlator/collectd_packet.h"
#include "tests/unit/collectd_packets.h"
#include "tests/unit/unit.h"

static struct collectd_crypto *crypto;
static struct collectd_auth *auth;

static struct collectd_auth *auth_of(const char *content) {
  char file[] = "/tmp/pdna-crypto-XXXXXX";
  const int fd = mkstemp(file);
  struct collectd_auth *a = NULL;

  assert_true(fd >= 0);
  assert_int_equal(write(fd, content, strlen(content)), strlen(content));
  close(fd);
  assert_int_equal(collectd_auth_new(file, &a), 0);
  assert_int_equal(unlink(file), 0);
  return a;
}

static int set_up(void **state) {
  (void)state;
  auth = auth_of("alice: wonderland\nbob: builder\n");
  return collectd_crypto_new(&crypto);
}

static int tear_down(void **state) {
  (void)state;
  collectd_crypto_free(crypto);
  collectd_auth_free(auth);
  return 0;
}

static int open_with(const struct collectd_auth *a, enum security_level level,
                     const struct packet *p, struct collectd_envelope *e) {
  /* Of its own size, so that a sanitizer sees reads beyond it. */
  uint8_t *data = malloc(p->len ? p->len : 1);
  int r;

  memcpy(data, p->data, p->len);
  r = collectd_crypto_open(crypto, level, a, data, p->len, e);
  free(data);
  return r;
}

static int open_packet(enum security_level level, const struct packet *p) {
  struct collectd_envelope e;

  return open_with(auth, level, p, &e);
}

static void signed_packets_of_a_real_collectd_hold(void **state) {
  struct packet p, plain;
  struct collectd_envelope e;

  (void)state;
  for (size_t i = 0; packet_captured("scan-sign", i, &p); i++) {
    assert_true(packet_captured("scan-plain", i, &plain));
    for (int level = SECURITY_NONE; level <= SECURITY_ENCRYPT; level++) {
      assert_int_equal(collectd_crypto_open(crypto, (enum security_level)level,
                                            auth, p.data, p.len, &e),
                       0);
      assert_string_equal(e.signer, "alice");
      assert_int_equal(e.payload_len, plain.len);
      assert_memory_equal(e.payload, plain.data, plain.len);
    }
  }
}

static void encrypted_packets_of_a_real_collectd_decrypt(void **state) {
  struct packet p, plain;
  struct collectd_envelope e;

  (void)state;
  for (size_t i = 0; packet_captured("scan-encrypt", i, &p); i++) {
    assert_true(packet_captured("scan-plain", i, &plain));
    assert_int_equal(
        collectd_crypto_open(crypto, SECURITY_ENCRYPT, auth, p.data, p.len, &e),
        0);
    assert_string_equal(e.signer, "alice");
    assert_int_equal(e.payload_len, plain.len);
    assert_memory_equal(e.payload, plain.data, plain.len);
  }
}

static void each_level_takes_what_it_says(void **state) {
  const struct packet plain = packet_first("types-plain"),
                      sign = packet_first("types-sign"),
                      encrypt = packet_first("types-encrypt");

  (void)state;
  assert_int_equal(open_packet(SECURITY_NONE, &plain), 0);
  assert_int_equal(open_packet(SECURITY_NONE, &sign), 0);
  assert_int_equal(open_packet(SECURITY_NONE, &encrypt), 0);
  assert_int_equal(open_packet(SECURITY_SIGN, &plain), -EACCES);
  assert_int_equal(open_packet(SECURITY_SIGN, &sign), 0);
  assert_int_equal(open_packet(SECURITY_SIGN, &encrypt), -EACCES);
  assert_int_equal(open_packet(SECURITY_ENCRYPT, &plain), -EACCES);
  assert_int_equal(open_packet(SECURITY_ENCRYPT, &sign), 0);
  assert_int_equal(open_packet(SECURITY_ENCRYPT, &encrypt), 0);
}

static void every_flipped_bit_is_noticed(void **state) {
  static const char *const names[] = {"types-sign", "types-encrypt"};

  (void)state;
  for (size_t n = 0; n < 2; n++) {
    struct packet p = packet_first(names[n]);

    assert_int_equal(open_packet(SECURITY_ENCRYPT, &p), 0);
    for (size_t i = 0; i < p.len * 8; i++) {
      p.data[i / 8] ^= (uint8_t)(1 << i % 8);
      assert_int_not_equal(open_packet(SECURITY_ENCRYPT, &p), 0);
      p.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
  }
}

static void every_truncation_is_noticed(void **state) {
  static const char *const names[] = {"types-sign", "types-encrypt"};

  (void)state;
  for (size_t n = 0; n < 2; n++) {
    struct packet p = packet_first(names[n]);

    while (p.len-- > 0)
      assert_int_not_equal(open_packet(SECURITY_ENCRYPT, &p), 0);
  }
}

static void a_packet_of_no_bytes_is_malformed(void **state) {
  const struct packet p = {.len = 0};

  (void)state;
  assert_int_equal(open_packet(SECURITY_NONE, &p), -EBADMSG);
}

static void an_unknown_user_and_a_wrong_password_differ(void **state) {
  static const char *const names[] = {"types-sign", "types-encrypt"};
  struct collectd_auth *without = auth_of("bob: builder\n");
  struct collectd_auth *wrong = auth_of("alice: other\n");
  struct collectd_envelope e;

  (void)state;
  for (size_t n = 0; n < 2; n++) {
    const struct packet p = packet_first(names[n]);

    assert_int_equal(open_with(without, SECURITY_ENCRYPT, &p, &e), -ENOKEY);
    assert_int_equal(open_with(wrong, SECURITY_ENCRYPT, &p, &e), -EKEYREJECTED);
  }
  collectd_auth_free(without);
  collectd_auth_free(wrong);
}

static void without_users_a_signature_vouches_for_nobody(void **state) {
  const struct packet sign = packet_first("types-sign");
  const struct packet encrypt = packet_first("types-encrypt");
  struct collectd_envelope e;

  (void)state;
  assert_int_equal(open_with(NULL, SECURITY_NONE, &sign, &e), 0);
  assert_string_equal(e.signer, "");
  assert_int_equal(open_with(NULL, SECURITY_NONE, &encrypt, &e), -ENOKEY);
  assert_int_equal(open_with(NULL, SECURITY_SIGN, &sign, &e), -ENOKEY);
}

static void parts_after_an_encrypted_one_are_refused(void **state) {
  struct packet p = packet_first("types-encrypt");
  const struct packet plain = packet_first("types-plain");

  (void)state;
  put(&p, plain.data, plain.len);
  assert_int_equal(open_packet(SECURITY_ENCRYPT, &p), -EACCES);
  assert_int_equal(open_packet(SECURITY_NONE, &p), -EBADMSG);
}

static void parts_before_a_signature_are_refused(void **state) {
  struct packet p = packet_first("types-plain");
  const struct packet sign = packet_first("types-sign");

  (void)state;
  put(&p, sign.data, sign.len);
  assert_int_equal(open_packet(SECURITY_SIGN, &p), -EACCES);
}

static void parts_after_the_signed_ones_break_the_signature(void **state) {
  struct packet p = packet_first("types-sign");
  const struct packet plain = packet_first("types-plain");

  (void)state;
  put(&p, plain.data, plain.len);
  assert_int_equal(open_packet(SECURITY_SIGN, &p), -EKEYREJECTED);
}

static void the_user_name_is_signed_too(void **state) {
  struct packet p = {.len = 0};

  (void)state;
  put_text(&p, P_HOST, "host-a");
  packet_sign(&p, "bob", "builder");
  assert_int_equal(open_packet(SECURITY_SIGN, &p), 0);
  p.data[3] = (uint8_t)(p.data[3] + 1);
  assert_int_equal(open_packet(SECURITY_SIGN, &p), -ENOKEY);
}

static void lengths_that_leave_no_user_are_malformed(void **state) {
  struct packet p = packet_first("types-sign");

  (void)state;
  p.data[3] = 36;
  assert_int_equal(open_packet(SECURITY_SIGN, &p), -EBADMSG);
  p = packet_first("types-encrypt");
  p.data[4] = p.data[5] = 0;
  assert_int_equal(open_packet(SECURITY_ENCRYPT, &p), -EBADMSG);
  p.data[4] = p.data[5] = 0xff;
  assert_int_equal(open_packet(SECURITY_ENCRYPT, &p), -EBADMSG);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(signed_packets_of_a_real_collectd_hold),
      cmocka_unit_test(encrypted_packets_of_a_real_collectd_decrypt),
      cmocka_unit_test(each_level_takes_what_it_says),
      cmocka_unit_test(every_flipped_bit_is_noticed),
      cmocka_unit_test(every_truncation_is_noticed),
      cmocka_unit_test(a_packet_of_no_bytes_is_malformed),
      cmocka_unit_test(an_unknown_user_and_a_wrong_password_differ),
      cmocka_unit_test(without_users_a_signature_vouches_for_nobody),
      cmocka_unit_test(parts_after_an_encrypted_one_are_refused),
      cmocka_unit_test(parts_before_a_signature_are_refused),
      cmocka_unit_test(parts_after_the_signed_ones_break_the_signature),
      cmocka_unit_test(the_user_name_is_signed_too),
      cmocka_unit_test(lengths_that_leave_no_user_are_malformed),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
