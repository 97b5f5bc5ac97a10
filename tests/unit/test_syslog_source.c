/* Goal: what arrives by UDP and TCP reaches ingest, as long as there is room;
 * who is not read keeps what it has, and no peer keeps others out. */
#include <errno.h>
#include <stdlib.h>

#include "correlator/syslog_clients.h"
#include "correlator/syslog_frame.h"
#include "tests/unit/syslog_world.h"

static int recv_fails; /* with that errno; 0: it does not */

/* Instead of the C library's. */
ssize_t recv(int fd, void *buffer, size_t len, int flags) {
  if (recv_fails == 0)
    return recvfrom(fd, buffer, len, flags, NULL, NULL);
  errno = recv_fails;
  return -1;
}

enum { FLOOD = 4000, ENDLESS = 64 * 1024 * 1024 };

static void check_arrival(size_t i, enum auth_trust trust) {
  const struct auth_record *r = world.ingest.events[i];
  char peer[INET6_ADDRSTRLEN];

  assert_int_equal(r->trust, trust);
  assert_true(r->has_peer);
  assert_non_null(inet_ntop(AF_INET6, &r->peer, peer, sizeof(peer)));
  assert_string_equal(peer, "::ffff:127.0.0.1");
}

static void a_datagram_is_a_line(void **state) {
  const int fd = socket_to(WORLD_UDP);
  char line[256];

  (void)state;
  send_all(fd, line, login_line(line, sizeof(line), 1));
  send_login(fd, 2);
  send_text(fd, "\n");
  assert_int_equal(send(fd, "", 0, 0), 0);
  run_loop();
  assert_int_equal(world.ingest.events_len, 2);
  assert_login(0, 1);
  assert_login(1, 2);
  check_arrival(0, AUTH_TRUST_UDP);
  close(fd);
}

static void lines_of_a_connection_are_taken_as_they_come(void **state) {
  const int fd = socket_to(WORLD_TCP);
  char line[256], counted[300];
  const size_t len = login_line(line, sizeof(line), 2);

  (void)state;
  send_login(fd, 1);
  run_loop();
  assert_int_equal(world.ingest.events_len, 1);
  snprintf(counted, sizeof(counted), "%zu %s", len, line);
  send_all(fd, counted, 20);
  run_loop();
  send_text(fd, counted + 20);
  run_loop();
  assert_int_equal(world.ingest.events_len, 2);
  assert_login(0, 1);
  assert_login(1, 2);
  check_arrival(1, AUTH_TRUST_TCP);
  close(fd);
}

static void half_a_line_at_the_end_is_left_out_and_counted(void **state) {
  const uint64_t before = counters_get(COUNTER_SYSLOG_HALF);
  const int fd = socket_to(WORLD_TCP);
  char line[256];

  (void)state;
  send_login(fd, 1);
  send_all(fd, line, login_line(line, sizeof(line), 2));
  close(fd);
  run_loop();
  assert_int_equal(world.ingest.events_len, 1);
  assert_int_equal(counters_get(COUNTER_SYSLOG_HALF) - before, 1);
}

/* ICMP's parameter problem makes EPROTO of a connection's end. */
static void whatever_the_network_says_only_the_connection_ends(void **state) {
  const int fd = socket_to(WORLD_TCP), other = socket_to(WORLD_TCP);

  (void)state;
  run_loop();
  send_login(fd, 1);
  recv_fails = EPROTO;
  run_loop();
  recv_fails = 0;
  send_login(other, 2);
  run_loop();
  assert_true(is_ended(fd));
  assert_login(0, 2);
  close(fd);
  close(other);
}

static void a_counted_line_at_the_end_is_whole(void **state) {
  const uint64_t before = counters_get(COUNTER_SYSLOG_HALF);
  const int fd = socket_to(WORLD_TCP);
  char line[256], counted[300];

  (void)state;
  snprintf(counted, sizeof(counted), "%zu %s",
           login_line(line, sizeof(line), 1), line);
  send_text(fd, counted);
  close(fd);
  run_loop();
  assert_login(0, 1);
  assert_int_equal(counters_get(COUNTER_SYSLOG_HALF) - before, 0);
}

static void a_length_of_4_gib_ends_the_connection(void **state) {
  const uint64_t before = counters_get(COUNTER_SYSLOG_BROKEN);
  const int fd = socket_to(WORLD_TCP), other = socket_to(WORLD_TCP);

  (void)state;
  send_text(fd, "4294967296 <38>Nov 26");
  send_login(other, 1);
  run_loop();
  assert_int_equal(counters_get(COUNTER_SYSLOG_BROKEN) - before, 1);
  assert_true(is_ended(fd));
  assert_false(is_ended(other));
  assert_login(0, 1);
  close(fd);
  close(other);
}

static void who_never_sends_a_newline_is_cut_and_goes_on(void **state) {
  static char x[SYSLOG_LINE_MAX];
  const uint64_t before = counters_get(COUNTER_AUTH_CUT);
  const int fd = socket_to(WORLD_TCP);

  (void)state;
  memset(x, 'x', sizeof(x));
  for (int i = 0; i < 40; i++) {
    send_all(fd, x, sizeof(x));
    run_loop();
  }
  send_text(fd, "\n");
  send_login(fd, 1);
  run_loop();
  assert_int_equal(counters_get(COUNTER_AUTH_CUT) - before, 1);
  assert_int_equal(world.ingest.events_len, 1);
  close(fd);
}

/* Which would tell of the line before the one that was too long. */
static void repeats_after_a_line_that_is_too_long_tell_nothing(void **state) {
  static char x[SYSLOG_LINE_MAX + 1];
  const int fd = socket_to(WORLD_TCP);

  (void)state;
  memset(x, 'x', sizeof(x));
  send_login(fd, 1);
  send_text(fd, "<38>Nov 26 10:00:00 web-1 last message repeated 2 times\n");
  run_loop();
  assert_int_equal(world.ingest.events_len, 2);
  assert_int_equal(world.ingest.events[1]->event.repeat, 2);
  send_all(fd, x, sizeof(x));
  send_text(fd, "\n<38>Nov 26 10:00:00 web-1 last message repeated 2 times\n");
  run_loop();
  assert_int_equal(world.ingest.events_len, 2);
  close(fd);
}

static void who_finds_no_room_loses_nothing(void **state) {
  const int fd = socket_to(WORLD_TCP);

  (void)state;
  fake_ingest_set_room(&world.ingest, 10);
  send_logins(fd, 0, 2000);
  run_loop();
  assert_logins(10);
  close(fd);
  run_loop();
  assert_logins(10);
  fake_ingest_set_room(&world.ingest, 5);
  run_loop();
  assert_logins(15);
  fake_ingest_set_room(&world.ingest, FAKE_EVENTS_MAX);
  run_loop();
  assert_logins(2000);
  assert_int_equal(world.ingest.spooled, 0);
}

/* Send lines without events until the other end takes no more. */
static size_t send_until_full(int fd) {
  static char x[64 * 1024];
  size_t sent = 0;
  ssize_t n;

  memset(x, '\n', sizeof(x));
  do {
    n = send(fd, x, sizeof(x), MSG_NOSIGNAL | MSG_DONTWAIT);
    sent += n > 0 ? (size_t)n : 0;
    run_loop();
  } while (n > 0 && sent < ENDLESS);
  return sent;
}

static void who_finds_no_room_has_to_keep_the_rest(void **state) {
  const int fd = socket_to(WORLD_TCP);

  (void)state;
  fake_ingest_set_room(&world.ingest, 0);
  send_login(fd, 0);
  assert_true(send_until_full(fd) < ENDLESS);
  assert_int_equal(world.ingest.events_len, 0);
  fake_ingest_set_room(&world.ingest, FAKE_EVENTS_MAX);
  run_loop();
  send_login(fd, 1);
  run_loop();
  assert_logins(2);
  close(fd);
}

static void datagrams_without_room_are_spooled(void **state) {
  const int fd = socket_to(WORLD_UDP);

  (void)state;
  fake_ingest_set_room(&world.ingest, 1);
  send_logins(fd, 0, 3);
  run_loop();
  assert_logins(3);
  assert_int_equal(world.ingest.spooled, 2);
  close(fd);
}

static void datagrams_that_the_kernel_dropped_are_counted(void **state) {
  static char x[60000];
  const uint64_t lines = counters_get(COUNTER_AUTH_LINES),
                 lost = counters_get(COUNTER_SYSLOG_LOST);
  const int fd = socket_to(WORLD_UDP);

  (void)state;
  memset(x, 'x', sizeof(x));
  for (int i = 0; i < FLOOD; i++)
    send_all(fd, x, sizeof(x));
  run_loop();
  /* Only one that is taken tells of those lost before it. */
  send_login(fd, 0);
  run_loop();
  assert_true(counters_get(COUNTER_SYSLOG_LOST) > lost);
  assert_int_equal(counters_get(COUNTER_AUTH_LINES) - lines +
                       counters_get(COUNTER_SYSLOG_LOST) - lost,
                   FLOOD + 1);
  assert_logins(1);
  close(fd);
}

static void connect_all(int *fds, size_t len) {
  for (size_t i = 0; i < len; i++) {
    fds[i] = socket_to(WORLD_TCP);
    run_loop();
  }
}

static void close_all(const int *fds, size_t len) {
  for (size_t i = 0; i < len; i++)
    close(fds[i]);
}

static void one_more_takes_the_place_of_the_quietest(void **state) {
  const uint64_t before = counters_get(COUNTER_SYSLOG_DISPLACED);
  int fds[9];

  (void)state;
  connect_all(fds, 8);
  send_login(fds[0], 0);
  run_loop();
  fds[8] = socket_to(WORLD_TCP);
  send_login(fds[8], 1);
  run_loop();
  assert_logins(2);
  assert_int_equal(counters_get(COUNTER_SYSLOG_DISPLACED) - before, 1);
  for (size_t i = 0; i < 9; i++)
    assert_int_equal(is_ended(fds[i]), i == 1);
  /* What it had sent before it took note. */
  send_login(fds[1], 2);
  run_loop();
  assert_logins(3);
  close_all(fds, 9);
}

static void of_those_who_have_to_go_only_some_are_waited_for(void **state) {
  enum { GONE = 4, LEN = 8 + SYSLOG_LEAVING_MAX + GONE };
  int fds[LEN];

  (void)state;
  connect_all(fds, LEN);
  for (size_t i = 0; i < GONE; i++)
    send_login(fds[i], 0);
  run_loop();
  assert_logins(0);
  send_login(fds[LEN - 9], 0); /* the last one who had to go */
  run_loop();
  assert_logins(1);
  close_all(fds, LEN);
}

static void who_goes_while_waiting_for_room_loses_nothing(void **state) {
  enum { LEN = 9 + SYSLOG_LEAVING_MAX };
  int fds[LEN];

  (void)state;
  connect_all(fds, 9); /* the first one has to go */
  fake_ingest_set_room(&world.ingest, 0);
  send_login(fds[0], 0);
  run_loop();
  assert_logins(0);
  connect_all(fds + 9, SYSLOG_LEAVING_MAX);
  assert_logins(1);
  assert_int_equal(world.ingest.spooled, 1);
  fake_ingest_set_room(&world.ingest, FAKE_EVENTS_MAX);
  run_loop();
  send_login(fds[LEN - 1], 1);
  run_loop();
  assert_logins(2);
  close_all(fds, LEN);
}

static void who_has_something_to_say_does_not_go(void **state) {
  int fds[9];

  (void)state;
  connect_all(fds, 8);
  /* The loop sees the new one first. */
  fds[8] = socket_to(WORLD_TCP);
  send_login(fds[0], 0);
  run_loop();
  assert_logins(1);
  assert_false(is_ended(fds[0]));
  assert_true(is_ended(fds[1]));
  close_all(fds, 9);
}

static void nobody_goes_while_all_wait_for_room(void **state) {
  const uint64_t before = counters_get(COUNTER_SYSLOG_CONNECTIONS);
  const struct timespec pause = {.tv_sec = 1, .tv_nsec = 100000000};
  int fds[9];

  (void)state;
  fake_ingest_set_room(&world.ingest, 0);
  connect_all(fds, 8);
  for (unsigned i = 0; i < 8; i++) {
    send_login(fds[i], i);
    run_loop();
  }
  fds[8] = socket_to(WORLD_TCP);
  send_login(fds[8], 8);
  run_loop();
  assert_int_equal(counters_get(COUNTER_SYSLOG_CONNECTIONS) - before, 8);
  for (size_t i = 0; i < 9; i++)
    assert_false(is_ended(fds[i]));
  fake_ingest_set_room(&world.ingest, FAKE_EVENTS_MAX);
  (void)nanosleep(&pause, NULL);
  run_loop();
  assert_logins(9);
  close_all(fds, 9);
}

int main(void) {
#define TEST(f)                                                                \
  cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_datagram_is_a_line),
      TEST(lines_of_a_connection_are_taken_as_they_come),
      TEST(half_a_line_at_the_end_is_left_out_and_counted),
      TEST(whatever_the_network_says_only_the_connection_ends),
      TEST(a_counted_line_at_the_end_is_whole),
      TEST(a_length_of_4_gib_ends_the_connection),
      TEST(who_never_sends_a_newline_is_cut_and_goes_on),
      TEST(repeats_after_a_line_that_is_too_long_tell_nothing),
      TEST(who_finds_no_room_loses_nothing),
      TEST(who_finds_no_room_has_to_keep_the_rest),
      TEST(datagrams_without_room_are_spooled),
      TEST(datagrams_that_the_kernel_dropped_are_counted),
      TEST(one_more_takes_the_place_of_the_quietest),
      TEST(of_those_who_have_to_go_only_some_are_waited_for),
      TEST(who_goes_while_waiting_for_room_loses_nothing),
      TEST(who_has_something_to_say_does_not_go),
      TEST(nobody_goes_while_all_wait_for_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
