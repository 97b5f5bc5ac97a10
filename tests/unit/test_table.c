/* Tables fit a terminal, and are whole and plain in a pipe. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/table.h"
#include "tests/unit/made_result.h"
#include "tests/unit/unit.h"

enum { FIELDS = 5 };

static const struct table_column columns[] = {
    {"id", "ID", TABLE_NUMBER, 0, false},
    {"severity", "SEVERITY", TABLE_SEVERITY, 0, false},
    {"path", "PATH", TABLE_TEXT, 10, false},
    {"absent", "ABSENT", TABLE_TEXT, 0, false},
    {"seen", "SEEN", TABLE_TIME, 0, true},
    {"digest", "DIGEST", TABLE_DIGEST, 0, true},
};
enum { COLUMNS = sizeof(columns) / sizeof(*columns) };

static const char digest[] =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static PGresult *result_of(size_t rows, const char *const cells[][FIELDS]) {
  static const char *const names[FIELDS] = {"id", "severity", "path", "seen",
                                            "digest"};

  return made_result(FIELDS, names, rows, rows > 0 ? cells[0] : NULL);
}

static void expect_table(size_t rows, const char *const cells[][FIELDS],
                         struct table_style style, const char *expected) {
  PGresult *result = result_of(rows, cells);
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);

  assert_int_equal(table_print(out, result, columns, COLUMNS, style), 0);
  assert_int_equal(fclose(out), 0);
  assert_string_equal(text, expected);
  free(text);
  PQclear(result);
}

static const char *const two_alerts[][FIELDS] = {
    {"7", "critical", "/usr/sbin/nginx", "2026-05-25 09:14:02.123456+00",
     digest},
    {"123", "warning", "/opt/some/long/way/to/a/program",
     "2026-05-25 09:14:03+00", NULL},
};

static void a_pipe_gets_whole_cells_aligned(void **state) {
  (void)state;
  expect_table(
      2, two_alerts, (struct table_style){0},
      " ID  SEVERITY  PATH                             SEEN"
      "                  DIGEST\n"
      "  7  critical  /usr/sbin/nginx                  2026-05-25T09:14:02Z"
      "  0123456789ab\n"
      "123  warning   /opt/some/long/way/to/a/program  2026-05-25T09:14:03Z"
      "  -\n");
}

static void a_narrow_terminal_cuts_in_the_middle(void **state) {
  (void)state;
  expect_table(2, two_alerts, (struct table_style){.width = 70},
               " ID  SEVERITY  PATH                 SEEN"
               "                  DIGEST\n"
               "  7  critical  /usr/sbin/nginx      2026-05-25T09:14:02Z"
               "  0123456789ab\n"
               "123  warning   /opt/..to/a/program  2026-05-25T09:14:03Z"
               "  -\n");
}

static void a_narrower_terminal_loses_the_last_columns(void **state) {
  (void)state;
  expect_table(2, two_alerts, (struct table_style){.width = 55},
               " ID  SEVERITY  PATH                SEEN\n"
               "  7  critical  /usr/sbin/nginx     2026-05-25T09:14:02Z\n"
               "123  warning   /opt/..o/a/program  2026-05-25T09:14:03Z\n");
  expect_table(2, two_alerts, (struct table_style){.width = 1},
               " ID  SEVERITY  PATH\n"
               "  7  critical  /u../nginx\n"
               "123  warning   /o..rogram\n");
}

static void severities_are_coloured_where_it_is_asked_for(void **state) {
  (void)state;
  expect_table(2, two_alerts, (struct table_style){.width = 30, .color = true},
               " ID  SEVERITY  PATH\n"
               "  7  \033[1;31mcritical\033[0m  /usr/sbin/nginx\n"
               "123  \033[33mwarning\033[0m   /opt..a/program\n");
}

static void text_from_outside_is_escaped(void **state) {
  static const char *const cells[][FIELDS] = {
      {"1", "critical\033[0m", "\033]0;x\a\xff", "infinity", "\n"},
  };

  (void)state;
  expect_table(1, cells, (struct table_style){0},
               "ID  SEVERITY         PATH              SEEN      DIGEST\n"
               " 1  critical\\x1b[0m  \\x1b]0;x\\x07\\xff  infinity  \\x0a\n");
}

static void no_rows_make_a_heading_alone(void **state) {
  (void)state;
  expect_table(0, NULL, (struct table_style){0},
               "ID  SEVERITY  PATH  SEEN  DIGEST\n");
}

static void expect_age(const char *seconds, const char *expected) {
  char *cell = table_cell(TABLE_AGE, seconds);

  assert_string_equal(cell, expected);
  free(cell);
}

static void ages_have_one_unit(void **state) {
  (void)state;
  expect_age("0", "0s");
  expect_age("119", "119s");
  expect_age("120", "2m");
  expect_age("7199", "119m");
  expect_age("7200", "2h");
  expect_age("172800", "2d");
  expect_age("-5", "-5s");
  expect_age("", "");
}

static void a_pipe_is_neither_narrow_nor_coloured(void **state) {
  FILE *file = tmpfile();

  (void)state;
  assert_int_equal(table_style_of(file).width, 0);
  assert_false(table_style_of(file).color);
  assert_int_equal(fclose(file), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_pipe_gets_whole_cells_aligned),
      cmocka_unit_test(a_narrow_terminal_cuts_in_the_middle),
      cmocka_unit_test(a_narrower_terminal_loses_the_last_columns),
      cmocka_unit_test(severities_are_coloured_where_it_is_asked_for),
      cmocka_unit_test(text_from_outside_is_escaped),
      cmocka_unit_test(no_rows_make_a_heading_alone),
      cmocka_unit_test(ages_have_one_unit),
      cmocka_unit_test(a_pipe_is_neither_narrow_nor_coloured),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
