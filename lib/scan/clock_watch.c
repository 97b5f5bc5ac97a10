#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/scan/clock_watch.h"

enum { FAR_S = 365 * 24 * 3600 };

static int arm(int fd) {
  struct itimerspec far = {0};
  struct timespec now;

  if (clock_gettime(CLOCK_REALTIME, &now) < 0)
    return -errno;
  far.it_value.tv_sec = now.tv_sec + FAR_S;
  if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far,
                      NULL) < 0)
    return -errno;
  return 0;
}

int clock_watch(void) {
  int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  int ret;

  if (fd < 0)
    return -errno;
  ret = arm(fd);
  if (ret < 0) {
    close(fd);
    return ret;
  }
  return fd;
}

bool clock_was_set(int watch_fd) {
  uint64_t expirations;

  if (read(watch_fd, &expirations, sizeof(expirations)) < 0 && errno == EAGAIN)
    return false;
  /* Armed before anything is read again, or a step in between is missed. */
  (void)arm(watch_fd);
  return true;
}
