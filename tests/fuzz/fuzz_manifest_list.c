/* Goal: whatever a list of digests has in it, its reader neither crashes nor
 * takes a line that sha256sum would not write. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "correlator/manifest_list.h"
#include "tests/fuzz/fuzz.h"

/* What was read, written as GNU has it, reads the same again. */
static void check_line(const uint8_t *data, size_t size) {
  char *line = malloc(size + 1), *name, hex[DIGEST_HEX_LEN + 1];
  struct digest digest, again;

  if (line == NULL)
    abort();
  memcpy(line, data, size);
  line[size] = '\0';
  if (manifest_list_line(line, &name, &digest) > 0 &&
      strpbrk(name, "\\\n\r") == NULL) {
    char *written = malloc(strlen(name) + DIGEST_HEX_LEN + 3), *same;

    if (written == NULL)
      abort();
    digest_to_hex(&digest, hex);
    memcpy(written, hex, DIGEST_HEX_LEN);
    memcpy(written + DIGEST_HEX_LEN, "  ", 2);
    memcpy(written + DIGEST_HEX_LEN + 2, name, strlen(name) + 1);
    if (manifest_list_line(written, &same, &again) <= 0 ||
        strcmp(same, name) != 0 || !digest_equal(&digest, &again))
      abort();
    free(written);
  }
  free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct manifest_limits limits = {
      .entries = 1000, .path_bytes = 255, .time_s = 4};
  struct manifest_reading r = {.limits = &limits};
  struct manifest m = {0};
  int error;

  check_line(data, size);
  r.fd = memfd_create("input", MFD_CLOEXEC);
  if (r.fd < 0 || write(r.fd, data, size) != (ssize_t)size)
    abort();
  error = manifest_read(&r, &manifest_list, &m);
  if ((error == 0) != (m.entries_len > 0))
    abort();
  manifest_clear(&m);
  (void)close(r.fd);
  return 0;
}
