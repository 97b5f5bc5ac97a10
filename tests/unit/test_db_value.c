/* A value of a result is found by its column's name, and what is not there is
 * none. */
#include "correlator/db.h"
#include "tests/unit/made_result.h"
#include "tests/unit/unit.h"

static PGresult *made(void) {
  static const char *const names[] = {"a", "b"};
  static const char *const cells[] = {"1", NULL, "", "4"};

  return made_result(2, names, 2, cells);
}

static void a_value_is_found_by_its_column_s_name(void **state) {
  PGresult *result = made();

  (void)state;
  assert_string_equal(db_value(result, 0, "a"), "1");
  assert_string_equal(db_value(result, 1, "a"), "");
  assert_string_equal(db_text(result, 1, "b"), "4");
  PQclear(result);
}

static void what_is_not_there_is_none(void **state) {
  PGresult *result = made();

  (void)state;
  assert_null(db_value(result, 0, "b"));
  assert_null(db_value(result, 0, "c"));
  assert_null(db_value(result, 2, "a"));
  assert_null(db_value(NULL, 0, "a"));
  assert_string_equal(db_text(result, 0, "b"), "");
  assert_string_equal(db_text(NULL, 0, "a"), "");
  PQclear(result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_value_is_found_by_its_column_s_name),
      cmocka_unit_test(what_is_not_there_is_none),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
