#include "correlator/collectd_guard.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

static bool relay_covers(const struct relay_config *relay, const char *host) {
  for (size_t i = 0; i < relay->hosts_len; i++)
    if (fnmatch(relay->hosts[i], host, 0) == 0)
      return true;
  return false;
}

bool collectd_guard_is_relay(const struct collectd_guard *guard,
                             const char *signer) {
  for (size_t i = 0; i < guard->config->relays_len; i++)
    if (strcmp(guard->config->relays[i].user, signer) == 0)
      return true;
  return false;
}

int collectd_guard_signer(const struct collectd_guard *guard, const char *host,
                          const char *signer,
                          struct collectd_speaker *ret_speaker) {
  const struct collectd_config *config = guard->config;
  const struct ingest_key key = {host, REPORT_SOURCE_COLLECTD};
  struct collectd_speaker s = {0};

  for (size_t i = 0; i < config->relays_len && !s.relayed; i++)
    s.relayed = strcmp(config->relays[i].user, signer) == 0 &&
                relay_covers(&config->relays[i], host);
  /* A relay's user is good for the hosts that its globs name and no others:
   * else it could bind to itself whatever name is free. */
  if (!s.relayed && collectd_guard_is_relay(guard, signer))
    return -EPERM;
  if (!ingest_agent(guard->ingest, &key, &s.agent))
    s.agent = (struct ingest_agent){0};
  if (!s.relayed && s.agent.signer[0] != '\0' &&
      strcmp(s.agent.signer, signer) != 0)
    return -EPERM;
  *ret_speaker = s;
  return 0;
}

int collectd_guard_skew(const struct collectd_guard *guard, int64_t observed_us,
                        int64_t arrived_us) {
  const int64_t max_us = (int64_t)guard->config->max_skew_s * 1000000;

  return observed_us >= arrived_us - max_us &&
                 observed_us <= arrived_us + max_us
             ? 0
             : -ETIME;
}

int collectd_guard_replay(const struct collectd_speaker *speaker,
                          int64_t observed_us, int64_t boot_s) {
  const struct ingest_agent *agent = &speaker->agent;

  if (observed_us > agent->last_observed_us)
    return 0;
  return agent->boot_s != 0 && boot_s > agent->boot_s + REPORT_BOOT_TREMBLE_S
             ? 0
             : -EALREADY;
}
