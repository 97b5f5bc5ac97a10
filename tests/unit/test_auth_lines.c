/* Goal: lines come out whole and once, however they are cut into pieces, and
 * nothing that lies in a log takes more than its own line. */
#include <stdlib.h>
#include <string.h>

#include "correlator/auth_lines.h"
#include "tests/unit/unit.h"

enum { TEXT_MAX = 4 * AUTH_LINE_MAX };

/* Put in what there is room for. */
static size_t put(struct auth_lines *l, const char *bytes, size_t len) {
  size_t room;
  char *to = auth_lines_room(l, &room);

  assert_true(room > 0);
  if (len > room)
    len = room;
  memcpy(to, bytes, len);
  auth_lines_filled(l, len);
  return len;
}

/* Lines come in brackets, "!" is one that was too long. */
static void add(char *text, enum auth_lines_found found,
                struct auth_text line) {
  size_t at = strlen(text);

  if (found == AUTH_LINES_TOO_LONG)
    (void)snprintf(text + at, TEXT_MAX - at, "!");
  else
    (void)snprintf(text + at, TEXT_MAX - at, "[%.*s]", (int)line.len, line.at);
}

/* All lines of what is put in by pieces of `piece` bytes; the rest with "$"
 * before it. */
static char *lines_of(const char *bytes, size_t len, size_t piece) {
  struct auth_lines *l = auth_lines_new();
  enum auth_lines_found found;
  struct auth_text line;
  char *text = calloc(1, TEXT_MAX);

  assert_non_null(l);
  assert_non_null(text);
  for (size_t at = 0; at < len;) {
    at += put(l, bytes + at, len - at < piece ? len - at : piece);
    while ((found = auth_lines_next(l, &line)) != AUTH_LINES_NONE)
      add(text, found, line);
    assert_int_equal(auth_lines_read_offset(l), at);
  }
  found = auth_lines_rest(l, &line);
  if (found != AUTH_LINES_NONE) {
    (void)snprintf(text + strlen(text), TEXT_MAX - strlen(text), "$");
    add(text, found, line);
  }
  assert_int_equal(auth_lines_offset(l), len);
  assert_int_equal(auth_lines_rest(l, &line), AUTH_LINES_NONE);
  auth_lines_free(l);
  return text;
}

static void lines_are_the_same_however_they_are_cut(void **state) {
  static const char bytes[] = "one\n\ntwo three\nfour";

  (void)state;
  for (size_t piece = 1; piece <= sizeof(bytes); piece++) {
    char *text = lines_of(bytes, sizeof(bytes) - 1, piece);
    assert_string_equal(text, "[one][][two three]$[four]");
    free(text);
  }
}

static void the_offset_is_behind_the_last_whole_line(void **state) {
  struct auth_lines *l = auth_lines_new();
  struct auth_text line;

  (void)state;
  auth_lines_reset(l, 1000);
  (void)put(l, "one\ntwo\nthr", 11);
  assert_int_equal(auth_lines_offset(l), 1000);
  assert_int_equal(auth_lines_next(l, &line), AUTH_LINES_LINE);
  assert_int_equal(auth_lines_offset(l), 1004);
  assert_int_equal(auth_lines_next(l, &line), AUTH_LINES_LINE);
  assert_int_equal(auth_lines_next(l, &line), AUTH_LINES_NONE);
  assert_int_equal(auth_lines_offset(l), 1008);
  assert_int_equal(auth_lines_read_offset(l), 1011);
  auth_lines_free(l);
}

static void a_line_of_64_kib_is_the_longest(void **state) {
  enum { SHORTLY = 7 };
  static const char shortly[] = "\nshort\n";
  static char bytes[AUTH_LINE_MAX + 8];
  const size_t pieces[] = {1000, AUTH_LINE_MAX, (size_t)2 * AUTH_LINE_MAX};

  (void)state;
  for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes + AUTH_LINE_MAX, shortly, SHORTLY);
    char *text = lines_of(bytes, AUTH_LINE_MAX + SHORTLY, pieces[i]);
    assert_int_equal(strlen(text), AUTH_LINE_MAX + 2 + 7);
    assert_string_equal(text + AUTH_LINE_MAX + 2, "[short]");
    free(text);
    bytes[AUTH_LINE_MAX] = 'x';
    memcpy(bytes + AUTH_LINE_MAX + 1, shortly, SHORTLY);
    text = lines_of(bytes, AUTH_LINE_MAX + 1 + SHORTLY, pieces[i]);
    assert_string_equal(text, "![short]");
    free(text);
  }
}

static void a_line_without_end_takes_no_memory(void **state) {
  enum { MIB = 1 << 20 };
  static char bytes[MIB];
  struct auth_lines *l = auth_lines_new();
  struct auth_text line;

  (void)state;
  memset(bytes, 'x', sizeof(bytes));
  for (size_t at = 0; at < (size_t)64 * MIB;) {
    at += put(l, bytes, sizeof(bytes));
    assert_int_equal(auth_lines_next(l, &line), AUTH_LINES_NONE);
    assert_int_equal(auth_lines_offset(l), 0);
    assert_int_equal(auth_lines_read_offset(l), at);
  }
  (void)put(l, "\nshort\n", 7);
  assert_int_equal(auth_lines_next(l, &line), AUTH_LINES_TOO_LONG);
  assert_int_equal(auth_lines_next(l, &line), AUTH_LINES_LINE);
  assert_memory_equal(line.at, "short", 5);
  auth_lines_free(l);
}

static void a_hole_before_a_line_is_no_part_of_it(void **state) {
  enum { LEN = 8 };
  static const char lines[] = "a\nb\0c\nd\n";
  static char bytes[3 * AUTH_LINE_MAX];

  (void)state;
  memcpy(bytes + sizeof(bytes) - LEN, lines, LEN);
  char *text = lines_of(bytes, sizeof(bytes), 5000);
  /* What is within a line stays in it. */
  assert_int_equal(strncmp(text, "[a][b", 5), 0);
  assert_string_equal(text + 5, "][d]");
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_are_the_same_however_they_are_cut),
      cmocka_unit_test(the_offset_is_behind_the_last_whole_line),
      cmocka_unit_test(a_line_of_64_kib_is_the_longest),
      cmocka_unit_test(a_line_without_end_takes_no_memory),
      cmocka_unit_test(a_hole_before_a_line_is_no_part_of_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
