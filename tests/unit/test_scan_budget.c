/* Goal: files that changed are read again at once, all others once in the
 * interval, within the budget, and none is forgotten. */
#include <time.h>

#include "tests/unit/scan_tree.h"

/* Same size, and the modification time put back: the change time tells. */
static void change_in_place_is_seen(void **state) {
  const char *app = make_file("app", 1000, 'a');
  struct scanner *s;
  struct snapshot *snapshot;
  struct digest before;
  struct timespec times[2];
  struct stat st;
  int fd;

  (void)state;
  add(1, (struct made_up){.exe = app});
  s = new_scanner(&options);
  snapshot = scan_once(s);
  before = snapshot->records[0].running_sha256;
  snapshot_free(snapshot);
  assert_int_equal(stat(app, &st), 0);
  fd = open(app, O_WRONLY | O_CLOEXEC);
  assert_int_equal(pwrite(fd, "x", 1, 500), 1);
  times[0] = st.st_atim;
  times[1] = st.st_mtim;
  assert_int_equal(futimens(fd, times), 0);
  close(fd);
  snapshot = scan_once(s);
  assert_false(digest_equal(&before, &snapshot->records[0].running_sha256));
  assert_digest(&snapshot->records[0].running_sha256, app);
  assert_true(snapshot->rehashed[0]);
  snapshot_free(snapshot);
  scanner_free(s);
}

static void set_clock_empties_the_cache(void **state) {
  struct scanner *s;
  struct snapshot *snapshot;
  struct timespec now;

  (void)state;
  add(1, (struct made_up){.exe = make_file("a", 1000, 'a')});
  s = new_scanner(&options);
  snapshot_free(scan_once(s));
  assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
  if (clock_settime(CLOCK_REALTIME, &now) < 0) {
    scanner_free(s);
    skip();
  }
  snapshot = scan_once(s);
  assert_int_equal(snapshot->figures.cache_hits, 0);
  assert_int_equal(snapshot->figures.bytes_hashed, 1000);
  snapshot_free(snapshot);
  scanner_free(s);
}

static void budget_holds_and_nothing_is_forgotten(void **state) {
  struct scanner *s;
  size_t hashed = 0;
  int cycles = 0;

  (void)state;
  for (pid_t pid = 1; pid <= 9; pid++) {
    char name[16];

    snprintf(name, sizeof(name), "f%d", pid);
    add(pid, (struct made_up){.exe = make_file(name, 100000, (char)pid)});
  }
  options.hash_budget = 250000;
  s = new_scanner(&options);
  for (; hashed < 9 && cycles < 20; cycles++) {
    struct snapshot *snapshot = scan_once(s);

    assert_in_range(snapshot->figures.bytes_hashed, 0, 250000);
    hashed = snapshot->records_len - snapshot->figures.unhashed;
    for (size_t i = 0; i < snapshot->records_len; i++) {
      const struct record *r = &snapshot->records[i];

      if (r->state == EXE_UNREADABLE)
        assert_int_equal(r->reason, EXE_REASON_PENDING);
    }
    snapshot_free(snapshot);
  }
  assert_int_equal(hashed, 9);
  assert_int_equal(cycles, 4); /* 900 kB, 250 kB at a time */
  scanner_free(s);
}

static void file_larger_than_the_budget_is_read_in_slices(void **state) {
  const char *large = make_file("large", 1000000, 'l');
  struct scanner *s;

  (void)state;
  add(1, (struct made_up){.exe = large});
  options.hash_budget = 300000;
  s = new_scanner(&options);
  for (int i = 0; i < 4; i++) {
    struct snapshot *snapshot = scan_once(s);

    assert_int_equal(snapshot->figures.bytes_hashed, i < 3 ? 300000 : 100000);
    if (i < 3) {
      assert_int_equal(snapshot->records[0].reason, EXE_REASON_PENDING);
    } else {
      assert_int_equal(snapshot->records[0].state, EXE_CURRENT);
      assert_digest(&snapshot->records[0].running_sha256, large);
    }
    snapshot_free(snapshot);
  }
  scanner_free(s);
}

static void new_files_go_before_known_ones(void **state) {
  struct scanner *s;
  struct snapshot *snapshot;

  (void)state;
  add(1, (struct made_up){.exe = make_file("a", 200000, 'a')});
  add(2, (struct made_up){.exe = make_file("b", 200000, 'b')});
  options.rehash_interval_s = 60; /* all, in every cycle */
  options.scan_interval_s = 60;
  options.hash_budget = 400000;
  s = new_scanner(&options);
  snapshot_free(scan_once(s));
  add(3, (struct made_up){.exe = make_file("c", 300000, 'c')});
  snapshot = scan_once(s);
  assert_int_equal(snapshot->figures.bytes_hashed, 400000);
  assert_digest(&snapshot->records[2].running_sha256, in_dir("c"));
  snapshot_free(snapshot);
  scanner_free(s);
}

/* Re-hashes that the last scan's budget did not reach must not spend this one's
 * before the walk has come to what is new. */
static void new_files_go_before_what_was_left_over(void **state) {
  const char *a = make_file("a", 200000, 'a');
  struct scanner *s;
  struct snapshot *snapshot;

  (void)state;
  add(1, (struct made_up){.exe = make_file("b", 200000, 'b')});
  for (pid_t pid = 2; pid <= 300; pid++)
    add(pid, (struct made_up){.exe = a});
  options.rehash_interval_s = 60; /* all, in every cycle */
  options.scan_interval_s = 60;
  options.hash_budget = 300000;
  s = new_scanner(&options);
  for (int i = 0; i < 3; i++)
    snapshot_free(scan_once(s));
  add(301, (struct made_up){.exe = make_file("c", 300000, 'c')});
  snapshot = scan_once(s);
  assert_int_equal(snapshot->figures.bytes_hashed, 300000);
  assert_int_equal(snapshot->records[300].state, EXE_CURRENT);
  assert_digest(&snapshot->records[300].running_sha256, in_dir("c"));
  snapshot_free(snapshot);
  scanner_free(s);
}

static void every_file_is_read_again_once_in_the_interval(void **state) {
  enum { FILES = 60, CYCLES = 10, SIZE = 1000 };
  struct scanner *s;
  struct snapshot *snapshot;
  size_t again = 0;

  (void)state;
  for (pid_t pid = 1; pid <= FILES; pid++) {
    char name[16];

    snprintf(name, sizeof(name), "f%d", pid);
    add(pid, (struct made_up){.exe = make_file(name, SIZE, (char)pid)});
  }
  options.rehash_interval_s = 60 * CYCLES;
  options.scan_interval_s = 60;
  s = new_scanner(&options);
  snapshot_free(scan_once(s));
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < CYCLES; i++) {
      size_t marked = 0;

      snapshot = scan_once(s);
      for (size_t k = 0; k < snapshot->executables_len; k++)
        marked += snapshot->rehashed[k];
      assert_int_equal(snapshot->figures.bytes_hashed, marked * SIZE);
      /* Evenly: six in each, give or take two. */
      assert_in_range(marked, 4, 8);
      again += marked;
      snapshot_free(snapshot);
    }
    assert_int_equal(again, (round + 1) * FILES);
  }
  scanner_free(s);
}

static void cache_that_is_too_small_costs_only_time(void **state) {
  struct scanner *s;

  (void)state;
  for (pid_t pid = 1; pid <= 9; pid++) {
    char name[16];

    snprintf(name, sizeof(name), "f%d", pid);
    add(pid, (struct made_up){.exe = make_file(name, 1000, (char)pid)});
  }
  options.cache_max = 2;
  s = new_scanner(&options);
  for (int i = 0; i < 3; i++) {
    struct snapshot *snapshot = scan_once(s);

    assert_int_equal(snapshot->records_len, 9);
    assert_int_equal(snapshot->figures.unhashed, 0);
    snapshot_free(snapshot);
  }
  scanner_free(s);
}

static void file_that_changes_while_it_is_read_has_no_digest(void **state) {
  const char *app = make_file("app", 32 << 20, 'a');
  struct scanner *s;
  struct snapshot *snapshot;
  pid_t writer;

  (void)state;
  add(1, (struct made_up){.exe = app});
  writer = spawn();
  if (writer == 0) {
    int fd = open(app, O_WRONLY | O_CLOEXEC);

    for (;;) {
      if (pwrite(fd, "x", 1, 0) != 1)
        _exit(1);
      usleep(500);
    }
  }
  usleep(50000);
  s = new_scanner(&options);
  snapshot = scan_once(s);
  assert_int_equal(snapshot->records[0].state, EXE_UNREADABLE);
  assert_int_equal(snapshot->records[0].reason, EXE_REASON_CHANGING);
  snapshot_free(snapshot);
  end_children();
  snapshot = scan_once(s);
  assert_int_equal(snapshot->records[0].state, EXE_CURRENT);
  snapshot_free(snapshot);
  scanner_free(s);
}

static void end_of_a_scan_wait_is_pending_and_not_lost(void **state) {
  const char *app = make_file("app", 32 << 20, 'a');
  struct scanner *s;
  bool hashed = false;

  (void)state;
  add(1, (struct made_up){.exe = app});
  options.scan_timeout_ms = 0;
  s = new_scanner(&options);
  for (int i = 0; i < 200 && !hashed; i++) {
    struct snapshot *snapshot = scan_once(s);
    const struct record *r = &snapshot->records[0];

    hashed = r->state == EXE_CURRENT;
    if (!hashed)
      assert_int_equal(r->reason, EXE_REASON_PENDING);
    else
      assert_true(snapshot->rehashed[0]);
    snapshot_free(snapshot);
    usleep(20000);
  }
  assert_true(hashed);
  scanner_free(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define CASE(test)                                                             \
  cmocka_unit_test_setup_teardown(test, set_up_tree, remove_dir)
      CASE(change_in_place_is_seen),
      CASE(set_clock_empties_the_cache),
      CASE(budget_holds_and_nothing_is_forgotten),
      CASE(file_larger_than_the_budget_is_read_in_slices),
      CASE(new_files_go_before_known_ones),
      CASE(new_files_go_before_what_was_left_over),
      CASE(every_file_is_read_again_once_in_the_interval),
      CASE(cache_that_is_too_small_costs_only_time),
      CASE(file_that_changes_while_it_is_read_has_no_digest),
      CASE(end_of_a_scan_wait_is_pending_and_not_lost),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
