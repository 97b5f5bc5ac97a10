#include "correlator/report.h"

#include <stdlib.h>

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
