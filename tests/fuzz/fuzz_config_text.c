/* Goal: no configuration text crashes the check before libconfuse. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/config_keys.h"
#include "correlator/config_text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct config_problem problem;
  char *checked = NULL;
  char *text = malloc(size + 1);

  if (text == NULL)
    return 0;
  memcpy(text, data, size);
  text[size] = '\0';
  (void)config_text_check(text, config_is_list, &checked, &problem);
  free(checked);
  free(text);
  return 0;
}
