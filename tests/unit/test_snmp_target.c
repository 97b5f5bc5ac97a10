/* Goal: the host of a session string becomes an address in figures, at once
 * where it is one, and without waiting where it is a name. */
#include <string.h>
#include <time.h>

#include "correlator/snmp_target.h"
#include "tests/unit/unit.h"

static struct snmp_target *target_of(const char *host, enum snmp_use use) {
  struct snmp_target *target = NULL;
  assert_int_equal(snmp_target_new(host, use, &target), 0);
  return target;
}

static void figures_are_an_address_at_once(void **state) {
  static const struct {
    const char *host;
    const char *poll;
    const char *sink;
  } cases[] = {
      {"192.0.2.1", "udp:192.0.2.1:161", "udp:192.0.2.1:162"},
      {"192.0.2.1:1161", "udp:192.0.2.1:1161", "udp:192.0.2.1:1161"},
      {"udp:192.0.2.1", "udp:192.0.2.1:161", "udp:192.0.2.1:162"},
      {"UDP:192.0.2.1:99", "udp:192.0.2.1:99", "udp:192.0.2.1:99"},
      {"[2001:db8::1]", "udp6:[2001:db8::1]:161", "udp6:[2001:db8::1]:162"},
      {"udp6:[2001:db8::1]:99", "udp6:[2001:db8::1]:99",
       "udp6:[2001:db8::1]:99"},
      {"tcp:192.0.2.1", "tcp:192.0.2.1:161", "tcp:192.0.2.1:162"},
      {"tcp6:[2001:db8::1]:99", "tcp6:[2001:db8::1]:99",
       "tcp6:[2001:db8::1]:99"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct snmp_address address;
    struct snmp_target *target = target_of(cases[i].host, SNMP_USE_POLL);
    assert_int_equal(snmp_target_poll(target, &address), 0);
    assert_string_equal(address.text, cases[i].poll);
    assert_int_equal(snmp_target_find(target, &address), 0);
    assert_string_equal(address.text, cases[i].poll);
    snmp_target_free(target);
    target = target_of(cases[i].host, SNMP_USE_SINK);
    assert_int_equal(snmp_target_find(target, &address), 0);
    assert_string_equal(address.text, cases[i].sink);
    snmp_target_free(target);
  }
}

static int wait_for(struct snmp_target *target, struct snmp_address *address) {
  const struct timespec nap = {0, 10000000};
  int r;
  while ((r = snmp_target_poll(target, address)) == -EAGAIN)
    (void)nanosleep(&nap, NULL);
  return r;
}

static void a_name_is_looked_up_beside(void **state) {
  struct snmp_address address;
  struct snmp_target *target = target_of("udp:localhost:99", SNMP_USE_POLL);
  (void)state;
  for (int i = 0; i < 2; i++) { /* each time anew */
    assert_int_equal(snmp_target_poll(target, &address), -EAGAIN);
    assert_int_equal(wait_for(target, &address), 0);
    assert_string_equal(address.text, "udp:127.0.0.1:99");
    assert_int_equal(address.address.ss_family, AF_INET);
  }
  assert_int_equal(snmp_target_poll(target, &address), -EAGAIN);
  snmp_target_free(target); /* in the middle */
}

static void no_address_is_said(void **state) {
  struct snmp_address address;
  struct snmp_target *target = target_of("none.invalid.", SNMP_USE_POLL);
  (void)state;
  assert_int_equal(wait_for(target, &address), -ENOENT);
  assert_int_equal(snmp_target_find(target, &address), -ENOENT);
  snmp_target_free(target);
  /* An IPv6 address is none for IPv4. */
  target = target_of("udp:[2001:db8::1]", SNMP_USE_POLL);
  assert_int_equal(wait_for(target, &address), -ENOENT);
  snmp_target_free(target);
  snmp_target_free(NULL);
}

static void what_is_too_long_is_refused(void **state) {
  char host[400];
  struct snmp_target *target = NULL;
  (void)state;
  memset(host, 'x', sizeof(host) - 1);
  host[sizeof(host) - 1] = '\0';
  assert_int_equal(snmp_target_new(host, SNMP_USE_POLL, &target), -EINVAL);
  assert_int_equal(snmp_target_new("h:123456", SNMP_USE_POLL, &target),
                   -EINVAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(figures_are_an_address_at_once),
      cmocka_unit_test(a_name_is_looked_up_beside),
      cmocka_unit_test(no_address_is_said),
      cmocka_unit_test(what_is_too_long_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
