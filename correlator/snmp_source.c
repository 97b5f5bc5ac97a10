#include "correlator/snmp_source.h"

#include <errno.h>
#include <stdlib.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/library/large_fd_set.h>

#include "correlator/descriptors.h"
#include "correlator/snmp_agent.h"

struct snmp_source {
  struct snmp_agent_env env;
  netsnmp_large_fd_set fds;
  struct snmp_agent **agents;
  size_t len;
};

int snmp_source_new(struct event_base *base, const struct config *config,
                    struct ingest *ingest, struct snmp_source **ret) {
  struct snmp_source *source = calloc(1, sizeof(*source));
  int r = 0;

  if (source == NULL)
    return -ENOMEM;
  netsnmp_large_fd_set_init(&source->fds, FD_SETSIZE);
  source->env = (struct snmp_agent_env){base, ingest, &source->fds, config};
  source->agents = calloc(config->polls_len + 1, sizeof(*source->agents));
  if (source->agents == NULL)
    r = -ENOMEM;
  /* Each poll has a socket while it lasts, and those of agents that are away
   * last longest. */
  (void)descriptors_reserve("snmp-poll", config->polls_len,
                            "if many agents are away at once, polls fail");
  for (size_t i = 0; i < config->polls_len && r == 0; i++) {
    const struct poll_config *poll = &config->polls[i];
    int64_t first_ms =
        (int64_t)(poll->interval_s * UINT64_C(1000) * i / config->polls_len);
    r = snmp_agent_new(&source->env, poll, first_ms, &source->agents[i]);
    if (r == 0)
      source->len++;
  }
  if (r == 0)
    *ret = source;
  else
    snmp_source_free(source);
  return r;
}

void snmp_source_free(struct snmp_source *source) {
  if (source == NULL)
    return;
  for (size_t i = 0; source->agents != NULL && i < source->len; i++)
    snmp_agent_free(source->agents[i]);
  free(source->agents);
  netsnmp_large_fd_set_cleanup(&source->fds);
  free(source);
}
