/* Goal: of a batch the database refuses, all are written but those that are to
 * blame, and nothing is set aside for what is the database's own trouble. */
#include <string.h>

#include "correlator/writer_halve.h"
#include "tests/unit/unit.h"

enum { LEN = 100 };

struct world {
  bool bad[LEN];
  char fate[LEN + 1]; /* 'w'ritten, set 'a'side or '-' */
  enum db_error says; /* at the calls that are counted */
  int says_for;
  int away_after; /* so many calls; 0: never */
  int calls;
};

static enum db_error write_items(void *arg, size_t from, size_t len) {
  struct world *w = arg;

  if (w->calls++ >= w->away_after && w->away_after > 0)
    return DB_AWAY;
  if (w->says_for > 0) {
    w->says_for--;
    return w->says;
  }
  for (size_t i = from; i < from + len; i++)
    if (w->bad[i])
      return DB_REFUSED;
  memset(w->fate + from, 'w', len);
  return DB_OK;
}

static void set_aside(void *arg, size_t at) {
  struct world *w = arg;

  w->fate[at] = 'a';
}

static enum db_error run(struct world *w, size_t len) {
  static atomic_bool stopping;
  const struct writer_halve halve = {.arg = w,
                                     .stopping = &stopping,
                                     .write = write_items,
                                     .set_aside = set_aside};
  size_t done = 0;

  memset(w->fate, '-', LEN);
  w->fate[len] = '\0';
  enum db_error error = writer_halve(&halve, len, &done);
  assert_int_equal(done, strcspn(w->fate, "-"));
  return error;
}

static void a_good_batch_takes_one_call(void **state) {
  struct world w = {0};

  (void)state;
  assert_int_equal(run(&w, 5), DB_OK);
  assert_string_equal(w.fate, "wwwww");
  assert_int_equal(w.calls, 1);
}

static void only_who_is_to_blame_is_set_aside(void **state) {
  struct world w = {.bad = {[0] = true, [6] = true, [7] = true}};

  (void)state;
  assert_int_equal(run(&w, 8), DB_OK);
  assert_string_equal(w.fate, "awwwwwaa");
  assert_int_equal(run(&w, 1), DB_OK);
  assert_string_equal(w.fate, "a");
  for (size_t i = 0; i < LEN; i++) {
    struct world one = {.bad = {[0] = false}};
    one.bad[i] = true;
    assert_int_equal(run(&one, LEN), DB_OK);
    assert_ptr_equal(strchr(one.fate, 'a'), one.fate + i);
    assert_null(strchr(one.fate, '-'));
  }
}

static void what_failed_for_others_is_tried_again(void **state) {
  struct world w = {.says = DB_RETRY, .says_for = 3};

  (void)state;
  assert_int_equal(run(&w, 2), DB_OK);
  assert_string_equal(w.fate, "ww");
  assert_int_equal(w.calls, 4);
  w = (struct world){.says = DB_RETRY, .says_for = 1000};
  assert_int_equal(run(&w, 2), DB_AWAY);
  assert_string_equal(w.fate, "--");
}

static void a_database_that_is_away_ends_it(void **state) {
  struct world w = {.bad = {[3] = true}};

  (void)state;
  w.says = DB_AWAY;
  w.says_for = 1;
  assert_int_equal(run(&w, 4), DB_AWAY);
  assert_string_equal(w.fate, "----");
  assert_int_equal(w.calls, 1);
}

static void what_was_done_before_it_went_away_is_done(void **state) {
  struct world w = {.bad = {[0] = true}, .away_after = 4};

  (void)state;
  assert_int_equal(run(&w, 4), DB_AWAY);
  assert_string_equal(w.fate, "aw--");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_good_batch_takes_one_call),
      cmocka_unit_test(only_who_is_to_blame_is_set_aside),
      cmocka_unit_test(what_failed_for_others_is_tried_again),
      cmocka_unit_test(a_database_that_is_away_ends_it),
      cmocka_unit_test(what_was_done_before_it_went_away_is_done),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
