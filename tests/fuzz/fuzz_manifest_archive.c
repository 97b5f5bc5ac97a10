/* Goal: whatever a package or a tarball has in it, its reader ends within its
 * limits, neither crashes nor leaks, and gives paths that are identities. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "correlator/manifest_deb.h"
#include "correlator/manifest_tar.h"
#include "lib/record/pathname.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct manifest_reading *r, const struct manifest *m,
                  int error) {
  char identity[PATHNAME_MAX + 1];

  if (error == -EBADMSG && r->why[0] == '\0')
    abort();
  if (error != 0 && (m->entries != NULL || m->entries_len != 0))
    abort();
  for (size_t i = 0; i < m->entries_len; i++)
    if (pathname_to_identity("", m->entries[i].path, identity) != 0)
      abort();
  if (m->package.manager[0] != '\0' && !package_valid(&m->package))
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct manifest_limits limits = {.unpacked_bytes = 4 << 20,
                                                .entries = 1000,
                                                .path_bytes = 255,
                                                .control_bytes = 4096,
                                                .time_s = 4};
  struct manifest_reading r = {.limits = &limits};
  struct manifest m = {0};
  const struct manifest_format *format =
      manifest_deb.matches(data, size) ? &manifest_deb : &manifest_tar;

  r.fd = memfd_create("input", MFD_CLOEXEC);
  if (r.fd < 0 || write(r.fd, data, size) != (ssize_t)size)
    abort();
  check(&r, &m, manifest_read(&r, format, &m));
  manifest_clear(&m);
  (void)close(r.fd);
  return 0;
}
