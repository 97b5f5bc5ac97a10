/* Goal: no text of /proc/PID/stat, statm or maps or of /proc/stat crashes its
 * parser, and what is read out of it is within its bounds. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/scan/proc.h"
#include "lib/scan/spoof.h"
#include "tests/fuzz/fuzz.h"

static void check_stat(const char *text, size_t len) {
  struct proc_stat stat;

  if (proc_parse_stat(text, len, &stat) < 0)
    return;
  if (memchr(stat.comm, '\0', sizeof(stat.comm)) == NULL || stat.ppid < 0)
    abort();
}

static void check_mapping(const char *line) {
  struct spoof_mapping mapping;

  if (spoof_parse_mapping(line, &mapping) < 0)
    return;
  /* It becomes part of a path. */
  if (strchr(mapping.range, '/') != NULL || strchr(mapping.range, '.') != NULL)
    abort();
  if (mapping.path < line || mapping.path > line + strlen(line))
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  uint64_t pages;
  int64_t s;

  if (text == NULL)
    return 0;
  memcpy(text, data, size);
  text[size] = '\0';
  check_stat(text, size);
  (void)proc_parse_statm(text, size, &pages);
  (void)proc_parse_btime(text, size, &s);
  check_mapping(text);
  free(text);
  return 0;
}
