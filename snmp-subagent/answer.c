#include "snmp-subagent/answer.h"

enum {
  /* The master drops a subagent whose answer is larger than 64 KiB. */
  ANSWER_MAX = 60 * 1024,
  /* AgentX (RFC 2741): type and length, and each subidentifier is 4 bytes;
   * and the padding of a value. */
  VARBIND_SIZE = 16,
  SUBID_SIZE = 4,
};

static size_t size_of(const netsnmp_variable_list *var) {
  return VARBIND_SIZE + var->name_length * SUBID_SIZE + var->val_len;
}

void answer_begin(netsnmp_agent_request_info *info, struct answer *ret) {
  ret->info = info;
  ret->used = 0;
  for (const netsnmp_variable_list *var = info->asp->pdu->variables;
       var != NULL; var = var->next_variable)
    ret->used += size_of(var);
}

void answer_add(struct answer *answer, netsnmp_request_info *request,
                const struct value *value) {
  answer->used += value->len;
  if (answer->used > ANSWER_MAX)
    (void)netsnmp_set_request_error(answer->info, request, SNMP_ERR_TOOBIG);
  else if (snmp_set_var_typed_value(request->requestvb, value->type,
                                    value->data, value->len) != 0)
    (void)netsnmp_set_request_error(answer->info, request, SNMP_ERR_GENERR);
}
