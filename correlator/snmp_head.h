/* The scalars of an agent: which scan it has, of what host. */
#ifndef PDNA_SNMP_HEAD_H
#define PDNA_SNMP_HEAD_H

#include "correlator/report.h"
#include "correlator/snmp_message.h"

struct snmp_pdu; /* net-snmp/types.h, netsnmp_pdu */

enum { SNMP_HEAD_ROWS_MAX = 65536 };

struct snmp_head {
  uint32_t sequence;    /* pdnaScanSequence; 0: no scan yet */
  int64_t observed_us;  /* pdnaLastScan, since the epoch */
  uint32_t executables; /* pdnaExecutableCount, at most SNMP_HEAD_ROWS_MAX */
  uint32_t interval_s;  /* pdnaScanInterval */
  char host_id[WIRE_HOST_ID_LEN + 1]; /* pdnaHostId; "": it has none */
  char name[REPORT_NAME_MAX + 1];     /* sysName; "": it does not say */
  uint32_t uptime_cs;                 /* hrSystemUptime; 0: it does not say */
};

/* Make a request for all of them, or for those only that tell whether there
 * was a scan in between. NULL: out of memory. */
struct snmp_pdu *snmp_head_ask(bool all);

/* Read the answer; of fewer objects the others stay as they are. Returns 0,
 * -EINVAL, or -ENOENT (the agent does not know the MIB) and a message. */
int snmp_head_read(const struct snmp_pdu *answer, bool all,
                   struct snmp_head *head, struct snmp_message *message);

#endif
