/* Goal: the one who has to go is the one whose going does the least harm. */
#include <arpa/inet.h>

#include "correlator/syslog_crowd.h"
#include "tests/unit/unit.h"

enum { MEMBERS = 8 };

static struct syslog_crowd crowd;
static struct syslog_member members[MEMBERS];
static size_t members_len;

static int set_up(void **state) {
  (void)state;
  syslog_crowd_init(&crowd);
  members_len = 0;
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  for (size_t i = 0; i < members_len; i++)
    syslog_crowd_remove(&crowd, &members[i]);
  return crowd.len != 0;
}

static struct syslog_member *add(const char *address) {
  struct syslog_member *m = &members[members_len++];
  struct in6_addr in;

  assert_int_equal(inet_pton(AF_INET6, address, &in), 1);
  assert_int_equal(syslog_crowd_add(&crowd, m, &in), 0);
  assert_int_equal(crowd.len, members_len);
  return m;
}

static void nobody_goes_from_an_empty_crowd(void **state) {
  (void)state;
  assert_null(syslog_crowd_choose(&crowd));
}

static void of_equals_the_quietest_goes(void **state) {
  struct syslog_member *a = add("::ffff:192.0.2.1");
  struct syslog_member *b = add("::ffff:192.0.2.2");

  (void)state;
  assert_ptr_equal(syslog_crowd_choose(&crowd), a);
  syslog_crowd_heard(&crowd, a);
  assert_ptr_equal(syslog_crowd_choose(&crowd), b);
}

static void the_network_with_the_most_connections_goes_first(void **state) {
  struct syslog_member *quiet = add("::ffff:192.0.2.1");
  struct syslog_member *first = add("::ffff:192.0.2.2");
  struct syslog_member *second = add("::ffff:192.0.2.2");

  (void)state;
  assert_ptr_equal(syslog_crowd_choose(&crowd), first);
  syslog_crowd_heard(&crowd, first);
  assert_ptr_equal(syslog_crowd_choose(&crowd), second);
  syslog_crowd_remove(&crowd, second);
  assert_ptr_equal(syslog_crowd_choose(&crowd), quiet);
}

static void addresses_of_one_ipv6_network_count_together(void **state) {
  struct syslog_member *first;

  (void)state;
  (void)add("2001:db8:0:1::1");
  first = add("2001:db8:0:2::1");
  (void)add("2001:db8:0:2:ffff::2");
  assert_ptr_equal(syslog_crowd_choose(&crowd), first);
}

static void addresses_of_ipv4_count_apart(void **state) {
  struct syslog_member *first = add("::ffff:192.0.2.1");

  (void)state;
  (void)add("::ffff:192.0.2.2");
  (void)add("::ffff:192.0.2.3");
  assert_ptr_equal(syslog_crowd_choose(&crowd), first);
}

static void who_has_a_certificate_goes_last(void **state) {
  struct syslog_member *a = add("::ffff:192.0.2.1");
  struct syslog_member *b = add("::ffff:192.0.2.1");
  struct syslog_member *stranger = add("::ffff:192.0.2.2");

  (void)state;
  a->verified = b->verified = true;
  assert_ptr_equal(syslog_crowd_choose(&crowd), stranger);
  stranger->verified = true;
  assert_ptr_equal(syslog_crowd_choose(&crowd), a);
}

static void who_is_kept_does_not_go(void **state) {
  struct syslog_member *a = add("::ffff:192.0.2.1");
  struct syslog_member *b = add("::ffff:192.0.2.2");

  (void)state;
  a->kept = true;
  assert_ptr_equal(syslog_crowd_choose(&crowd), b);
  b->kept = true;
  assert_null(syslog_crowd_choose(&crowd));
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(nobody_goes_from_an_empty_crowd),
      TEST(of_equals_the_quietest_goes),
      TEST(the_network_with_the_most_connections_goes_first),
      TEST(addresses_of_one_ipv6_network_count_together),
      TEST(addresses_of_ipv4_count_apart),
      TEST(who_has_a_certificate_goes_last),
      TEST(who_is_kept_does_not_go),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
