/* Reading a file at a place in it, whole. */
#ifndef PDNA_READ_AT_H
#define PDNA_READ_AT_H

#include <stddef.h>
#include <stdint.h>

/* Returns 0, -ENODATA (the file ends before `len` bytes) or the negative errno
 * of pread(2). */
int read_at(int fd, uint64_t at, void *buffer, size_t len);

#endif
