/* The thread that scans the host at intervals, whatever the agent does. */
#ifndef PDNA_AGENTX_CYCLE_H
#define PDNA_AGENTX_CYCLE_H

#include "snmp-subagent/view.h"

struct cycle;

/* Start: the first scan begins at once. The options are copied. Returns 0, or
 * what scanner_new, eventfd(2) or pthread_create(3) gave. */
int cycle_start(const struct scan_options *options, struct cycle **ret);

/* Becomes readable when there is something to take. */
int cycle_fd(const struct cycle *c);

/* Take the newest view, which is the caller's then, or learn that the last
 * scan failed. Returns 0, -EAGAIN (nothing new) or what scanner_run gave. */
int cycle_take(struct cycle *c, struct view **ret);

/* Stop; waits for a scan that is under way. */
void cycle_stop(struct cycle *c);

#endif
