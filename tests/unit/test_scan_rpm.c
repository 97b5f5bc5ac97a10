/* Goal: what rpm's own database says of a path is what rpm -q says, nothing of
 * it or of the program that asks is changed, and what rpm is changing right now
 * is told. Packages and databases are made by rpmbuild and rpm. */
#include <sys/utsname.h>

#include "lib/scan/rpm.h"
#include "tests/unit/capture.h"
#include "tests/unit/made_rpms.h"
#include "tests/unit/scan_processes.h"

static char folder[256]; /* the database's */
static int root_fd;

/* A command of the shell, with our folders as $RPMS, $DB and $DIR. */
static void shell(const char *command) {
  const char *const argv[] = {"sh", "-ec", command, NULL};

  setenv("DB", folder, 1);
  setenv("DIR", test_dir, 1);
  assert_int_equal(run(argv), 0);
}

/* Only the database: nothing is unpacked, and it needs no root. */
static void install(const char *what) {
  setenv("WHAT", what, 1);
  shell("cd \"$RPMS\"; HOME=$DIR rpm --dbpath \"$DB\" --justdb --nodeps"
        " $WHAT 2> \"$DIR/log\" ||"
        " { cat \"$DIR/log\" >&2; exit 1; }");
}

static int set_up(void **state) {
  int ret = make_dir(state);

  snprintf(folder, sizeof(folder), "%s/var/lib/rpm", test_dir);
  if (ret == 0)
    shell("mkdir -p \"$DB\"");
  root_fd = open(test_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return ret != 0 || root_fd < 0;
}

static int tear_down(void **state) {
  close(root_fd);
  return remove_dir(state);
}

enum { PATHS_MAX = 8 };

static struct package owners[PATHS_MAX];
static int64_t changing_s;

static int find_with(const char *const *paths, size_t len,
                     bool (*progress)(void *arg), void *arg) {
  struct package_db_query query = {.root_fd = root_fd,
                                   .paths = paths,
                                   .len = len,
                                   .progress = progress,
                                   .arg = arg};

  memset(owners, 0, sizeof(owners));
  changing_s = -1;
  return rpm_db.find(&query, owners, &changing_s);
}

/* The owner of one path, as "NAME VERSION ARCH", with " *" in transaction. */
static const char *owner(const char *path) {
  static char text[256];
  const struct package *p = owners;

  assert_int_equal(find_with(&path, 1, NULL, NULL), 0);
  if (p->manager[0] == '\0')
    return "none";
  assert_string_equal(p->manager, "rpm");
  snprintf(text, sizeof(text), "%.64s %.64s %.16s%s", p->name, p->version,
           p->arch, p->in_transaction ? " *" : "");
  return text;
}

static void expect_owner(const char *path, const char *expected) {
  char text[256] = "none";
  struct utsname u;

  uname(&u);
  if (strcmp(expected, "none") != 0) {
    bool changing = strchr(expected, '*') != NULL;

    snprintf(text, sizeof(text), "%.*s %s%s", (int)strcspn(expected, "*"),
             expected, u.machine, changing ? " *" : "");
  }
  assert_string_equal(owner(path), text);
}

static uint64_t stamp(void) {
  uint64_t now = 0;

  assert_int_equal(rpm_db.stamp(root_fd, false, &now), 0);
  return now;
}

static void owners_are_those_that_rpm_gives(void **state) {
  static const char *const paths[] = {
      "/etc/sleeper.d/hook", "/usr/sbin/other", "/usr/sbin/sleeper",
      "/usr/sbin/sleeper-too", "/usr/share/sleeper"};

  (void)state;
  install("-i sleeper-1.0.rpm");
  expect_owner("/usr/sbin/sleeper", "sleeper 2:1.0-1");
  assert_int_equal(find_with(paths, 5, NULL, NULL), 0);
  assert_string_equal(owners[0].name, "sleeper");
  assert_string_equal(owners[1].manager, "");
  assert_string_equal(owners[2].version, "2:1.0-1");
  assert_string_equal(owners[3].name, "sleeper");
  assert_string_equal(owners[4].manager, "");
  assert_int_equal(changing_s, PACKAGE_DB_SETTLED);
  install("-i --replacefiles --oldpackage taker-1.rpm");
  expect_owner("/usr/share/sleeper/same", "taker 1-1");
}

static void both_names_of_merged_usr_are_one_file(void **state) {
  (void)state;
  install("-i sleeper-1.0.rpm");
  expect_owner("/bin/sleeper-bin", "sleeper 2:1.0-1");
  expect_owner("/usr/bin/sleeper-bin", "sleeper 2:1.0-1");
  expect_owner("/usr/sbin/sleeper", "sleeper 2:1.0-1");
  expect_owner("/sbin/sleeper", "sleeper 2:1.0-1");
  /* No such folders here, whose inodes would say that they are one. */
  expect_owner("/libo32/sleeper-o32", "sleeper 2:1.0-1");
  expect_owner("/usr/libo32/sleeper-o32", "sleeper 2:1.0-1");
  expect_owner("/sbin/usr/sbin/sleeper", "none");
  expect_owner("/opt/sbin/sleeper", "none");
}

/* librpm takes folders for the same that are so on this host. Whoever runs a
 * file of his own and puts a link in the place of its folder would have what
 * runs taken for the package's. */
static void a_link_that_is_anyones_leads_to_no_package(void **state) {
  char path[256];

  (void)state;
  install("-i sleeper-1.0.rpm");
  expect_owner("/usr/sbin/sleeper", "sleeper 2:1.0-1");
  assert_int_equal(symlink("/usr/sbin", in_dir("d")), 0);
  snprintf(path, sizeof(path), "%s/d/sleeper", test_dir);
  expect_owner(path, "none");
}

static void a_file_that_another_package_replaced_is_not_its_own(void **state) {
  (void)state;
  install("-i sleeper-1.0.rpm");
  install("-i --replacefiles --oldpackage taker-1.rpm");
  install("-e taker");
  expect_owner("/usr/share/sleeper/same", "none");
  expect_owner("/usr/sbin/sleeper", "sleeper 2:1.0-1");
}

static void an_upgrade_changes_version_and_stamp(void **state) {
  uint64_t before;

  (void)state;
  install("-i sleeper-1.0.rpm");
  before = stamp();
  assert_int_equal(before, stamp());
  install("-U --replacefiles --oldpackage sleeper-1.1.rpm");
  assert_int_not_equal(before, stamp());
  expect_owner("/usr/sbin/sleeper", "sleeper 2:1.1-1");
  before = stamp();
  install("-U --replacefiles --oldpackage sleeper-1.0.rpm");
  assert_int_not_equal(before, stamp());
  expect_owner("/usr/sbin/sleeper", "sleeper 2:1.0-1");
  before = stamp();
  install("-e sleeper");
  assert_int_not_equal(before, stamp());
  expect_owner("/usr/sbin/sleeper", "none");
}

static void of_two_versions_the_new_one_is_in_transaction(void **state) {
  (void)state;
  install("-i sleeper-1.0.rpm");
  install("-i --replacefiles --oldpackage sleeper-1.1.rpm");
  /* rpm says of this one that it is the new version's, so it is. */
  expect_owner("/usr/sbin/sleeper", "sleeper 2:1.1-1");
  expect_owner("/usr/share/sleeper/same", "sleeper 2:1.1-1*");
  install("-e sleeper-1.0");
  expect_owner("/usr/share/sleeper/same", "sleeper 2:1.1-1");
}

/* Another process that holds rpm's lock, F_WRLCK or F_RDLCK, until it is
 * ended. */
static void hold_lock(const char *name, short type) {
  int ready[2];
  pid_t pid;
  char byte;

  assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
  pid = fork();
  if (pid == 0) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET};
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (fd < 0 || fcntl(fd, F_SETLK, &lock) < 0 || write(ready[1], "", 1) != 1)
      _exit(1);
    for (;;)
      pause();
  }
  children[children_len++] = pid;
  close(ready[1]);
  assert_int_equal(read(ready[0], &byte, 1), 1);
  close(ready[0]);
}

static void a_held_lock_says_what_may_be_changing(void **state) {
  const char *path = "/usr/sbin/sleeper";
  char name[512];
  struct stat st, wal;
  uint64_t before;

  (void)state;
  install("-i sleeper-1.0.rpm");
  before = stamp();
  hold_lock(in_dir("var/lib/rpm/.rpm.lock"), F_WRLCK);
  assert_int_not_equal(stamp(), before);
  assert_int_equal(find_with(&path, 1, NULL, NULL), 0);
  snprintf(name, sizeof(name), "%s/rpmdb.sqlite", folder);
  assert_int_equal(stat(name, &st), 0);
  snprintf(name, sizeof(name), "%s/rpmdb.sqlite-wal", folder);
  assert_int_equal(stat(name, &wal), 0);
  assert_int_equal(changing_s,
                   wal.st_mtime > st.st_mtime ? wal.st_mtime : st.st_mtime);
  end_children();
  assert_int_equal(stamp(), before);
  assert_int_equal(find_with(&path, 1, NULL, NULL), 0);
  assert_int_equal(changing_s, PACKAGE_DB_SETTLED);
}

/* Whoever may read the lock's file may hold that: rpm -q does, and so may one
 * who wants verdicts to be held. */
static void a_readers_lock_changes_nothing(void **state) {
  const char *path = "/usr/sbin/sleeper";
  uint64_t before;

  (void)state;
  install("-i sleeper-1.0.rpm");
  before = stamp();
  hold_lock(in_dir("var/lib/rpm/.rpm.lock"), F_RDLCK);
  assert_int_equal(stamp(), before);
  assert_int_equal(find_with(&path, 1, NULL, NULL), 0);
  assert_int_equal(changing_s, PACKAGE_DB_SETTLED);
  end_children();
}

static void the_database_is_also_found_in_sysimage(void **state) {
  uint64_t before;

  (void)state;
  install("-i sleeper-1.0.rpm");
  shell("mkdir -p \"$DIR/usr/lib/sysimage\";"
        "mv \"$DB\" \"$DIR/usr/lib/sysimage/rpm\"");
  expect_owner("/usr/sbin/sleeper", "sleeper 2:1.0-1");
  before = stamp();
  hold_lock(in_dir("usr/lib/sysimage/rpm/.rpm.lock"), F_WRLCK);
  assert_int_not_equal(stamp(), before);
  end_children();
  shell("ln -s ../../usr/lib/sysimage/rpm \"$DB\"");
  expect_owner("/usr/sbin/sleeper", "sleeper 2:1.0-1");
}

static void asking_changes_nothing_of_the_database(void **state) {
  uint64_t before;

  (void)state;
  install("-i sleeper-1.0.rpm");
  before = stamp();
  shell("cd \"$DB\"; sha256sum rpmdb.sqlite rpmdb.sqlite-wal > \"$DIR/sums\";"
        "ls > \"$DIR/names\"");
  expect_owner("/usr/sbin/sleeper", "sleeper 2:1.0-1");
  assert_int_equal(stamp(), before);
  shell("cd \"$DB\"; sha256sum --quiet -c \"$DIR/sums\";"
        "ls | cmp - \"$DIR/names\"");
}

/* What librpm could take from the program while a database is open. */
struct signals {
  bool blocked[NSIG];
  void (*handlers[NSIG])(int, siginfo_t *, void *);
};

static struct signals get_signals(void) {
  struct signals signals = {0};
  sigset_t mask;

  assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
  for (int sig = 1; sig < NSIG; sig++) {
    struct sigaction action = {0};

    (void)sigaction(sig, NULL, &action);
    signals.blocked[sig] = sigismember(&mask, sig) == 1;
    signals.handlers[sig] = action.sa_sigaction;
  }
  return signals;
}

static bool are_equal(const struct signals *a, const struct signals *b) {
  for (int sig = 1; sig < NSIG; sig++)
    if (a->blocked[sig] != b->blocked[sig] ||
        a->handlers[sig] != b->handlers[sig])
      return false;
  return true;
}

static struct signals before_librpm;
static size_t looks, changes;

static bool look_at_signals(void *arg) {
  struct signals now = get_signals();

  (void)arg;
  changes += !are_equal(&now, &before_librpm);
  looks++;
  return true;
}

static void signals_stay_as_they_are(void **state) {
  static const char *const paths[] = {"/usr/sbin/sleeper", "/usr/sbin/z"};

  (void)state;
  install("-i sleeper-1.0.rpm");
  before_librpm = get_signals();
  looks = changes = 0;
  assert_int_equal(find_with(paths, 2, look_at_signals, NULL), 0);
  assert_true(looks >= 2);
  look_at_signals(NULL);
  assert_int_equal(changes, 0);
}

static bool give_up(void *arg) {
  (void)arg;
  return false;
}

static void it_can_be_given_up(void **state) {
  const char *path = "/usr/sbin/sleeper";

  (void)state;
  install("-i sleeper-1.0.rpm");
  assert_int_equal(find_with(&path, 1, give_up, NULL), -ECANCELED);
  expect_owner(path, "sleeper 2:1.0-1");
}

static void no_database_is_no_error_but_a_broken_one_is(void **state) {
  static const struct {
    const char *what, *made_by;
    int stamp, find;
  } cases[] = {
      {"no database", "true", -ENOENT, -ENOENT},
      {"a folder", "mkdir \"$DB/rpmdb.sqlite\"", -ENOENT, -ENOENT},
      {"a fifo", "mkfifo \"$DB/rpmdb.sqlite\"", -ENOENT, -ENOENT},
      {"an empty one", ": > \"$DB/rpmdb.sqlite\"", 0, -EIO},
      {"garbage", "yes | head -c 9999 > \"$DB/rpmdb.sqlite\"", 0, -EIO},
      {"a format that this librpm may not have",
       "yes | head -c 9999 > \"$DB/Packages.db\"", 0, -EIO},
      {"a damaged old one", "yes | head -c 9999 > \"$DB/Packages\"", 0, -EIO},
      {"a loop", "ln -s rpmdb.sqlite \"$DB/rpmdb.sqlite\"", -ELOOP, -ELOOP},
  };
  const char *path = "/usr/sbin/sleeper";

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct capture said;
    uint64_t now;
    int ret;

    shell("rm -rf \"$DB\"; mkdir \"$DB\"");
    shell(cases[i].made_by);
    print_message("%s\n", cases[i].what);
    assert_int_equal(rpm_db.stamp(root_fd, false, &now), cases[i].stamp);
    capture_begin(&said);
    ret = find_with(&path, 1, NULL, NULL);
    capture_end(&said);
    assert_int_equal(ret, cases[i].find);
    assert_string_equal(said.text, "");
  }
}

/* Memory is lost in librpm with each try, so there is one. */
static void
a_database_that_cannot_be_opened_is_tried_again_when_changed(void **state) {
  const char *path = "/usr/sbin/sleeper";

  (void)state;
  install("-i sleeper-1.0.rpm");
  shell("cp -a \"$DB/rpmdb.sqlite\" \"$DIR/good\";"
        "cp -a \"$DIR/good\" \"$DIR/bad\";"
        "printf x | dd of=\"$DIR/bad\" conv=notrunc status=none;"
        /* As large, as old, and in the same place. */
        "cat \"$DIR/bad\" > \"$DB/rpmdb.sqlite\";"
        "touch -r \"$DIR/good\" \"$DB/rpmdb.sqlite\"");
  assert_int_equal(find_with(&path, 1, NULL, NULL), -EIO);
  shell("cat \"$DIR/good\" > \"$DB/rpmdb.sqlite\";"
        "touch -r \"$DIR/good\" \"$DB/rpmdb.sqlite\"");
  assert_int_equal(find_with(&path, 1, NULL, NULL), -EIO);
  shell("touch \"$DB/rpmdb.sqlite\"");
  expect_owner(path, "sleeper 2:1.0-1");
}

static void a_damaged_header_is_no_answer(void **state) {
  const char *path = "/usr/sbin/sleeper";

  (void)state;
  install("-i sleeper-1.0.rpm");
  shell("python3 - \"$DB\" <<'END'\n"
        "import sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1] + '/rpmdb.sqlite')\n"
        "db.execute('UPDATE Packages SET blob = substr(blob, 1, 200)')\n"
        "db.commit()\n"
        "END\n");
  assert_int_equal(find_with(&path, 1, NULL, NULL), -EIO);
}

static void the_kernels_caches_are_enough_for_a_stamp(void **state) {
  uint64_t waiting, cached = 0;
  struct statx stx;
  int ret;

  (void)state;
  install("-i sleeper-1.0.rpm");
  waiting = stamp();
  ret = rpm_db.stamp(root_fd, true, &cached);
  assert_int_equal(statx(root_fd, "", AT_EMPTY_PATH, STATX_TYPE, &stx), 0);
  /* Where no disk answers, opening the lock might wait. */
  if (ret == -EAGAIN && stx.stx_dev_major == 0)
    return;
  assert_int_equal(ret, 0);
  assert_int_equal(cached, waiting);
}

#ifdef PDNA_WITHOUT_RPM
static void a_build_without_librpm_says_so(void **state) {
  const char *path = "/usr/sbin/sleeper";
  struct package_db_failure failure = {.manager = rpm_db.manager};

  (void)state;
  shell("echo made up > \"$DB/rpmdb.sqlite\"");
  failure.error = find_with(&path, 1, NULL, NULL);
  assert_string_equal(package_db_error(&failure), "this build has no librpm");
}
#endif

/* librpm loses a database that it can't open. */
__attribute__((visibility("default"))) const char *
__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libsqlite3"; }

int main(void) {
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      /* First: librpm is loaded then. */
      ROW(signals_stay_as_they_are),
      ROW(owners_are_those_that_rpm_gives),
      ROW(both_names_of_merged_usr_are_one_file),
      ROW(a_link_that_is_anyones_leads_to_no_package),
      ROW(a_file_that_another_package_replaced_is_not_its_own),
      ROW(an_upgrade_changes_version_and_stamp),
      ROW(of_two_versions_the_new_one_is_in_transaction),
      ROW(a_held_lock_says_what_may_be_changing),
      ROW(a_readers_lock_changes_nothing),
      ROW(the_database_is_also_found_in_sysimage),
      ROW(asking_changes_nothing_of_the_database),
      ROW(it_can_be_given_up),
      ROW(no_database_is_no_error_but_a_broken_one_is),
      ROW(a_database_that_cannot_be_opened_is_tried_again_when_changed),
      ROW(a_damaged_header_is_no_answer),
      ROW(the_kernels_caches_are_enough_for_a_stamp),
  };

#ifdef PDNA_WITHOUT_RPM
  const struct CMUnitTest without[] = {ROW(a_build_without_librpm_says_so)};

  (void)tests;
  return cmocka_run_group_tests(without, NULL, NULL);
#endif
  return cmocka_run_group_tests(tests, make_packages, NULL);
}
