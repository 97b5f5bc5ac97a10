/* The options of the plugin's block in collectd.conf(5):
 *
 *   <Plugin process_dna>
 *     ScanInterval 60        # seconds from one scan to the next
 *     MinRSS 50              # MiB; smaller processes are left out, 0: none
 *     AlwaysRoot true        # uid 0 is taken whatever its RSS
 *     Executable "/usr/sbin/sshd"  # so is this path, an fnmatch(3) pattern
 *                            # with FNM_PATHNAME; may be repeated
 *     RehashInterval 3600    # seconds in which each file is read again
 *     HashBudget 256         # MiB read a scan
 *     RemoteFiles false      # hash on remote filesystems too
 *     Notify "spoofed" "anonymous"  # states that make notifications, or
 *                            # "none"; may be repeated
 *     Packages true          # tell which package owns an executable
 *     PackageRoot "/"        # below which the package databases are
 *     ProcRoot "/proc"
 *   </Plugin>
 */
#ifndef PDNA_PLUGIN_CONFIG_H
#define PDNA_PLUGIN_CONFIG_H

#include "collectd.h"

#include "configfile.h"

#include "lib/scan/settings.h"

struct dna_config {
  struct scan_settings scan;
  uint64_t notify; /* DNA_STATE_BIT of each state that makes notifications */
  uint64_t given;  /* options seen so far, a bit for each */
  bool bad;        /* something was refused */
};

#define DNA_STATE_BIT(state) (UINT64_C(1) << (state))

/* The defaults. */
void dna_config_init(struct dna_config *config);

/* Take over a <Plugin process_dna> block; there may be several. Everything
 * that is wrong in it is logged and remembered in `bad`. Returns 0, -EINVAL
 * or -ENOMEM. */
int dna_config_read(struct dna_config *config, const oconfig_item_t *block);

/* Free what the config owns and go back to the defaults. */
void dna_config_clear(struct dna_config *config);

#endif
