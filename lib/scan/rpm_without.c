/* Instead of rpm_query.c in a build that found no librpm. */
#include <errno.h>

#include "lib/scan/rpm_query.h"

int rpm_query_open(int db_fd, const char *backend, struct rpm_query **ret) {
  (void)db_fd;
  (void)backend;
  (void)ret;
  return -ENOSYS;
}

int rpm_query_owner(struct rpm_query *q, const char *path,
                    struct package *ret) {
  (void)q;
  (void)path;
  (void)ret;
  return -ENOSYS;
}

void rpm_query_close(struct rpm_query *q) { (void)q; }
