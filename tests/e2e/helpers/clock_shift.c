/* LD_PRELOADed into collectd: its wall clock is off by the number of seconds
 * in the file CLOCK_SHIFT names (a native int64_t), which the tests change
 * while it runs. The host's own clock stays as it is. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

static const volatile int64_t *shift_s;

__attribute__((constructor)) static void map_shift(void) {
  const char *path = getenv("CLOCK_SHIFT");
  int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  void *at = fd < 0
                 ? MAP_FAILED
                 : mmap(NULL, sizeof(*shift_s), PROT_READ, MAP_SHARED, fd, 0);

  if (at == MAP_FAILED)
    abort();
  close(fd);
  shift_s = at;
}

EXPORTED int clock_gettime(clockid_t clock, struct timespec *ts) {
  int ret = (int)syscall(SYS_clock_gettime, clock, ts);

  if (ret == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) &&
      shift_s != NULL)
    ts->tv_sec += *shift_s;
  return ret;
}

EXPORTED int gettimeofday(struct timeval *tv, void *zone) {
  struct timespec ts;

  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &ts) < 0)
    return -1;
  tv->tv_sec = ts.tv_sec;
  tv->tv_usec = ts.tv_nsec / 1000;
  return 0;
}

EXPORTED time_t time(time_t *ret) {
  struct timespec ts;

  if (clock_gettime(CLOCK_REALTIME, &ts) < 0)
    return -1;
  if (ret != NULL)
    *ret = ts.tv_sec;
  return ts.tv_sec;
}
