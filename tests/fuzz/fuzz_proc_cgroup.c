/* Goal: no text of /proc/PID/cgroup or mountinfo crashes its parser, and every
 * key that comes out of one is a container key. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/scan/container.h"
#include "lib/scan/mounts.h"
#include "tests/fuzz/fuzz.h"

static void check_key(int ret, const char *key) {
  if (ret == 0 && (key[0] == '\0' || !container_key_valid(key)))
    abort();
}

/* Every field lies within the text. */
static void check_mounts(const char *text, size_t len) {
  const char *end = text + len;
  struct mount_line line;

  while (mount_next(&text, &len, &line)) {
    if (line.point.text + line.point.len > end ||
        line.options.text + line.options.len > end)
      abort();
    (void)mount_kind_of(&line.type);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  /* A copy of exactly that size, so that the sanitizer sees its end. */
  char *text = malloc(size > 0 ? size : 1);
  char key[CONTAINER_MAX + 1];
  bool docker;

  if (text == NULL)
    return 0;
  memcpy(text, data, size);
  check_key(container_from_cgroup(text, size, &docker, key), key);
  check_key(container_from_mountinfo(text, size, docker, key), key);
  check_mounts(text, size);
  free(text);
  return 0;
}
