/* The link to the master agent, snmpd: what becomes of it is logged, and
 * object identifiers that another subagent holds are asked for again. */
#ifndef PDNA_AGENTX_LINK_H
#define PDNA_AGENTX_LINK_H

/* To be called before init_snmp. */
void link_watch(void);

/* Say it if the master can't be reached; the library tries again by itself,
 * at every agentXPingInterval. */
void link_report(void);

#endif
