/* Goal: through every rotation, seen or slept through, each line of a followed
 * log is read once and in order. */
#include <sys/resource.h>
#include <time.h>

#include "correlator/counters.h"
#include "tests/unit/log_world.h"

/* As if a file had last changed at that second. */
static void touch(const char *path, time_t at) {
  const struct timespec times[] = {{.tv_sec = at}, {.tv_sec = at}};

  assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void commit_all(void) {
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  fake_ingest_commit(&world_ingest);
}

static void the_rest_of_a_renamed_log_is_read_first(void **state) {
  (void)state;
  world_write(1);
  commit_all();
  world_write(2);
  world_rename();
  world_write(1);
  commit_all();
  assert_string_equal(world_events(), "1-4 ");
}

/* The daemon that writes opens the new one a while after it was renamed. */
static void a_renamed_log_is_read_until_the_next_has_a_line(void **state) {
  (void)state;
  world_write(1);
  commit_all();
  world_rename();
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  world_append_to(world_name(".1"), world_line());
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1-2 ");
  world_append(""); /* there, and empty */
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  world_append_to(world_name(".1"), world_line());
  world_write(1);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1-4 ");
}

static void several_rotations_between_two_looks_are_all_read(void **state) {
  (void)state;
  world_write(1);
  commit_all();
  for (int i = 0; i < 4; i++) {
    world_write(3);
    world_rename();
  }
  world_write(1);
  commit_all();
  assert_string_equal(world_events(), "1-14 ");
}

static void rotations_while_nobody_reads_are_found_afterwards(void **state) {
  (void)state;
  world_write(2);
  commit_all();
  for (int i = 0; i < 4; i++) {
    world_write(3);
    world_rename();
  }
  world_write(1);
  world_kill();
  commit_all();
  assert_string_equal(world_events(), "1-15 ");
  world_kill();
  commit_all();
  assert_string_equal(world_events(), "1-15 ");
}

static void a_kill_on_the_way_through_is_gone_on_from(void **state) {
  (void)state;
  world_write(2);
  commit_all();
  world_write(300); /* more than a run */
  world_rename();
  world_write(300);
  world_rename();
  world_write(300);
  for (int i = 0; i < 4; i++) {
    fake_ingest_set_room(&world_ingest, 1);
    assert_int_equal(world_step(), AUTH_LOG_FULL);
    fake_ingest_commit(&world_ingest);
    world_kill();
  }
  fake_ingest_set_room(&world_ingest, 100);
  commit_all();
  assert_string_equal(world_events(), "1-902 ");
}

static void dates_tell_rotated_logs_as_numbers_do(void **state) {
  static const char *const ends[][3] = {
      {"-20251231", "-20260101", "-20260102"},
      {"-20261125-1764028800", "-20261125-1764032400", "-20261126-1764115200"},
      {".2026-11-24", ".2026-11-25", ".2026-11-25T12:00"},
      /* From numbers to dates, and back. */
      {".1", "-20261125", "-20261126"},
      {"-20261125", "-20261126", ".1"},
  };
  const time_t hour = 3600;

  for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
    world_write(1);
    commit_all();
    for (int k = 0; k < 3; k++) {
      world_write(2);
      touch(world_path, time(NULL) - (4 - k) * hour);
      world_rename_to(ends[i][k]);
    }
    world_write(1);
    world_kill();
    commit_all();
    assert_string_equal(world_events(), "1-8 ");
    assert_int_equal(world_end(state), 0);
    assert_int_equal(world_begin(state), 0);
  }
}

static void an_extension_may_stay_last(void **state) {
  char path[PATH_MAX];

  (void)state;
  world_write(1);
  commit_all();
  for (int i = 2; i > 0; i--) {
    world_write(2);
    (void)snprintf(path, sizeof(path), "%s/auth.%d.log", world_dir, i);
    assert_int_equal(rename(world_path, path), 0);
  }
  world_write(1);
  world_kill();
  commit_all();
  assert_string_equal(world_events(), "1-6 ");
}

static void a_log_that_is_copied_and_cut_is_read_on(void **state) {
  (void)state;
  world_write(3);
  commit_all();
  world_copy_and_cut(); /* all is read */
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  world_write(2);
  commit_all();
  assert_string_equal(world_events(), "1-5 ");
  world_write(4);
  world_copy_and_cut(); /* four are not */
  world_write(1);
  commit_all();
  assert_string_equal(world_events(), "1-10 ");
}

static void
a_log_that_is_cut_before_its_first_line_is_read_is_found(void **state) {
  (void)state;
  world_write(1);
  commit_all();
  world_rename();
  world_write(2);
  /* The next one is opened, and no more. */
  assert_int_equal(auth_log_step(world_log), AUTH_LOG_MORE);
  world_copy_and_cut();
  world_rename();
  world_write(1);
  commit_all();
  assert_string_equal(world_events(), "1-4 ");
}

static void a_log_that_is_cut_and_as_long_again_is_noticed(void **state) {
  (void)state;
  world_write(3);
  commit_all();
  world_write(1);
  world_copy_and_cut();
  world_write(4); /* as long, to the byte */
  commit_all();
  assert_string_equal(world_events(), "1-8 ");
  world_copy_and_cut();
  world_write(9);
  commit_all();
  assert_string_equal(world_events(), "1-17 ");
}

static void copies_and_cuts_while_nobody_reads_are_found(void **state) {
  (void)state;
  world_write(3);
  commit_all();
  for (int i = 0; i < 3; i++) {
    world_write(2);
    world_copy_and_cut();
  }
  world_write(5);
  world_kill();
  commit_all();
  assert_string_equal(world_events(), "1-14 ");
}

static void both_ways_may_take_turns(void **state) {
  (void)state;
  world_write(3);
  commit_all();
  for (int i = 0; i < 4; i++) {
    world_write(2);
    if (i % 2 == 0)
      world_copy_and_cut();
    else
      world_rename();
  }
  world_write(5);
  world_kill();
  commit_all();
  assert_string_equal(world_events(), "1-16 ");
}

static void
a_log_that_is_cut_without_a_copy_is_read_from_its_begin(void **state) {
  uint64_t lost = counters_get(COUNTER_AUTH_FILES_LOST);

  (void)state;
  world_write(3);
  commit_all();
  assert_int_equal(truncate(world_path, 0), 0);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  world_write(1);
  commit_all();
  assert_string_equal(world_events(), "1-4 ");
  assert_int_equal(counters_get(COUNTER_AUTH_FILES_LOST), lost);
}

/* A few bytes of a stamp are not enough to take two logs for one. */
static void half_a_line_hides_no_rotated_log(void **state) {
  (void)state;
  world_write(1);
  commit_all();
  world_write(1);
  world_rename();
  world_write(2);
  world_rename();
  world_append("2026-11-26T00:00:01");
  commit_all();
  assert_string_equal(world_events(), "1-4 ");
}

/* After a crash of the host a file may have lost its end. */
static void a_log_that_lost_its_end_is_gone_on_from_there(void **state) {
  struct stat st;

  (void)state;
  world_write(29); /* more than is looked at to tell it */
  assert_int_equal(stat(world_path, &st), 0);
  world_write(1);
  commit_all();
  assert_int_equal(truncate(world_path, st.st_size), 0);
  world_kill();
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  world_write(2);
  commit_all();
  assert_string_equal(world_events(), "1-32 ");
}

static void
a_followed_log_that_loses_its_end_is_gone_on_from_there(void **state) {
  struct stat st;

  (void)state;
  world_write(29);
  assert_int_equal(stat(world_path, &st), 0);
  world_write(2);
  commit_all();
  assert_int_equal(truncate(world_path, st.st_size), 0);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  world_write(3);
  commit_all();
  assert_string_equal(world_events(), "1-34 ");
}

static void a_removed_log_is_read_to_its_end(void **state) {
  uint64_t lost = counters_get(COUNTER_AUTH_FILES_LOST);

  (void)state;
  world_write(1);
  commit_all();
  world_write(2);
  assert_int_equal(unlink(world_path), 0);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  world_write(1);
  commit_all();
  assert_string_equal(world_events(), "1-4 ");
  assert_int_equal(counters_get(COUNTER_AUTH_FILES_LOST), lost);
}

/* Compressed before it was read to its end, with one whole that was not. */
static void what_was_compressed_too_soon_is_counted(void **state) {
  const time_t hour = 3600;
  time_t now = time(NULL);
  uint64_t lost = counters_get(COUNTER_AUTH_FILES_LOST);

  (void)state;
  world_write(1);
  world_rename();
  touch(world_name(".1"), now - 3 * hour); /* before our time */
  world_write(2);
  touch(world_path, now - 2 * hour);
  commit_all();
  assert_string_equal(world_events(), "2-3 ");
  world_write(1);
  touch(world_path, now - 2 * hour + 1);
  world_rename();
  assert_int_equal(rename(world_name(".1"), world_name(".2.gz")), 0);
  world_append_to(world_name(".2.gz"), "\x1f\x8b compressed");
  assert_int_equal(truncate(world_name(".2.gz"), 5), 0);
  world_write(2);
  touch(world_path, now - hour);
  world_rename();
  world_write(1);
  world_kill();
  commit_all();
  assert_string_equal(world_events(), "2-3 5-7 ");
  assert_int_equal(counters_get(COUNTER_AUTH_FILES_LOST), lost + 1);
}

static void what_was_rotated_before_the_first_look_is_left_alone(void **state) {
  (void)state;
  world_write(1);
  world_rename();
  world_write(1);
  commit_all();
  world_write(1);
  world_rename();
  world_write(1);
  world_kill();
  commit_all();
  assert_string_equal(world_events(), "2-4 ");
}

static void somebodys_copy_is_not_read(void **state) {
  (void)state;
  world_write(20);
  commit_all();
  world_copy_to(".20260101");
  world_write(1);
  world_rename();
  world_write(20);
  world_copy_to(".20260102");
  world_copy_to(".bak");
  world_copy_to(".1.gz");
  world_write(1);
  world_kill();
  commit_all();
  assert_string_equal(world_events(), "1-42 ");
}

/* Nor one that is younger than the log itself, by its time and its name. */
static void somebodys_copy_does_not_follow_on_the_log(void **state) {
  (void)state;
  world_write(2);
  commit_all();
  touch(world_path, 1000000000);
  world_copy_to("-20261126");
  world_rename();
  world_write(1);
  commit_all();
  assert_string_equal(world_events(), "1-3 ");
}

static void another_file_with_the_same_inode_is_another_file(void **state) {
  (void)state;
  world_write(3);
  commit_all();
  /* As a file system that hands out the number of a removed file at once. */
  assert_int_equal(truncate(world_path, 0), 0);
  world_write(5);
  world_kill();
  commit_all();
  assert_string_equal(world_events(), "1-8 ");
}

static void
a_last_line_without_a_newline_is_read_at_the_rotation(void **state) {
  char line[256];

  (void)state;
  world_write(1);
  commit_all();
  (void)snprintf(line, sizeof(line), "%s", world_line());
  line[strlen(line) - 1] = '\0';
  world_append(line);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1 ");
  world_rename();
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1 ");
  world_write(1);
  commit_all();
  assert_string_equal(world_events(), "1-3 ");
}

static void a_rotated_log_that_may_not_be_read_is_waited_for(void **state) {
  const uid_t nobody = 65534;
  bool root = geteuid() == 0;

  (void)state;
  assert_int_equal(chmod(world_dir, 0755), 0);
  world_write(2);
  commit_all();
  world_write(1);
  world_rename();
  world_write(1);
  assert_int_equal(chmod(world_name(".1"), 0), 0);
  world_kill();
  if (root)
    assert_int_equal(seteuid(nobody), 0);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1-2 ");
  if (root)
    assert_int_equal(seteuid(0), 0);
  assert_int_equal(chmod(world_name(".1"), 0644), 0);
  commit_all();
  assert_string_equal(world_events(), "1-4 ");
}

/* Connections may take all open files for a while. */
static void without_open_files_it_waits(void **state) {
  struct rlimit before;

  (void)state;
  world_write(2);
  commit_all();
  world_copy_to(".1");
  world_write(1);
  world_kill();
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  for (rlim_t more = 0; more < 16; more++) {
    const int lowest = open("/dev/null", O_RDONLY);
    struct rlimit few = before;
    assert_int_equal(close(lowest), 0);
    few.rlim_cur = (rlim_t)lowest + more;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    enum auth_log_state found = world_step();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(found, AUTH_LOG_IDLE);
    assert_true(strcmp(world_events(), "1-2 ") == 0 ||
                strcmp(world_events(), "1-3 ") == 0);
  }
  commit_all();
  assert_string_equal(world_events(), "1-3 ");
}

static unsigned dice(unsigned *seed, unsigned sides) {
  *seed = *seed * 1103515245 + 12345;
  return *seed / 65536 % sides;
}

static void do_something(unsigned *seed) {
  switch (dice(seed, 8)) {
  case 0:
  case 1:
    world_write(1 + dice(seed, 40));
    break;
  case 2:
    world_other();
    break;
  case 3:
    if (world_exists(world_path))
      world_rename();
    break;
  case 4:
    if (world_exists(world_path))
      world_copy_and_cut();
    break;
  case 5:
    (void)auth_log_step(world_log);
    break;
  case 6:
    fake_ingest_commit(&world_ingest);
    break;
  default:
    world_kill();
    break;
  }
}

/* What is done in which order is told by the seed, should it fail. */
static void in_whatever_order_things_happen(void **state) {
  enum { SEEDS = 100, THINGS = 60, EXPECTED_MAX = 32 };
  char expected[EXPECTED_MAX];

  (void)state;
  for (unsigned seed = 1; seed <= SEEDS; seed++) {
    unsigned dices = seed;
    world_write(1);
    commit_all();
    for (int i = 0; i < THINGS; i++)
      do_something(&dices);
    world_write(1);
    commit_all();
    (void)snprintf(expected, sizeof(expected), "1-%u ", world_written);
    if (strcmp(world_events(), expected) != 0)
      fail_msg("seed %u: expected %s, found %s", seed, expected,
               world_events());
    assert_int_equal(world_end(NULL), 0);
    assert_int_equal(world_begin(NULL), 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      world_test(the_rest_of_a_renamed_log_is_read_first),
      world_test(a_renamed_log_is_read_until_the_next_has_a_line),
      world_test(several_rotations_between_two_looks_are_all_read),
      world_test(rotations_while_nobody_reads_are_found_afterwards),
      world_test(a_kill_on_the_way_through_is_gone_on_from),
      world_test(dates_tell_rotated_logs_as_numbers_do),
      world_test(an_extension_may_stay_last),
      world_test(a_log_that_is_copied_and_cut_is_read_on),
      world_test(a_log_that_is_cut_before_its_first_line_is_read_is_found),
      world_test(a_log_that_is_cut_and_as_long_again_is_noticed),
      world_test(copies_and_cuts_while_nobody_reads_are_found),
      world_test(both_ways_may_take_turns),
      world_test(a_log_that_is_cut_without_a_copy_is_read_from_its_begin),
      world_test(half_a_line_hides_no_rotated_log),
      world_test(a_log_that_lost_its_end_is_gone_on_from_there),
      world_test(a_followed_log_that_loses_its_end_is_gone_on_from_there),
      world_test(a_removed_log_is_read_to_its_end),
      world_test(what_was_compressed_too_soon_is_counted),
      world_test(what_was_rotated_before_the_first_look_is_left_alone),
      world_test(somebodys_copy_is_not_read),
      world_test(somebodys_copy_does_not_follow_on_the_log),
      world_test(another_file_with_the_same_inode_is_another_file),
      world_test(a_last_line_without_a_newline_is_read_at_the_rotation),
      world_test(a_rotated_log_that_may_not_be_read_is_waited_for),
      world_test(without_open_files_it_waits),
      world_test(in_whatever_order_things_happen),
  };
  return cmocka_run_group_tests(tests, world_make, world_remove);
}
