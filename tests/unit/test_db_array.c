/* Goal: what goes into an array literal comes out of PostgreSQL as it was
 * (PostgreSQL, 8.15.2). */
#include <string.h>

#include "correlator/db.h"
#include "tests/unit/unit.h"

static void an_empty_array_is_a_literal_too(void **state) {
  struct db_array a = {0};

  (void)state;
  assert_string_equal(db_array_text(&a), "{}");
  db_array_free(&a);
}

static void elements_of_every_kind_are_written(void **state) {
  struct db_array a = {0};

  (void)state;
  db_array_add_text(&a, NULL);
  db_array_add_text(&a, "");
  db_array_add_text(&a, "NULL");
  db_array_add_int(&a, INT64_MIN);
  db_array_add_bool(&a, true);
  db_array_add_bool(&a, false);
  assert_string_equal(db_array_text(&a),
                      "{NULL,\"\",\"NULL\",-9223372036854775808,t,f}");
  db_array_free(&a);
}

static void quotes_and_backslashes_are_escaped(void **state) {
  struct db_array a = {0};

  (void)state;
  db_array_add_text(&a, "a\"b\\c{d},e");
  assert_string_equal(db_array_text(&a), "{\"a\\\"b\\\\c{d},e\"}");
  db_array_free(&a);
}

static void times_are_utc_to_the_microsecond(void **state) {
  struct db_array a = {0};

  (void)state;
  db_array_add_time(&a, INT64_C(1700000000123456));
  db_array_add_time(&a, -1);
  assert_string_equal(db_array_text(&a), "{\"2023-11-14 22:13:20.123456+00\","
                                         "\"1969-12-31 23:59:59.999999+00\"}");
  db_array_free(&a);
}

static void times_beyond_the_calendar_are_its_ends(void **state) {
  struct db_array a = {0};

  (void)state;
  db_array_add_time(&a, INT64_MIN);
  db_array_add_time(&a, INT64_MAX);
  assert_string_equal(db_array_text(&a), "{\"0001-01-01 00:00:00.000000+00\","
                                         "\"9999-12-31 23:59:59.999999+00\"}");
  db_array_free(&a);
}

static void more_can_be_added_after_a_look(void **state) {
  struct db_array a = {0};

  (void)state;
  db_array_add_int(&a, 1);
  assert_string_equal(db_array_text(&a), "{1}");
  db_array_add_int(&a, 2);
  assert_string_equal(db_array_text(&a), "{1,2}");
  db_array_reset(&a);
  db_array_add_int(&a, 3);
  assert_string_equal(db_array_text(&a), "{3}");
  db_array_free(&a);
}

static void it_grows_by_texts_that_double_when_escaped(void **state) {
  static char text[70000];
  struct db_array a = {0};

  (void)state;
  memset(text, '"', sizeof(text) - 1);
  for (int i = 0; i < 3; i++)
    db_array_add_text(&a, text);
  const char *literal = db_array_text(&a);
  assert_non_null(literal);
  assert_int_equal(strlen(literal), 3 * (2 * (sizeof(text) - 1) + 3) + 1);
  db_array_free(&a);
}

static void any_bytes_become_printable_text(void **state) {
  static const char bytes[] = "a\"\\ \0\n\177\303\251~";
  struct db_array a = {0};

  (void)state;
  db_array_add_escaped(&a, bytes, sizeof(bytes) - 1);
  db_array_add_escaped(&a, "", 0);
  assert_string_equal(
      db_array_text(&a),
      "{\"a\\\"\\\\ \\\\000\\\\012\\\\177\\\\303\\\\251~\",\"\"}");
  db_array_free(&a);
}

static void it_grows_by_bytes_that_are_escaped(void **state) {
  static const char zeros[70000];
  struct db_array a = {0};

  (void)state;
  for (int i = 0; i < 3; i++)
    db_array_add_escaped(&a, zeros, sizeof(zeros));
  assert_int_equal(strlen(db_array_text(&a)), 3 * (5 * sizeof(zeros) + 3) + 1);
  db_array_free(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_empty_array_is_a_literal_too),
      cmocka_unit_test(elements_of_every_kind_are_written),
      cmocka_unit_test(quotes_and_backslashes_are_escaped),
      cmocka_unit_test(any_bytes_become_printable_text),
      cmocka_unit_test(it_grows_by_bytes_that_are_escaped),
      cmocka_unit_test(times_are_utc_to_the_microsecond),
      cmocka_unit_test(times_beyond_the_calendar_are_its_ends),
      cmocka_unit_test(more_can_be_added_after_a_look),
      cmocka_unit_test(it_grows_by_texts_that_double_when_escaped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
