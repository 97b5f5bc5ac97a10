#include "correlator/snmp_addresses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "correlator/snmp_value.h"
#include "lib/record/address.h"

enum {
  TYPE_V4 = 1, /* InetAddressType */
  TYPE_V6 = 2,
  UNICAST = 1, /* ipAddressType */
  NAME_MAX_LEN = 255,
};

static const oid new_interface[] = {1, 3, 6, 1, 2, 1, 4, 34, 1, 3};
static const oid new_type[] = {1, 3, 6, 1, 2, 1, 4, 34, 1, 4};
static const oid old_interface[] = {1, 3, 6, 1, 2, 1, 4, 20, 1, 2};
static const oid interface_name[] = {1, 3, 6, 1, 2, 1, 2, 2, 1, 2};
enum { COLUMN_LEN = OID_LENGTH(new_interface) };

/* Of containers and virtual machines; as lib/scan/address.c, with the names of
 * what it tells by its driver. */
static const char *const foreign_names[] = {
    "docker", "cni",   "cali", "cilium", "lxc", "flannel", "podman",
    "kube",   "virbr", "veth", "vxlan",  "br-", "macvtap", "nodelocaldns"};

static int add(netsnmp_pdu *pdu, const oid *column, const uint32_t *index,
               size_t len) {
  oid name[MAX_OID_LEN];

  memcpy(name, column, COLUMN_LEN * sizeof(oid));
  for (size_t i = 0; i < len; i++)
    name[COLUMN_LEN + i] = index[i];
  return snmp_add_null_var(pdu, name, COLUMN_LEN + len) == NULL ? -ENOMEM : 0;
}

/* One name for each interface, however many addresses it has. */
static bool is_first(const struct snmp_addresses *a, size_t i) {
  for (size_t j = 0; j < i; j++)
    if (a->rows[j].interface == a->rows[i].interface)
      return false;
  return true;
}

static int add_names(const struct snmp_addresses *a, netsnmp_pdu *pdu) {
  int r = 0;

  for (size_t i = 0; i < a->len && r == 0; i++)
    if (is_first(a, i))
      r = add(pdu, interface_name, &a->rows[i].interface, 1);
  return r;
}

static int add_rows(const struct snmp_addresses *a, netsnmp_pdu *pdu) {
  pdu->non_repeaters = 0;
  pdu->max_repetitions = a->few ? SNMP_ADDRESSES_FEW : SNMP_ADDRESSES_ASKED;
  if (a->stage == SNMP_ADDRESSES_OLD)
    return add(pdu, old_interface, a->after, a->after_len);
  int r = add(pdu, new_interface, a->after, a->after_len);
  return r < 0 ? r : add(pdu, new_type, a->after, a->after_len);
}

int snmp_addresses_ask(const struct snmp_addresses *a, netsnmp_pdu **ret_pdu) {
  bool names = a->stage == SNMP_ADDRESSES_INTERFACES;
  netsnmp_pdu *pdu = snmp_pdu_create(names ? SNMP_MSG_GET : SNMP_MSG_GETBULK);

  if (pdu == NULL)
    return -ENOMEM;
  int r = names ? add_names(a, pdu) : add_rows(a, pdu);
  if (r < 0)
    snmp_free_pdu(pdu);
  else
    *ret_pdu = pdu;
  return r;
}

static bool in_column(const netsnmp_variable_list *var, const oid *column) {
  return var != NULL && !snmp_value_is_missing(var) &&
         var->name_length > COLUMN_LEN &&
         memcmp(var->name, column, COLUMN_LEN * sizeof(oid)) == 0;
}

/* Does the row's index come behind that of the last one? Then it is kept. */
static bool moves_on(struct snmp_addresses *a,
                     const netsnmp_variable_list *var) {
  enum { AFTER_MAX = sizeof(a->after) / sizeof(a->after[0]) };
  const oid *index = var->name + COLUMN_LEN;
  size_t len = var->name_length - COLUMN_LEN;
  oid last[AFTER_MAX];

  for (size_t i = 0; i < a->after_len; i++)
    last[i] = a->after[i];
  if (len > AFTER_MAX || snmp_oid_compare(index, len, last, a->after_len) <= 0)
    return false;
  for (size_t i = 0; i < len; i++)
    a->after[i] = (uint32_t)index[i];
  a->after_len = len;
  return true;
}

/* The address that an index has; false if it is none to be kept. */
static bool address_of(const struct snmp_addresses *a, char *ret_text,
                       size_t size) {
  uint8_t bytes[ADDRESS_V6_LEN];
  const uint32_t *octets = a->after;
  size_t len = a->after_len;

  if (a->stage == SNMP_ADDRESSES_NEW) { /* type, length, octets */
    if (len < 2 || a->after[1] != len - 2 ||
        a->after[1] != (a->after[0] == TYPE_V4   ? ADDRESS_V4_LEN
                        : a->after[0] == TYPE_V6 ? ADDRESS_V6_LEN
                                                 : 0))
      return false; /* with a zone, so link-local; or of another kind */
    octets += 2;
    len -= 2;
  } else if (len != ADDRESS_V4_LEN) {
    return false;
  }
  for (size_t i = 0; i < len; i++) {
    if (octets[i] > UINT8_MAX)
      return false;
    bytes[i] = (uint8_t)octets[i];
  }
  return address_to_text(bytes, len, ret_text, size);
}

/* A row: its interface and, in the new table, its type. */
static int take_row(struct snmp_addresses *a, const netsnmp_variable_list *var,
                    struct snmp_message *message) {
  bool new = a->stage == SNMP_ADDRESSES_NEW;
  const struct snmp_value interface = {
      var, new ? "ipAddressIfIndex" : "ipAdEntIfIndex", message};
  uint32_t type = UNICAST;
  struct snmp_address_row row = {0};

  int r = snmp_value_integer(&interface, &row.interface);
  if (r == 0 && new) {
    const struct snmp_value v = {var->next_variable, "ipAddressType", message};
    if (var->next_variable->name_length != var->name_length ||
        memcmp(var->next_variable->name + COLUMN_LEN, var->name + COLUMN_LEN,
               (var->name_length - COLUMN_LEN) * sizeof(oid)) != 0)
      return snmp_complain(message,
                           "ipAddressType: expected one for each address");
    r = snmp_value_integer(&v, &type);
  }
  if (r == 0 && type == UNICAST && a->len < SNMP_ADDRESSES_MAX &&
      address_of(a, row.text, sizeof(row.text)))
    a->rows[a->len++] = row;
  return r;
}

/* What to ask for when a table has ended. */
static void end_table(struct snmp_addresses *a) {
  if (a->stage == SNMP_ADDRESSES_NEW && a->rows_read == 0)
    a->stage = SNMP_ADDRESSES_OLD;
  else
    a->stage = a->len == 0 ? SNMP_ADDRESSES_DONE : SNMP_ADDRESSES_INTERFACES;
  a->after_len = 0;
}

static int take_rows(struct snmp_addresses *a, const netsnmp_variable_list *var,
                     struct snmp_message *message) {
  bool new = a->stage == SNMP_ADDRESSES_NEW;
  const oid *column = new ? new_interface : old_interface;
  size_t rows = 0;

  while (in_column(var, column)) {
    if (new && !in_column(var->next_variable, new_type))
      break; /* cut there; asked for again */
    if (!moves_on(a, var))
      return snmp_complain(message, "%s: the table does not increase",
                           new ? "ipAddressTable" : "ipAddrTable");
    int r = take_row(a, var, message);
    if (r < 0)
      return r;
    rows++;
    if (++a->rows_read == SNMP_ADDRESSES_ROWS) {
      end_table(a);
      return 0;
    }
    var = new ? var->next_variable->next_variable : var->next_variable;
  }
  if (rows == 0 || (var != NULL && !in_column(var, column)))
    end_table(a);
  return 0;
}

static bool is_foreign(const char *name) {
  for (size_t i = 0; i < sizeof(foreign_names) / sizeof(*foreign_names); i++)
    if (strncmp(name, foreign_names[i], strlen(foreign_names[i])) == 0)
      return true;
  return false;
}

/* Drop the addresses of an interface. */
static void drop(struct snmp_addresses *a, uint32_t interface) {
  size_t kept = 0;

  for (size_t i = 0; i < a->len; i++)
    if (a->rows[i].interface != interface)
      a->rows[kept++] = a->rows[i];
  a->len = kept;
}

/* An interface without a name is none of a container's. */
static int take_names(struct snmp_addresses *a,
                      const netsnmp_variable_list *var,
                      struct snmp_message *message) {
  char name[NAME_MAX_LEN + 1];

  for (; var != NULL; var = var->next_variable) {
    const struct snmp_value v = {var, "ifDescr", message};
    if (snmp_value_is_missing(var))
      continue;
    if (!in_column(var, interface_name) || var->name_length != COLUMN_LEN + 1)
      return snmp_complain(message, "ifDescr: found an object that was not "
                                    "asked for");
    int r = snmp_value_text(&v, name, sizeof(name));
    if (r < 0)
      return r;
    if (is_foreign(name))
      drop(a, (uint32_t)var->name[COLUMN_LEN]);
  }
  a->stage = SNMP_ADDRESSES_DONE;
  return 0;
}

int snmp_addresses_take(struct snmp_addresses *a, const netsnmp_pdu *pdu,
                        struct snmp_message *message) {
  return a->stage == SNMP_ADDRESSES_INTERFACES
             ? take_names(a, pdu->variables, message)
             : take_rows(a, pdu->variables, message);
}

static int compare(const void *a, const void *b) { return strcmp(a, b); }

int snmp_addresses_give(const struct snmp_addresses *a, struct report *report) {
  report->addresses = calloc(a->len + 1, sizeof(*report->addresses));
  if (report->addresses == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < a->len; i++)
    memcpy(report->addresses[i], a->rows[i].text, sizeof(a->rows[i].text));
  report->addresses_len = a->len;
  qsort(report->addresses, report->addresses_len, sizeof(*report->addresses),
        compare);
  return 0;
}
