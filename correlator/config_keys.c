#include "correlator/config_keys.h"

#include <string.h>

#include "correlator/config.h"

/* clang-format off */
#define IN(type, member) .offset = offsetof(struct type, member)
#define LIST_IN(type, member) \
  IN(type, member), .len_offset = offsetof(struct type, member##_len)
#define EACH(type, title) \
  .size = sizeof(struct type), .title_offset = offsetof(struct type, title)

const struct config_key config_keys[] = {
  {"root", "database", .type = KEY_TEXT, IN(config, database),
   .check = config_check_conninfo, .required = true, .secret = true},
  {"root", "tenant", "default", .type = KEY_TEXT, IN(config, tenant),
   .check = config_check_name},
  {"root", "state-dir", "/var/lib/process-dna", .type = KEY_TEXT,
   IN(config, state_dir), .check = config_check_directory},
  {"root", "spool-size", "256", .type = KEY_NUMBER, IN(config, spool_size_mib),
   .min = 1, .max = 1 << 20},

  {"collectd", "listen", .type = KEY_LIST, LIST_IN(collectd_config, listen),
   .check = config_check_listen},
  {"collectd", "security-level", "sign", .type = KEY_LEVEL,
   IN(collectd_config, security_level)},
  {"collectd", "auth-file", .type = KEY_TEXT, IN(collectd_config, auth_file),
   .check = config_check_file},
  {"collectd", "max-skew", "600", .type = KEY_NUMBER,
   IN(collectd_config, max_skew_s), .min = 1, .max = 86400},

  {"relay", "hosts", .type = KEY_LIST, LIST_IN(relay_config, hosts),
   .check = config_check_glob, .required = true},

  {"trap-sink", "session", .type = KEY_TEXT, IN(sink_config, session),
   .check = config_check_session, .required = true, .secret = true},

  {"snmp-poll", "session", .type = KEY_TEXT, IN(poll_config, session),
   .check = config_check_poll_session, .required = true, .secret = true},
  {"snmp-poll", "interval", "60", .type = KEY_NUMBER,
   IN(poll_config, interval_s), .min = 1, .max = 86400},
  {"snmp-poll", "host", .type = KEY_TEXT, IN(poll_config, host),
   .check = config_check_host},

  {"manifest-fetch", "manager", .type = KEY_TEXT, IN(fetch_config, manager),
   .check = config_check_manager, .required = true},
  {"manifest-fetch", "sources", .type = KEY_TEXT, IN(fetch_config, sources),
   .check = config_check_file, .required = true},
  {"manifest-fetch", "keyring", .type = KEY_TEXT, IN(fetch_config, keyring),
   .check = config_check_file, .required = true},
  {"manifest-fetch", "architectures", .type = KEY_LIST,
   LIST_IN(fetch_config, architectures), .check = config_check_architecture,
   .required = true},
  {"manifest-fetch", "max-size", "1024", .type = KEY_NUMBER,
   IN(fetch_config, max_size_mib), .min = 1, .max = 1 << 20},
  {"manifest-fetch", "timeout", "600", .type = KEY_NUMBER,
   IN(fetch_config, timeout_s), .min = 1, .max = 86400},

  {"syslog", "listen-udp", .type = KEY_LIST,
   LIST_IN(syslog_config, listen_udp), .check = config_check_listen},
  {"syslog", "listen-tcp", .type = KEY_LIST,
   LIST_IN(syslog_config, listen_tcp), .check = config_check_listen},
  {"syslog", "listen-tls", .type = KEY_LIST,
   LIST_IN(syslog_config, listen_tls), .check = config_check_listen},
  {"syslog", "tls-cert", .type = KEY_TEXT, IN(syslog_config, tls_cert),
   .check = config_check_file},
  {"syslog", "tls-key", .type = KEY_TEXT, IN(syslog_config, tls_key),
   .check = config_check_file},
  {"syslog", "tls-ca", .type = KEY_TEXT, IN(syslog_config, tls_ca),
   .check = config_check_file},
  {"syslog", "max-connections", "1000", .type = KEY_NUMBER,
   IN(syslog_config, max_connections), .min = 1, .max = 100000},

  {"lateral", "window", "300", .type = KEY_NUMBER,
   IN(lateral_config, window_s), .min = 1, .max = 86400},
  {"lateral", "cadence", "60", .type = KEY_NUMBER,
   IN(lateral_config, cadence_s), .min = 1, .max = 3600},
  {"lateral", "max-skew", "600", .type = KEY_NUMBER,
   IN(lateral_config, max_skew_s), .min = 0, .max = 86400},

  {"policy", "silent", "180", .type = KEY_NUMBER, IN(policy_config, silent_s),
   .min = 10, .max = 604800},
  {"policy", "learning", "86400", .type = KEY_NUMBER,
   IN(policy_config, learning_s), .min = 0, .max = 31536000},
  {"policy", "manifest-wait", "1800", .type = KEY_NUMBER,
   IN(policy_config, manifest_wait_s), .min = 0, .max = 1800},
  {"policy", "unverified-update", "critical", .type = KEY_TEXT,
   IN(policy_config, unverified_update),
   .check = config_check_unverified_update},
  {"policy", "auth-retention", "90", .type = KEY_NUMBER,
   IN(policy_config, auth_retention_d), .min = 1, .max = 3650},
};
const size_t config_keys_len = sizeof(config_keys) / sizeof(config_keys[0]);

const struct config_section config_sections[CONFIG_SECTIONS_LEN] = {
  {"collectd", "root", IN(config, collectd)},
  {"relay", "collectd", LIST_IN(collectd_config, relays),
   EACH(relay_config, user), .check_title = config_check_name},
  {"trap-sink", "root", LIST_IN(config, sinks), EACH(sink_config, name),
   .check_title = config_check_name},
  {"snmp-poll", "root", LIST_IN(config, polls), EACH(poll_config, name),
   .check_title = config_check_name},
  {"manifest-fetch", "root", LIST_IN(config, fetches),
   EACH(fetch_config, name), .check_title = config_check_folder_name},
  {"auth-log", "root", LIST_IN(config, auth_logs),
   EACH(auth_log_config, path), .check_title = config_check_auth_log},
  {"syslog", "root", IN(config, syslog)},
  {"lateral", "root", IN(config, lateral)},
  {"policy", "root", IN(config, policy)},
};
/* clang-format on */

const struct config_key *config_find_key(const char *section,
                                         const char *name) {
  for (size_t i = 0; i < config_keys_len; i++)
    if (strcmp(config_keys[i].section, section) == 0 &&
        strcmp(config_keys[i].name, name) == 0)
      return &config_keys[i];
  return NULL;
}

bool config_is_list(const char *name, size_t len) {
  for (size_t i = 0; i < config_keys_len; i++)
    if (config_keys[i].type == KEY_LIST && strlen(config_keys[i].name) == len &&
        memcmp(config_keys[i].name, name, len) == 0)
      return true;
  return false;
}
