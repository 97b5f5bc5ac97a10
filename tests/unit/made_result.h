/* Results as libpq gives them, from cells of a test. */
#ifndef PDNA_TESTS_MADE_RESULT_H
#define PDNA_TESTS_MADE_RESULT_H

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* `cells` has `rows` times `fields` of them, row by row; NULL is SQL null. The
 * caller clears the result. */
static inline PGresult *made_result(size_t fields, const char *const names[],
                                    size_t rows, const char *const *cells) {
  PGresAttDesc *attributes = calloc(fields, sizeof(*attributes));
  PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);

  assert_non_null(attributes);
  for (size_t i = 0; i < fields; i++)
    attributes[i].name = strdup(names[i]);
  assert_true(PQsetResultAttrs(result, (int)fields, attributes));
  for (size_t i = 0; i < fields; i++)
    free(attributes[i].name);
  free(attributes);
  for (size_t i = 0; i < rows * fields; i++) {
    char *copy = strdup(cells[i] != NULL ? cells[i] : "");

    assert_true(PQsetvalue(result, (int)(i / fields), (int)(i % fields), copy,
                           cells[i] != NULL ? (int)strlen(copy) : -1));
    free(copy);
  }
  return result;
}

#endif
