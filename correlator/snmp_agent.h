/* An agent that is asked over SNMP: when, through which session, and what
 * becomes of what it answers. */
#ifndef PDNA_SNMP_AGENT_H
#define PDNA_SNMP_AGENT_H

#include <event2/event.h>
#include <stdint.h>

#include "correlator/config.h"
#include "correlator/ingest.h"

struct netsnmp_large_fd_set_s; /* netsnmp_large_fd_set */
struct snmp_agent;

/* What all agents share. */
struct snmp_agent_env {
  struct event_base *base;
  struct ingest *ingest;
  struct netsnmp_large_fd_set_s *fds; /* empty, between two uses */
  const struct config *config;
};

/* A poll takes no longer than this, or the agent's interval if that is more.
 * One that is due while another is under way is left out. */
enum { SNMP_AGENT_PATIENCE_S = 60 };

/* Ask for the first time in first_ms. What fails is logged. All that is pointed
 * to must outlive the agent. Returns 0, -EINVAL or -ENOMEM. */
int snmp_agent_new(const struct snmp_agent_env *env,
                   const struct poll_config *config, int64_t first_ms,
                   struct snmp_agent **ret_agent);
void snmp_agent_free(struct snmp_agent *agent); /* NULL does nothing */

#endif
