/* The agent library around tables, link and configuration. */
#ifndef PDNA_AGENTX_AGENT_H
#define PDNA_AGENTX_AGENT_H

#include "lib/scan/settings.h"
#include "snmp-subagent/options.h"

/* Set the library up, with the tables in it, and read the configuration; with
 * --scan, or where that has faults, the master is left alone. Returns -1 to go
 * on, or an exit status; what is wrong is logged. */
int agent_init(const struct options *options, struct scan_settings *settings);

/* Answer until SIGTERM or SIGINT. Returns an exit status. */
int agent_run(const struct scan_settings *settings);

void agent_close(void);

#endif
