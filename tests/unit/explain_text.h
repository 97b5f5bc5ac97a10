/* Explanations as texts, for the tests of what they say. */
#ifndef PDNA_TESTS_EXPLAIN_TEXT_H
#define PDNA_TESTS_EXPLAIN_TEXT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/explain.h"
#include "tests/unit/unit.h"

#define OBSERVED                                                               \
  "bbbb456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TRUSTED                                                                \
  "aaaa456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define KEY "cccc456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* The text, which the caller frees. */
static inline char *explain_text(const struct explain_facts *facts,
                                 const struct explain_movement *movement) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);

  assert_int_equal(explain_print(out, facts, movement, NULL), 0);
  assert_int_equal(fclose(out), 0);
  return text;
}

/* As if it had been printed on one line. */
static inline char *unwrapped(char *text) {
  char *out = text;

  for (const char *in = text; *in != '\0'; in++) {
    char c = *in == '\n' ? ' ' : *in;

    if (c != ' ' || (out > text && out[-1] != ' '))
      *out++ = c;
  }
  *out = '\0';
  return text;
}

/* Does the text say each of these, in this order? Frees it. */
static inline void expect_parts(char *text, const char *const *parts) {
  const char *at = unwrapped(text);

  for (size_t i = 0; parts[i] != NULL; i++) {
    const char *found = strstr(at, parts[i]);

    if (found == NULL) {
      fail_msg("no \"%s\" after \"%.60s\" in:\n%s", parts[i], at, text);
      break;
    }
    at = found + strlen(parts[i]) - 1; /* blanks are shared */
  }
  free(text);
}
#define EXPECT(text, ...)                                                      \
  expect_parts(text, (const char *const[]){__VA_ARGS__, NULL})

/* Frees the text. */
static inline void expect_without(char *text, const char *part) {
  if (strstr(unwrapped(text), part) != NULL)
    fail_msg("\"%s\" in:\n%s", part, text);
  free(text);
}

#endif
