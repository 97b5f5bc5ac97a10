/* Goal: a pdnaExeIndex says which executable it is for as long as the agent
 * runs: what was one executable never becomes another one. */
#include <string.h>

#include "snmp-subagent/exe_index.h"
#include "tests/unit/fake_snapshot.h"
#include "tests/unit/unit.h"

static uint32_t number_of(struct exe_index *x, const struct executable *e) {
  uint32_t number = 0;

  assert_int_equal(exe_index_assign(x, e, 1, &number), 0);
  return number;
}

static struct exe_index *fresh(void) {
  struct exe_index *x;

  assert_int_equal(exe_index_new(&x), 0);
  return x;
}

static void numbers_stay_whatever_comes_and_goes(void **state) {
  struct executable a = fake_executable("/a", EXE_CURRENT, 1);
  struct executable b = fake_executable("/b", EXE_CURRENT, 2);
  struct executable c = fake_executable("/c", EXE_CURRENT, 3);
  struct executable first[] = {a, b}, second[] = {c, b}, third[] = {a, b, c};
  struct exe_index *x = fresh();
  uint32_t n[3];

  (void)state;
  assert_int_equal(exe_index_assign(x, first, 2, n), 0);
  assert_int_equal(n[0], 1);
  assert_int_equal(n[1], 2);
  assert_int_equal(exe_index_assign(x, second, 2, n), 0);
  assert_int_equal(n[0], 3);
  assert_int_equal(n[1], 2);
  assert_int_equal(exe_index_assign(x, NULL, 0, n), 0);
  assert_int_equal(exe_index_assign(x, third, 3, n), 0);
  assert_int_equal(n[0], 1);
  assert_int_equal(n[1], 2);
  assert_int_equal(n[2], 3);
  exe_index_free(x);
}

static void
whatever_identifies_an_executable_gives_it_another_number(void **state) {
  struct executable e[7];
  struct exe_index *x = fresh();

  (void)state;
  for (int i = 0; i < 7; i++)
    e[i] = fake_executable("/a", EXE_CURRENT, 1);
  e[1].path = (char *)"/b";
  e[2] = fake_executable("/a", EXE_CURRENT, 2);
  e[3].state = EXE_DELETED;
  set_text(e[4].container, "key");
  e[5] = fake_executable("/a", EXE_UNREADABLE, 0);
  e[6] = fake_executable("/a", EXE_UNREADABLE, 0);
  e[6].reason = EXE_REASON_IO;
  for (uint32_t i = 0; i < 7; i++)
    assert_int_equal(number_of(x, &e[i]), i + 1);
  for (uint32_t i = 0; i < 7; i++)
    assert_int_equal(number_of(x, &e[i]), i + 1);
  exe_index_free(x);
}

static void what_changes_by_itself_keeps_the_number(void **state) {
  struct executable e = fake_executable("/a", EXE_CURRENT, 1);
  struct exe_index *x = fresh();

  (void)state;
  assert_int_equal(number_of(x, &e), 1);
  e.processes = 9;
  e.rss_bytes = 1;
  e.pid = 1;
  e.uid = 1;
  e.started_s = 1;
  set_text(e.name, "other");
  set_text(e.package.manager, "dpkg");
  assert_int_equal(number_of(x, &e), 1);
  /* The digest of what has none says nothing. */
  e = fake_executable("/a", EXE_UNREADABLE, 1);
  assert_int_equal(number_of(x, &e), 2);
  e = fake_executable("/a", EXE_UNREADABLE, 2);
  assert_int_equal(number_of(x, &e), 2);
  exe_index_free(x);
}

static void a_number_that_was_forgotten_is_not_given_again(void **state) {
  struct executable a = fake_executable("/a", EXE_CURRENT, 1);
  struct executable b = fake_executable("/b", EXE_CURRENT, 2);
  struct exe_index *x = fresh();

  (void)state;
  assert_int_equal(number_of(x, &a), 1);
  for (int i = 0; i < EXE_INDEX_FORGET_SCANS - 1; i++)
    assert_int_equal(number_of(x, &b), 2);
  assert_int_equal(number_of(x, &a), 1);
  for (int i = 0; i < EXE_INDEX_FORGET_SCANS; i++)
    assert_int_equal(number_of(x, &b), 2);
  assert_int_equal(number_of(x, &a), 3);
  exe_index_free(x);
}

static void only_so_many_that_are_gone_are_remembered(void **state) {
  enum { MANY = EXE_INDEX_ABSENT_MAX + 10 };
  struct executable a = fake_executable("/a", EXE_CURRENT, 1);
  struct executable stays = fake_executable("/stays", EXE_CURRENT, 1);
  struct executable *many = calloc(MANY, sizeof(*many));
  uint32_t *numbers = calloc(MANY, sizeof(*numbers));
  struct exe_index *x = fresh();

  (void)state;
  assert_non_null(many);
  assert_non_null(numbers);
  for (uint32_t i = 0; i < MANY; i++) {
    many[i] = fake_executable("/many", EXE_CURRENT, 0);
    memcpy(many[i].sha256.bytes, &i, sizeof(i));
  }
  assert_int_equal(number_of(x, &a), 1);
  assert_int_equal(number_of(x, &stays), 2);
  assert_int_equal(exe_index_assign(x, many, MANY, numbers), 0);
  assert_int_equal(number_of(x, &stays), 2);
  /* The longest absent went, and nobody else gets its number. */
  assert_int_equal(number_of(x, &a), MANY + 3);
  free(many);
  free(numbers);
  exe_index_free(x);
}

static void after_the_last_number_those_in_use_are_left_out(void **state) {
  struct executable e[5];
  struct exe_index *x = fresh();
  uint32_t n[5];

  (void)state;
  exe_index_skip_to(x, UINT32_MAX - 2);
  for (int i = 0; i < 5; i++)
    e[i] = fake_executable("/a", EXE_CURRENT, (uint8_t)(i + 1));
  assert_int_equal(exe_index_assign(x, e, 4, n), 0);
  assert_int_equal(n[0], UINT32_MAX - 1);
  assert_int_equal(n[1], UINT32_MAX);
  assert_int_equal(n[2], 1);
  assert_int_equal(n[3], 2);
  exe_index_free(x);

  /* All the way round: 1 is still in use. */
  x = fresh();
  assert_int_equal(number_of(x, &e[0]), 1);
  exe_index_skip_to(x, UINT32_MAX);
  assert_int_equal(number_of(x, &e[1]), 2);
  assert_int_equal(number_of(x, &e[0]), 1);
  exe_index_free(x);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_stay_whatever_comes_and_goes),
      cmocka_unit_test(
          whatever_identifies_an_executable_gives_it_another_number),
      cmocka_unit_test(what_changes_by_itself_keeps_the_number),
      cmocka_unit_test(a_number_that_was_forgotten_is_not_given_again),
      cmocka_unit_test(only_so_many_that_are_gone_are_remembered),
      cmocka_unit_test(after_the_last_number_those_in_use_are_left_out),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
