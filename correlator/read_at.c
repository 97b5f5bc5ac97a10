#include "correlator/read_at.h"

#include <errno.h>
#include <unistd.h>

int read_at(int fd, uint64_t at, void *buffer, size_t len) {
  uint8_t *to = buffer;

  while (len > 0) {
    ssize_t n = pread(fd, to, len, (off_t)at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -errno;
    if (n == 0)
      return -ENODATA;
    to += n;
    at += (uint64_t)n;
    len -= (size_t)n;
  }
  return 0;
}
