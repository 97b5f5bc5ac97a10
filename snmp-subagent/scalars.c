#include "snmp-subagent/scalars.h"

#include <errno.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "lib/record/mib.h"
#include "lib/record/version.h"
#include "lib/scan/host.h"
#include "snmp-subagent/answer.h"

static const oid agent_root[] = {PDNA_AGENT_OID};
static const struct scan_settings *settings_in_use;
static const struct view *shown;
static char host_id[WIRE_HOST_ID_LEN + 1]; /* "": not known */

/* DateAndTime of no time */
static void value_never(struct value *ret) {
  static const u_char never[8];

  ret->type = ASN_OCTET_STR;
  ret->data = never;
  ret->len = sizeof(never);
}

static int scan_value(const struct view *view, unsigned scalar,
                      struct value *ret) {
  const struct wire_scan *figures =
      view != NULL ? &view->snapshot->figures : NULL;

  switch (scalar) {
  case PDNA_SCAN_SEQUENCE:
    value_unsigned(ret, figures != NULL ? figures->sequence : 0);
    return 0;
  case PDNA_LAST_SCAN:
    if (view != NULL)
      value_time(ret, view->snapshot->observed_at_s);
    else
      value_never(ret);
    return 0;
  case PDNA_SCAN_DURATION:
    value_unsigned(ret,
                   figures != NULL ? (uint64_t)(figures->duration_s * 1e3) : 0);
    return 0;
  case PDNA_PROCESS_COUNT:
    value_unsigned(ret, view != NULL ? view->processes_len : 0);
    return 0;
  case PDNA_EXECUTABLE_COUNT:
    value_unsigned(ret, view != NULL ? view->executables_len : 0);
    return 0;
  case PDNA_UNHASHED_COUNT:
    value_unsigned(ret, view != NULL ? view->unhashed : 0);
    return 0;
  case PDNA_BYTES_HASHED:
    value_counter64(ret, view != NULL ? view->sums.bytes_hashed : 0);
    return 0;
  case PDNA_CACHE_HITS:
    value_counter64(ret, view != NULL ? view->sums.cache_hits : 0);
    return 0;
  default:
    return -ENOENT;
  }
}

int scalars_value(const struct scan_settings *settings, const struct view *view,
                  unsigned scalar, struct value *ret) {
  switch (scalar) {
  case PDNA_VERSION_NUMBER:
    value_text(ret, PDNA_VERSION);
    return 0;
  case PDNA_HOST_ID:
    value_text(ret, host_id);
    return 0;
  case PDNA_SCAN_INTERVAL:
    value_unsigned(ret, settings->scan_interval_s);
    return 0;
  case PDNA_MIN_RSS:
    value_unsigned(ret, settings->min_rss_mib);
    return 0;
  default:
    return scan_value(view, scalar, ret);
  }
}

static int on_scalars(netsnmp_mib_handler *handler,
                      netsnmp_handler_registration *registration,
                      netsnmp_agent_request_info *info,
                      netsnmp_request_info *requests) {
  struct answer answer;

  (void)handler;
  (void)registration;
  answer_begin(info, &answer);
  for (; requests != NULL; requests = requests->next) {
    const netsnmp_variable_list *var = requests->requestvb;
    struct value value;

    /* The helper has made the name that of an instance. */
    if (requests->processed != 0 || var->name_length <= OID_LENGTH(agent_root))
      continue;
    if (scalars_value(settings_in_use, shown,
                      (unsigned)var->name[OID_LENGTH(agent_root)], &value) < 0)
      (void)netsnmp_set_request_error(info, requests, SNMP_NOSUCHOBJECT);
    else
      answer_add(&answer, requests, &value);
  }
  return SNMP_ERR_NOERROR;
}

int scalars_register(const struct scan_settings *settings) {
  netsnmp_handler_registration *registration =
      netsnmp_create_handler_registration("pdnaAgent", on_scalars, agent_root,
                                          OID_LENGTH(agent_root),
                                          HANDLER_CAN_RONLY);
  struct wire_host host;

  if (registration == NULL)
    return -ENOMEM;
  settings_in_use = settings;
  if (host_identify("/etc/machine-id", scan_options_default.proc_root, &host) ==
      0)
    memcpy(host_id, host.id, sizeof(host_id));
  return netsnmp_register_scalar_group(registration, PDNA_VERSION_NUMBER,
                                       PDNA_CACHE_HITS) == MIB_REGISTERED_OK
             ? 0
             : -ENOMEM;
}

void scalars_show(const struct view *view) { shown = view; }
