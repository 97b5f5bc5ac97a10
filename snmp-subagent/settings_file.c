#include "snmp-subagent/settings_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "snmp-subagent/settings.h"

static struct scan_settings *target;
static unsigned faults;

static void on_directive(const char *token, char *text) {
  char why[SETTINGS_WHY_MAX];
  int r = settings_set(target, token, text, why);

  /* What is logged here is counted by on_log. */
  if (r == -EINVAL)
    netsnmp_config_error("%s: %s", token, why);
  else if (r < 0)
    netsnmp_config_error("%s: out of memory", token);
}

/* Is `path`, of `len` bytes, one of the files that all of Net-SNMP's programs
 * read? */
static bool is_shared(const char *path, size_t len) {
  static const char *const names[] = {"/snmp.conf", "/snmp.local.conf"};

  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    size_t name_len = strlen(names[i]);

    if (len >= name_len &&
        memcmp(path + len - name_len, names[i], name_len) == 0)
      return true;
  }
  return false;
}

/* The library tells of faults in no other way: FILE: line N: Warning: ... */
static int on_log(int major, int minor, void *server_arg, void *client_arg) {
  const struct snmp_log_message *m = server_arg;
  const char *line = strstr(m->msg, ": line ");
  unsigned number;
  int end = 0;

  (void)major;
  (void)minor;
  (void)client_arg;
  if (line == NULL || is_shared(m->msg, (size_t)(line - m->msg)))
    return SNMPERR_SUCCESS;
  if (sscanf(line, ": line %u: %n", &number, &end) == 1 && end > 0 &&
      (strncmp(line + end, "Warning: ", 9) == 0 ||
       strncmp(line + end, "Error: ", 7) == 0))
    faults++;
  return SNMPERR_SUCCESS;
}

static int on_read(int major, int minor, void *server_arg, void *client_arg) {
  (void)major;
  (void)minor;
  (void)server_arg;
  (void)client_arg;
  (void)snmp_unregister_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING,
                                 on_log, NULL, /* matchargs = */ 0);
  return SNMPERR_SUCCESS;
}

void settings_file_register(struct scan_settings *settings) {
  target = settings;
  for (size_t i = 0; i < SCAN_SETTINGS_LEN; i++)
    (void)register_config_handler(
        AGENTX_APPLICATION, scan_settings_table[i].directive, on_directive,
        /* releaser = */ NULL, scan_settings_table[i].expected);
  (void)snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING,
                               on_log, NULL);
  (void)snmp_register_callback(SNMP_CALLBACK_LIBRARY,
                               SNMP_CALLBACK_POST_READ_CONFIG, on_read, NULL);
}

unsigned settings_file_faults(void) { return faults; }
