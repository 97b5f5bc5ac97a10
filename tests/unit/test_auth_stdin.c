/* Goal: what comes by standard input is handed in to its end, and not read
 * faster than it can be written. */
#include <fcntl.h>
#include <unistd.h>

#include "correlator/auth_stdin.h"
#include "tests/unit/unit.h"

#include "tests/unit/fake_ingest.h"

static struct ingest ingest;
static struct event_base *base;
static struct auth_stdin *in;

#define LINE                                                                   \
  "2026-11-26T00:00:01+00:00 web-1 sshd[%d]: Accepted password for alice "     \
  "from 192.0.2.7 port 50022 ssh2\n"

static void write_lines(int fd, int count) {
  static int last;

  while (count-- > 0)
    assert_true(dprintf(fd, LINE, ++last) > 0);
}

static void begin(int fd) {
  assert_int_equal(auth_stdin_new(base, fd, &ingest, &in), 0);
}

/* Until nothing happens any more. */
static void turn(void) {
  for (int i = 0; i < 100; i++)
    assert_in_range(event_base_loop(base, EVLOOP_NONBLOCK), 0, 1);
}

static void a_pipe_is_read_as_it_is_written(void **state) {
  int fds[2];

  (void)state;
  assert_int_equal(pipe(fds), 0);
  begin(fds[0]);
  turn();
  write_lines(fds[1], 2);
  turn();
  assert_int_equal(ingest.events_len, 2);
  assert_int_equal(ingest.events[0]->trust, AUTH_TRUST_STDIN);
  assert_true(dprintf(fds[1], LINE, 3) > 0);
  /* The journal's own lines are trusted as such; the last has no newline. */
  assert_true(dprintf(fds[1], "{\"MESSAGE\":\"Accepted password for alice from "
                              "192.0.2.7 port 1 ssh2\","
                              "\"SYSLOG_IDENTIFIER\":\"sshd\",\"_PID\":\"4\","
                              "\"_COMM\":\"sshd\",\"_UID\":\"0\","
                              "\"_HOSTNAME\":\"web-1\"}") > 0);
  turn();
  assert_int_equal(ingest.events_len, 3);
  assert_int_equal(close(fds[1]), 0);
  turn();
  assert_int_equal(ingest.events_len, 4);
  assert_int_equal(ingest.events[3]->trust, AUTH_TRUST_JOURNAL);
  assert_int_equal(close(fds[0]), 0);
}

static void a_file_is_read_to_its_end(void **state) {
  FILE *file = tmpfile();

  (void)state;
  assert_non_null(file);
  write_lines(fileno(file), 1000);
  assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
  begin(fileno(file));
  turn();
  assert_int_equal(ingest.events_len, 1000);
  assert_int_equal(fclose(file), 0);
}

static void nothing_is_read_to_its_end_at_once(void **state) {
  int fd = open("/dev/null", O_RDONLY);

  (void)state;
  assert_true(fd >= 0);
  begin(fd);
  turn();
  assert_int_equal(ingest.events_len, 0);
  assert_int_equal(event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED), 0);
  assert_int_equal(close(fd), 0);
}

enum { LINES = 300 }; /* that a pipe can hold */

/* A pipe that as many lines are written to twice, with room for one of them:
 * the second ones are not read yet. */
static void fill(int fds[2]) {
  assert_int_equal(pipe(fds), 0);
  fake_ingest_set_room(&ingest, 1);
  begin(fds[0]);
  write_lines(fds[1], LINES);
  turn();
  assert_int_equal(ingest.events_len, 1);
  write_lines(fds[1], LINES);
}

static void without_room_the_writer_has_to_wait(void **state) {
  int fds[2];

  (void)state;
  fill(fds);
  fake_ingest_set_room(&ingest, 2);
  turn();
  assert_int_equal(ingest.events_len, 3);
  assert_int_equal(close(fds[1]), 0);
  fake_ingest_set_room(&ingest, (size_t)LINES * 2);
  turn();
  assert_int_equal(ingest.events_len, LINES * 2);
  assert_int_equal(close(fds[0]), 0);
}

/* Who wrote it can't write it again. */
static void what_was_written_at_the_end_is_spooled(void **state) {
  int fds[2];

  (void)state;
  fill(fds);
  auth_stdin_free(in);
  in = NULL;
  assert_int_equal(ingest.events_len, LINES * 2);
  assert_int_equal(ingest.spooled, LINES * 2 - 1);
  assert_int_equal(close(fds[0]), 0);
  assert_int_equal(close(fds[1]), 0);
}

static int set_up(void **state) {
  (void)state;
  base = event_base_new();
  return base == NULL ? -1 : 0;
}

static int tear_down(void **state) {
  (void)state;
  auth_stdin_free(in);
  in = NULL;
  event_base_free(base);
  fake_ingest_clear(&ingest);
  return 0;
}

#define stdin_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      stdin_test(a_pipe_is_read_as_it_is_written),
      stdin_test(a_file_is_read_to_its_end),
      stdin_test(nothing_is_read_to_its_end_at_once),
      stdin_test(without_room_the_writer_has_to_wait),
      stdin_test(what_was_written_at_the_end_is_spooled),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
