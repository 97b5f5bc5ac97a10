/* A report: one scan of one host, put together from whatever way it came. */
#ifndef PDNA_REPORT_H
#define PDNA_REPORT_H

#include "lib/record/executable.h"
#include "lib/record/wire.h"

enum { REPORT_NAME_MAX = 127 };

struct report {
  char host[REPORT_NAME_MAX + 1];
  char signer[REPORT_NAME_MAX + 1]; /* who signed it; "" if nobody did */
  bool relayed;                     /* the signer is a configured relay */
  const char *source;               /* "collectd"; static storage */
  struct wire_host identity;        /* id "" if it did not arrive */
  int64_t observed_us;              /* the scan's one time, since the epoch */
  int64_t arrived_us;               /* the first packet's arrival */
  bool complete;            /* every series that the marker counts is there */
  struct wire_scan figures; /* zero if the marker did not arrive */
  unsigned interval_s;      /* the agent's cycle, 0 if unknown */
  struct executable *executables; /* path is the identity */
  size_t executables_len;
  char (*addresses)[WIRE_ADDRESS_MAX + 1];
  size_t addresses_len;
};

struct report *report_new(void);    /* zeroed; NULL: out of memory */
void report_free(struct report *r); /* NULL does nothing */

#endif
