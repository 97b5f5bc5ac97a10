/* An outbox row as a notification of PROCESS-DNA-MIB. */
#ifndef PDNA_TRAPS_PDU_H
#define PDNA_TRAPS_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct snmp_pdu; /* net-snmp/types.h, netsnmp_pdu */

/* The payload of process_dna.outbox_lease, in PROCESS-DNA-MIB's order. */
enum trap_field {
  TRAP_TYPE,
  TRAP_AGENT_ADDRESS,
  TRAP_KEY,
  TRAP_KIND,
  TRAP_STATE,
  TRAP_SEVERITY,
  TRAP_HOST,
  TRAP_ADDRESS,
  TRAP_CONTAINER,
  TRAP_EXE_PATH,
  TRAP_BASELINE,
  TRAP_OBSERVED,
  TRAP_PID,
  TRAP_PACKAGE,
  TRAP_VERDICT,
  TRAP_MITRE,
  TRAP_PEER_HOST,
  TRAP_PEER_ADDRESS,
  TRAP_USER,
  TRAP_RELATED_KEY,
  TRAP_AT,
  TRAP_LINE,
  TRAP_FIELDS
};

struct trap_payload {
  const char *field[TRAP_FIELDS]; /* UTF-8, never NULL */
};

/* The column of a field. Static storage. */
const char *traps_pdu_column(enum trap_field field);

/* A whole message stays under this where it can, so that it fits into one
 * Ethernet frame with IPv6 and a tunnel or two around it. */
enum { TRAPS_MESSAGE_MAX = 1400 };

/* Build the PDU of a trap or an inform. uptime_cs is sysUpTime in hundredths
 * of a second. An encoded PDU of more than `room` bytes has pdnaAlertText cut,
 * perhaps to nothing, at a character's boundary; what does not help is left
 * longer. Returns 0, -EINVAL (type, state or severity is none of the MIB's) or
 * -ENOMEM. The caller frees *ret_pdu with snmp_free_pdu. */
int traps_pdu_build(const struct trap_payload *payload, bool inform,
                    uint32_t uptime_cs, size_t room, struct snmp_pdu **ret_pdu);

#endif
