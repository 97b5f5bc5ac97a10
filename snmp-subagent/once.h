/* process-dna-agentx --scan */
#ifndef PDNA_AGENTX_ONCE_H
#define PDNA_AGENTX_ONCE_H

#include <stdio.h>

#include "lib/scan/scan.h"

/* Scan until every executable has its digest, or a reason why it has none,
 * whatever the budget, and print a line of JSON for each process. How far it
 * is goes to `progress`; NULL: to nowhere. Returns 0, what scanning gave, or
 * -EIO if `out` did not take it all. */
int once_run(const struct scan_options *options, FILE *out, FILE *progress);

#endif
