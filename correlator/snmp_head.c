#include "correlator/snmp_head.h"

#include <string.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "correlator/snmp_value.h"
#include "correlator/word.h"
#include "lib/record/mib.h"

static const oid scan_sequence[] = {PDNA_AGENT_OID, PDNA_SCAN_SEQUENCE, 0};
static const oid last_scan[] = {PDNA_AGENT_OID, PDNA_LAST_SCAN, 0};
static const oid executable_count[] = {PDNA_AGENT_OID, PDNA_EXECUTABLE_COUNT,
                                       0};
static const oid host_id[] = {PDNA_AGENT_OID, PDNA_HOST_ID, 0};
static const oid scan_interval[] = {PDNA_AGENT_OID, PDNA_SCAN_INTERVAL, 0};
static const oid sys_name[] = {1, 3, 6, 1, 2, 1, 1, 5, 0};
static const oid system_uptime[] = {1, 3, 6, 1, 2, 1, 25, 1, 1, 0};

static int read_sequence(const struct snmp_value *v, struct snmp_head *h) {
  return snmp_value_unsigned(v, &h->sequence);
}

static int read_last_scan(const struct snmp_value *v, struct snmp_head *h) {
  return snmp_value_time(v, &h->observed_us);
}

static int read_count(const struct snmp_value *v, struct snmp_head *h) {
  int r = snmp_value_unsigned(v, &h->executables);
  if (r == 0 && h->executables > SNMP_HEAD_ROWS_MAX)
    return snmp_complain(v->message,
                         "pdnaExecutableCount: expected at most %d, found %u",
                         SNMP_HEAD_ROWS_MAX, h->executables);
  return r;
}

static int read_host_id(const struct snmp_value *v, struct snmp_head *h) {
  int r = snmp_value_text(v, h->host_id, sizeof(h->host_id));
  if (r == 0 && h->host_id[0] != '\0' &&
      (strlen(h->host_id) != WIRE_HOST_ID_LEN ||
       strspn(h->host_id, "0123456789abcdef") != WIRE_HOST_ID_LEN))
    return snmp_complain(v->message,
                         "pdnaHostId: expected %d lower-case hex digits, found "
                         "'%s'",
                         WIRE_HOST_ID_LEN, h->host_id);
  return r;
}

static int read_interval(const struct snmp_value *v, struct snmp_head *h) {
  enum { INTERVAL_MAX_S = 604800 };
  int r = snmp_value_unsigned(v, &h->interval_s);
  if (r == 0 && (h->interval_s == 0 || h->interval_s > INTERVAL_MAX_S))
    return snmp_complain(v->message,
                         "pdnaScanInterval: expected 1 to %d s, found %u",
                         INTERVAL_MAX_S, h->interval_s);
  return r;
}

/* Host names go into the database and into traps. */
static int read_name(const struct snmp_value *v, struct snmp_head *h) {
  int r = snmp_value_text(v, h->name, sizeof(h->name));

  if (r == 0 && !word_is_printable(h->name, ""))
    return snmp_complain(v->message,
                         "sysName: expected printable ASCII without spaces, "
                         "found '%s': give the poll a host = NAME",
                         h->name);
  return r;
}

static int read_uptime(const struct snmp_value *v, struct snmp_head *h) {
  return snmp_value_ticks(v, &h->uptime_cs);
}

/* Those that tell one scan from another come first. */
static const struct object {
  const char *name;
  const oid *oid;
  size_t len;
  int (*read)(const struct snmp_value *value, struct snmp_head *head);
  bool optional;
} objects[] = {
    {"pdnaScanSequence", scan_sequence, OID_LENGTH(scan_sequence),
     read_sequence, false},
    {"pdnaLastScan", last_scan, OID_LENGTH(last_scan), read_last_scan, false},
    {"pdnaExecutableCount", executable_count, OID_LENGTH(executable_count),
     read_count, false},
    {"pdnaHostId", host_id, OID_LENGTH(host_id), read_host_id, false},
    {"pdnaScanInterval", scan_interval, OID_LENGTH(scan_interval),
     read_interval, false},
    {"sysName", sys_name, OID_LENGTH(sys_name), read_name, true},
    {"hrSystemUptime", system_uptime, OID_LENGTH(system_uptime), read_uptime,
     true},
};
enum { FEW = 3, ALL = sizeof(objects) / sizeof(objects[0]) };

netsnmp_pdu *snmp_head_ask(bool all) {
  netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GET);

  for (size_t i = 0; pdu != NULL && i < (all ? ALL : FEW); i++)
    if (snmp_add_null_var(pdu, objects[i].oid, objects[i].len) == NULL) {
      snmp_free_pdu(pdu);
      pdu = NULL;
    }
  return pdu;
}

int snmp_head_read(const netsnmp_pdu *answer, bool all, struct snmp_head *head,
                   struct snmp_message *message) {
  const netsnmp_variable_list *var = answer->variables;

  for (size_t i = 0; i < (all ? ALL : FEW); i++, var = var->next_variable) {
    const struct object *o = &objects[i];
    const struct snmp_value value = {var, o->name, message};
    if (var == NULL ||
        netsnmp_oid_equals(var->name, var->name_length, o->oid, o->len) != 0)
      return snmp_complain(message, "%s: expected it in the answer, found %s",
                           o->name, var == NULL ? "none" : "another object");
    if (snmp_value_is_missing(var) && o->optional)
      continue;
    if (snmp_value_is_missing(var)) {
      (void)snmp_complain(message,
                          "%s: the agent does not know it: does "
                          "process-dna-agentx run there, and may we see "
                          "PROCESS-DNA-MIB?",
                          o->name);
      return -ENOENT;
    }
    int r = o->read(&value, head);
    if (r < 0)
      return r;
  }
  if (var != NULL)
    return snmp_complain(message, "found more objects than were asked for");
  return 0;
}
