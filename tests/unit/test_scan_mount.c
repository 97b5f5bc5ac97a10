/* Goal: mount namespaces, containers and file systems that refuse, hang or lie
 * far away are told for what they are, and none of them stops a scan. All
 * mounts are made in a mount namespace of the test's own. */
#include <sys/sysmacros.h>

#include "tests/unit/scan_processes.h"

static struct scan_options options;
static const char *const ours[] = {"/tmp/pdna-scan-*/*", "/tmp/pdna-scan-*/*/*",
                                   "/sleeper", "/jail/sleeper"};

static int leave_namespace(void) {
  if (unshare(CLONE_NEWNS) < 0)
    return -1;
  return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static int set_up(void **state) {
  options = scan_options_default;
  options.min_rss_kib = UINT64_MAX;
  options.always_root = false;
  options.executables = ours;
  options.executables_len = sizeof(ours) / sizeof(ours[0]);
  options.scan_timeout_ms = 20000;
  options.hash_budget = UINT64_MAX; /* some look at all that runs here */
  options.file_timeout_ms = 20000;
  return make_dir(state);
}

static int tear_down(void **state) {
  end_children();
  (void)umount2(in_dir("mnt"), MNT_DETACH);
  return remove_dir(state);
}

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

static void fail_child(const char *what) {
  perror(what);
  _exit(126);
}

/* The link of a process in a chroot is told from the host's root. */
static void chroot_is_no_container(void **state) {
  char self[PATH_MAX];
  ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
  struct record r;
  pid_t pid;

  (void)state;
  self[len] = '\0';
  options.min_rss_kib = 0;
  pid = spawn();
  if (pid == 0) {
    if (chroot(test_dir) < 0)
      fail_child("chroot");
    for (;;)
      pause();
  }
  settle(pid);
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_CURRENT);
  assert_string_equal(r.container, "");
  assert_string_equal(r.exe_path, self);
  record_clear(&r);
}

/* In a namespace of its own (PrivateTmp) with the host's root: the host's
 * path, but as the process sees it. */
static void bind_mount_in_a_private_namespace_is_replaced(void **state) {
  char *path = in_dir("sleeper");
  char *other = in_dir("other");
  struct record r;
  pid_t pid;

  (void)state;
  copy_file("/bin/sleep", path);
  copy_file("/bin/sleep", other);
  append_byte(other);
  pid = spawn();
  if (pid == 0) {
    char *const argv[] = {path, (char[]){"1000"}, NULL};
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (leave_namespace() < 0 || mount(other, path, NULL, MS_BIND, NULL) < 0)
      fail_child("bind");
    fexecve(fd, argv, (char *[]){NULL});
    _exit(127);
  }
  settle(pid);
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_REPLACED);
  assert_string_equal(r.container, "");
  assert_string_equal(r.exe_path, path);
  assert_digest(&r.running_sha256, path);
  assert_digest(&r.exe_sha256, other);
  record_clear(&r);
}

static void bind_mount_in_our_namespace_is_replaced(void **state) {
  char *path = in_dir("sleeper");
  char *other = in_dir("other");
  struct record r;
  pid_t pid;

  (void)state;
  copy_file("/bin/sleep", path);
  copy_file("/bin/sleep", other);
  append_byte(other);
  pid = start(path);
  assert_int_equal(mount(other, path, NULL, MS_BIND, NULL), 0);
  r = scan_for(pid);
  assert_int_equal(umount(path), 0);
  assert_int_equal(r.state, EXE_REPLACED);
  assert_digest(&r.running_sha256, path);
  assert_digest(&r.exe_sha256, other);
  record_clear(&r);
}

/* Mount an overlay of `lower` and enter it as a container does. */
static void enter(const char *lower, const char *name, const char *jail) {
  static const char *const parts[] = {"usr", "lib", "lib64", "proc"};
  static const char *const layers[] = {"upper", "work", "root"};
  char options_text[1024];
  char root[256];

  snprintf(root, sizeof(root), "%s/%s", test_dir, name);
  if (mkdir(root, 0755) < 0)
    fail_child(root);
  if (leave_namespace() < 0)
    fail_child("unshare");
  if (lower != NULL) {
    /* An overlay can't have an upper layer on another one. */
    if (mount("tmpfs", root, "tmpfs", 0, NULL) < 0)
      fail_child("tmpfs");
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++) {
      snprintf(options_text, sizeof(options_text), "%s/%s", root, layers[i]);
      (void)mkdir(options_text, 0755);
    }
    snprintf(options_text, sizeof(options_text),
             "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower, root,
             root);
    snprintf(root + strlen(root), sizeof(root) - strlen(root), "/root");
    if (mount("overlay", root, "overlay", 0, options_text) < 0)
      fail_child("overlay");
  } else if (mount("tmpfs", root, "tmpfs", 0, NULL) < 0) {
    fail_child("tmpfs");
  }
  if (chdir(root) < 0)
    fail_child(root);
  copy_file("/bin/sleep", "sleeper");
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    char from[16];

    snprintf(from, sizeof(from), "/%s", parts[i]);
    (void)mkdir(parts[i], 0755);
    (void)mount(from, parts[i], NULL, MS_BIND, NULL);
  }
  (void)mkdir("old", 0755);
  if (jail != NULL) {
    (void)mkdir(jail, 0755);
    copy_file("/bin/sleep", "jail/sleeper");
    for (size_t i = 0; i < 3; i++) {
      char to[32];

      snprintf(to, sizeof(to), "%s/%s", jail, parts[i]);
      (void)mkdir(to, 0755);
      (void)mount(parts[i], to, NULL, MS_BIND, NULL);
    }
  }
  if (syscall(SYS_pivot_root, ".", "old") < 0 || umount2("old", MNT_DETACH) < 0)
    fail_child("pivot_root");
  if (chdir("/") < 0 || (jail != NULL && chroot(jail) < 0))
    fail_child("chroot");
}

static pid_t start_in(const char *lower, const char *name, const char *jail) {
  pid_t pid = spawn();

  if (pid == 0) {
    enter(lower, name, jail);
    execl("/sleeper", "sleeper", "1000", (char *)NULL);
    fail_child("/sleeper");
  }
  wait_for_exec(pid, "sleeper");
  return pid;
}

static void containers_of_one_image_have_one_key(void **state) {
  char lower[512];
  char keys[3][CONTAINER_MAX + 1];
  pid_t pids[3];

  (void)state;
  assert_int_equal(mkdir(in_dir("a"), 0755), 0);
  assert_int_equal(mkdir(in_dir("b"), 0755), 0);
  snprintf(lower, sizeof(lower), "%s/a:%s/b", test_dir, test_dir);
  pids[0] = start_in(lower, "first", NULL);
  pids[1] = start_in(lower, "second", NULL);
  snprintf(lower, sizeof(lower), "%s/b:%s/a", test_dir, test_dir);
  pids[2] = start_in(lower, "third", NULL);
  for (size_t i = 0; i < 3; i++) {
    struct record r = scan_for(pids[i]);

    assert_int_equal(r.state, EXE_CURRENT);
    assert_string_equal(r.exe_path, "/sleeper");
    assert_digest(&r.running_sha256, "/bin/sleep");
    assert_int_equal(strspn(r.container, "0123456789abcdef"), 12);
    assert_int_equal(strlen(r.container), 12);
    set_text(keys[i], r.container);
    record_clear(&r);
  }
  assert_string_equal(keys[0], keys[1]);
  assert_string_not_equal(keys[0], keys[2]);
}

static void container_without_an_overlay_has_a_key(void **state) {
  pid_t pid = start_in(NULL, "plain", NULL);
  struct scanner *s = new_scanner(&options);
  char key[CONTAINER_MAX + 1];

  (void)state;
  for (int i = 0; i < 3; i++) {
    struct snapshot *snapshot = scan_once(s);
    const struct record *r = record_of(snapshot, pid);

    assert_non_null(r);
    assert_int_equal(r->state, EXE_CURRENT);
    assert_string_not_equal(r->container, "");
    if (i > 0)
      assert_string_equal(r->container, key);
    set_text(key, r->container);
    snapshot_free(snapshot);
  }
  scanner_free(s);
}

/* Its link is told from the container's root, not from its own. */
static void chroot_in_a_container_is_current(void **state) {
  pid_t pid = start_in(NULL, "plain", "jail");
  struct record r = scan_for(pid);

  (void)state;
  assert_int_equal(r.state, EXE_CURRENT);
  assert_string_equal(r.exe_path, "/jail/sleeper");
  assert_string_not_equal(r.container, "");
  record_clear(&r);
}

/* What runc does before it becomes the container's process. */
static void hosts_file_in_a_container_is_the_hosts(void **state) {
  char self[PATH_MAX];
  ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
  struct record r;
  pid_t pid = spawn();

  (void)state;
  self[len] = '\0';
  if (pid == 0) {
    enter(NULL, "plain", NULL);
    for (;;)
      pause();
  }
  options.min_rss_kib = 0;
  settle(pid);
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_CURRENT);
  assert_string_equal(r.exe_path, self);
  assert_string_equal(r.container, "");
  record_clear(&r);
}

/* A link in a container's root must not lead out of it. */
static void absolute_link_stays_in_the_container(void **state) {
  char root[256];
  pid_t pid = start_in(NULL, "plain", NULL);
  struct record r;

  (void)state;
  snprintf(root, sizeof(root), "/proc/%d/root/sleeper", pid);
  assert_int_equal(unlink(root), 0);
  assert_int_equal(symlink("/etc/passwd", root), 0);
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_DELETED);
  record_clear(&r);
}

static pid_t start_bindfs(uid_t uid) {
  char *from = in_dir("src");
  char *to = in_dir("mnt");
  struct stat before;
  struct stat now;
  pid_t pid;

  if (access("/usr/bin/bindfs", X_OK) != 0 || access("/dev/fuse", F_OK) != 0)
    skip();
  assert_int_equal(mkdir(from, 0755), 0);
  assert_int_equal(mkdir(to, 0755), 0);
  assert_int_equal(chmod(test_dir, 0755), 0);
  copy_file("/bin/sleep", in_dir("src/sleeper"));
  /* The device may be root's; the namespace is the test's. */
  if (uid != 0) {
    assert_int_equal(mknod(in_dir("fuse"), S_IFCHR | 0666, makedev(10, 229)),
                     0);
    assert_int_equal(chmod(in_dir("fuse"), 0666), 0);
    assert_int_equal(mount(in_dir("fuse"), "/dev/fuse", NULL, MS_BIND, NULL),
                     0);
  }
  assert_int_equal(chown(to, uid, uid), 0);
  assert_int_equal(stat(to, &before), 0);
  pid = spawn();
  if (pid == 0) {
    if (setgid(uid) < 0 || setuid(uid) < 0)
      fail_child("setuid");
    execl("/usr/bin/bindfs", "bindfs", "-f", "--no-allow-other", from, to,
          (char *)NULL);
    _exit(127);
  }
  /* stat of a mount that root may not look at fails. */
  for (int i = 0; i < 500; i++) {
    usleep(10000);
    if (stat(to, &now) < 0 || now.st_dev != before.st_dev)
      return pid;
  }
  skip();
  return pid;
}

static pid_t start_as(uid_t uid, const char *path) {
  pid_t pid = spawn();

  if (pid == 0) {
    if (setgid(uid) < 0 || setuid(uid) < 0)
      fail_child("setuid");
    execl(path, "sleeper", "1000", (char *)NULL);
    fail_child(path);
  }
  wait_for_exec(pid, "sleeper");
  return pid;
}

static void file_that_fuse_keeps_from_root_is_denied(void **state) {
  struct record r;
  pid_t pid;

  (void)state;
  (void)start_bindfs(65534);
  pid = start_as(65534, in_dir("mnt/sleeper"));
  r = scan_for(pid);
  assert_int_equal(r.state, EXE_UNREADABLE);
  assert_int_equal(r.reason, EXE_REASON_DENIED);
  assert_string_equal(r.exe_path, in_dir("mnt/sleeper"));
  record_clear(&r);
}

/* The states of a process on the hung file system and of another one. */
static void scan_two(struct scanner *s, pid_t hung, pid_t well,
                     enum exe_state state, enum exe_reason reason) {
  struct snapshot *snapshot = scan_once(s);
  const struct record *r = record_of(snapshot, hung);

  assert_non_null(r);
  assert_int_equal(r->state, state);
  assert_int_equal(r->reason, reason);
  r = record_of(snapshot, well);
  assert_non_null(r);
  assert_int_equal(r->state, EXE_CURRENT);
  snapshot_free(snapshot);
}

static void wait_until_current(struct scanner *s, pid_t pid) {
  enum exe_state state = EXE_UNREADABLE;

  for (int i = 0; i < 100 && state != EXE_CURRENT; i++) {
    struct snapshot *snapshot;

    usleep(100000);
    snapshot = scan_once(s);
    state = record_of(snapshot, pid)->state;
    snapshot_free(snapshot);
  }
  assert_int_equal(state, EXE_CURRENT);
}

static void hung_fuse_is_a_timeout_and_stops_nothing(void **state) {
  char *path = in_dir("sleeper");
  struct scanner *s;
  pid_t bindfs = start_bindfs(0);
  pid_t hung = start(in_dir("mnt/sleeper"));
  pid_t late;
  pid_t well;

  (void)state;
  copy_file("/bin/sleep", path);
  well = start(path);
  kill(bindfs, SIGSTOP);
  usleep(1200000); /* FUSE believes what it knows for a second */
  options.file_timeout_ms = 1500;
  options.scan_timeout_ms = 20000;
  s = new_scanner(&options);
  scan_two(s, hung, well, EXE_UNREADABLE, EXE_REASON_TIMEOUT);
  /* New work is done while the thread is stuck, and the hung one is not tried
   * again. */
  copy_file("/bin/sleep", in_dir("late"));
  append_byte(in_dir("late"));
  late = start(in_dir("late"));
  scan_two(s, hung, late, EXE_UNREADABLE, EXE_REASON_TIMEOUT);
  scan_two(s, hung, late, EXE_UNREADABLE, EXE_REASON_TIMEOUT);
  kill(bindfs, SIGCONT);
  wait_until_current(s, hung);
  scanner_free(s);
}

static void scanner_ends_while_a_file_system_hangs(void **state) {
  pid_t bindfs = start_bindfs(0);
  pid_t hung = start(in_dir("mnt/sleeper"));
  struct record r;

  (void)state;
  kill(bindfs, SIGSTOP);
  usleep(1200000);
  options.file_timeout_ms = 100000;
  options.scan_timeout_ms = 300;
  r = scan_for(hung);
  assert_int_equal(r.state, EXE_UNREADABLE);
  assert_int_equal(r.reason, EXE_REASON_PENDING);
  record_clear(&r);
  kill(bindfs, SIGCONT);
  usleep(200000);
}

/* The path leads through the hung file system, the file does not. */
static void path_covered_by_a_hung_mount_is_a_timeout(void **state) {
  struct scanner *s;
  pid_t pids[2];
  pid_t bindfs;

  (void)state;
  assert_int_equal(mkdir(in_dir("src"), 0755), 0);
  assert_int_equal(mkdir(in_dir("mnt"), 0755), 0);
  copy_file("/bin/sleep", in_dir("mnt/sleeper"));
  copy_file("/bin/sleep", in_dir("sleeper"));
  pids[0] = start(in_dir("mnt/sleeper"));
  pids[1] = start(in_dir("sleeper"));
  assert_int_equal(rmdir(in_dir("src")), 0);
  assert_int_equal(rename(in_dir("mnt"), in_dir("gone")), 0);
  bindfs = start_bindfs(0);
  kill(pids[0], SIGKILL);
  assert_int_equal(rename(in_dir("gone/sleeper"), in_dir("src/below")), 0);
  pids[0] = start(in_dir("src/below"));
  assert_int_equal(mount(in_dir("mnt"), in_dir("src"), NULL, MS_BIND, NULL), 0);
  kill(bindfs, SIGSTOP);
  usleep(1200000);
  options.file_timeout_ms = 1500;
  options.scan_timeout_ms = 20000;
  s = new_scanner(&options);
  scan_two(s, pids[0], pids[1], EXE_UNREADABLE, EXE_REASON_TIMEOUT);
  scan_two(s, pids[0], pids[1], EXE_UNREADABLE, EXE_REASON_TIMEOUT);
  scanner_free(s);
  kill(bindfs, SIGCONT);
  usleep(300000);
  (void)umount2(in_dir("src"), MNT_DETACH);
}

static int own_namespace(void **state) {
  (void)state;
  return geteuid() == 0 ? leave_namespace() : 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
      CASE(chroot_is_no_container),
      CASE(bind_mount_in_a_private_namespace_is_replaced),
      CASE(bind_mount_in_our_namespace_is_replaced),
      CASE(containers_of_one_image_have_one_key),
      CASE(container_without_an_overlay_has_a_key),
      CASE(chroot_in_a_container_is_current),
      CASE(hosts_file_in_a_container_is_the_hosts),
      CASE(absolute_link_stays_in_the_container),
      CASE(file_that_fuse_keeps_from_root_is_denied),
      CASE(hung_fuse_is_a_timeout_and_stops_nothing),
      CASE(scanner_ends_while_a_file_system_hangs),
      CASE(path_covered_by_a_hung_mount_is_a_timeout),
  };

  if (geteuid() != 0) {
    print_message("mounts are for root: not tested\n");
    return 0;
  }
  return cmocka_run_group_tests(tests, own_namespace, NULL);
}
