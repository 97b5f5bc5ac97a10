#include "correlator/traps_pdu.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "lib/record/mib.h"

static const oid sys_uptime[] = {1, 3, 6, 1, 2, 1, 1, 3, 0};
static const oid snmp_trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};
static const oid snmp_trap_address[] = {1, 3, 6, 1, 6, 3, 18, 1, 3, 0};
static const oid pdna_alert[] = {PROCESS_DNA_MIB_OID, 1, 4}; /* pdnaAlert */
static const oid pdna_notifications[] = {PROCESS_DNA_MIB_OID, 0};

struct name {
  const char *text;
  long number;
};
static const struct name types[] = {
    {"pdnaBinaryChanged", 1}, {"pdnaLateralMovement", 2},
    {"pdnaAgentSilent", 3},   {"pdnaFleetSilent", 4},
    {"pdnaAlertCleared", 5},  {NULL, 0}};
static const struct name states[] = {
    {"raised", 1}, {"updated", 2}, {"cleared", 3}, {NULL, 0}};
static const struct name severities[] = {
    {"cleared", 1}, {"info", 2}, {"warning", 3}, {"critical", 4}, {NULL, 0}};

/* The fields from TRAP_KEY on are pdnaAlert 1 and so on; max is their SIZE.
 * Those without one are no text. */
static const struct {
  const char *column;
  size_t max;
} fields[TRAP_FIELDS] = {
    [TRAP_TYPE] = {"trap", 0},
    [TRAP_AGENT_ADDRESS] = {"agent_address", 0},
    [TRAP_KEY] = {"key", 64},
    [TRAP_KIND] = {"kind", 32},
    [TRAP_STATE] = {"state", 0},
    [TRAP_SEVERITY] = {"severity", 0},
    [TRAP_HOST] = {"host", 127},
    [TRAP_ADDRESS] = {"address", 45},
    [TRAP_CONTAINER] = {"container", 40},
    [TRAP_EXE_PATH] = {"exe_path", 512},
    [TRAP_BASELINE] = {"baseline_sha256", 64},
    [TRAP_OBSERVED] = {"observed_sha256", 64},
    [TRAP_PID] = {"pid", 0},
    [TRAP_PACKAGE] = {"package", 255},
    [TRAP_VERDICT] = {"verdict", 32},
    [TRAP_MITRE] = {"mitre", 255},
    [TRAP_PEER_HOST] = {"peer_host", 127},
    [TRAP_PEER_ADDRESS] = {"peer_address", 45},
    [TRAP_USER] = {"auth_user", 255},
    [TRAP_RELATED_KEY] = {"related_key", 64},
    [TRAP_AT] = {"at", 32},
    [TRAP_LINE] = {"line", 1024},
};

const char *traps_pdu_column(enum trap_field field) {
  return fields[field].column;
}

/* 0 if there is none of that name. */
static long number_of(const struct name *names, const char *text) {
  while (names->text != NULL && strcmp(names->text, text) != 0)
    names++;
  return names->number;
}

/* The length of the longest beginning of a text of `len` bytes that has at
 * most `max` bytes and does not end inside a character. */
static size_t utf8_cut(const char *text, size_t len, size_t max) {
  if (len <= max)
    return len;
  while (max > 0 && ((unsigned char)text[max] & 0xC0) == 0x80)
    max--;
  return max;
}

static bool add(netsnmp_pdu *pdu, const oid *name, size_t name_len, u_char type,
                const void *value, size_t len) {
  return snmp_pdu_add_variable(pdu, name, name_len, type, value, len) != NULL;
}

static bool add_alert(netsnmp_pdu *pdu, enum trap_field field, u_char type,
                      const void *value, size_t len) {
  oid name[OID_LENGTH(pdna_alert) + 2];
  memcpy(name, pdna_alert, sizeof(pdna_alert));
  name[OID_LENGTH(pdna_alert)] = (oid)field - TRAP_KEY + 1;
  name[OID_LENGTH(pdna_alert) + 1] = 0;
  return add(pdu, name, OID_LENGTH(name), type, value, len);
}

/* pdnaAlertText in `max` bytes; what is cut shows it. */
static bool add_line(netsnmp_pdu *pdu, const char *line, size_t max) {
  char text[1024 + 1];
  size_t len = strlen(line);

  if (len <= max)
    return add_alert(pdu, TRAP_LINE, ASN_OCTET_STR, line, len);
  size_t dots = max < 3 ? max : 3;
  len = utf8_cut(line, len, max - dots);
  (void)snprintf(text, sizeof(text), "%.*s%.*s", (int)len, line, (int)dots,
                 "...");
  return add_alert(pdu, TRAP_LINE, ASN_OCTET_STR, text, len + dots);
}

static long pid_of(const char *text) {
  char *end = NULL;
  errno = 0;
  long pid = strtol(text, &end, 10);
  return errno == 0 && end != text && *end == '\0' && pid > 0 &&
                 pid <= INT32_MAX
             ? pid
             : 0;
}

static bool add_field(netsnmp_pdu *pdu, const struct trap_payload *payload,
                      enum trap_field field) {
  const char *text = payload->field[field];
  long number = 0;

  switch (field) {
  case TRAP_STATE:
    number = number_of(states, text);
    break;
  case TRAP_SEVERITY:
    number = number_of(severities, text);
    break;
  case TRAP_PID:
    number = pid_of(text);
    break;
  default:
    return add_alert(pdu, field, ASN_OCTET_STR, text,
                     utf8_cut(text, strlen(text), fields[field].max));
  }
  return add_alert(pdu, field, ASN_INTEGER, &number, sizeof(number));
}

static bool add_all(netsnmp_pdu *pdu, const struct trap_payload *payload,
                    uint32_t uptime_cs, size_t line_max) {
  oid type[OID_LENGTH(pdna_notifications) + 1];
  memcpy(type, pdna_notifications, sizeof(pdna_notifications));
  type[OID_LENGTH(pdna_notifications)] =
      (oid)number_of(types, payload->field[TRAP_TYPE]);
  struct in_addr address;
  if (inet_pton(AF_INET, payload->field[TRAP_AGENT_ADDRESS], &address) != 1)
    address.s_addr = htonl(INADDR_ANY);
  unsigned long uptime = uptime_cs;

  bool ok = add(pdu, sys_uptime, OID_LENGTH(sys_uptime), ASN_TIMETICKS, &uptime,
                sizeof(uptime)) &&
            add(pdu, snmp_trap_oid, OID_LENGTH(snmp_trap_oid), ASN_OBJECT_ID,
                type, sizeof(type)) &&
            add(pdu, snmp_trap_address, OID_LENGTH(snmp_trap_address),
                ASN_IPADDRESS, &address, sizeof(address));
  for (enum trap_field f = TRAP_KEY; ok && f < TRAP_LINE; f++)
    ok = add_field(pdu, payload, f);
  return ok && add_line(pdu, payload->field[TRAP_LINE], line_max);
}

/* Returns 0 if memory ran out. */
static size_t encoded_size(netsnmp_pdu *pdu) {
  size_t size = 0;
  size_t len = 0;
  u_char *bytes = NULL;
  long errstat = pdu->errstat;
  long errindex = pdu->errindex;

  /* What the library itself sets when it sends. */
  pdu->errstat = 0;
  pdu->errindex = 0;
  if (snmp_pdu_realloc_rbuild(&bytes, &size, &len, pdu) == 0)
    len = 0;
  pdu->errstat = errstat;
  pdu->errindex = errindex;
  free(bytes);
  return len;
}

/* Returns 0 or -ENOMEM. */
static int build(const struct trap_payload *payload, bool inform,
                 uint32_t uptime_cs, size_t line_max, netsnmp_pdu **ret_pdu) {
  netsnmp_pdu *pdu = snmp_pdu_create(inform ? SNMP_MSG_INFORM : SNMP_MSG_TRAP2);
  if (pdu == NULL)
    return -ENOMEM;
  if (!add_all(pdu, payload, uptime_cs, line_max)) {
    snmp_free_pdu(pdu);
    return -ENOMEM;
  }
  *ret_pdu = pdu;
  return 0;
}

int traps_pdu_build(const struct trap_payload *payload, bool inform,
                    uint32_t uptime_cs, size_t room,
                    struct snmp_pdu **ret_pdu) {
  if (number_of(types, payload->field[TRAP_TYPE]) == 0 ||
      number_of(states, payload->field[TRAP_STATE]) == 0 ||
      number_of(severities, payload->field[TRAP_SEVERITY]) == 0)
    return -EINVAL;

  netsnmp_pdu *pdu = NULL;
  size_t line_max = fields[TRAP_LINE].max;
  int r = build(payload, inform, uptime_cs, line_max, &pdu);
  if (r < 0)
    return r;
  size_t size = encoded_size(pdu);
  if (size == 0) {
    snmp_free_pdu(pdu);
    return -ENOMEM;
  }
  if (size > room) {
    size_t line_len = strlen(payload->field[TRAP_LINE]);
    line_max = line_len < line_max ? line_len : line_max;
    line_max -= size - room < line_max ? size - room : line_max;
    snmp_free_pdu(pdu);
    r = build(payload, inform, uptime_cs, line_max, &pdu);
    if (r < 0)
      return r;
  }
  *ret_pdu = pdu;
  return 0;
}
