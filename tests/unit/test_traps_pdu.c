/* Notifications as receivers decode them: the order and the types that
 * PROCESS-DNA-MIB gives, whatever a row holds, and in one packet where that
 * can be. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "correlator/traps_pdu.h"
#include "tests/unit/unit.h"

enum { ROOM = 1384 };

static struct trap_payload payload_of(void) {
  struct trap_payload p;
  for (enum trap_field f = 0; f < TRAP_FIELDS; f++)
    p.field[f] = "";
  p.field[TRAP_TYPE] = "pdnaBinaryChanged";
  p.field[TRAP_AGENT_ADDRESS] = "192.0.2.7";
  p.field[TRAP_STATE] = "raised";
  p.field[TRAP_SEVERITY] = "critical";
  p.field[TRAP_HOST] = "web1";
  p.field[TRAP_PID] = "1842";
  p.field[TRAP_LINE] = "a line";
  return p;
}

/* The PDU as a receiver has it; *ret_size is that of its encoding. */
static netsnmp_pdu *through_the_wire(netsnmp_pdu *pdu, size_t *ret_size) {
  u_char *bytes = NULL;
  size_t size = 0;
  size_t len = 0;
  pdu->errstat = 0;
  pdu->errindex = 0;
  assert_int_equal(snmp_pdu_realloc_rbuild(&bytes, &size, &len, pdu), 1);
  netsnmp_pdu *decoded = snmp_pdu_create(0);
  *ret_size = len;
  assert_int_equal(snmp_pdu_parse(decoded, bytes + size - len, &len), 0);
  free(bytes);
  snmp_free_pdu(pdu);
  return decoded;
}

static netsnmp_pdu *sent(const struct trap_payload *p, bool inform,
                         size_t *ret_size) {
  netsnmp_pdu *pdu = NULL;
  assert_int_equal(traps_pdu_build(p, inform, 4711, ROOM, &pdu), 0);
  return through_the_wire(pdu, ret_size);
}

/* pdnaAlert NUMBER.0 of a decoded PDU. */
static const netsnmp_variable_list *alert(const netsnmp_pdu *pdu, int number) {
  const netsnmp_variable_list *v = pdu->variables;
  for (int i = 0; v != NULL && i < number + 2; i++)
    v = v->next_variable;
  if (v == NULL)
    abort();
  const oid name[] = {1,    3,    6,   1, 4, 1,           8072,
                      9999, 9999, 362, 1, 4, (oid)number, 0};
  assert_int_equal(
      snmp_oid_compare(v->name, v->name_length, name, OID_LENGTH(name)), 0);
  return v;
}

static void assert_text(const netsnmp_variable_list *v, const char *text) {
  assert_int_equal(v->type, ASN_OCTET_STR);
  assert_int_equal(v->val_len, strlen(text));
  assert_memory_equal(v->val.string, text, v->val_len);
}

static void has_the_objects_of_the_mib_in_order(void **state) {
  (void)state;
  struct trap_payload p = payload_of();
  char texts[TRAP_FIELDS][8];
  for (enum trap_field f = TRAP_KEY; f < TRAP_FIELDS; f++) {
    (void)snprintf(texts[f], sizeof(texts[f]), "f%d", (int)f);
    if (f != TRAP_STATE && f != TRAP_SEVERITY && f != TRAP_PID)
      p.field[f] = texts[f];
  }
  size_t size = 0;
  netsnmp_pdu *pdu = sent(&p, false, &size);
  assert_int_equal(pdu->command, SNMP_MSG_TRAP2);

  const netsnmp_variable_list *v = pdu->variables;
  assert_int_equal(v->type, ASN_TIMETICKS);
  assert_int_equal(*v->val.integer, 4711);
  v = v->next_variable;
  const oid changed[] = {1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 362, 0, 1};
  assert_int_equal(v->type, ASN_OBJECT_ID);
  assert_int_equal(snmp_oid_compare(v->val.objid, v->val_len / sizeof(oid),
                                    changed, OID_LENGTH(changed)),
                   0);
  v = v->next_variable;
  const oid trap_address[] = {1, 3, 6, 1, 6, 3, 18, 1, 3, 0};
  assert_int_equal(snmp_oid_compare(v->name, v->name_length, trap_address,
                                    OID_LENGTH(trap_address)),
                   0);
  assert_int_equal(v->type, ASN_IPADDRESS);
  assert_memory_equal(v->val.string, "\300\000\002\007", 4);

  int objects = 0;
  for (v = v->next_variable; v != NULL; v = v->next_variable)
    objects++;
  assert_int_equal(objects, 20);
  for (enum trap_field f = TRAP_KEY; f < TRAP_FIELDS; f++) {
    v = alert(pdu, (int)f - TRAP_KEY + 1);
    if (p.field[f] == texts[f])
      assert_text(v, texts[f]);
    else
      assert_int_equal(v->type, ASN_INTEGER);
  }
  assert_int_equal(*alert(pdu, 3)->val.integer, 1);     /* raised */
  assert_int_equal(*alert(pdu, 4)->val.integer, 4);     /* critical */
  assert_int_equal(*alert(pdu, 11)->val.integer, 1842); /* pid */
  snmp_free_pdu(pdu);
}

static void names_each_type_state_and_severity(void **state) {
  (void)state;
  static const char *const types[] = {"pdnaBinaryChanged",
                                      "pdnaLateralMovement", "pdnaAgentSilent",
                                      "pdnaFleetSilent", "pdnaAlertCleared"};
  static const char *const states[] = {"raised", "updated", "cleared"};
  static const char *const severities[] = {"cleared", "info", "warning",
                                           "critical"};
  struct trap_payload p = payload_of();
  size_t size = 0;

  for (int i = 0; i < 5; i++) {
    p.field[TRAP_TYPE] = types[i];
    p.field[TRAP_STATE] = states[i % 3];
    p.field[TRAP_SEVERITY] = severities[i % 4];
    netsnmp_pdu *pdu = sent(&p, true, &size);
    assert_int_equal(pdu->command, SNMP_MSG_INFORM);
    const netsnmp_variable_list *type = pdu->variables->next_variable;
    assert_int_equal(type->val.objid[type->val_len / sizeof(oid) - 1], i + 1);
    assert_int_equal(*alert(pdu, 3)->val.integer, i % 3 + 1);
    assert_int_equal(*alert(pdu, 4)->val.integer, i % 4 + 1);
    snmp_free_pdu(pdu);
  }
}

static void refuses_a_type_state_or_severity_that_is_none(void **state) {
  (void)state;
  static const enum trap_field fields[] = {TRAP_TYPE, TRAP_STATE,
                                           TRAP_SEVERITY};
  for (size_t i = 0; i < 3; i++) {
    struct trap_payload p = payload_of();
    netsnmp_pdu *pdu = NULL;
    p.field[fields[i]] = "raise";
    assert_int_equal(traps_pdu_build(&p, false, 0, ROOM, &pdu), -EINVAL);
    assert_null(pdu);
  }
}

static void gives_no_address_where_the_host_has_no_ipv4(void **state) {
  (void)state;
  static const char *const addresses[] = {"", "2001:db8::7", "192.0.2.7/24",
                                          "nonsense"};
  for (size_t i = 0; i < 4; i++) {
    struct trap_payload p = payload_of();
    size_t size = 0;
    p.field[TRAP_AGENT_ADDRESS] = addresses[i];
    p.field[TRAP_ADDRESS] = "2001:db8::7";
    netsnmp_pdu *pdu = sent(&p, false, &size);
    const netsnmp_variable_list *v =
        pdu->variables->next_variable->next_variable;
    assert_memory_equal(v->val.string, "\0\0\0\0", 4);
    assert_text(alert(pdu, 6), "2001:db8::7");
    snmp_free_pdu(pdu);
  }
}

static void gives_no_pid_where_there_is_none(void **state) {
  (void)state;
  static const char *const pids[] = {"",  "-1", "0",
                                     "x", "1x", "99999999999999999999"};
  for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
    struct trap_payload p = payload_of();
    size_t size = 0;
    p.field[TRAP_PID] = pids[i];
    netsnmp_pdu *pdu = sent(&p, false, &size);
    assert_int_equal(*alert(pdu, 11)->val.integer, 0);
    snmp_free_pdu(pdu);
  }
}

static void fits_into_a_packet_by_cutting_the_line(void **state) {
  (void)state;
  char line[1025];
  size_t size = 0;
  struct trap_payload p = payload_of();
  p.field[TRAP_LINE] = line;
  /* Two-byte characters, so that every other cut is inside one. */
  for (size_t len = 1000; len <= 1024; len++) {
    line[0] = 'x';
    for (size_t i = len % 2; i + 1 < len; i += 2)
      memcpy(line + i, "\303\244", 2);
    line[len] = '\0';
    netsnmp_pdu *pdu = sent(&p, false, &size);
    assert_true(size <= ROOM && size >= ROOM - 3);
    const netsnmp_variable_list *v = alert(pdu, 20);
    assert_true(v->val_len < len);
    assert_memory_equal(v->val.string + v->val_len - 3, "...", 3);
    assert_memory_equal(v->val.string, line, v->val_len - 3);
    assert_int_equal((v->val_len - 3 - len % 2) % 2, 0);
    snmp_free_pdu(pdu);
  }
}

static void leaves_a_line_that_fits(void **state) {
  (void)state;
  struct trap_payload p = payload_of();
  size_t size = 0;
  char line[512];
  memset(line, 'x', sizeof(line) - 1);
  line[sizeof(line) - 1] = '\0';
  p.field[TRAP_LINE] = line;
  netsnmp_pdu *pdu = sent(&p, false, &size);
  assert_text(alert(pdu, 20), line);
  snmp_free_pdu(pdu);
}

static void keeps_the_facts_where_even_no_line_helps(void **state) {
  (void)state;
  char text[601];
  size_t size = 0;
  struct trap_payload p = payload_of();
  memset(text, 'x', sizeof(text) - 1);
  text[sizeof(text) - 1] = '\0';
  static const enum trap_field fields[] = {TRAP_EXE_PATH, TRAP_PACKAGE,
                                           TRAP_MITRE, TRAP_USER, TRAP_LINE};
  for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
    p.field[fields[i]] = text;
  netsnmp_pdu *pdu = sent(&p, false, &size);
  assert_true(size > ROOM);
  assert_int_equal(alert(pdu, 20)->val_len, 0);
  assert_int_equal(alert(pdu, 8)->val_len, 512);
  snmp_free_pdu(pdu);
}

static void cuts_what_is_longer_than_the_mib_has_it(void **state) {
  (void)state;
  struct trap_payload p = payload_of();
  size_t size = 0;
  char text[401];
  for (size_t i = 0; i < sizeof(text) - 1; i += 4)
    memcpy(text + i, "\360\237\247\254", 4);
  text[sizeof(text) - 1] = '\0';
  p.field[TRAP_HOST] = text;
  p.field[TRAP_USER] = text;
  netsnmp_pdu *pdu = sent(&p, false, &size);
  assert_int_equal(alert(pdu, 5)->val_len, 124);
  assert_int_equal(alert(pdu, 17)->val_len, 252);
  snmp_free_pdu(pdu);
}

static void carries_hostile_text_as_it_is(void **state) {
  (void)state;
  static const char *const texts[] = {
      "%s%n%d",       "\"; DROP TABLE agents; --",
      "\001\002\177", "\200\200\200",
      "\377\376",     "`$(reboot)`"};
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    struct trap_payload p = payload_of();
    size_t size = 0;
    p.field[TRAP_HOST] = texts[i];
    p.field[TRAP_LINE] = texts[i];
    netsnmp_pdu *pdu = sent(&p, false, &size);
    assert_text(alert(pdu, 5), texts[i]);
    assert_text(alert(pdu, 20), texts[i]);
    snmp_free_pdu(pdu);
  }
}

static void cuts_text_that_has_no_character_boundary(void **state) {
  (void)state;
  char text[2001];
  size_t size = 0;
  struct trap_payload p = payload_of();
  memset(text, 0x80, sizeof(text) - 1);
  text[sizeof(text) - 1] = '\0';
  p.field[TRAP_LINE] = text;
  p.field[TRAP_HOST] = text;
  netsnmp_pdu *pdu = sent(&p, false, &size);
  assert_true(size <= ROOM);
  assert_text(alert(pdu, 20), "...");
  assert_int_equal(alert(pdu, 5)->val_len, 0);
  snmp_free_pdu(pdu);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(has_the_objects_of_the_mib_in_order),
      cmocka_unit_test(names_each_type_state_and_severity),
      cmocka_unit_test(refuses_a_type_state_or_severity_that_is_none),
      cmocka_unit_test(gives_no_address_where_the_host_has_no_ipv4),
      cmocka_unit_test(gives_no_pid_where_there_is_none),
      cmocka_unit_test(fits_into_a_packet_by_cutting_the_line),
      cmocka_unit_test(leaves_a_line_that_fits),
      cmocka_unit_test(keeps_the_facts_where_even_no_line_helps),
      cmocka_unit_test(cuts_what_is_longer_than_the_mib_has_it),
      cmocka_unit_test(carries_hostile_text_as_it_is),
      cmocka_unit_test(cuts_text_that_has_no_character_boundary),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
