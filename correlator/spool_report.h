/* A report as an entry of the spool. */
#ifndef PDNA_SPOOL_REPORT_H
#define PDNA_SPOOL_REPORT_H

#include "correlator/report.h"
#include "correlator/spool.h"

/* Append the report; b->failed shows that memory ran out. */
void spool_report_encode(const struct report *report, struct bytes *b);

/* Returns 0, -EINVAL (not what encode writes) or -ENOMEM. */
int spool_report_decode(const void *data, size_t len,
                        struct report **ret_report);

/* As spool_append and spool_next; the caller frees *ret_report. */
int spool_report_append(struct spool *s, const struct report *report);
int spool_report_next(struct spool *s, struct report **ret_report,
                      uint64_t *ret_skipped);

#endif
