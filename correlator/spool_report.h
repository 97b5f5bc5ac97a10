/* A report as bytes, for the spool. */
#ifndef PDNA_SPOOL_REPORT_H
#define PDNA_SPOOL_REPORT_H

#include "correlator/ingest_bytes.h"
#include "correlator/report.h"

/* Append the report; b->failed shows that memory ran out. */
void spool_report_encode(const struct report *report, struct bytes *b);

/* Returns 0, -EINVAL (not what encode writes) or -ENOMEM. */
int spool_report_decode(const void *data, size_t len,
                        struct report **ret_report);

#endif
