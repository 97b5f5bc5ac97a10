/* Goal: records that may leave the host are told from those that may not,
 * and processes of one executable fold into one row. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/executable.h"
#include "tests/unit/unit.h"

static struct record make(pid_t pid, const char *path, enum exe_state state,
                          uint8_t digest) {
  struct record r = {
      .pid = pid,
      .started_s = 1000 + pid,
      .rss_kib = 10,
      .state = state,
      .has_running_sha256 = state != EXE_UNREADABLE,
      .has_exe_sha256 = state == EXE_CURRENT || state == EXE_REPLACED,
      .reason = state == EXE_UNREADABLE ? EXE_REASON_IO : EXE_REASON_NONE,
      .exe_path = strdup(path),
  };

  r.running_sha256.bytes[0] = digest;
  r.exe_sha256.bytes[0] = (uint8_t)(digest + (state == EXE_REPLACED));
  return r;
}

static void clear(struct record *records, size_t len) {
  for (size_t i = 0; i < len; i++)
    record_clear(&records[i]);
}

static void processes_of_one_executable_make_one_row(void **state) {
  struct record records[] = {
      make(30, "/bin/a", EXE_CURRENT, 1),
      make(10, "/bin/b", EXE_CURRENT, 1),
      make(20, "/bin/a", EXE_CURRENT, 1),
  };
  struct executable *e;
  size_t len, invalid;

  (void)state;
  set_text(records[2].name, "twenty");
  assert_int_equal(executables_from_records(records, 3, &e, &len, &invalid), 0);
  assert_int_equal(invalid, 0);
  assert_int_equal(len, 2);
  assert_string_equal(e[0].path, "/bin/a");
  assert_int_equal(e[0].processes, 2);
  assert_int_equal(e[0].rss_bytes, 2 * 10 * 1024);
  assert_int_equal(e[0].pid, 20);
  assert_string_equal(e[0].name, "twenty");
  assert_int_equal(e[0].started_s, 1020);
  assert_string_equal(e[1].path, "/bin/b");
  executables_free(e, len);
  clear(records, 3);
}

static void container_digest_and_state_keep_rows_apart(void **state) {
  struct record records[] = {
      make(1, "/bin/a", EXE_CURRENT, 1),
      make(2, "/bin/a", EXE_CURRENT, 2),
      make(3, "/bin/a", EXE_DELETED, 1),
      make(4, "/bin/a", EXE_CURRENT, 1),
  };
  struct executable *e;
  size_t len;

  (void)state;
  set_text(records[3].container, "key");
  assert_int_equal(executables_from_records(records, 4, &e, &len, NULL), 0);
  assert_int_equal(len, 4);
  executables_free(e, len);
  clear(records, 4);
}

static void a_replaced_executable_makes_two_rows(void **state) {
  struct record records[] = {make(1, "/bin/a", EXE_REPLACED, 1)};
  struct executable *e;
  size_t len;

  (void)state;
  assert_int_equal(executables_from_records(records, 1, &e, &len, NULL), 0);
  assert_int_equal(len, 2);
  assert_int_equal(e[0].state, EXE_REPLACED);
  assert_int_equal(e[0].sha256.bytes[0], 2);
  assert_int_equal(e[1].state, EXE_SUPERSEDED);
  assert_int_equal(e[1].sha256.bytes[0], 1);
  executables_free(e, len);

  /* The disk'"'"'s digest waits: the row says so, the running one is there. */
  records[0].has_exe_sha256 = false;
  records[0].reason = EXE_REASON_PENDING;
  assert_int_equal(executables_from_records(records, 1, &e, &len, NULL), 0);
  assert_int_equal(len, 2);
  assert_int_equal(e[0].state, EXE_UNREADABLE);
  assert_int_equal(e[0].reason, EXE_REASON_PENDING);
  assert_int_equal(e[1].state, EXE_SUPERSEDED);
  executables_free(e, len);
  clear(records, 1);
}

static void records_that_contradict_themselves_are_left_out(void **state) {
  struct record r = make(1, "/bin/a", EXE_CURRENT, 1);
  struct record good = r;
  struct executable *e;
  size_t len, invalid;

  (void)state;
  assert_int_equal(record_validate(&r), 0);
  r.pid = 0;
  assert_int_equal(record_validate(&r), -EINVAL);
  r = good;
  r.state = EXE_SUPERSEDED;
  assert_int_equal(record_validate(&r), -EINVAL);
  r = good;
  r.has_running_sha256 = false;
  assert_int_equal(record_validate(&r), -EINVAL);
  r = good;
  r.reason = EXE_REASON_IO;
  assert_int_equal(record_validate(&r), -EINVAL);
  r = good;
  r.state = EXE_UNREADABLE;
  assert_int_equal(record_validate(&r), -EINVAL);
  r = good;
  set_text(r.container, "a:b");
  assert_int_equal(record_validate(&r), -EINVAL);
  assert_int_equal(executables_from_records(&r, 1, &e, &len, &invalid), 0);
  assert_int_equal(len, 0);
  assert_int_equal(invalid, 1);
  executables_free(e, len);
  record_clear(&good);
}

static void names_of_states_and_reasons_go_both_ways(void **state) {
  enum exe_state s;
  enum exe_reason reason;

  (void)state;
  for (int i = EXE_CURRENT; i <= EXE_SUPERSEDED; i++) {
    const char *name = exe_state_name((enum exe_state)i);

    assert_int_equal(exe_state_from_name(name, strlen(name), &s), 0);
    assert_int_equal((int)s, i);
  }
  for (int i = EXE_REASON_PENDING; i <= EXE_REASON_IO; i++) {
    const char *name = exe_reason_name((enum exe_reason)i);

    assert_int_equal(exe_reason_from_name(name, strlen(name), &reason), 0);
    assert_int_equal((int)reason, i);
  }
  assert_null(exe_state_name((enum exe_state)0));
  assert_null(exe_state_name((enum exe_state)8));
  assert_null(exe_reason_name(EXE_REASON_NONE));
  assert_int_equal(exe_state_from_name("curren", 6, &s), -EINVAL);
  assert_int_equal(exe_reason_from_name("", 0, &reason), -EINVAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(processes_of_one_executable_make_one_row),
      cmocka_unit_test(container_digest_and_state_keep_rows_apart),
      cmocka_unit_test(a_replaced_executable_makes_two_rows),
      cmocka_unit_test(records_that_contradict_themselves_are_left_out),
      cmocka_unit_test(names_of_states_and_reasons_go_both_ways),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
