/* What of PROCESS-DNA-MIB this agent answers: pdnaAgent, pdnaProcessTable and
 * pdnaExecutableTable, all read-only. */
#ifndef PDNA_AGENTX_TABLES_H
#define PDNA_AGENTX_TABLES_H

#include "lib/scan/settings.h"
#include "snmp-subagent/view.h"

/* Register everything with the agent library; the settings must live on. Called
 * once, by the thread that runs the agent, as everything here. Returns 0 or
 * -ENOMEM. */
int tables_register(const struct scan_settings *settings);

/* Answer from this view from now on; takes it over. NULL, from none, also
 * where nothing is registered. */
void tables_show(struct view *view);

/* Free what was registered, once the library has been shut down. */
void tables_free(void);

#endif
