/* Goal: the cache gives back what was put in for exactly that file, stays
 * within its bound, and forgets all when the clock was set. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/scan/cache.h"
#include "lib/scan/clock_watch.h"
#include "tests/unit/unit.h"

static size_t jobs_dropped;

static void count_job(void *arg, struct job *job) {
  (void)arg;
  (void)job;
  jobs_dropped++;
}

static struct cache *new_cache(size_t max) {
  struct cache *c;

  jobs_dropped = 0;
  assert_int_equal(cache_new(max, count_job, NULL, &c), 0);
  return c;
}

static struct cache_entry *get(struct cache *c, uint64_t ino) {
  struct file_id id = {.dev = 1, .ino = ino};
  struct cache_entry *e = cache_get(c, &id);

  assert_non_null(e);
  return e;
}

static void each_part_of_the_identity_counts(void **state) {
  static const struct file_id ids[] = {
      {1, 2, 3, 4, 5}, {9, 2, 3, 4, 5}, {1, 9, 3, 4, 5},
      {1, 2, 9, 4, 5}, {1, 2, 3, 9, 5}, {1, 2, 3, 4, 9},
  };
  struct cache *c = new_cache(100);

  (void)state;
  for (size_t i = 0; i < 6; i++) {
    struct cache_entry *e = cache_get(c, &ids[i]);

    assert_false(e->has_digest);
    assert_int_equal(e->reason, EXE_REASON_PENDING);
    e->has_digest = true;
    e->digest.bytes[0] = (uint8_t)i;
  }
  for (size_t i = 0; i < 6; i++)
    assert_int_equal(cache_get(c, &ids[i])->digest.bytes[0], i);
  assert_int_equal(cache_len(c), 6);
  cache_free(c);
}

static void least_recently_used_go_first(void **state) {
  struct cache *c = new_cache(3);

  (void)state;
  for (uint64_t ino = 1; ino <= 5; ino++)
    get(c, ino)->has_digest = true;
  (void)get(c, 1);
  (void)get(c, 3);
  cache_trim(c, 0);
  assert_int_equal(cache_len(c), 3);
  assert_true(get(c, 1)->has_digest);
  assert_true(get(c, 3)->has_digest);
  assert_true(get(c, 5)->has_digest);
  assert_false(get(c, 2)->has_digest);
  cache_free(c);
}

static void what_was_not_used_for_long_goes(void **state) {
  struct cache *c = new_cache(100);

  (void)state;
  for (uint64_t ino = 1; ino <= 5; ino++)
    get(c, ino)->used = ino;
  cache_trim(c, 4);
  assert_int_equal(cache_len(c), 2);
  assert_int_equal(get(c, 4)->used, 4);
  assert_int_equal(get(c, 5)->used, 5);
  cache_free(c);
}

static void what_is_being_hashed_goes_last(void **state) {
  struct cache *c = new_cache(1);
  int job;

  (void)state;
  get(c, 1)->job = (struct job *)&job;
  (void)get(c, 2);
  cache_trim(c, 0);
  assert_int_equal(cache_len(c), 1);
  assert_ptr_equal(get(c, 1)->job, &job);
  assert_int_equal(jobs_dropped, 0);
  cache_free(c);
  assert_int_equal(jobs_dropped, 1);
}

static void bound_holds_even_if_all_are_being_hashed(void **state) {
  struct cache *c = new_cache(2);
  int job;

  (void)state;
  for (uint64_t ino = 1; ino <= 5; ino++)
    get(c, ino)->job = (struct job *)&job;
  cache_trim(c, 0);
  assert_int_equal(cache_len(c), 2);
  assert_int_equal(jobs_dropped, 3);
  cache_free(c);
}

static void thousands_are_found_again(void **state) {
  struct cache *c = new_cache(5000);

  (void)state;
  for (uint64_t ino = 0; ino < 5000; ino++)
    get(c, ino)->due = ino;
  for (uint64_t ino = 0; ino < 5000; ino++)
    assert_int_equal(get(c, ino)->due, ino);
  assert_int_equal(cache_len(c), 5000);
  cache_clear(c);
  assert_int_equal(cache_len(c), 0);
  assert_null(cache_newest(c));
  cache_free(c);
}

static void file_that_changed_gets_its_new_identity(void **state) {
  struct file_id id = {.dev = 1, .ino = 7, .size = 8};
  struct cache *c = new_cache(10);
  struct cache_entry *e = get(c, 7);

  (void)state;
  e->used = 3;
  assert_true(cache_rename(c, e, &id));
  assert_ptr_equal(cache_get(c, &id), e);
  assert_ptr_equal(cache_find_inode(c, &id, 3), e);
  assert_null(cache_find_inode(c, &id, 4));
  assert_ptr_not_equal(get(c, 7), e);
  assert_false(cache_rename(c, get(c, 7), &id));
  cache_free(c);
}

static void setting_the_clock_is_noticed(void **state) {
  int fd = clock_watch();
  struct timespec now;

  (void)state;
  assert_true(fd >= 0);
  assert_false(clock_was_set(fd));
  /* To what it says anyway: that counts as being set. */
  assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
  if (clock_settime(CLOCK_REALTIME, &now) < 0) {
    close(fd);
    skip();
  }
  assert_true(clock_was_set(fd));
  assert_false(clock_was_set(fd));
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_part_of_the_identity_counts),
      cmocka_unit_test(least_recently_used_go_first),
      cmocka_unit_test(what_was_not_used_for_long_goes),
      cmocka_unit_test(what_is_being_hashed_goes_last),
      cmocka_unit_test(bound_holds_even_if_all_are_being_hashed),
      cmocka_unit_test(thousands_are_found_again),
      cmocka_unit_test(file_that_changed_gets_its_new_identity),
      cmocka_unit_test(setting_the_clock_is_noticed),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
