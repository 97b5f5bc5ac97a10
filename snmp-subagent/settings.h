/* process-dna-agentx.conf, read the Net-SNMP way (snmp_config(5)):
 *
 *   scanInterval 60        # seconds from one scan to the next
 *   minRss 50              # MiB; smaller processes are left out, 0: none
 *   alwaysRoot true        # uid 0 is taken whatever its RSS
 *   executable /usr/sbin/sshd  # so is this path, an fnmatch(3) pattern with
 *                          # FNM_PATHNAME; may be repeated
 *   rehashInterval 3600    # seconds in which each file is read again
 *   hashBudget 256         # MiB read a scan
 *   remoteFiles false      # hash on remote filesystems too
 *   packages true          # tell which package owns an executable
 *   packageRoot /          # below which the package databases are
 *   procRoot /proc
 *
 * and what the agent library itself takes (agentXSocket, agentXTimeout,
 * agentXRetries, agentXPingInterval). Of a directive that comes again the last
 * one counts, as always with Net-SNMP. */
#ifndef PDNA_AGENTX_SETTINGS_H
#define PDNA_AGENTX_SETTINGS_H

#include "lib/scan/settings.h"

enum { SETTINGS_WHY_MAX = 256 };

/* Set a directive from its text; blanks around it and quotes are taken off.
 * Returns 0, -ENOMEM, or -EINVAL with what was expected and what was found in
 * ret_why. */
int settings_set(struct scan_settings *settings, const char *directive,
                 const char *text, char ret_why[static SETTINGS_WHY_MAX]);

#endif
