/* What time it is (clock_gettime(2)), in the units that the programs reckon
 * in. */
#ifndef PDNA_CLOCK_H
#define PDNA_CLOCK_H

#include <stdint.h>

/* Milliseconds of a clock that is never set: for deadlines and pauses. */
int64_t clock_monotonic_ms(void);

/* Microseconds since the epoch. The clock may be set at any time. */
int64_t clock_wall_us(void);

#endif
