/* Goal: each state of a real process's executable is told for what it is, and
 * nothing that a process does makes it look like another. */
#include <pthread.h>
#include <sys/mman.h>

#include "tests/unit/scan_processes.h"

static struct scan_options options;

/* Other processes of this machine are only in the way. */
static const char *const ours[] = {"/tmp/pdna-scan-*/*",
                                   "/tmp/#*",
                                   "/tmp/pdna-scan-*/#*",
                                   "/memfd:*",
                                   "/(path too long)",
                                   "/usr/bin/cat",
                                   "/bin/cat"};

static int set_up(void **state) {
  options = scan_options_default;
  options.min_rss_kib = UINT64_MAX;
  options.always_root = false;
  options.executables = ours;
  options.executables_len = sizeof(ours) / sizeof(ours[0]);
  options.scan_timeout_ms = 20000;
  options.file_timeout_ms = 20000;
  return make_dir(state);
}

/* One scan; the record of `pid` is the caller's to clear. */
static struct record scan_for(pid_t pid) {
  struct scanner *s = new_scanner(&options);
  struct snapshot *snapshot = scan_once(s);
  const struct record *found = record_of(snapshot, pid);
  struct record r = {0};

  if (found != NULL) {
    r = *found;
    r.exe_path = strdup(found->exe_path);
  }
  snapshot_free(snapshot);
  scanner_free(s);
  return r;
}

static void take_all(void) {
  options.min_rss_kib = 0;
  options.hash_budget = UINT64_MAX;
}

static void need_root(void) {
  if (geteuid() != 0)
    skip();
}

static void running_file_at_its_path_is_current(void **state) {
  char *path = in_dir("sleeper");
  struct record r;
  pid_t pid;

  (void)state;
  copy_file("/bin/sleep", path);
  pid = start(path);
  r = scan_for(pid);
  assert_int_equal(r.pid, pid);
  assert_int_equal(r.ppid, getpid());
  assert_string_equal(r.name, "sleeper");
  assert_int_equal(r.state, EXE_CURRENT);
  assert_string_equal(r.exe_path, path);
  assert_string_equal(r.container, "");
  assert_int_equal(r.uid, geteuid());
  assert_digest(&r.running_sha256, "/bin/sleep");
  assert_digest(&r.exe_sha256, "/bin/sleep");
  assert_true(r.rss_kib > 0);
  assert_in_range(time(NULL) - r.started_s, 0, 60);
  assert_in_range(time(NULL) - r.observed_at_s, 0, 60);
  record_clear(&r);
}

static void other_file_put_there_is_replaced(void **state) {
  char *path = in_dir("sleeper");
  char *other = in_dir("other");
  struct record r;
  pid_t pid;

  (void)state;
  copy_file("/bin/sleep", path);
  pid = start(path);
  copy_file("/bin/sleep", other);
  append_byte(other);
  assert_int_equal(rename(other, path), 0);
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_REPLACED);
  assert_string_equal(r.exe_path, path);
  assert_digest(&r.running_sha256, "/bin/sleep");
  assert_digest(&r.exe_sha256, path);
  record_clear(&r);
}

static void unlinked_file_is_deleted(void **state) {
  char *path = in_dir("sleeper");
  struct record r;
  pid_t pid;

  (void)state;
  copy_file("/bin/sleep", path);
  pid = start(path);
  assert_int_equal(unlink(path), 0);
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_DELETED);
  assert_string_equal(r.exe_path, path);
  assert_digest(&r.running_sha256, "/bin/sleep");
  assert_false(r.has_exe_sha256);
  record_clear(&r);
}

/* The inode lives on under another name, so its link count says nothing. */
static void unlinked_file_with_another_name_is_deleted(void **state) {
  char *path = in_dir("sleeper");
  struct record r;
  pid_t pid;

  (void)state;
  copy_file("/bin/sleep", path);
  assert_int_equal(link(path, in_dir("second")), 0);
  pid = start(path);
  assert_int_equal(unlink(path), 0);
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_DELETED);
  assert_string_equal(r.exe_path, path);
  record_clear(&r);
}

static void folder_in_its_place_is_deleted(void **state) {
  char *path = in_dir("sleeper");
  struct record r;
  pid_t pid;

  (void)state;
  copy_file("/bin/sleep", path);
  pid = start(path);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(mkdir(path, 0755), 0);
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_DELETED);
  record_clear(&r);
}

static void exchanged_file_runs_under_its_new_name(void **state) {
  char *path = in_dir("sleeper");
  char *other = in_dir("other");
  struct record r;
  pid_t pid;

  (void)state;
  copy_file("/bin/sleep", path);
  copy_file("/bin/sleep", other);
  append_byte(other);
  pid = start(path);
  assert_int_equal(renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE),
                   0);
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_CURRENT);
  assert_string_equal(r.exe_path, other);
  assert_digest(&r.running_sha256, "/bin/sleep");
  record_clear(&r);
}

static void name_that_ends_in_the_mark_keeps_it(void **state) {
  char *path = in_dir("sleeper (deleted)");
  struct record r;
  pid_t pid;

  (void)state;
  copy_file("/bin/sleep", path);
  pid = start(path);
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_CURRENT);
  assert_string_equal(r.exe_path, path);
  record_clear(&r);
  assert_int_equal(unlink(path), 0);
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_DELETED);
  assert_string_equal(r.exe_path, path);
  record_clear(&r);
}

/* A file that bears the name the kernel shows for the deleted one. */
static void marked_file_beside_a_deleted_one_is_not_it(void **state) {
  char *path = in_dir("sleeper");
  struct record r;
  pid_t pid;

  (void)state;
  copy_file("/bin/sleep", path);
  pid = start(path);
  assert_int_equal(unlink(path), 0);
  copy_file("/bin/true", in_dir("sleeper (deleted)"));
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_DELETED);
  assert_string_equal(r.exe_path, path);
  record_clear(&r);
}

static void run_fd(int fd) {
  static char arg0[] = "sleeper";
  static char arg1[] = "1000";
  char *argv[] = {arg0, arg1, NULL};
  char *envp[] = {NULL};

  fexecve(fd, argv, envp);
  _exit(127);
}

static void fill(int fd, const char *from) {
  char buf[65536];
  int in = open(from, O_RDONLY | O_CLOEXEC);
  ssize_t n;

  while ((n = read(in, buf, sizeof(buf))) > 0)
    assert_int_equal(write(fd, buf, (size_t)n), n);
  close(in);
}

static void memfd_is_anonymous(void **state) {
  int fd = memfd_create("sleeper", MFD_CLOEXEC);
  struct record r;
  pid_t pid;

  (void)state;
  fill(fd, "/bin/sleep");
  pid = spawn();
  if (pid == 0)
    run_fd(fd);
  settle(pid);
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_ANONYMOUS);
  assert_string_equal(r.exe_path, "/memfd:sleeper");
  assert_digest(&r.running_sha256, "/bin/sleep");
  record_clear(&r);
  close(fd);
}

static void file_made_without_a_name_is_anonymous(void **state) {
  int fd = open(test_dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0755);
  char path[64];
  struct record r;
  pid_t pid;

  (void)state;
  if (fd < 0)
    skip();
  fill(fd, "/bin/sleep");
  /* A file that is open for writing does not run. */
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  pid = spawn();
  if (pid == 0) {
    int readable = open(path, O_RDONLY | O_CLOEXEC);

    close(fd);
    raise(SIGSTOP);
    run_fd(readable);
  }
  assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
  close(fd);
  kill(pid, SIGCONT);
  settle(pid);
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_ANONYMOUS);
  assert_digest(&r.running_sha256, "/bin/sleep");
  record_clear(&r);
}

static void any_name_is_kept_byte_by_byte(void **state) {
  char *path = in_dir("a\nb \"c\\\xff");
  struct record r;
  pid_t pid;

  (void)state;
  copy_file("/bin/sleep", path);
  pid = start(path);
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_CURRENT);
  assert_string_equal(r.exe_path, path);
  record_clear(&r);
}

/* Make folders below the test's until `len` bytes are reached and start a
 * sleeper at the end. */
static pid_t start_deep(size_t len) {
  char name[201];
  int dir = open(test_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
  size_t depth = strlen(test_dir);
  pid_t pid;
  int fd;

  memset(name, 'd', sizeof(name) - 1);
  name[sizeof(name) - 1] = '\0';
  for (; depth < len; depth += sizeof(name)) {
    int deeper;

    assert_int_equal(mkdirat(dir, name, 0755), 0);
    deeper = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(deeper >= 0);
    close(dir);
    dir = deeper;
  }
  fd = openat(dir, "sleeper", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
  assert_true(fd >= 0);
  fill(fd, "/bin/sleep");
  close(fd);
  pid = spawn();
  if (pid == 0) {
    if (fchdir(openat(dir, ".", O_RDONLY | O_CLOEXEC)) < 0)
      _exit(126);
    execl("sleeper", "sleeper", "1000", (char *)NULL);
    _exit(127);
  }
  wait_for_exec(pid, "sleeper");
  close(dir);
  return pid;
}

static void path_of_3000_bytes_is_kept(void **state) {
  pid_t pid = start_deep(3000);
  struct record r;

  (void)state;
  take_all();
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_CURRENT);
  assert_in_range(r.exe_path != NULL ? strlen(r.exe_path) : 0, 3000, 3300);
  assert_digest(&r.running_sha256, "/bin/sleep");
  record_clear(&r);
}

/* The kernel tells no path of more than a page: hiding so deep hides nothing
 * but the path. */
static void path_longer_than_the_kernel_tells_is_hashed(void **state) {
  pid_t pid = start_deep(6000);
  struct record r = scan_for(pid);

  (void)state;
  assert_int_equal(r.state, EXE_DELETED);
  assert_string_equal(r.exe_path, "/(path too long)");
  assert_digest(&r.running_sha256, "/bin/sleep");
  record_clear(&r);
}

static void *wait_for_ever(void *arg) {
  for (;;)
    pause();
  return arg;
}

static void process_without_its_first_thread_is_seen(void **state) {
  struct record r;
  pid_t pid = spawn();

  (void)state;
  take_all();
  if (pid == 0) {
    pthread_t thread;

    pthread_create(&thread, NULL, wait_for_ever, NULL);
    syscall(SYS_exit, 0);
  }
  settle(pid);
  r = scan_for(pid);
  assert_int_equal(r.pid, pid);
  assert_int_equal(r.state, EXE_CURRENT);
  assert_digest(&r.running_sha256, "/proc/self/exe");
  assert_true(r.rss_kib > 0);
  record_clear(&r);
}

static void zombie_has_no_record(void **state) {
  struct record r;
  pid_t pid = spawn();

  (void)state;
  take_all();
  if (pid == 0)
    _exit(0);
  settle(pid);
  r = scan_for(pid);
  assert_int_equal(r.pid, 0);
}

static void kernel_thread_has_no_record(void **state) {
  struct record r;
  char text[64] = "";
  int fd = open("/proc/2/comm", O_RDONLY | O_CLOEXEC);

  (void)state;
  take_all();
  if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0 ||
      strcmp(text, "kthreadd\n") != 0)
    skip();
  close(fd);
  r = scan_for(2);
  assert_int_equal(r.pid, 0);
}

/* Most files of such a process belong to root, but not its folder. */
static void owner_of_a_process_that_may_not_be_dumped_is_told(void **state) {
  struct record r;
  pid_t pid;

  (void)state;
  take_all();
  need_root();
  pid = spawn();
  if (pid == 0) {
    if (setresgid(4242, 4242, 4242) < 0 || setresuid(4242, 4242, 4242) < 0)
      _exit(126);
    prctl(PR_SET_DUMPABLE, 0);
    wait_for_ever(NULL);
  }
  settle(pid);
  r = scan_for(pid);
  assert_int_equal(r.pid, pid);
  assert_int_equal(r.uid, 4242);
  record_clear(&r);
}

static size_t count_denied(void) {
  struct scanner *s = new_scanner(&options);
  struct snapshot *snapshot = scan_once(s);
  size_t denied = snapshot->denied;

  snapshot_free(snapshot);
  scanner_free(s);
  return denied;
}

static void processes_that_may_not_be_looked_at_are_counted(void **state) {
  size_t by_root;
  int status = -1;
  pid_t pid;

  (void)state;
  take_all();
  need_root();
  by_root = count_denied(); /* a security module may keep some even from it */
  pid = fork();
  if (pid == 0) {
    if (setresgid(4242, 4242, 4242) < 0 || setresuid(4242, 4242, 4242) < 0)
      _exit(126);
    _exit(count_denied() > by_root ? 0 : 1);
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
}

/* The test program's folder has the helpers of the end-to-end tests. */
static bool helper(const char *name, char *ret_path, size_t size) {
  char self[PATH_MAX];
  ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
  char *slash;

  assert_true(len > 0);
  self[len] = '\0';
  slash = strrchr(self, '/');
  *slash = '\0';
  snprintf(ret_path, size, "%s/%s", self, name);
  return access(ret_path, X_OK) == 0;
}

static void link_to_a_file_that_is_not_mapped_is_spoofed(void **state) {
  char path[PATH_MAX + 16];
  struct record r;
  pid_t pid;

  (void)state;
  need_root();
  if (!helper("spoof", path, sizeof(path)))
    skip();
  pid = spawn();
  if (pid == 0) {
    close(STDOUT_FILENO);
    (void)open("/dev/null", O_WRONLY);
    execl(path, "spoof", "/bin/cat", (char *)NULL);
    _exit(127);
  }
  settle(pid);
  r = scan_for(pid);
  assert_int_equal(r.pid, pid);
  assert_int_equal(r.state, EXE_SPOOFED);
  assert_digest(&r.running_sha256, "/bin/cat");
  record_clear(&r);
}

/* exec changes the link, the file and the memory map one after the other: a
 * scan in between must not make a story of it. */
static void exec_is_never_taken_for_anything_else(void **state) {
  char *script = in_dir("loop");
  struct scanner *s;
  int fd = open(script, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
  /* A program and the shell, by turns. */
  static const char text[] = "#!/bin/sh\nexec /usr/bin/env \"$0\"\n";
  static const char *const shells[] = {"/usr/bin/*", "/bin/*"};
  pid_t pids[4];

  (void)state;
  options.executables = shells;
  options.executables_len = sizeof(shells) / sizeof(shells[0]);
  assert_int_equal(write(fd, text, sizeof(text) - 1),
                   (ssize_t)sizeof(text) - 1);
  close(fd);
  for (size_t i = 0; i < 4; i++) {
    pids[i] = spawn();
    if (pids[i] == 0) {
      execl(script, "loop", (char *)NULL);
      _exit(127);
    }
  }
  s = new_scanner(&options);
  for (int i = 0; i < 200; i++) {
    struct snapshot *snapshot = scan_once(s);

    for (size_t k = 0; k < 4; k++) {
      const struct record *r = record_of(snapshot, pids[k]);

      if (r != NULL && r->state != EXE_UNREADABLE)
        assert_int_equal(r->state, EXE_CURRENT);
    }
    snapshot_free(snapshot);
  }
  scanner_free(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, remove_dir)
      CASE(running_file_at_its_path_is_current),
      CASE(other_file_put_there_is_replaced),
      CASE(unlinked_file_is_deleted),
      CASE(unlinked_file_with_another_name_is_deleted),
      CASE(folder_in_its_place_is_deleted),
      CASE(exchanged_file_runs_under_its_new_name),
      CASE(name_that_ends_in_the_mark_keeps_it),
      CASE(marked_file_beside_a_deleted_one_is_not_it),
      CASE(memfd_is_anonymous),
      CASE(file_made_without_a_name_is_anonymous),
      CASE(any_name_is_kept_byte_by_byte),
      CASE(path_of_3000_bytes_is_kept),
      CASE(path_longer_than_the_kernel_tells_is_hashed),
      CASE(process_without_its_first_thread_is_seen),
      CASE(zombie_has_no_record),
      CASE(kernel_thread_has_no_record),
      CASE(owner_of_a_process_that_may_not_be_dumped_is_told),
      CASE(processes_that_may_not_be_looked_at_are_counted),
      CASE(link_to_a_file_that_is_not_mapped_is_spoofed),
      CASE(exec_is_never_taken_for_anything_else),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
