/* The packages of tests/rpms.sh, made once below the build folder. */
#ifndef PDNA_MADE_RPMS_H
#define PDNA_MADE_RPMS_H

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static char rpms[PATH_MAX];

/* For group set-up. */
static inline int make_packages(void **state) {
  char self[PATH_MAX - 16];
  ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

  (void)state;
  if (len < 0)
    return -1;
  self[len] = '\0';
  *strrchr(self, '/') = '\0';
  snprintf(rpms, sizeof(rpms), "%s/%s-rpms", self,
           program_invocation_short_name);
  setenv("RPMS", rpms, 1);
  return system("sh tests/rpms.sh \"$RPMS\" /bin/sleep");
}

#endif
