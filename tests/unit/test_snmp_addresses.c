/* Goal: of an agent's addresses those are kept by which others can reach the
 * host, from whichever table it has; tables without an end are left there. */
#include "correlator/snmp_addresses.h"
#include "tests/unit/unit.h"

#include "tests/unit/made_agent.h"

#define NAME(...)                                                              \
  ((const oid[]){__VA_ARGS__}), OID_LENGTH(((oid[]){__VA_ARGS__}))
#define NEW(column, ...) NAME(1, 3, 6, 1, 2, 1, 4, 34, 1, column, __VA_ARGS__)
#define OLD(...) NAME(1, 3, 6, 1, 2, 1, 4, 20, 1, 2, __VA_ARGS__)
#define INTERFACE(n) NAME(1, 3, 6, 1, 2, 1, 2, 2, 1, 2, n)

static struct made_agent agent;
static struct snmp_message message;

static int clear(void **state) {
  (void)state;
  memset(&agent, 0, sizeof(agent));
  made_text(&agent, INTERFACE(2), "eth0");
  made_text(&agent, INTERFACE(3), "docker0");
  /* What comes behind the tables. */
  made_text(&agent, NAME(1, 3, 6, 1, 2, 1, 25, 1, 1, 0), "");
  return 0;
}

#define ADD(interface, type, ...)                                              \
  do {                                                                         \
    made_number(&agent, NEW(3, __VA_ARGS__), ASN_INTEGER, interface);          \
    made_number(&agent, NEW(4, __VA_ARGS__), ASN_INTEGER, type);               \
  } while (0)

static int read_all(struct snmp_addresses *a) {
  int r = 0;
  *a = (struct snmp_addresses){0};
  for (int i = 0; i < 1000 && r == 0 && a->stage != SNMP_ADDRESSES_DONE; i++) {
    netsnmp_pdu *request = NULL;
    assert_int_equal(snmp_addresses_ask(a, &request), 0);
    netsnmp_pdu *answer = made_answer(&agent, request);
    r = snmp_addresses_take(a, answer, &message);
    snmp_free_pdu(answer);
  }
  return r;
}

static void expect(size_t len, const char *const *texts) {
  struct snmp_addresses a;
  struct report *r = report_new();
  if (read_all(&a) != 0)
    fail_msg("%s", message.text);
  assert_int_equal(a.stage, SNMP_ADDRESSES_DONE);
  assert_int_equal(snmp_addresses_give(&a, r), 0);
  assert_int_equal(r->addresses_len, len);
  for (size_t i = 0; i < len; i++)
    assert_string_equal(r->addresses[i], texts[i]);
  report_free(r);
}

static void addresses_that_others_reach_are_kept(void **state) {
  (void)state;
  ADD(1, 1, 1, 4, 127, 0, 0, 1);
  ADD(2, 1, 1, 4, 192, 0, 2, 7);
  ADD(2, 3, 1, 4, 192, 0, 2, 255); /* broadcast */
  ADD(2, 1, 1, 4, 169, 254, 0, 1); /* link-local */
  ADD(3, 1, 1, 4, 172, 17, 0, 1);  /* docker0 */
  ADD(9, 1, 1, 4, 192, 0, 2, 9);   /* no name */
  ADD(2, 1, 2, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7);
  ADD(2, 1, 2, 16, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7);
  ADD(2, 1, 4, 20, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0,
      0, 2);
  ADD(1, 1, 2, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
  expect(3, (const char *const[]){"192.0.2.7", "192.0.2.9", "2001:db8::7"});
}

static void the_old_table_will_do(void **state) {
  (void)state;
  made_number(&agent, OLD(127, 0, 0, 1), ASN_INTEGER, 1);
  made_number(&agent, OLD(172, 17, 0, 1), ASN_INTEGER, 3);
  made_number(&agent, OLD(192, 0, 2, 7), ASN_INTEGER, 2);
  expect(1, (const char *const[]){"192.0.2.7"});
}

static void no_table_is_no_address(void **state) {
  (void)state;
  expect(0, NULL);
  agent.len = 0;
  expect(0, NULL);
}

static void an_answer_that_is_cut_is_asked_on_from_there(void **state) {
  (void)state;
  for (oid i = 1; i <= 9; i++)
    ADD(2, 1, 1, 4, 192, 0, 2, i);
  agent.cut = 5;
  expect(9, (const char *const[]){"192.0.2.1", "192.0.2.2", "192.0.2.3",
                                  "192.0.2.4", "192.0.2.5", "192.0.2.6",
                                  "192.0.2.7", "192.0.2.8", "192.0.2.9"});
}

static void many_addresses_have_a_bound(void **state) {
  struct snmp_addresses a;
  (void)state;
  for (oid i = 0; i < 1500; i++)
    ADD(2, 1, 1, 4, 192, 0, i / 200, i % 200);
  assert_int_equal(read_all(&a), 0);
  assert_int_equal(a.len, SNMP_ADDRESSES_MAX);
  assert_int_equal(a.rows_read, SNMP_ADDRESSES_ROWS);
}

static void odd_rows_are_said_or_left_out(void **state) {
  struct snmp_addresses a;
  ADD(2, 1, 1, 5, 192, 0, 2, 7); /* a length that is none */
  ADD(2, 1, 1, 4, 192, 0, 2, 256);
  ADD(2, 1, 16, 3, 'a', '.', 'b'); /* dns */
  expect(0, NULL);

  (void)clear(state);
  made_text(&agent, NEW(3, 1, 4, 192, 0, 2, 7), "2");
  made_number(&agent, NEW(4, 1, 4, 192, 0, 2, 7), ASN_INTEGER, 1);
  assert_int_equal(read_all(&a), -EINVAL);
  assert_string_equal(message.text,
                      "ipAddressIfIndex: expected INTEGER, found OCTET STRING");

  (void)clear(state);
  ADD(2, 1, 1, 4, 192, 0, 2, 7);
  made_set(&agent, NEW(4, 1, 4, 192, 0, 2, 7), 0, "", 0);
  made_number(&agent, NEW(4, 1, 4, 192, 0, 2, 8), ASN_INTEGER, 1);
  assert_int_equal(read_all(&a), -EINVAL);

  (void)clear(state);
  ADD(2, 1, 1, 4, 192, 0, 2, 7);
  made_number(&agent, INTERFACE(2), ASN_INTEGER, 1);
  assert_int_equal(read_all(&a), -EINVAL);
}

static void a_table_that_does_not_increase_is_said(void **state) {
  struct snmp_addresses a = {0};
  (void)state;
  ADD(2, 1, 1, 4, 192, 0, 2, 7);
  netsnmp_pdu *answer = snmp_pdu_create(SNMP_MSG_RESPONSE);
  assert_non_null(answer);
  for (int i = 0; i < 2; i++) {
    made_add(answer, made_find(&agent, NEW(3, 1, 4, 192, 0, 2, 7)));
    made_add(answer, made_find(&agent, NEW(4, 1, 4, 192, 0, 2, 7)));
  }
  assert_int_equal(snmp_addresses_take(&a, answer, &message), -EINVAL);
  assert_string_equal(message.text,
                      "ipAddressTable: the table does not increase");
  snmp_free_pdu(answer);
}

#define test(f) cmocka_unit_test_setup(f, clear)

int main(void) {
  const struct CMUnitTest tests[] = {
      test(addresses_that_others_reach_are_kept),
      test(the_old_table_will_do),
      test(no_table_is_no_address),
      test(an_answer_that_is_cut_is_asked_on_from_there),
      test(many_addresses_have_a_bound),
      test(odd_rows_are_said_or_left_out),
      test(a_table_that_does_not_increase_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
