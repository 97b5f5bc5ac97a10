/* Instead of manifest_rpm.c in a build that found no librpm. */
#include <errno.h>

#include "correlator/manifest_rpm.h"

int manifest_rpm_check_keyring(const char *file) {
  (void)file;
  return -ENOSYS;
}

static int read_rpm(struct manifest_reading *r, struct manifest *m) {
  (void)m;
  return manifest_broken(r, "a package of rpm, and this build has no librpm");
}

const struct manifest_format manifest_rpm = {
    .name = "rpm",
    .is_package = true,
    .matches = manifest_rpm_matches,
    .read = read_rpm,
};
