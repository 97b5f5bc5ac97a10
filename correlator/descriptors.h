/* Open files, of which each connection takes one. */
#ifndef PDNA_DESCRIPTORS_H
#define PDNA_DESCRIPTORS_H

#include <stddef.h>

/* So many more are going to be wanted at once, besides those of earlier calls
 * and some for all else: raise the limit as far as the hard one lets. Where
 * that is not enough it is logged; `consequence` says what comes of it.
 * From one thread only. Returns how many of them there are. */
size_t descriptors_reserve(const char *who, size_t more,
                           const char *consequence);

#endif
