/* process-dna-agentx.conf through Net-SNMP, which only warns of what it does
 * not know. */
#ifndef PDNA_AGENTX_SETTINGS_FILE_H
#define PDNA_AGENTX_SETTINGS_FILE_H

#include "lib/scan/settings.h"

#define AGENTX_APPLICATION "process-dna-agentx" /* Net-SNMP's type of it */

/* To be called before init_snmp, which reads the files into `settings`; each
 * fault is logged with file, line and directive. */
void settings_file_register(struct scan_settings *settings);

/* How many faults there were, but for those in files that are not ours
 * (snmp.conf). */
unsigned settings_file_faults(void);

#endif
