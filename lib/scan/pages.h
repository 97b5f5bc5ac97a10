/* Large arrays that live for one scan, outside the heap: there they would
 * leave holes, and a program that scans for months would grow. */
#ifndef PDNA_PAGES_H
#define PDNA_PAGES_H

#include <stddef.h>

/* `len` zeroed elements. NULL: no memory. */
void *pages_alloc(size_t len, size_t size);

/* Give back what lies after the first `len` elements. */
void pages_trim(void *array, size_t len, size_t size);

/* NULL is nothing. */
void pages_free(void *array);

#endif
