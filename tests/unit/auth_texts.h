/* Texts of events, for tests. */
#ifndef PDNA_TESTS_AUTH_TEXTS_H
#define PDNA_TESTS_AUTH_TEXTS_H

#include "correlator/auth_event.h"
#include "tests/unit/unit.h"

/* Is a text that one? NULL: is it none? */
static inline bool text_is(struct auth_text text, const char *expected) {
  return auth_text_is(text, expected != NULL ? expected : "");
}

#define assert_text(text, expected)                                            \
  do {                                                                         \
    struct auth_text is_ = (text);                                             \
    if (!text_is(is_, expected))                                               \
      fail_msg("'%.*s' is not '%s'", (int)is_.len,                             \
               is_.at == NULL ? "" : is_.at, expected);                        \
  } while (0)

#endif
