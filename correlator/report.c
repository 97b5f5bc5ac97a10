#include "correlator/report.h"

#include <stdlib.h>
#include <string.h>

struct report *report_new(void) {
  return calloc(1, sizeof(struct report));
}

void report_free(struct report *r) {
  if (!r)
    return;
  executables_free(r->executables, r->executables_len);
  free(r->addresses);
  free(r);
}

const char *report_source(const char *name) {
  static const char *const sources[] = {REPORT_SOURCE_COLLECTD,
                                        REPORT_SOURCE_SNMP};

  for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
    if (strcmp(sources[i], name) == 0)
      return sources[i];
  return NULL;
}
