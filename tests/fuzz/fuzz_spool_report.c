/* Goal: whatever lies in the spool, its decoder neither crashes nor takes
 * what it would not write. */
#include <stdlib.h>

#include "correlator/spool_report.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct report *report = NULL;
  struct bytes b = {0};
  struct report *again = NULL;

  if (spool_report_decode(data, size, &report) != 0)
    return 0;
  spool_report_encode(report, &b);
  if (b.failed || spool_report_decode(b.data, b.len, &again) != 0)
    abort();
  report_free(again);
  report_free(report);
  bytes_free(&b);
  return 0;
}
