/* correlator.conf: what it holds, and how it is read. */
#ifndef PDNA_CONFIG_H
#define PDNA_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

/* What is asked of a packet, as in collectd's SecurityLevel. */
enum security_level {
  SECURITY_NONE,    /* takes everything */
  SECURITY_SIGN,    /* takes Sign only */
  SECURITY_ENCRYPT, /* takes Sign and Encrypt */
};

struct relay_config {
  char *user;   /* who signs */
  char **hosts; /* globs, fnmatch(3), of the host names it may speak for */
  size_t hosts_len;
};

struct collectd_config {
  char **listen; /* "ADDRESS:PORT", "[ADDRESS]:PORT"; none: no such source */
  size_t listen_len;
  enum security_level security_level;
  char *auth_file; /* collectd's format: "user: password" lines; or NULL */
  unsigned max_skew_s;
  struct relay_config *relays;
  size_t relays_len;
};

struct sink_config {
  char *name;
  char *session; /* snmp_parse_args words; -Ci makes it informs */
  bool inform;
};

/* An agent that is asked over SNMP. */
struct poll_config {
  char *name;
  char *session; /* snmp_parse_args words */
  unsigned interval_s;
  char *host; /* the agent's name; NULL: what its sysName says */
};

/* Where the packages of a manager are looked for. */
struct fetch_config {
  char *name;
  char *manager; /* "dpkg" or "rpm" */
  char *sources; /* for dpkg sources.list(5), in either format; for rpm a
                    .repo file */
  char *keyring; /* whose signatures count */
  char **architectures;
  size_t architectures_len;
  unsigned max_size_mib; /* of a package */
  unsigned timeout_s;    /* of an update of the indexes, and of a download */
};

/* A followed file, or "-", standard input. */
struct auth_log_config {
  char *path;
};

/* Where syslog messages are taken: addresses as in collectd's. */
struct syslog_config {
  char **listen_udp;
  size_t listen_udp_len;
  char **listen_tcp;
  size_t listen_tcp_len;
  char **listen_tls;
  size_t listen_tls_len;
  char *tls_cert; /* PEM files; NULL only where listen_tls is empty */
  char *tls_key;
  char *tls_ca; /* who signs the peers' certificates */
  unsigned max_connections;
};

struct lateral_config {
  unsigned window_s;
  unsigned cadence_s;
  unsigned max_skew_s;
};

struct policy_config {
  unsigned silent_s;
  unsigned learning_s;
  unsigned manifest_wait_s;
  char *unverified_update; /* "critical", "warning", "info" or "accept" */
  unsigned auth_retention_d;
};

struct config {
  char *file;
  char *database; /* a libpq conninfo */
  char *tenant;
  char *state_dir; /* spool, Net-SNMP's persistent data, packages' indexes */
  unsigned spool_size_mib;
  struct collectd_config collectd;
  struct sink_config *sinks;
  size_t sinks_len;
  struct poll_config *polls;
  size_t polls_len;
  struct fetch_config *fetches; /* in the order of the file */
  size_t fetches_len;
  struct auth_log_config *auth_logs;
  size_t auth_logs_len;
  struct syslog_config syslog;
  struct lateral_config lateral;
  struct policy_config policy;
};

#define CONFIG_DEFAULT_FILE "/etc/process-dna/correlator.conf"

/* Read and check `file`. The first problem is printed to standard error as
 * "FILE:LINE: what". Returns 0, or -EINVAL or the errno of reading it. */
int config_read(const char *file, struct config **ret_config);
void config_free(struct config *config);

#endif
