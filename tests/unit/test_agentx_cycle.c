/* Goal: the host is scanned at intervals whether anybody asks or not, and who
 * asks gets the newest scan whole. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "snmp-subagent/cycle.h"
#include "tests/unit/unit.h"

enum { PATIENCE_MS = 60000 };

static struct view *next(struct cycle *c) {
  struct pollfd fd = {.fd = cycle_fd(c), .events = POLLIN};
  struct view *view;

  assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
  assert_int_equal(cycle_take(c, &view), 0);
  assert_int_equal(poll(&fd, 1, 0), 0);
  assert_int_equal(cycle_take(c, &(struct view *){NULL}), -EAGAIN);
  return view;
}

static struct scan_options every_second(void) {
  struct scan_options o = scan_options_default;

  o.scan_interval_s = 1;
  o.min_rss_kib = 0;
  o.scan_timeout_ms = 500;
  return o;
}

static void scans_follow_each_other(void **state) {
  struct scan_options o = every_second();
  struct cycle *c;

  (void)state;
  assert_int_equal(cycle_start(&o, &c), 0);
  for (unsigned i = 1; i <= 3; i++) {
    struct view *view = next(c);

    assert_int_equal(view->snapshot->figures.sequence, i);
    assert_true(view->processes_len > 0);
    view_free(view);
  }
  cycle_stop(c);
}

static void the_newest_scan_is_taken(void **state) {
  struct scan_options o = every_second();
  struct pollfd none = {.fd = -1};
  struct cycle *c;
  struct view *view;

  (void)state;
  assert_int_equal(cycle_start(&o, &c), 0);
  view_free(next(c));
  (void)poll(&none, 1, 3500);
  view = next(c);
  assert_true(view->snapshot->figures.sequence > 2);
  view_free(view);
  cycle_stop(c);
}

static void stopping_does_not_wait_for_the_interval(void **state) {
  struct scan_options o = every_second();
  struct cycle *c;

  (void)state;
  o.scan_interval_s = 86400;
  assert_int_equal(cycle_start(&o, &c), 0);
  view_free(next(c));
  cycle_stop(c);
}

static void a_bad_proc_root_is_told(void **state) {
  struct scan_options o = every_second();
  struct cycle *c;

  (void)state;
  o.proc_root = "/nonexistent";
  assert_int_equal(cycle_start(&o, &c), -ENOENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(scans_follow_each_other),
      cmocka_unit_test(the_newest_scan_is_taken),
      cmocka_unit_test(stopping_does_not_wait_for_the_interval),
      cmocka_unit_test(a_bad_proc_root_is_told),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
