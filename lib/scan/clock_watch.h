/* Notices that the system's clock was set, since a change time can be forged
 * by setting it (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET). */
#ifndef PDNA_CLOCK_WATCH_H
#define PDNA_CLOCK_WATCH_H

#include <stdbool.h>

/* Returns a descriptor, which the caller closes, or a negative errno. */
int clock_watch(void);

/* Was the clock set since the watch began or this was last asked? Yes, too, if
 * that can't be told. */
bool clock_was_set(int watch_fd);

#endif
