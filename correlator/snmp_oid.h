/* Where PROCESS-DNA-MIB lies: the one place in C that names its arc
 * ({ netSnmpPlaypen 362 } of snmp-subagent/PROCESS-DNA-MIB.txt). */
#ifndef PDNA_SNMP_OID_H
#define PDNA_SNMP_OID_H

#define PROCESS_DNA_MIB_OID 1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 362

#endif
