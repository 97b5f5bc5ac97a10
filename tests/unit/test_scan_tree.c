/* Goal: over made-up proc trees, a scan takes what it is to take, reads each
 * file once, stays within its budget, and reads all again in time. */
#include <dirent.h>
#include <time.h>

#include "tests/unit/scan_processes.h"

enum { START_TICKS = 100 };

/* A process of the tree. Zero is what most tests want. */
struct made_up {
  const char *comm;
  const char *exe; /* NULL: none */
  char state;      /* 'S' */
  unsigned flags;
  unsigned threads; /* 1 */
  unsigned rss_pages;
  pid_t tid; /* of a living thread */
};

static struct scan_options options;
static char proc_root[128];

static int set_up(void **state) {
  int ret = make_dir(state);

  snprintf(proc_root, sizeof(proc_root), "%s/proc", test_dir);
  options = scan_options_default;
  options.proc_root = proc_root;
  options.min_rss_kib = 0;
  options.scan_timeout_ms = 20000;
  options.file_timeout_ms = 20000;
  return ret != 0 ? ret : mkdir(proc_root, 0755);
}

static void write_text(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
}

static void add_folder(const char *dir, const struct made_up *p, char state,
                       unsigned rss_pages) {
  char path[512];
  char text[512];

  assert_int_equal(mkdir(dir, 0755), 0);
  snprintf(path, sizeof(path), "%s/stat", dir);
  snprintf(
      text, sizeof(text),
      "1 (%s) %c 1 1 1 0 -1 %u 0 0 0 0 0 0 0 0 20 0 %u 0 %d 0 %u 0 1 1 0\n",
      p->comm != NULL ? p->comm : "made-up", state, p->flags,
      p->threads > 0 ? p->threads : 1, START_TICKS, rss_pages);
  write_text(path, text);
  snprintf(path, sizeof(path), "%s/exe", dir);
  if (p->exe != NULL && state != 'Z')
    assert_int_equal(symlink(p->exe, path), 0);
}

static void add(pid_t pid, struct made_up p) {
  char dir[256];
  char state = p.state != '\0' ? p.state : 'S';

  snprintf(dir, sizeof(dir), "%s/%d", proc_root, pid);
  add_folder(dir, &p, state, state == 'Z' ? 0 : p.rss_pages);
  if (p.tid == 0)
    return;
  snprintf(dir, sizeof(dir), "%s/%d/task", proc_root, pid);
  assert_int_equal(mkdir(dir, 0755), 0);
  snprintf(dir, sizeof(dir), "%s/%d/task/%d", proc_root, pid, p.tid);
  add_folder(dir, &p, 'S', p.rss_pages);
}

/* A file of `size` bytes that are all `byte`. */
static const char *make_file(const char *name, size_t size, char byte) {
  char *path = in_dir(name);
  char buf[4096];
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

  assert_true(fd >= 0);
  memset(buf, byte, sizeof(buf));
  for (size_t n; size > 0; size -= n) {
    n = size < sizeof(buf) ? size : sizeof(buf);
    assert_int_equal(write(fd, buf, n), (ssize_t)n);
  }
  close(fd);
  return path;
}

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

/* Say in the tree's mountinfo that the mount of `path` is of that type. */
static void call_mount(const char *path, const char *type) {
  char text[256];
  char file[256];
  struct statx sx;

  assert_int_equal(statx(AT_FDCWD, path, 0, STATX_MNT_ID, &sx), 0);
  if ((sx.stx_mask & STATX_MNT_ID) == 0)
    skip();
  snprintf(file, sizeof(file), "%s/self", proc_root);
  assert_int_equal(mkdir(file, 0755), 0);
  snprintf(file, sizeof(file), "%s/self/mountinfo", proc_root);
  snprintf(text, sizeof(text), "%llu 1 0:1 / / rw - %s server:/x rw\n",
           (unsigned long long)sx.stx_mnt_id, type);
  write_text(file, text);
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
  assert_in_range(during - before, 0, 3);
  scanner_free(s);
  assert_int_equal(open_files(), before);
}

static void missing_proc_is_an_error(void **state) {
  struct scanner *s;

  (void)state;
  options.proc_root = in_dir("nothing");
  assert_int_equal(scanner_new(&options, &s), -ENOENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, remove_dir)
      CASE(record_has_what_the_tree_says),
      CASE(records_are_sorted_by_pid),
      CASE(what_is_no_process_is_left_out),
      CASE(living_thread_stands_for_the_first),
      CASE(small_processes_are_left_out_unless_named),
      CASE(unchanged_files_are_not_read_again),
      CASE(change_in_place_is_seen),
      CASE(set_clock_empties_the_cache),
      CASE(budget_holds_and_nothing_is_forgotten),
      CASE(file_larger_than_the_budget_is_read_in_slices),
      CASE(new_files_go_before_known_ones),
      CASE(every_file_is_read_again_once_in_the_interval),
      CASE(cache_that_is_too_small_costs_only_time),
      CASE(remote_files_are_hashed_only_if_asked_for),
      CASE(fuse_files_are_hashed),
      CASE(file_that_changes_while_it_is_read_has_no_digest),
      CASE(end_of_a_scan_wait_is_pending_and_not_lost),
      CASE(no_files_stay_open),
      CASE(missing_proc_is_an_error),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
