/* What the fuzzers share. */
#ifndef PDNA_TESTS_FUZZ_H
#define PDNA_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "correlator/auth_event.h"

/* Called by libFuzzer with each input. Gives 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition))                                                          \
      abort();                                                                 \
  } while (0)

/* Is a text a part of another? None is of any. */
static inline bool is_in(struct auth_text text, struct auth_text all) {
  return text.len == 0 || (text.at >= all.at && text.len <= all.len &&
                           text.at - all.at <= (ptrdiff_t)(all.len - text.len));
}

#endif
