/* What `run` does about manifests that are asked for: it runs `manifest fetch`
 * as a child, one at a time, when requests come and every half a minute, logs
 * what that says, and counts how it went. */
#ifndef PDNA_FETCH_WORKER_H
#define PDNA_FETCH_WORKER_H

#include <event2/event.h>

#include "correlator/config.h"

struct fetch_worker;

/* `requests_fd` is an eventfd(2) that is readable when something was asked for;
 * everything must outlive the worker. Returns 0 or a negative errno. */
int fetch_worker_new(struct event_base *base, const struct config *config,
                     int requests_fd, struct fetch_worker **ret_worker);

/* Ends the child, if there is one, and waits for it. NULL does nothing. */
void fetch_worker_free(struct fetch_worker *worker);

#endif
