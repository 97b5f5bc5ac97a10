#include "correlator/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/config_check.h"
#include "correlator/config_keys.h"
#include "correlator/config_parse.h"
#include "correlator/config_text.h"
#include "correlator/manifest_fetcher.h"

void config_print_v(const char *file, unsigned line, const char *format,
                    va_list args) {
  char what[CONFIG_PROBLEM_MAX];

  /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, by callers. */
  (void)vsnprintf(what, sizeof(what), format, args);
  for (char *c = what; *c != '\0'; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7F)
      *c = '?';
  if (line > 0)
    (void)fprintf(stderr, "%s:%u: %s\n", file, line, what);
  else
    (void)fprintf(stderr, "%s: %s\n", file, what);
}

void config_print(const char *file, unsigned line, const char *format, ...) {
  va_list args;

  va_start(args, format);
  config_print_v(file, line, format, args);
  va_end(args);
}

static int compare_texts(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* No two polls may speak for one host: the second would always be refused.
 * Returns 0, -EINVAL or -ENOMEM. */
static int check_polls(const char *file, const struct config *config) {
  size_t len = 0;
  int rc = 0;
  const char **hosts = calloc(config->polls_len + 1, sizeof(*hosts));

  if (hosts == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < config->polls_len; i++)
    if (config->polls[i].host != NULL)
      hosts[len++] = config->polls[i].host;
  qsort(hosts, len, sizeof(*hosts), compare_texts);
  for (size_t i = 1; i < len && rc == 0; i++)
    if (strcmp(hosts[i - 1], hosts[i]) == 0) {
      config_print(file, 0,
                   "host: expected another in each snmp-poll, found "
                   "'%s' twice",
                   hosts[i]);
      rc = -EINVAL;
    }
  free(hosts);
  return rc;
}

/* What the files that sections name must be. Returns 0 or -EINVAL. */
static int check_fetches(const char *file, const struct config *config) {
  char what[CONFIG_CHECK_MAX];

  for (size_t i = 0; i < config->fetches_len; i++) {
    const struct fetch_config *fetch = &config->fetches[i];
    if (manifest_fetcher_find(fetch->manager)->check(fetch, what))
      continue;
    config_print(file, 0, "manifest-fetch %s: %s", fetch->name, what);
    return -EINVAL;
  }
  return 0;
}

int config_read(const char *file, struct config **ret_config) {
  struct config *config = NULL;
  char *text = NULL;
  char *checked = NULL;
  struct config_problem problem = {0};
  struct stat st;

  int rc = config_text_read(file, &text, &st);
  if (rc != 0) {
    config_print(file, 0,
                 "configuration: expected a readable text file, found: %s",
                 strerrordesc_np(-rc));
    return rc;
  }
  rc = config_text_check(text, config_is_list, &checked, &problem);
  if (rc == -EINVAL)
    config_print(file, problem.line, "%s", problem.what);
  if (rc != 0)
    goto out;

  rc = -ENOMEM;
  config = calloc(1, sizeof(*config));
  if (config == NULL)
    goto out;
  config->file = strdup(file);
  if (config->file == NULL)
    goto out;
  rc = config_parse(file, checked, config);
  if (rc == 0)
    rc = check_polls(file, config);
  if (rc == 0)
    rc = check_fetches(file, config);
  if (rc != 0)
    goto out;
  if ((st.st_mode & 077) != 0 &&
      (config->sinks_len > 0 || config->polls_len > 0 ||
       config_conninfo_has_secret(config->database))) {
    config_print(file, 0,
                 "mode: expected nothing for group and others, since it holds "
                 "secrets, found %04o: chmod 600 %s",
                 (unsigned)st.st_mode & 07777U, file);
    rc = -EINVAL;
    goto out;
  }
  *ret_config = config;
  config = NULL;

out:
  if (rc == -ENOMEM)
    config_print(file, 0, "out of memory");
  config_free(config);
  free(checked);
  free(text);
  return rc;
}

static void free_texts(char **texts, size_t len) {
  for (size_t i = 0; i < len; i++)
    free(texts[i]);
  free(texts);
}

void config_free(struct config *config) {
  if (config == NULL)
    return;
  for (size_t i = 0; i < config->collectd.relays_len; i++) {
    struct relay_config *relay = &config->collectd.relays[i];
    free(relay->user);
    free_texts(relay->hosts, relay->hosts_len);
  }
  free(config->collectd.relays);
  free_texts(config->collectd.listen, config->collectd.listen_len);
  free(config->collectd.auth_file);
  for (size_t i = 0; i < config->sinks_len; i++) {
    free(config->sinks[i].name);
    free(config->sinks[i].session);
  }
  free(config->sinks);
  for (size_t i = 0; i < config->polls_len; i++) {
    free(config->polls[i].name);
    free(config->polls[i].session);
    free(config->polls[i].host);
  }
  free(config->polls);
  for (size_t i = 0; i < config->fetches_len; i++) {
    struct fetch_config *fetch = &config->fetches[i];
    free(fetch->name);
    free(fetch->manager);
    free(fetch->sources);
    free(fetch->keyring);
    free_texts(fetch->architectures, fetch->architectures_len);
  }
  free(config->fetches);
  for (size_t i = 0; i < config->auth_logs_len; i++)
    free(config->auth_logs[i].path);
  free(config->auth_logs);
  free_texts(config->syslog.listen_udp, config->syslog.listen_udp_len);
  free_texts(config->syslog.listen_tcp, config->syslog.listen_tcp_len);
  free_texts(config->syslog.listen_tls, config->syslog.listen_tls_len);
  free(config->syslog.tls_cert);
  free(config->syslog.tls_key);
  free(config->syslog.tls_ca);
  free(config->policy.unverified_update);
  free(config->database);
  free(config->tenant);
  free(config->state_dir);
  free(config->file);
  free(config);
}
