/* Goal: a process that was seen before takes less to look at, and whatever
 * happens to it meanwhile is seen all the same. In the made-up trees, statm
 * tells of other memory than stat does: so it shows which one was read. */
#include <time.h>

#include "tests/unit/scan_tree.h"

enum { PID = 10, STAT_PAGES = 10, STATM_PAGES = 50, FULL_LOOK_CYCLES = 8 };

static char *in_folder(const char *name) {
  static char path[256];

  snprintf(path, sizeof(path), "%s/%d/%s", proc_root, PID, name);
  return path;
}

static void add_known(const char *comm, const char *exe) {
  add(PID, (struct made_up){.comm = comm, .exe = exe, .rss_pages = STAT_PAGES});
  write_text(in_folder("statm"), "100 50 3 4 0 5 0\n");
  assert_int_equal(symlink("/", in_folder("root")), 0);
}

/* One scan; the record is the caller's to clear. */
static struct record scan_for(struct scanner *s, pid_t pid) {
  struct snapshot *snapshot = scan_once(s);
  const struct record *found = record_of(snapshot, pid);
  struct record r;

  assert_non_null(found);
  r = *found;
  r.exe_path = strdup(found->exe_path);
  snapshot_free(snapshot);
  return r;
}

static void assert_pages(struct scanner *s, uint64_t pages) {
  struct record r = scan_for(s, PID);

  assert_int_equal(r.rss_kib, pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024);
  record_clear(&r);
}

/* A scanner that has seen the process twice, the second time at a glance. */
static struct scanner *acquainted(void) {
  struct scanner *s = new_scanner(&options);

  assert_pages(s, STAT_PAGES);
  assert_pages(s, STATM_PAGES);
  return s;
}

static void glance_tells_what_a_look_told(void **state) {
  struct scanner *s = new_scanner(&options);
  struct record first;
  struct record second;

  (void)state;
  add_known("app", make_file("app", 100, 'a'));
  first = scan_for(s, PID);
  second = scan_for(s, PID);
  assert_int_equal(second.rss_kib,
                   STATM_PAGES * (uint64_t)sysconf(_SC_PAGESIZE) / 1024);
  assert_int_equal(second.pid, first.pid);
  assert_int_equal(second.ppid, first.ppid);
  assert_int_equal(second.uid, first.uid);
  assert_int_equal(second.start_ticks, first.start_ticks);
  assert_int_equal(second.started_s, first.started_s);
  assert_string_equal(second.name, first.name);
  assert_string_equal(second.exe_path, first.exe_path);
  assert_int_equal(second.state, EXE_CURRENT);
  assert_digest(&second.running_sha256, in_dir("app"));
  assert_digest(&second.exe_sha256, in_dir("app"));
  record_clear(&first);
  record_clear(&second);
  scanner_free(s);
}

static void name_is_read_again_in_rotation(void **state) {
  struct scanner *s;
  int scans = 0;
  bool renamed = false;

  (void)state;
  add_known("first", make_file("app", 100, 'a'));
  s = acquainted();
  write_text(in_folder("stat"), "10 (second) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 "
                                "0 1 0 100 0 10 0 1 1 0\n");
  for (; scans < FULL_LOOK_CYCLES && !renamed; scans++) {
    struct record r = scan_for(s, PID);

    renamed = strcmp(r.name, "second") == 0;
    record_clear(&r);
  }
  assert_true(renamed);
  scanner_free(s);
}

static void other_process_of_the_same_pid_is_another(void **state) {
  const char *app = make_file("app", 100, 'a');
  struct scanner *s;
  struct record r;

  (void)state;
  add_known("first", app);
  s = acquainted();
  assert_int_equal(rename(in_folder(""), in_dir("gone")), 0);
  add_known("second", app);
  r = scan_for(s, PID);
  assert_string_equal(r.name, "second");
  record_clear(&r);
  scanner_free(s);
}

/* Even one that is known, as others run it. */
static void other_file_behind_the_link_is_seen(void **state) {
  const char *other = make_file("other", 100, 'o');
  struct scanner *s;
  struct record r;

  (void)state;
  add_known("app", make_file("app", 100, 'a'));
  add(PID - 1, (struct made_up){.exe = other});
  s = acquainted();
  assert_int_equal(unlink(in_folder("exe")), 0);
  assert_int_equal(symlink(other, in_folder("exe")), 0);
  r = scan_for(s, PID);
  assert_int_equal(r.rss_kib,
                   STAT_PAGES * (uint64_t)sysconf(_SC_PAGESIZE) / 1024);
  assert_string_equal(r.exe_path, in_dir("other"));
  assert_digest(&r.running_sha256, in_dir("other"));
  record_clear(&r);
  scanner_free(s);
}

static void changed_file_is_read_again(void **state) {
  const char *app = make_file("app", 100, 'a');
  struct scanner *s;
  struct record r;

  (void)state;
  add_known("app", app);
  s = acquainted();
  append_byte(app);
  r = scan_for(s, PID);
  assert_int_equal(r.state, EXE_CURRENT);
  assert_digest(&r.running_sha256, app);
  record_clear(&r);
  scanner_free(s);
}

static void other_root_takes_a_look_in_full(void **state) {
  struct scanner *s;

  (void)state;
  add_known("app", make_file("app", 100, 'a'));
  s = acquainted();
  assert_int_equal(unlink(in_folder("root")), 0);
  assert_int_equal(symlink(test_dir, in_folder("root")), 0);
  assert_pages(s, STAT_PAGES);
  scanner_free(s);
}

static void set_clock_takes_a_look_in_full(void **state) {
  struct scanner *s;
  struct timespec now;

  (void)state;
  add_known("app", make_file("app", 100, 'a'));
  s = acquainted();
  assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
  if (clock_settime(CLOCK_REALTIME, &now) < 0) {
    scanner_free(s);
    skip();
  }
  assert_pages(s, STAT_PAGES);
  scanner_free(s);
}

/* Nothing about the file itself changes, and another one lies at its path. */
static void file_whose_folder_moved_is_told_by_its_new_path(void **state) {
  char *folder = in_dir("app");
  char *path = in_dir("app/sleeper");
  struct scanner *s;
  struct record r;
  pid_t pid;

  (void)state;
  assert_int_equal(mkdir(folder, 0755), 0);
  copy_file("/bin/sleep", path);
  pid = start(path);
  options.proc_root = "/proc";
  options.hash_budget = UINT64_MAX;
  s = new_scanner(&options);
  for (int i = 0; i < 2; i++) {
    r = scan_for(s, pid);
    assert_int_equal(r.state, EXE_CURRENT);
    record_clear(&r);
  }
  assert_int_equal(rename(folder, in_dir("old")), 0);
  assert_int_equal(mkdir(folder, 0755), 0);
  copy_file("/bin/sleep", path);
  append_byte(path);
  r = scan_for(s, pid);
  assert_int_equal(r.state, EXE_CURRENT);
  assert_string_equal(r.exe_path, in_dir("old/sleeper"));
  record_clear(&r);
  scanner_free(s);
}

/* A process that lets a byte pass, then does `act` and answers. */
static pid_t start_actor(int pipes[2], void (*act)(void)) {
  int down[2];
  int up[2];
  pid_t pid;

  assert_int_equal(pipe(down), 0);
  assert_int_equal(pipe(up), 0);
  pid = spawn();
  if (pid == 0) {
    char byte;

    if (read(down[0], &byte, 1) != 1)
      _exit(1);
    act();
    if (write(up[1], &byte, 1) != 1)
      _exit(1);
    for (;;)
      pause();
  }
  pipes[0] = up[0];
  pipes[1] = down[1];
  close(up[1]);
  close(down[0]);
  return pid;
}

static void let_act(int pipes[2]) {
  char byte = 'x';

  assert_int_equal(write(pipes[1], &byte, 1), 1);
  assert_int_equal(read(pipes[0], &byte, 1), 1);
  close(pipes[0]);
  close(pipes[1]);
}

static void become_another_user(void) {
  if (setresuid(4242, 4242, 4242) < 0)
    _exit(2);
}

/* Mount another file over its own, in a mount namespace of its own. */
static void cover_own_file(void) {
  char path[PATH_MAX] = "";

  if (readlink("/proc/self/exe", path, sizeof(path) - 1) < 0 ||
      unshare(CLONE_NEWNS) < 0 ||
      mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
      mount("/bin/true", path, NULL, MS_BIND, NULL) < 0)
    _exit(2);
}

/* The record after `act`, of a process that was seen twice before. */
static struct record record_after(void (*act)(void)) {
  int pipes[2];
  pid_t pid = start_actor(pipes, act);
  struct scanner *s;
  struct record r;

  if (geteuid() != 0)
    skip();
  options.proc_root = "/proc";
  options.hash_budget = UINT64_MAX;
  s = new_scanner(&options);
  for (int i = 0; i < 2; i++) {
    r = scan_for(s, pid);
    assert_int_equal(r.state, EXE_CURRENT);
    assert_int_equal(r.uid, 0);
    record_clear(&r);
  }
  let_act(pipes);
  r = scan_for(s, pid);
  scanner_free(s);
  return r;
}

static void other_owner_is_seen(void **state) {
  struct record r = record_after(become_another_user);

  (void)state;
  assert_int_equal(r.uid, 4242);
  record_clear(&r);
}

static void file_that_covers_it_in_a_new_namespace_is_seen(void **state) {
  struct record r = record_after(cover_own_file);

  (void)state;
  assert_int_equal(r.state, EXE_REPLACED);
  assert_digest(&r.exe_sha256, "/bin/true");
  record_clear(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define CASE(test)                                                             \
  cmocka_unit_test_setup_teardown(test, set_up_tree, remove_dir)
      CASE(glance_tells_what_a_look_told),
      CASE(name_is_read_again_in_rotation),
      CASE(other_process_of_the_same_pid_is_another),
      CASE(other_file_behind_the_link_is_seen),
      CASE(changed_file_is_read_again),
      CASE(other_root_takes_a_look_in_full),
      CASE(set_clock_takes_a_look_in_full),
      CASE(file_whose_folder_moved_is_told_by_its_new_path),
      CASE(other_owner_is_seen),
      CASE(file_that_covers_it_in_a_new_namespace_is_seen),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
