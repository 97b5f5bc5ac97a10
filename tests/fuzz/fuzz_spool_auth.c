/* Goal: whatever lies in the spool, the decoder of auth events neither crashes
 * nor takes what it would not write. */
#include <stdlib.h>
#include <string.h>

#include "correlator/spool_auth.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct auth_record *record = NULL;
  struct bytes b = {0};

  if (spool_auth_decode(data, size, &record) != 0)
    return 0;
  spool_auth_encode(record, &b);
  if (b.failed || b.len != size || memcmp(b.data, data, size) != 0)
    abort();
  auth_record_free(record);
  bytes_free(&b);
  return 0;
}
