/* Goal: each line of a followed log is read once, whatever lies in it. */
#include "correlator/counters.h"
#include "tests/unit/log_world.h"

static void a_log_is_read_from_its_begin_on(void **state) {
  (void)state;
  world_other();
  world_write(3);
  world_other();
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1-3 ");
  assert_int_equal(world_ingest.events[0]->trust, AUTH_TRUST_FILE);
  struct stat st;
  assert_int_equal(stat(world_path, &st), 0);
  assert_int_equal(world_ingest.position.offset, st.st_size);
  assert_int_equal(world_ingest.position.inode, st.st_ino);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  world_write(2);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1-5 ");
}

static void lines_of_others_move_the_position_on(void **state) {
  (void)state;
  world_other();
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  uint64_t offset = world_ingest.position.offset;
  assert_true(offset > 0);
  world_other();
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_int_equal(world_ingest.position.offset, 2 * offset);
}

static void half_a_line_waits_for_the_other_half(void **state) {
  char line[256];

  (void)state;
  world_write(1);
  (void)snprintf(line, sizeof(line), "%s", world_line());
  world_append((char[]){line[0], '\0'});
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  fake_ingest_commit(&world_ingest);
  line[60] = '\0';
  world_append(line + 1);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1 ");
  /* What begins with half a line begins so for a new correlator, too. */
  world_kill();
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  (void)snprintf(line, sizeof(line), WORLD_LINE, world_written);
  world_append(line + 60);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1-2 ");
}

static void a_log_may_come_later(void **state) {
  (void)state;
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  world_write(1);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1 ");
}

static void what_is_no_file_is_not_waited_for(void **state) {
  (void)state;
  assert_int_equal(mkfifo(world_path, 0644), 0);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_int_equal(unlink(world_path), 0);
  assert_int_equal(mkdir(world_path, 0755), 0);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_int_equal(rmdir(world_path), 0);
  world_write(1);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1 ");
}

/* Such as those of /proc. */
static void
a_file_that_is_never_as_long_as_it_says_is_not_tried_at_once(void **state) {
  struct auth_log *log = auth_log_new("/proc/version", 0, &world_ingest);

  (void)state;
  assert_non_null(log);
  assert_int_equal(auth_log_step(log), AUTH_LOG_IDLE);
  assert_int_equal(auth_log_step(log), AUTH_LOG_IDLE);
  auth_log_free(log);
}

static void a_log_that_may_not_be_read_is_tried_again(void **state) {
  const uid_t nobody = 65534;
  bool root = geteuid() == 0;

  (void)state;
  world_write(1);
  assert_int_equal(chmod(world_dir, 0755), 0);
  assert_int_equal(chmod(world_path, 0), 0);
  if (root)
    assert_int_equal(seteuid(nobody), 0);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "");
  if (root)
    assert_int_equal(seteuid(0), 0);
  assert_int_equal(chmod(world_path, 0644), 0);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1 ");
}

static void what_lies_in_a_log_takes_its_own_line_only(void **state) {
  static char junk[100000];
  uint64_t cut = counters_get(COUNTER_AUTH_CUT);
  int fd;

  (void)state;
  world_write(1);
  memset(junk, 'x', sizeof(junk));
  junk[sizeof(junk) - 1] = '\n';
  fd = open(world_path, O_WRONLY | O_APPEND);
  assert_int_equal(write(fd, junk, sizeof(junk)), sizeof(junk));
  memset(junk, 0, 1000);
  junk[500] = '\n';
  junk[501] = 'y';
  junk[999] = '\n';
  assert_int_equal(write(fd, junk, 1000), 1000);
  assert_int_equal(close(fd), 0);
  world_write(1);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1-2 ");
  assert_int_equal(counters_get(COUNTER_AUTH_CUT), cut + 1);
}

/* A writer that does not append leaves a hole where its log was cut. */
static void a_hole_hides_no_line(void **state) {
  int fd = open(world_path, O_WRONLY | O_CREAT, 0644);
  const char *line = world_line();

  (void)state;
  assert_true(fd >= 0);
  assert_int_equal(write(fd, line, strlen(line)), strlen(line));
  assert_int_equal(lseek(fd, 1 << 20, SEEK_SET), 1 << 20);
  line = world_line();
  assert_int_equal(write(fd, line, strlen(line)), strlen(line));
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  world_copy_and_cut();
  line = world_line();
  assert_int_equal(write(fd, line, strlen(line)), strlen(line));
  assert_int_equal(close(fd), 0);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1-3 ");
}

static void without_room_it_waits(void **state) {
  enum { EVENTS = 1000 };

  (void)state;
  world_write(EVENTS);
  fake_ingest_set_room(&world_ingest, 0);
  assert_int_equal(world_step(), AUTH_LOG_FULL);
  assert_int_equal(world_step(), AUTH_LOG_FULL);
  assert_string_equal(world_events(), "");
  /* A run at a time. */
  fake_ingest_set_room(&world_ingest, 1);
  assert_int_equal(world_step(), AUTH_LOG_FULL);
  fake_ingest_commit(&world_ingest);
  fake_ingest_set_room(&world_ingest, 1);
  assert_int_equal(world_step(), AUTH_LOG_FULL);
  world_kill();
  fake_ingest_set_room(&world_ingest, EVENTS);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1-1000 ");
}

static void without_room_at_a_rotation_nothing_is_lost(void **state) {
  (void)state;
  world_write(1);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  fake_ingest_commit(&world_ingest);
  char line[256];
  (void)snprintf(line, sizeof(line), "%s", world_line());
  line[strlen(line) - 1] = '\0'; /* no newline at the end */
  world_append(line);
  world_rename();
  world_write(1);
  fake_ingest_set_room(&world_ingest, 0);
  for (int i = 0; i < 3; i++)
    assert_int_equal(world_step(), AUTH_LOG_FULL);
  fake_ingest_set_room(&world_ingest, 1);
  assert_int_equal(world_step(), AUTH_LOG_FULL);
  fake_ingest_set_room(&world_ingest, 100);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1-3 ");
}

static void while_the_database_is_away_nothing_is_read(void **state) {
  (void)state;
  world_write(2);
  world_ingest.away = true;
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  world_ingest.away = false;
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  fake_ingest_commit(&world_ingest);
  world_write(2);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  /* It was not there in time for the last two. */
  world_ingest.away = true;
  fake_ingest_roll_back(&world_ingest);
  world_write(1);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1-2 ");
  world_ingest.away = false;
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1-5 ");
}

/* Another correlator has read on. */
static void a_position_that_has_moved_is_gone_on_from(void **state) {
  (void)state;
  world_write(5);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  fake_ingest_commit(&world_ingest);
  struct auth_position five = world_ingest.position;
  fake_ingest_roll_back(&world_ingest);
  world_ingest.position.offset = five.offset / 5 * 3;
  world_ingest.events_len = 3;
  for (size_t i = 3; i < 5; i++)
    auth_record_free(world_ingest.events[i]);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1-5 ");
}

static void a_position_of_another_version_is_left_alone(void **state) {
  (void)state;
  world_write(1);
  (void)snprintf(world_ingest.position.head, sizeof(world_ingest.position.head),
                 "v2:0123");
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "");
}

static void repeats_count_for_the_line_before_a_restart(void **state) {
  (void)state;
  world_write(1);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  fake_ingest_commit(&world_ingest);
  world_kill();
  world_append(
      "2026-11-26T00:00:09+00:00 web-1 last message repeated 4 times\n");
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  assert_string_equal(world_events(), "1 1 ");
  assert_int_equal(world_ingest.events[1]->event.repeat, 4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      world_test(a_log_is_read_from_its_begin_on),
      world_test(lines_of_others_move_the_position_on),
      world_test(half_a_line_waits_for_the_other_half),
      world_test(a_log_may_come_later),
      world_test(what_is_no_file_is_not_waited_for),
      world_test(a_file_that_is_never_as_long_as_it_says_is_not_tried_at_once),
      world_test(a_log_that_may_not_be_read_is_tried_again),
      world_test(what_lies_in_a_log_takes_its_own_line_only),
      world_test(a_hole_hides_no_line),
      world_test(without_room_it_waits),
      world_test(without_room_at_a_rotation_nothing_is_lost),
      world_test(while_the_database_is_away_nothing_is_read),
      world_test(a_position_that_has_moved_is_gone_on_from),
      world_test(a_position_of_another_version_is_left_alone),
      world_test(repeats_count_for_the_line_before_a_restart),
  };
  return cmocka_run_group_tests(tests, world_make, world_remove);
}
