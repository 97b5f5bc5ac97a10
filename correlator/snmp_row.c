#include "correlator/snmp_row.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "correlator/snmp_value.h"
#include "lib/record/mib.h"
#include "lib/record/pathname.h"
#include "lib/record/wire.h"

/* pdnaExecutableEntry; the column and the index follow. */
static const oid entry[] = {PDNA_EXECUTABLE_TABLE_OID, 1};
enum {
  ENTRY_LEN = OID_LENGTH(entry),
  COLUMN_LEN = ENTRY_LEN + 1,
  CELL_LEN = COLUMN_LEN + 1,
};

/* In the order of their numbers in the MIB, from 2 on. */
enum column {
  CONTAINER,
  PATH,
  SHA256,
  STATE,
  REASON,
  PROCESSES,
  RSS,
  PID,
  UID,
  NAME,
  STARTED,
  MANAGER,
  PACKAGE,
  VERSION,
  ARCH,
  TRANSACTION,
  COLUMNS
};
_Static_assert((int)COLUMNS == SNMP_ROW_COLUMNS, "each column is asked for");
static const oid first_column = PDNA_EXE_CONTAINER;

static const char *const names[COLUMNS] = {
    "pdnaExeContainer",   "pdnaExePath",
    "pdnaExeSha256",      "pdnaExeState",
    "pdnaExeReason",      "pdnaExeProcesses",
    "pdnaExeRss",         "pdnaExePid",
    "pdnaExeUid",         "pdnaExeName",
    "pdnaExeStarted",     "pdnaExePackageManager",
    "pdnaExePackage",     "pdnaExePackageVersion",
    "pdnaExePackageArch", "pdnaExePackageTransaction",
};

int snmp_row_ask(netsnmp_pdu *pdu, uint32_t index) {
  oid name[CELL_LEN];

  memcpy(name, entry, sizeof(entry));
  name[COLUMN_LEN] = index;
  for (int c = 0; c < COLUMNS; c++) {
    name[ENTRY_LEN] = first_column + (oid)c;
    if (snmp_add_null_var(pdu, name, index == 0 ? COLUMN_LEN : CELL_LEN) ==
        NULL)
      return -ENOMEM;
  }
  return 0;
}

static bool in_column(const netsnmp_variable_list *var, int column) {
  return !snmp_value_is_missing(var) && var->name_length > COLUMN_LEN &&
         memcmp(var->name, entry, sizeof(entry)) == 0 &&
         var->name[ENTRY_LEN] == first_column + (oid)column;
}

/* The index that a row's cells have, 0 if none of them is in its column. */
static int find_index(const netsnmp_variable_list *const cells[COLUMNS],
                      uint32_t after, uint32_t *ret_index,
                      struct snmp_message *message) {
  oid index = 0;

  for (int c = 0; c < COLUMNS; c++) {
    if (in_column(cells[c], c) != in_column(cells[0], 0))
      return snmp_complain(message,
                           "%s: expected a value in each row, found none "
                           "behind row %lu",
                           names[in_column(cells[c], c) ? 0 : c],
                           (unsigned long)after);
    if (!in_column(cells[c], c))
      continue;
    if (cells[c]->name_length != CELL_LEN || cells[c]->name[COLUMN_LEN] == 0 ||
        cells[c]->name[COLUMN_LEN] > UINT32_MAX)
      return snmp_complain(message, "%s: index: expected one number from 1 up",
                           names[c]);
    if (c > 0 && cells[c]->name[COLUMN_LEN] != index)
      return snmp_complain(message, "%s: expected row %lu, found row %lu",
                           names[c], (unsigned long)index,
                           (unsigned long)cells[c]->name[COLUMN_LEN]);
    index = cells[c]->name[COLUMN_LEN];
  }
  if (index != 0 && index <= after)
    return snmp_complain(message,
                         "pdnaExeIndex: expected one beyond %lu, found %lu: "
                         "the table does not increase",
                         (unsigned long)after, (unsigned long)index);
  *ret_index = (uint32_t)index;
  return 0;
}

/* The values of a row as they come. */
struct cells {
  const netsnmp_variable_list *const *var;
  struct snmp_message *message;
};

static struct snmp_value value(const struct cells *cells, enum column c) {
  return (struct snmp_value){cells->var[c], names[c], cells->message};
}

static int text(const struct cells *cells, enum column c, char *ret_text,
                size_t size) {
  const struct snmp_value v = value(cells, c);
  return snmp_value_text(&v, ret_text, size);
}

static int integer(const struct cells *cells, enum column c, uint32_t *ret) {
  const struct snmp_value v = value(cells, c);
  return snmp_value_integer(&v, ret);
}

static int number(const struct cells *cells, enum column c, uint32_t *ret) {
  const struct snmp_value v = value(cells, c);
  return snmp_value_unsigned(&v, ret);
}

static int read_digest(const struct cells *cells, struct executable *e) {
  char hex[DIGEST_HEX_LEN + 1];

  int r = text(cells, SHA256, hex, sizeof(hex));
  if (r < 0)
    return r;
  if (e->state == EXE_UNREADABLE && hex[0] == '\0')
    return 0;
  if (e->state == EXE_UNREADABLE ||
      digest_from_hex(hex, strlen(hex), &e->sha256) != 0)
    return snmp_complain(
        cells->message,
        "pdnaExeSha256: expected %s with state %s, found %zu octets%s",
        e->state == EXE_UNREADABLE ? "none" : "64 lower-case hex digits",
        exe_state_name(e->state), strlen(hex),
        strlen(hex) == DIGEST_HEX_LEN ? " that are no digest" : "");
  return 0;
}

/* What state the executable is in, and its digest. */
static int read_state(const struct cells *cells, struct executable *e) {
  uint32_t state = 0;
  uint32_t reason = 0;

  int r = integer(cells, STATE, &state);
  if (r == 0)
    r = integer(cells, REASON, &reason);
  if (r < 0)
    return r;
  e->state = (enum exe_state)state;
  e->reason = (enum exe_reason)reason;
  if (exe_state_name(e->state) == NULL)
    return snmp_complain(cells->message,
                         "pdnaExeState: expected 1 to 7, found %u", state);
  if (reason > EXE_REASON_IO ||
      (e->state == EXE_UNREADABLE) != (reason != EXE_REASON_NONE))
    return snmp_complain(cells->message,
                         "pdnaExeReason: found %u, which does not go with "
                         "state %s",
                         reason, exe_state_name(e->state));
  return read_digest(cells, e);
}

/* A name is the process's own choice, so what is odd in it is no reason to
 * look away: it is only made printable. */
static int read_name(const struct cells *cells, struct executable *e) {
  int r = text(cells, NAME, e->name, sizeof(e->name));

  for (char *c = e->name; r == 0 && *c != '\0'; c++)
    if (*c < ' ' || *c > '~')
      *c = '?';
  return r;
}

static int read_processes(const struct cells *cells, struct executable *e) {
  const struct snmp_value started = value(cells, STARTED);
  uint32_t processes = 0;
  uint32_t rss_kib = 0;
  uint32_t pid = 0;
  int64_t started_us = 0;
  int r;

  if ((r = number(cells, PROCESSES, &processes)) < 0 ||
      (r = integer(cells, RSS, &rss_kib)) < 0 ||
      (r = integer(cells, PID, &pid)) < 0 ||
      (r = number(cells, UID, &e->uid)) < 0 || (r = read_name(cells, e)) < 0 ||
      (r = snmp_value_time(&started, &started_us)) < 0)
    return r;
  if (processes == 0 || pid == 0)
    return snmp_complain(cells->message,
                         "%s: expected at least 1 in each row, found 0",
                         names[processes == 0 ? PROCESSES : PID]);
  e->processes = processes;
  e->rss_bytes = (uint64_t)rss_kib * 1024;
  e->pid = (pid_t)pid;
  e->started_s = started_us / 1000000;
  return 0;
}

static int read_package(const struct cells *cells, struct executable *e) {
  struct package *p = &e->package;
  uint32_t transaction = 0;
  struct wire_list list;
  int r;

  if ((r = text(cells, MANAGER, p->manager, sizeof(p->manager))) < 0 ||
      (r = text(cells, PACKAGE, p->name, sizeof(p->name))) < 0 ||
      (r = text(cells, VERSION, p->version, sizeof(p->version))) < 0 ||
      (r = text(cells, ARCH, p->arch, sizeof(p->arch))) < 0 ||
      (r = integer(cells, TRANSACTION, &transaction)) < 0)
    return r;
  if (transaction != 1 && transaction != 2)
    return snmp_complain(cells->message,
                         "pdnaExePackageTransaction: expected 1 or 2, found %u",
                         transaction);
  p->in_transaction = p->manager[0] != '\0' && transaction == 1;
  if (p->manager[0] == '\0') {
    if (p->name[0] != '\0' || p->version[0] != '\0' || p->arch[0] != '\0')
      return snmp_complain(cells->message, "pdnaExePackageManager: expected "
                                           "one with a package, found none");
    return 0;
  }
  if (wire_from_package(e, &list) != 0)
    return snmp_complain(cells->message,
                         "pdnaExePackage: expected what its manager allows for "
                         "name, version and architecture, found something "
                         "else");
  return 0;
}

static int read_path(const struct cells *cells, struct executable *e) {
  char path[PATHNAME_SNMP_MAX + 1];
  char identity[PATHNAME_MAX + 1];
  int r;

  if ((r = text(cells, CONTAINER, e->container, sizeof(e->container))) < 0 ||
      (r = text(cells, PATH, path, sizeof(path))) < 0)
    return r;
  if (!container_key_valid(e->container))
    return snmp_complain(cells->message,
                         "pdnaExeContainer: expected letters, digits, dots, "
                         "underscores and hyphens, found something else");
  r = pathname_from_snmp(e->container, path, identity);
  if (r == -EINVAL)
    return snmp_complain(cells->message,
                         "pdnaExePath: expected a path as PdnaPath has it, "
                         "found something else");
  if (r < 0)
    return r;
  e->path = strdup(identity);
  return e->path == NULL ? -ENOMEM : 0;
}

int snmp_row_read(const netsnmp_variable_list **var, uint32_t after,
                  struct executable *ret, uint32_t *ret_index,
                  struct snmp_message *message) {
  const netsnmp_variable_list *found[COLUMNS];
  const struct cells cells = {found, message};
  struct executable e = {0};
  const netsnmp_variable_list *v = *var;

  for (int c = 0; c < COLUMNS; c++, v = v->next_variable) {
    if (v == NULL)
      return -EAGAIN;
    found[c] = v;
  }
  int r = find_index(found, after, ret_index, message);
  if (r == 0 && *ret_index != 0 &&
      ((r = read_path(&cells, &e)) < 0 || (r = read_state(&cells, &e)) < 0 ||
       (r = read_processes(&cells, &e)) < 0 ||
       (r = read_package(&cells, &e)) < 0)) {
    executable_clear(&e);
    return r;
  }
  if (r == 0) {
    *var = v;
    *ret = e;
  }
  return r;
}
