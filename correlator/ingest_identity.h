/* What of a report has to be judged, as one digest: two reports of a host
 * with the same identity get the same verdicts. */
#ifndef PDNA_INGEST_IDENTITY_H
#define PDNA_INGEST_IDENTITY_H

#include "correlator/report.h"

/* Neither the order of executables and addresses counts, nor what changes by
 * itself (pid, RSS, number of processes), nor file facts, which travel only
 * when a file was read. Returns 0 or -ENOMEM. */
int ingest_identity(const struct report *report, struct digest *ret_identity);

#endif
