/* Real processes for the tests of the scanner: started from copies of real
 * binaries in a folder of their own, always ended and reaped. */
#ifndef PDNA_SCAN_PROCESSES_H
#define PDNA_SCAN_PROCESSES_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/scan/scan.h"
#include "tests/unit/unit.h"

enum { CHILDREN_MAX = 64, PATH_SIZE = 8192 };

static char test_dir[64];
static pid_t children[CHILDREN_MAX];
static size_t children_len;

static inline void end_children(void) {
  for (size_t i = 0; i < children_len; i++) {
    kill(children[i], SIGKILL);
    waitpid(children[i], NULL, 0);
  }
  children_len = 0;
}

static inline int make_dir(void **state) {
  (void)state;
  set_text(test_dir, "/tmp/pdna-scan-XXXXXX");
  return mkdtemp(test_dir) == NULL;
}

/* Run a program to its end; tests only, with paths of their own. */
static inline int run(const char *const argv[]) {
  int status = -1;
  pid_t pid = fork();

  if (pid == 0) {
    execvp(argv[0], (char *const *)argv);
    _exit(127);
  }
  waitpid(pid, &status, 0);
  return status;
}

static inline int remove_dir(void **state) {
  const char *const argv[] = {"rm", "-rf", "--one-file-system", test_dir, NULL};

  (void)state;
  end_children();
  return run(argv);
}

/* The path of `name` in the test's folder; a few are valid at a time. */
static inline char *in_dir(const char *name) {
  static char paths[8][PATH_SIZE];
  static unsigned next;
  char *path = paths[next++ % 8];

  snprintf(path, PATH_SIZE, "%s/%s", test_dir, name);
  return path;
}

static inline void copy_file(const char *from, const char *to) {
  char buf[65536];
  int in = open(from, O_RDONLY | O_CLOEXEC);
  int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
  ssize_t n;

  assert_true(in >= 0);
  assert_true(out >= 0);
  while ((n = read(in, buf, sizeof(buf))) > 0)
    assert_int_equal(write(out, buf, (size_t)n), n);
  close(in);
  close(out);
}

/* Put a byte behind the end: another digest, and it still runs. */
static inline void append_byte(const char *path) {
  int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

  assert_true(fd >= 0);
  assert_int_equal(write(fd, "x", 1), 1);
  close(fd);
}

static inline pid_t track(pid_t pid) {
  assert_true(pid > 0);
  assert_true(children_len < CHILDREN_MAX);
  children[children_len++] = pid;
  return pid;
}

/* Fork a child that dies with the test; 0 in the child. */
static inline pid_t spawn(void) {
  pid_t pid = fork();

  if (pid != 0)
    return track(pid);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  return 0;
}

static inline void wait_for_exec(pid_t pid, const char *comm) {
  char path[64];
  char text[64] = "";

  snprintf(path, sizeof(path), "/proc/%d/comm", pid);
  for (int i = 0; i < 2000 && strncmp(text, comm, strlen(comm)) != 0; i++) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    usleep(1000);
    if (fd < 0)
      continue;
    memset(text, 0, sizeof(text));
    assert_true(read(fd, text, sizeof(text) - 1) >= 0);
    close(fd);
  }
  assert_int_equal(strncmp(text, comm, strlen(comm)), 0);
}

/* Wait until a child does no more of what it was started for: it sleeps, or has
 * ended, and was not woken for a while. */
static inline void settle(pid_t pid) {
  char path[64];
  char before[4096] = "";

  snprintf(path, sizeof(path), "/proc/%d/status", pid);
  for (int i = 0; i < 1000; i++) {
    char now[sizeof(before)] = "";
    const char *state;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_true(read(fd, now, sizeof(now) - 1) > 0);
    close(fd);
    state = strstr(now, "\nState:\t");
    assert_non_null(state);
    /* Its switches are counted in there. */
    if (strchr("SZ", state[8]) != NULL && strcmp(before, now) == 0)
      return;
    set_text(before, now);
    usleep(20000);
  }
  fail_msg("process %d does not settle", pid);
}

/* Start a copy of sleep, which is called "sleeper" while it runs. */
static inline pid_t start(const char *path) {
  pid_t pid = spawn();
  const char *base = strrchr(path, '/') + 1;
  char comm[16];

  if (pid == 0) {
    execl(path, "sleeper", "1000", (char *)NULL);
    _exit(127);
  }
  snprintf(comm, sizeof(comm), "%s", base);
  comm[strcspn(comm, "\n")] = '\0';
  wait_for_exec(pid, comm);
  return pid;
}

static inline struct digest digest_of_file(const char *path) {
  static char buf[4 << 20];
  struct digest d;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n;

  assert_true(fd >= 0);
  n = read(fd, buf, sizeof(buf));
  assert_true(n >= 0 && (size_t)n < sizeof(buf));
  close(fd);
  assert_int_equal(digest_of(buf, (size_t)n, &d), 0);
  return d;
}

static inline struct scanner *new_scanner(const struct scan_options *options) {
  struct scanner *s;

  assert_int_equal(scanner_new(options, &s), 0);
  return s;
}

static inline struct snapshot *scan_once(struct scanner *s) {
  struct snapshot *snapshot;

  assert_int_equal(scanner_run(s, &snapshot), 0);
  for (size_t i = 0; i < snapshot->records_len; i++)
    assert_int_equal(record_validate(&snapshot->records[i]), 0);
  return snapshot;
}

static inline const struct record *record_of(const struct snapshot *snapshot,
                                             pid_t pid) {
  for (size_t i = 0; i < snapshot->records_len; i++) {
    if (snapshot->records[i].pid == pid)
      return &snapshot->records[i];
  }
  return NULL;
}

static inline void assert_digest(const struct digest *d, const char *path) {
  struct digest of_file = digest_of_file(path);

  assert_true(digest_equal(d, &of_file));
}

#endif
