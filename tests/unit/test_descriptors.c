/* Goal: nobody is promised more open files than there are. */
#include <sys/resource.h>

#include "correlator/descriptors.h"
#include "correlator/log.h"
#include "tests/unit/unit.h"

static void what_there_is_is_shared_out_once(void **state) {
  enum { SPARE = 256, LEFT = 10 };
  struct rlimit limit = {.rlim_cur = 20, .rlim_max = SPARE + LEFT};

  (void)state;
  log_setup(false, LOG_LEVEL_ERROR);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
  assert_int_equal(descriptors_reserve("a", 4, ""), 4);
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  assert_int_equal(limit.rlim_cur, limit.rlim_max);
  assert_int_equal(descriptors_reserve("b", 9, ""), 6);
  assert_int_equal(descriptors_reserve("c", 1, ""), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_there_is_is_shared_out_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
