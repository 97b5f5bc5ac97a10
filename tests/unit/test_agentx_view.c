/* Goal: each row and column says what the snapshot says, in the form that
 * PROCESS-DNA-MIB gives it, and no value is larger than the MIB allows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/mib.h"
#include "lib/scan/pages.h"
#include "snmp-subagent/scalars.h"
#include "snmp-subagent/view.h"
#include "tests/unit/fake_snapshot.h"
#include "tests/unit/unit.h"

enum { OBSERVED = 1780000000, STARTED = 1779990000, LONG_PATH = 3000 };

static struct record fake_record(pid_t pid, const char *path,
                                 enum exe_state exe_state) {
  struct record r = {
      .pid = pid,
      .ppid = 1,
      .started_s = STARTED,
      .name = "name",
      .uid = 4294967294U,
      .rss_kib = 4096,
      .exe_path = strdup(path),
      .state = exe_state,
      .observed_at_s = OBSERVED,
  };

  assert_non_null(r.exe_path);
  r.has_running_sha256 = exe_state != EXE_UNREADABLE;
  r.has_exe_sha256 = exe_state == EXE_CURRENT || exe_state == EXE_REPLACED;
  if (exe_state == EXE_UNREADABLE)
    r.reason = EXE_REASON_DENIED;
  memset(r.running_sha256.bytes, 0x11, DIGEST_LEN);
  memset(r.exe_sha256.bytes, exe_state == EXE_REPLACED ? 0x22 : 0x11,
         DIGEST_LEN);
  return r;
}

/* A snapshot of the records, which it takes over. */
static struct snapshot *snapshot_of(const struct record *records, size_t len) {
  struct snapshot *s = calloc(1, sizeof(*s));

  assert_non_null(s);
  s->records = pages_alloc(len + 1, sizeof(*s->records));
  assert_non_null(s->records);
  memcpy(s->records, records, len * sizeof(*records));
  s->records_len = len;
  s->observed_at_s = OBSERVED;
  assert_int_equal(executables_from_records(s->records, len, &s->executables,
                                            &s->executables_len, NULL),
                   0);
  s->figures = (struct wire_scan){.sequence = 7,
                                  .bytes_hashed = UINT64_C(5000000000),
                                  .cache_hits = 3,
                                  .duration_s = 0.25};
  return s;
}

static struct view *view_of(const struct record *records, size_t len) {
  struct view_sums sums = {0};
  struct exe_index *index;
  struct view *view;

  assert_int_equal(exe_index_new(&index), 0);
  assert_int_equal(view_new(snapshot_of(records, len), index, &sums, &view), 0);
  exe_index_free(index);
  return view;
}

static void assert_text(const struct value *v, const char *text) {
  assert_int_equal(v->type, ASN_OCTET_STR);
  assert_int_equal(v->len, strlen(text));
  assert_memory_equal(v->data, text, v->len);
}

static void assert_number(const struct value *v, u_char type, u_long number) {
  assert_int_equal(v->type, type);
  assert_int_equal(v->len, sizeof(u_long));
  assert_int_equal(*(const u_long *)v->data, number);
}

static void assert_process_text(const struct process_row *row, unsigned column,
                                const char *text) {
  struct value v;

  assert_int_equal(view_process_column(row, column, &v), 0);
  assert_text(&v, text);
}

static void assert_process_number(const struct process_row *row,
                                  unsigned column, u_char type, u_long number) {
  struct value v;

  assert_int_equal(view_process_column(row, column, &v), 0);
  assert_number(&v, type, number);
}

#define ELEVENS                                                                \
  "1111111111111111111111111111111111111111111111111111111111111111"
#define TWENTY_TWOS                                                            \
  "2222222222222222222222222222222222222222222222222222222222222222"

static void a_process_row_has_what_the_record_has(void **state) {
  struct record r = fake_record(77, "/usr/sbin/a b", EXE_REPLACED);
  struct process_row *row;
  struct view *view;
  struct value v;

  (void)state;
  set_text(r.container, "key");
  view = view_of(&r, 1);
  assert_int_equal(view->processes_len, 1);
  row = &view->processes[0];
  assert_int_equal(row->index.len, 1);
  assert_int_equal(row->index.oids[0], 77);
  assert_process_text(row, PDNA_PROC_NAME, "name");
  assert_process_text(row, PDNA_PROC_EXE_PATH, "/usr/sbin/a%20b");
  assert_process_text(row, PDNA_PROC_EXE_SHA256, TWENTY_TWOS);
  assert_process_text(row, PDNA_PROC_RUNNING_SHA256, ELEVENS);
  assert_process_text(row, PDNA_PROC_CONTAINER, "key");
  assert_process_number(row, PDNA_PROC_STATE, ASN_INTEGER, 2);
  assert_process_number(row, PDNA_PROC_RSS, ASN_INTEGER, 4096);
  assert_process_number(row, PDNA_PROC_UID, ASN_UNSIGNED, 4294967294U);
  assert_int_equal(view_process_column(row, 0, &v), -ENOENT);
  assert_int_equal(view_process_column(row, 11, &v), -ENOENT);
  view_free(view);
}

static void times_carry_the_hosts_zone(void **state) {
  /* 2026-05-28 20:26:40 UTC */
  static const u_char kolkata[] = {0x07, 0xEA, 5, 29, 1, 56, 40, 0, '+', 5, 30};
  static const u_char st_johns[] = {0x07, 0xEA, 5,   28, 17, 56,
                                    40,   0,    '-', 2,  30};
  struct value v;

  (void)state;
  assert_int_equal(setenv("TZ", "Asia/Kolkata", 1), 0);
  value_time(&v, OBSERVED);
  assert_int_equal(v.type, ASN_OCTET_STR);
  assert_int_equal(v.len, sizeof(kolkata));
  assert_memory_equal(v.data, kolkata, sizeof(kolkata));
  assert_int_equal(setenv("TZ", "America/St_Johns", 1), 0);
  value_time(&v, OBSERVED);
  assert_memory_equal(v.data, st_johns, sizeof(st_johns));
  assert_int_equal(unsetenv("TZ"), 0);
}

static void what_is_too_large_is_the_largest(void **state) {
  struct value v;

  (void)state;
  value_kib(&v, UINT64_C(1) << 40);
  assert_number(&v, ASN_INTEGER, INT32_MAX);
  value_unsigned(&v, UINT64_C(1) << 40);
  assert_number(&v, ASN_UNSIGNED, UINT32_MAX);
  value_counter64(&v, (UINT64_C(3) << 32) + 5);
  assert_int_equal(v.type, ASN_COUNTER64);
  assert_int_equal(((const struct counter64 *)v.data)->high, 3);
  assert_int_equal(((const struct counter64 *)v.data)->low, 5);
}

static void a_long_path_is_shortened_everywhere(void **state) {
  char path[LONG_PATH + 1] = "/";
  struct record r;
  struct view *view;
  struct value v;

  (void)state;
  memset(path + 1, '\n', LONG_PATH - 1);
  r = fake_record(1, path, EXE_CURRENT);
  view = view_of(&r, 1);
  assert_int_equal(
      view_process_column(&view->processes[0], PDNA_PROC_EXE_PATH, &v), 0);
  assert_in_range(v.len, 500, 512);
  assert_int_equal(
      view_executable_column(view, &view->executables[0], PDNA_EXE_PATH, &v),
      0);
  assert_in_range(v.len, 500, 512);
  view_free(view);
}

static const struct executable_row *row_of(const struct view *view,
                                           enum exe_state exe_state) {
  for (size_t i = 0; i < view->executables_len; i++) {
    if (view->executables[i].executable->state == exe_state)
      return &view->executables[i];
  }
  fail();
  return NULL;
}

static void assert_exe_text(const struct view *view, enum exe_state exe_state,
                            unsigned column, const char *text) {
  struct value v;

  assert_int_equal(
      view_executable_column(view, row_of(view, exe_state), column, &v), 0);
  assert_text(&v, text);
}

static void assert_exe_number(const struct view *view, enum exe_state exe_state,
                              unsigned column, u_char type, u_long number) {
  struct value v;

  assert_int_equal(
      view_executable_column(view, row_of(view, exe_state), column, &v), 0);
  assert_number(&v, type, number);
}

static void an_executable_row_has_what_its_processes_have(void **state) {
  struct record r[] = {fake_record(70, "/a", EXE_REPLACED),
                       fake_record(80, "/a", EXE_REPLACED),
                       fake_record(90, "/b", EXE_UNREADABLE)};
  struct view *view;
  struct value v;

  (void)state;
  for (int i = 0; i < 2; i++) {
    set_text(r[i].package.manager, "dpkg");
    set_text(r[i].package.name, "a-package");
    set_text(r[i].package.version, "1:2.3-4");
    set_text(r[i].package.arch, "amd64");
  }
  r[1].package.in_transaction = true;
  r[1].started_s = STARTED - 5;
  view = view_of(r, 3);
  assert_int_equal(view->executables_len, 3);
  assert_int_equal(view->unhashed, 1);
  assert_exe_text(view, EXE_REPLACED, PDNA_EXE_PATH, "/a");
  assert_exe_text(view, EXE_REPLACED, PDNA_EXE_CONTAINER, "");
  assert_exe_text(view, EXE_REPLACED, PDNA_EXE_SHA256, TWENTY_TWOS);
  assert_exe_text(view, EXE_SUPERSEDED, PDNA_EXE_SHA256, ELEVENS);
  assert_exe_number(view, EXE_SUPERSEDED, PDNA_EXE_STATE, ASN_INTEGER, 7);
  assert_exe_number(view, EXE_REPLACED, PDNA_EXE_REASON, ASN_INTEGER, 0);
  assert_exe_number(view, EXE_REPLACED, PDNA_EXE_PROCESSES, ASN_UNSIGNED, 2);
  assert_exe_number(view, EXE_REPLACED, PDNA_EXE_RSS, ASN_INTEGER, 8192);
  assert_exe_number(view, EXE_REPLACED, PDNA_EXE_PID, ASN_INTEGER, 70);
  assert_exe_number(view, EXE_REPLACED, PDNA_EXE_UID, ASN_UNSIGNED,
                    4294967294U);
  assert_exe_text(view, EXE_REPLACED, PDNA_EXE_NAME, "name");
  assert_exe_text(view, EXE_REPLACED, PDNA_EXE_PACKAGE_MANAGER, "dpkg");
  assert_exe_text(view, EXE_REPLACED, PDNA_EXE_PACKAGE, "a-package");
  assert_exe_text(view, EXE_REPLACED, PDNA_EXE_PACKAGE_VERSION, "1:2.3-4");
  assert_exe_text(view, EXE_REPLACED, PDNA_EXE_PACKAGE_ARCH, "amd64");
  assert_exe_number(view, EXE_REPLACED, PDNA_EXE_PACKAGE_TRANSACTION,
                    ASN_INTEGER, 1);
  assert_exe_text(view, EXE_UNREADABLE, PDNA_EXE_SHA256, "");
  assert_exe_number(view, EXE_UNREADABLE, PDNA_EXE_REASON, ASN_INTEGER, 2);
  assert_exe_number(view, EXE_UNREADABLE, PDNA_EXE_PACKAGE_TRANSACTION,
                    ASN_INTEGER, 2);
  for (unsigned column = 0; column < 30; column++) {
    bool there = column >= PDNA_EXE_CONTAINER && column <= PDNA_EXE_OBSERVED_AT;

    assert_int_equal(
        view_executable_column(view, row_of(view, EXE_REPLACED), column, &v),
        there ? 0 : -ENOENT);
  }
  view_free(view);
}

static void numbers_outlive_the_snapshot(void **state) {
  struct view_sums sums = {0};
  struct exe_index *index;
  struct view *view;
  oid number;

  (void)state;
  assert_int_equal(exe_index_new(&index), 0);
  for (int i = 0; i < 3; i++) {
    struct record r[] = {fake_record(70 + i, "/a", EXE_CURRENT),
                         fake_record(80 + i, "/b", EXE_CURRENT)};

    assert_int_equal(view_new(snapshot_of(r, 2), index, &sums, &view), 0);
    if (i == 0)
      number = view->executables[0].index.oids[0];
    assert_int_equal(view->executables[0].index.oids[0], number);
    assert_int_not_equal(view->executables[1].index.oids[0], number);
    assert_int_equal(view->sums.cache_hits, 3 * (i + 1));
    view_free(view);
  }
  exe_index_free(index);
}

static void what_may_not_leave_the_host_is_no_row(void **state) {
  struct record r[] = {fake_record(70, "/a", EXE_CURRENT),
                       fake_record(71, "/b", EXE_CURRENT)};
  struct view *view;

  (void)state;
  r[1].has_running_sha256 = false;
  view = view_of(r, 2);
  assert_int_equal(view->processes_len, 1);
  assert_int_equal(view->executables_len, 1);
  view_free(view);
}

static void scalars_say_how_the_last_scan_went(void **state) {
  static const u_char never[8];
  struct record r[] = {fake_record(70, "/a", EXE_REPLACED),
                       fake_record(71, "/b", EXE_UNREADABLE)};
  struct scan_settings settings;
  struct view *view = view_of(r, 2);
  struct value v;

  (void)state;
  scan_settings_init(&settings);
  assert_int_equal(scalars_value(&settings, NULL, PDNA_SCAN_SEQUENCE, &v), 0);
  assert_number(&v, ASN_UNSIGNED, 0);
  assert_int_equal(scalars_value(&settings, NULL, PDNA_LAST_SCAN, &v), 0);
  assert_int_equal(v.len, sizeof(never));
  assert_memory_equal(v.data, never, sizeof(never));
  assert_int_equal(scalars_value(&settings, view, PDNA_SCAN_INTERVAL, &v), 0);
  assert_number(&v, ASN_UNSIGNED, 60);
  assert_int_equal(scalars_value(&settings, view, PDNA_MIN_RSS, &v), 0);
  assert_number(&v, ASN_UNSIGNED, 50);
  assert_int_equal(scalars_value(&settings, view, PDNA_SCAN_SEQUENCE, &v), 0);
  assert_number(&v, ASN_UNSIGNED, 7);
  assert_int_equal(scalars_value(&settings, view, PDNA_SCAN_DURATION, &v), 0);
  assert_number(&v, ASN_UNSIGNED, 250);
  assert_int_equal(scalars_value(&settings, view, PDNA_PROCESS_COUNT, &v), 0);
  assert_number(&v, ASN_UNSIGNED, 2);
  assert_int_equal(scalars_value(&settings, view, PDNA_EXECUTABLE_COUNT, &v),
                   0);
  assert_number(&v, ASN_UNSIGNED, 3);
  assert_int_equal(scalars_value(&settings, view, PDNA_UNHASHED_COUNT, &v), 0);
  assert_number(&v, ASN_UNSIGNED, 1);
  assert_int_equal(scalars_value(&settings, view, PDNA_BYTES_HASHED, &v), 0);
  assert_int_equal(v.type, ASN_COUNTER64);
  assert_int_equal(((const struct counter64 *)v.data)->high, 1);
  for (unsigned scalar = 0; scalar < 20; scalar++)
    assert_int_equal(scalars_value(&settings, view, scalar, &v),
                     scalar >= 1 && scalar <= 12 ? 0 : -ENOENT);
  view_free(view);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_process_row_has_what_the_record_has),
      cmocka_unit_test(times_carry_the_hosts_zone),
      cmocka_unit_test(what_is_too_large_is_the_largest),
      cmocka_unit_test(a_long_path_is_shortened_everywhere),
      cmocka_unit_test(an_executable_row_has_what_its_processes_have),
      cmocka_unit_test(numbers_outlive_the_snapshot),
      cmocka_unit_test(what_may_not_leave_the_host_is_no_row),
      cmocka_unit_test(scalars_say_how_the_last_scan_went),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
