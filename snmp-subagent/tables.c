#include "snmp-subagent/tables.h"

#include <errno.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "lib/record/mib.h"
#include "snmp-subagent/answer.h"
#include "snmp-subagent/scalars.h"

static struct view *shown; /* NULL before the first scan ended */
static netsnmp_container *processes, *executables;
static netsnmp_table_registration_info *process_info, *executable_info;

static int executable_column(const void *row, unsigned column,
                             struct value *ret) {
  return view_executable_column(shown, row, column, ret);
}

static int process_column(const void *row, unsigned column, struct value *ret) {
  return view_process_column(row, column, ret);
}

/* Answer what the table helpers have found the rows of. */
static int answer_columns(netsnmp_agent_request_info *info,
                          netsnmp_request_info *requests,
                          int (*column_of)(const void *row, unsigned column,
                                           struct value *ret)) {
  struct answer answer;

  answer_begin(info, &answer);
  for (; requests != NULL; requests = requests->next) {
    const void *row = netsnmp_container_table_extract_context(requests);
    const netsnmp_table_request_info *table =
        netsnmp_extract_table_info(requests);
    struct value value;

    if (requests->processed != 0 || row == NULL || table == NULL)
      continue;
    if (column_of(row, table->colnum, &value) < 0)
      (void)netsnmp_set_request_error(info, requests, SNMP_NOSUCHOBJECT);
    else
      answer_add(&answer, requests, &value);
  }
  return SNMP_ERR_NOERROR;
}

static int on_processes(netsnmp_mib_handler *handler,
                        netsnmp_handler_registration *registration,
                        netsnmp_agent_request_info *info,
                        netsnmp_request_info *requests) {
  (void)handler;
  (void)registration;
  return answer_columns(info, requests, process_column);
}

static int on_executables(netsnmp_mib_handler *handler,
                          netsnmp_handler_registration *registration,
                          netsnmp_agent_request_info *info,
                          netsnmp_request_info *requests) {
  (void)handler;
  (void)registration;
  return answer_columns(info, requests, executable_column);
}

struct table {
  const char *name;
  Netsnmp_Node_Handler *handler;
  const oid *root;
  size_t root_len;
  u_char index_type;
  unsigned first, last; /* columns */
};

static int register_table(const struct table *t,
                          netsnmp_table_registration_info **ret_info,
                          netsnmp_container **ret_rows) {
  netsnmp_handler_registration *registration =
      netsnmp_create_handler_registration(t->name, t->handler, t->root,
                                          t->root_len, HANDLER_CAN_RONLY);
  netsnmp_table_registration_info *info =
      SNMP_MALLOC_TYPEDEF(netsnmp_table_registration_info);
  netsnmp_container *rows = netsnmp_container_find("table_container");
  int r;

  *ret_info = info;
  if (registration == NULL || info == NULL || rows == NULL)
    return -ENOMEM;
  /* Rows come sorted and each once: don't look again at each insertion. */
  CONTAINER_SET_OPTIONS(rows, CONTAINER_KEY_ALLOW_DUPLICATES, r);
  if (r < 0)
    return -ENOMEM;
  netsnmp_table_helper_add_indexes(info, t->index_type, 0);
  info->min_column = t->first;
  info->max_column = t->last;
  if (netsnmp_container_table_register(registration, info, rows,
                                       TABLE_CONTAINER_KEY_NETSNMP_INDEX) !=
      MIB_REGISTERED_OK)
    return -ENOMEM;
  *ret_rows = rows;
  return 0;
}

int tables_register(const struct scan_settings *settings) {
  static const oid process_root[] = {PDNA_PROCESS_TABLE_OID};
  static const oid executable_root[] = {PDNA_EXECUTABLE_TABLE_OID};
  const struct table process = {"pdnaProcessTable",   on_processes,
                                process_root,         OID_LENGTH(process_root),
                                ASN_INTEGER,          PDNA_PROC_NAME,
                                PDNA_PROC_OBSERVED_AT};
  const struct table executable = {
      "pdnaExecutableTable",       on_executables, executable_root,
      OID_LENGTH(executable_root), ASN_UNSIGNED,   PDNA_EXE_CONTAINER,
      PDNA_EXE_OBSERVED_AT};
  int r = scalars_register(settings);

  if (r == 0)
    r = register_table(&process, &process_info, &processes);
  if (r == 0)
    r = register_table(&executable, &executable_info, &executables);
  return r;
}

void tables_show(struct view *view) {
  if (processes != NULL)
    CONTAINER_CLEAR(processes, NULL, NULL);
  if (executables != NULL)
    CONTAINER_CLEAR(executables, NULL, NULL);
  view_free(shown);
  shown = view;
  scalars_show(view);
  for (size_t i = 0; view != NULL && i < view->processes_len; i++)
    CONTAINER_INSERT(processes, &view->processes[i]);
  for (size_t i = 0; view != NULL && i < view->executables_len; i++)
    CONTAINER_INSERT(executables, &view->executables[i]);
}

void tables_free(void) {
  if (process_info != NULL)
    netsnmp_table_registration_info_free(process_info);
  if (executable_info != NULL)
    netsnmp_table_registration_info_free(executable_info);
}
