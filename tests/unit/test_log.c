/* Goal: a message is one safe line, and no peer can fill the log. */
#include <string.h>
#include <time.h>

#include "correlator/log.h"
#include "tests/unit/unit.h"

#include "tests/unit/capture.h"

/* The clock of this program: it stands still but for the tests. */
static time_t clock_s = 1000;

int clock_gettime(clockid_t id, struct timespec *ret_time) {
  (void)id;
  *ret_time = (struct timespec){.tv_sec = clock_s};
  return 0;
}

static void control_bytes_are_escaped(void **state) {
  struct capture capture;

  (void)state;
  capture_begin(&capture);
  log_error("path %s", "a\nb\x1b[2J\x7f\xc2\x9b\xc3\xa4");
  capture_end(&capture);
  assert_string_equal(capture.text,
                      "error: path a\\x0Ab\\x1B[2J\\x7F\\xC2\\x9B\xc3\xa4\n");
}

static void a_long_message_stays_one_line(void **state) {
  static char text[9000];
  struct capture capture;

  (void)state;
  memset(text, '\n', sizeof(text) - 1);
  capture_begin(&capture);
  log_error("%s", text);
  capture_end(&capture);
  size_t len = strlen(capture.text);
  assert_in_range(len, 1000, 8191);
  assert_ptr_equal(strchr(capture.text, '\n'), capture.text + len - 1);
}

static void debug_is_said_only_when_asked_for(void **state) {
  struct capture capture;

  (void)state;
  capture_begin(&capture);
  log_debug("one");
  log_setup(false, LOG_LEVEL_DEBUG);
  log_debug("two");
  log_setup(false, LOG_LEVEL_INFO);
  log_info("three");
  capture_end(&capture);
  assert_string_equal(capture.text, "debug: two\nthree\n");
}

static void a_peer_is_heard_once_a_minute(void **state) {
  struct capture capture;

  (void)state;
  capture_begin(&capture);
  log_limited("r", "p", "first");
  log_limited("r", "p", "second");
  clock_s += 59;
  log_limited("r", "p", "third");
  clock_s += 1;
  log_limited("r", "p", "fourth");
  clock_s += 60;
  log_limited("r", "p", "fifth");
  capture_end(&capture);
  assert_string_equal(
      capture.text,
      "warning: first\nwarning: fourth (2 more of these since the last)\n"
      "warning: fifth\n");
}

static void other_reasons_and_peers_are_heard_meanwhile(void **state) {
  struct capture capture;

  (void)state;
  clock_s += 60;
  capture_begin(&capture);
  log_limited("r", "p", "first");
  log_limited("r", "q", "second");
  log_limited("s", "p", "third");
  capture_end(&capture);
  assert_string_equal(capture.text,
                      "warning: first\nwarning: second\nwarning: third\n");
}

static void ever_new_peers_cannot_fill_the_log(void **state) {
  struct capture capture;
  char peer[16];
  size_t lines = 0;

  (void)state;
  clock_s += 60;
  capture_begin(&capture);
  for (int i = 0; i < 5000; i++) {
    (void)snprintf(peer, sizeof(peer), "%d", i);
    log_limited("r", peer, "x");
  }
  capture_end(&capture);
  for (const char *c = capture.text; *c != '\0'; c++)
    lines += *c == '\n';
  assert_in_range(lines, 1, 600);

  /* What was held back of others is not said of one that was heard. */
  clock_s += 60;
  capture_begin(&capture);
  log_limited("r", "0", "x");
  capture_end(&capture);
  assert_string_equal(capture.text, "warning: x\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(control_bytes_are_escaped),
      cmocka_unit_test(a_long_message_stays_one_line),
      cmocka_unit_test(debug_is_said_only_when_asked_for),
      cmocka_unit_test(a_peer_is_heard_once_a_minute),
      cmocka_unit_test(other_reasons_and_peers_are_heard_meanwhile),
      cmocka_unit_test(ever_new_peers_cannot_fill_the_log),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
