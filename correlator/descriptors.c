#include "correlator/descriptors.h"

#include <sys/resource.h>

#include "correlator/log.h"

enum { SPARE = 256 /* for all else */ };

size_t descriptors_reserve(const char *who, size_t more,
                           const char *consequence) {
  static size_t wanted = SPARE;
  struct rlimit limit;

  wanted += more;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
    return more;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
    limit.rlim_cur = before;
  if (limit.rlim_cur >= wanted)
    return more;
  log_warning("%s: open files: expected %zu, found %llu: %s", who, wanted,
              (unsigned long long)limit.rlim_cur, consequence);
  const size_t lacking = wanted - (size_t)limit.rlim_cur;
  return lacking < more ? more - lacking : 0;
}
