/* Putting values into the answer to a request. */
#ifndef PDNA_AGENTX_ANSWER_H
#define PDNA_AGENTX_ANSWER_H

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "snmp-subagent/value.h"

/* How much of an answer is in use. */
struct answer {
  netsnmp_agent_request_info *info;
  size_t used; /* bytes */
};

/* Look at what a request's answer holds so far. */
void answer_begin(netsnmp_agent_request_info *info, struct answer *ret);

/* Answer one varbind; with an error, tooBig, where the answer would become
 * larger than the master takes. */
void answer_add(struct answer *answer, netsnmp_request_info *request,
                const struct value *value);

#endif
