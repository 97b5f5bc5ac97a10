/* A stream of lines, for the tests of what they tell. Its clock is UTC. */
#ifndef PDNA_TESTS_AUTH_STREAM_LINES_H
#define PDNA_TESTS_AUTH_STREAM_LINES_H

#include <stdlib.h>
#include <string.h>

#include "correlator/auth_stream.h"
#include "tests/unit/auth_texts.h"

#define LOGIN "Accepted password for root from 192.0.2.1 port 22 ssh2"

/* 23 November 2026, 12:00 UTC. */
static const int64_t arrived_us = 1795435200000000;

static inline int new_stream(void **state) {
  assert_int_equal(setenv("TZ", "UTC0", 1), 0);
  *state = auth_stream_new();
  return *state == NULL;
}

static inline int free_stream(void **state) {
  auth_stream_free(*state);
  return 0;
}

#define STREAM_TEST(test)                                                      \
  cmocka_unit_test_setup_teardown(test, new_stream, free_stream)

static inline enum auth_line give(void **state, const char *line,
                                  struct auth_event *ret) {
  return auth_stream_line(*state, line, strlen(line), arrived_us, ret);
}

#endif
