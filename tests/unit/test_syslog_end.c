/* Goal: what had come when a syslog source ends is taken, whatever happens
 * meanwhile. */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "tests/unit/syslog_world.h"

static void datagrams_that_had_arrived_at_the_end_are_taken(void **state) {
  const int fd = socket_to(WORLD_UDP);

  (void)state;
  send_logins(fd, 0, 100);
  world_stop_source();
  assert_logins(100);
  close(fd);
}

static void what_had_arrived_at_the_end_is_taken(void **state) {
  const int quiet = socket_to(WORLD_TCP), fd = socket_to(WORLD_TCP);

  (void)state;
  fake_ingest_set_room(&world.ingest, 10);
  send_logins(fd, 0, 1000);
  run_loop();
  assert_logins(10);
  send_logins(fd, 1000, 2000);
  world_stop_source();
  assert_logins(2000);
  assert_int_equal(world.ingest.spooled, 1990);
  assert_true(is_ended(fd) && is_ended(quiet));
  close(fd);
  close(quiet);
}

/* As who notes the end of one connection and makes the next at once. */
static void who_waits_at_the_door_at_the_end_is_let_in(void **state) {
  const int one = socket_to(WORLD_TCP), other = socket_to(WORLD_TCP);

  (void)state;
  send_login(one, 0);
  send_login(other, 1);
  world_stop_source(); /* which has accepted nobody yet */
  assert_logins(2);
  assert_true(is_ended(one) && is_ended(other));
  close(one);
  close(other);
}

static void on_alarm(int number) { (void)number; }

static void *send_later(void *fd) {
  const struct timespec later = {.tv_nsec = 200000000};

  (void)nanosleep(&later, NULL);
  for (unsigned n = 0; n < 10; n++) {
    char line[256];
    const size_t len = login_line(line, sizeof(line) - 1, n);
    line[len] = '\n';
    (void)!send(*(int *)fd, line, len + 1, MSG_NOSIGNAL);
  }
  close(*(int *)fd);
  return NULL;
}

static void signals_do_not_hasten_the_end(void **state) {
  const struct itimerval often = {{.tv_usec = 20000}, {.tv_usec = 20000}};
  const struct itimerval never = {{0}, {0}};
  int fd = socket_to(WORLD_TCP);
  sigset_t alarms;
  pthread_t sender;

  (void)state;
  run_loop();
  (void)sigemptyset(&alarms);
  (void)sigaddset(&alarms, SIGALRM);
  (void)signal(SIGALRM, on_alarm);
  assert_int_equal(pthread_sigmask(SIG_BLOCK, &alarms, NULL), 0);
  assert_int_equal(pthread_create(&sender, NULL, send_later, &fd), 0);
  assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &alarms, NULL), 0);
  assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
  world_stop_source();
  assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
  assert_int_equal(pthread_join(sender, NULL), 0);
  (void)signal(SIGALRM, SIG_DFL);
  assert_logins(10);
}

int main(void) {
#define TEST(f)                                                                \
  cmocka_unit_test_setup_teardown(f, world_set_up, world_tear_down)
  const struct CMUnitTest tests[] = {
      TEST(datagrams_that_had_arrived_at_the_end_are_taken),
      TEST(what_had_arrived_at_the_end_is_taken),
      TEST(who_waits_at_the_door_at_the_end_is_let_in),
      TEST(signals_do_not_hasten_the_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
