/* Goal: over made-up proc trees, a scan takes what it is to take, reads each
 * file once, and leaves nothing open. */
#include <dirent.h>

#include "tests/unit/scan_tree.h"

static void record_has_what_the_tree_says(void **state) {
  struct scanner *s;
  struct snapshot *snapshot;
  const struct record *r;
  char path[256];

  (void)state;
  snprintf(path, sizeof(path), "%s/stat", proc_root);
  write_text(path, "btime 1000000\n");
  add(30, (struct made_up){.comm = "a) S (b",
                           .rss_pages = 10,
                           .exe = make_file("app", 100, 'a')});
  s = new_scanner(&options);
  snapshot = scan_once(s);
  assert_int_equal(snapshot->records_len, 1);
  r = &snapshot->records[0];
  assert_int_equal(r->pid, 30);
  assert_int_equal(r->ppid, 1);
  assert_string_equal(r->name, "a) S (b");
  assert_int_equal(r->start_ticks, START_TICKS);
  assert_int_equal(r->started_s, 1000000 + START_TICKS / sysconf(_SC_CLK_TCK));
  assert_int_equal(r->rss_kib, 10 * sysconf(_SC_PAGESIZE) / 1024);
  assert_int_equal(r->state, EXE_CURRENT);
  assert_string_equal(r->exe_path, in_dir("app"));
  assert_digest(&r->running_sha256, in_dir("app"));
  assert_int_equal(r->running_file.size, 100);
  assert_int_equal(r->exe_file.size, 100);
  assert_int_equal(snapshot->executables_len, 1);
  assert_true(snapshot->rehashed[0]);
  assert_int_equal(snapshot->figures.sequence, 1);
  assert_int_equal(snapshot->figures.processes, 1);
  assert_int_equal(snapshot->figures.executables, 1);
  assert_int_equal(snapshot->figures.unhashed, 0);
  assert_int_equal(snapshot->figures.bytes_hashed, 100);
  snapshot_free(snapshot);
  scanner_free(s);
}

static void records_are_sorted_by_pid(void **state) {
  static const pid_t pids[] = {900, 5, 77, 1000, 8, 64, 63};
  const char *app = make_file("app", 100, 'a');
  struct scanner *s;
  struct snapshot *snapshot;

  (void)state;
  for (size_t i = 0; i < 7; i++)
    add(pids[i], (struct made_up){.exe = app});
  s = new_scanner(&options);
  snapshot = scan_once(s);
  assert_int_equal(snapshot->records_len, 7);
  for (size_t i = 1; i < 7; i++)
    assert_true(snapshot->records[i - 1].pid < snapshot->records[i].pid);
  snapshot_free(snapshot);
  scanner_free(s);
}

static void what_is_no_process_is_left_out(void **state) {
  const char *app = make_file("app", 100, 'a');
  struct scanner *s;
  struct snapshot *snapshot;
  char path[256];

  (void)state;
  add(1, (struct made_up){.exe = app});
  add(2, (struct made_up){.exe = app, .flags = 0x00200000}); /* PF_KTHREAD */
  add(3, (struct made_up){.exe = app, .state = 'Z'});
  add(4, (struct made_up){.exe = NULL});
  add(5, (struct made_up){.exe = in_dir("not there")});
  add(6, (struct made_up){.exe = app});
  snprintf(path, sizeof(path), "%s/6/stat", proc_root);
  write_text(path, "6 (hostile");
  snprintf(path, sizeof(path), "%s/7", proc_root);
  assert_int_equal(mkdir(path, 0755), 0);
  snprintf(path, sizeof(path), "%s/8", proc_root);
  write_text(path, "a file");
  s = new_scanner(&options);
  snapshot = scan_once(s);
  assert_int_equal(snapshot->records_len, 1);
  assert_int_equal(snapshot->records[0].pid, 1);
  snapshot_free(snapshot);
  scanner_free(s);
}

static void living_thread_stands_for_the_first(void **state) {
  struct scanner *s;
  struct snapshot *snapshot;

  (void)state;
  add(3, (struct made_up){.exe = make_file("app", 100, 'a'),
                          .state = 'Z',
                          .threads = 2,
                          .tid = 4,
                          .rss_pages = 50});
  s = new_scanner(&options);
  snapshot = scan_once(s);
  assert_int_equal(snapshot->records_len, 1);
  assert_int_equal(snapshot->records[0].pid, 3);
  assert_int_equal(snapshot->records[0].rss_kib,
                   50 * sysconf(_SC_PAGESIZE) / 1024);
  assert_int_equal(snapshot->records[0].state, EXE_CURRENT);
  snapshot_free(snapshot);
  scanner_free(s);
}

/* The first thread has lost its memory, and with it the start of its code. */
static void spoofed_link_behind_a_living_thread_is_seen(void **state) {
  struct scanner *s;
  struct snapshot *snapshot;
  char path[256];

  (void)state;
  add(3, (struct made_up){.exe = make_file("app", 100, 'a'),
                          .state = 'Z',
                          .threads = 2,
                          .tid = 4});
  snprintf(path, sizeof(path), "%s/3/task/4/maps", proc_root);
  write_text(path, "00400000-00401000 r-xp 00000000 00:00 1 /other\n");
  s = new_scanner(&options);
  snapshot = scan_once(s);
  assert_int_equal(snapshot->records_len, 1);
  assert_int_equal(snapshot->records[0].state, EXE_SPOOFED);
  snapshot_free(snapshot);
  scanner_free(s);
}

static size_t count_taken(void) {
  struct scanner *s = new_scanner(&options);
  struct snapshot *snapshot = scan_once(s);
  size_t len = snapshot->records_len;

  assert_int_equal(snapshot->figures.processes, 3);
  snapshot_free(snapshot);
  scanner_free(s);
  return len;
}

static void small_processes_are_left_out_unless_named(void **state) {
  const char *small = make_file("small", 100, 's');
  char pattern[256];
  const char *const patterns[] = {"/nowhere", pattern};

  (void)state;
  add(1, (struct made_up){.exe = make_file("large", 100, 'l'),
                          .rss_pages = 100000});
  add(2, (struct made_up){.exe = small, .rss_pages = 10});
  add(3,
      (struct made_up){.exe = make_file("third", 100, 't'), .rss_pages = 10});
  options.min_rss_kib = 51200;
  options.always_root = false;
  assert_int_equal(count_taken(), 1);
  snprintf(pattern, sizeof(pattern), "%s/sm*", test_dir);
  options.executables = patterns;
  options.executables_len = 2;
  assert_int_equal(count_taken(), 2);
  /* A star does not reach over a '/'. */
  set_text(pattern, "/*/small");
  assert_int_equal(count_taken(), 1);
  options.executables_len = 0;
  options.always_root = true;
  assert_int_equal(count_taken(), geteuid() == 0 ? 3 : 1);
}

static void unchanged_files_are_not_read_again(void **state) {
  struct scanner *s;
  struct snapshot *snapshot;

  (void)state;
  add(1, (struct made_up){.exe = make_file("a", 1000, 'a')});
  add(2, (struct made_up){.exe = in_dir("a")});
  add(3, (struct made_up){.exe = make_file("b", 500, 'b')});
  s = new_scanner(&options);
  snapshot = scan_once(s);
  assert_int_equal(snapshot->figures.bytes_hashed, 1500);
  assert_int_equal(snapshot->figures.cache_hits, 0);
  snapshot_free(snapshot);
  options.rehash_interval_s = 3600;
  snapshot = scan_once(s);
  assert_int_equal(snapshot->figures.cache_hits, 2);
  assert_int_equal(snapshot->records_len, 3);
  assert_digest(&snapshot->records[2].running_sha256, in_dir("b"));
  snapshot_free(snapshot);
  scanner_free(s);
}

static void remote_files_are_hashed_only_if_asked_for(void **state) {
  const char *app = make_file("app", 100, 'a');

  (void)state;
  add(1, (struct made_up){.exe = app});
  call_mount(app, "nfs4");
  for (int i = 0; i < 2; i++) {
    struct scanner *s;
    struct snapshot *snapshot;
    const struct record *r;

    options.remote_files = i == 1;
    s = new_scanner(&options);
    snapshot = scan_once(s);
    r = &snapshot->records[0];
    assert_string_equal(r->exe_path, app);
    assert_int_equal(r->state, i == 1 ? EXE_CURRENT : EXE_UNREADABLE);
    if (i == 0)
      assert_int_equal(r->reason, EXE_REASON_REMOTE);
    snapshot_free(snapshot);
    scanner_free(s);
  }
}

static void fuse_files_are_hashed(void **state) {
  const char *app = make_file("app", 100, 'a');
  struct scanner *s;
  struct snapshot *snapshot;

  (void)state;
  add(1, (struct made_up){.exe = app});
  call_mount(app, "fuse.bindfs");
  s = new_scanner(&options);
  for (int i = 0; i < 2; i++) {
    snapshot = scan_once(s);
    assert_int_equal(snapshot->records[0].state, EXE_CURRENT);
    assert_digest(&snapshot->records[0].running_sha256, app);
    assert_int_equal(snapshot->figures.cache_hits, i);
    snapshot_free(snapshot);
  }
  scanner_free(s);
}

static size_t open_files(void) {
  DIR *dir = opendir("/proc/self/fd");
  size_t n = 0;

  while (readdir(dir) != NULL)
    n++;
  closedir(dir);
  return n;
}

static void no_files_stay_open(void **state) {
  const char *app = make_file("app", 1000, 'a');
  size_t before = open_files();
  struct scanner *s;
  size_t during;

  (void)state;
  for (pid_t pid = 1; pid <= 50; pid++)
    add(pid, (struct made_up){.exe = app});
  s = new_scanner(&options);
  snapshot_free(scan_once(s));
  during = open_files();
  for (int i = 0; i < 20; i++)
    snapshot_free(scan_once(s));
  assert_int_equal(open_files(), during);
  assert_in_range(during - before, 0, 4);
  scanner_free(s);
  assert_int_equal(open_files(), before);
}

static void missing_proc_is_an_error(void **state) {
  struct scanner *s;

  (void)state;
  options.proc_root = in_dir("nothing");
  assert_int_equal(scanner_new(&options, &s), -ENOENT);
}

static void missing_package_root_is_an_error(void **state) {
  struct scanner *s;

  (void)state;
  options.package_root = in_dir("nothing");
  assert_int_equal(scanner_new(&options, &s), -ENOENT);
  options.packages = false;
  assert_int_equal(scanner_new(&options, &s), 0);
  scanner_free(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define CASE(test)                                                             \
  cmocka_unit_test_setup_teardown(test, set_up_tree, remove_dir)
      CASE(record_has_what_the_tree_says),
      CASE(records_are_sorted_by_pid),
      CASE(what_is_no_process_is_left_out),
      CASE(living_thread_stands_for_the_first),
      CASE(spoofed_link_behind_a_living_thread_is_seen),
      CASE(small_processes_are_left_out_unless_named),
      CASE(unchanged_files_are_not_read_again),
      CASE(remote_files_are_hashed_only_if_asked_for),
      CASE(fuse_files_are_hashed),
      CASE(no_files_stay_open),
      CASE(missing_proc_is_an_error),
      CASE(missing_package_root_is_an_error),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
