/* Goal: an address is one and the same however a socket tells it. */
#include <arpa/inet.h>
#include <string.h>

#include "correlator/peer.h"
#include "tests/unit/unit.h"

static struct sockaddr_storage v4(const char *text) {
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(514)};
  struct sockaddr_storage address = {0};

  assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
  memcpy(&address, &in, sizeof(in));
  return address;
}

static struct sockaddr_storage v6(const char *text) {
  struct sockaddr_in6 in = {
      .sin6_family = AF_INET6, .sin6_port = htons(514), .sin6_scope_id = 2};
  struct sockaddr_storage address = {0};

  assert_int_equal(inet_pton(AF_INET6, text, &in.sin6_addr), 1);
  memcpy(&address, &in, sizeof(in));
  return address;
}

static void check(struct sockaddr_storage address, const char *text,
                  const char *as_v6) {
  const struct peer peer = peer_of((const struct sockaddr *)&address);
  struct in6_addr expected;

  assert_int_equal(inet_pton(AF_INET6, as_v6, &expected), 1);
  assert_string_equal(peer.text, text);
  assert_memory_equal(&peer.address, &expected, sizeof(expected));
}

static void ipv4_is_mapped_and_shown_as_ipv4(void **state) {
  (void)state;
  check(v4("192.0.2.1"), "192.0.2.1", "::ffff:192.0.2.1");
  check(v6("::ffff:192.0.2.1"), "192.0.2.1", "::ffff:192.0.2.1");
}

static void ipv6_is_as_it_is_without_a_scope(void **state) {
  (void)state;
  check(v6("2001:db8::1"), "2001:db8::1", "2001:db8::1");
  check(v6("fe80::1"), "fe80::1", "fe80::1");
}

static void another_family_is_unknown(void **state) {
  struct sockaddr_storage address = {.ss_family = AF_UNIX};

  (void)state;
  check(address, "unknown", "::");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ipv4_is_mapped_and_shown_as_ipv4),
      cmocka_unit_test(ipv6_is_as_it_is_without_a_scope),
      cmocka_unit_test(another_family_is_unknown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
