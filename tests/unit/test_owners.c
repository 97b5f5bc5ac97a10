/* Goal: an executable's digest is never told together with the version of
 * another moment, whatever the package manager does between the look at files
 * and the look at its database, and nothing that hangs or fails holds up a scan
 * or makes up a package. */
#include "lib/record/clock.h"
#include "lib/scan/clock_watch.h"
#include "lib/scan/owners.h"
#include "tests/unit/made_dpkg.h"

enum { WAIT_MS = 20000 };

static struct owners *o;
static int proc_fd = -1;

static void make_owners(unsigned timeout_ms) {
  proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  assert_true(proc_fd >= 0);
  assert_int_equal(owners_new(proc_fd, timeout_ms, &o), 0);
}

static int set_up(void **state) {
  int ret = make_root(state);

  if (ret == 0)
    make_owners(WAIT_MS);
  return ret;
}

static int tear_down(void **state) {
  owners_free(o);
  close(proc_fd);
  (void)umount2(in_dir(DPKG "info"), MNT_DETACH);
  (void)umount2(in_dir(DPKG), MNT_DETACH);
  return remove_root(state);
}

/* dpkg has its file clock; a test's files change when it says so. */
static void put_changed(const char *name, const char *text, int64_t when_s) {
  struct timespec times[2] = {{.tv_sec = when_s}, {.tv_sec = when_s}};

  put(name, text);
  assert_int_equal(utimensat(AT_FDCWD, in_dir(name), times, 0), 0);
}

/* The way in which dpkg replaces a file: another inode. */
static void replace(const char *name, const char *text) {
  put(DPKG "new", text);
  assert_int_equal(rename(in_dir(DPKG "new"), in_dir(name)), 0);
}

static int64_t deadline(void) { return clock_monotonic_ms() + WAIT_MS; }

static void begin(void) { owners_begin(o, root_fd, deadline()); }

static size_t use(const char *path) {
  size_t number;

  assert_int_equal(owners_use(o, path, &number), 0);
  return number;
}

static void settle_owners(void) {
  assert_int_equal(owners_settle(o, deadline()), 0);
}

enum { LONG_AGO = 1000 }; /* a file that has not changed lately */

static void expect(size_t number, int64_t ctime_s, const char *version,
                   bool in_transaction) {
  struct package p = {.version = "not set"};

  assert_int_equal(owners_get(o, number, ctime_s, &p), 0);
  assert_string_equal(p.version, version);
  assert_int_equal(p.in_transaction, in_transaction);
}

/* A scan in which nothing happens. */
static void quiet_scan(const char *path, const char *version,
                       bool in_transaction) {
  size_t number;

  begin();
  number = use(path);
  assert_int_equal(owners_ask(o), 0);
  settle_owners();
  expect(number, LONG_AGO, version, in_transaction);
  owners_end(o);
}

static void install(const char *status) {
  put(DPKG "status", status);
  put(DPKG "info/p.list", "/usr/bin/p\n/usr/bin/p2\n");
}

static void a_quiet_database_is_told_as_it_is(void **state) {
  (void)state;
  install(INSTALLED("p", "1"));
  for (int i = 0; i < 3; i++)
    quiet_scan("/usr/bin/p", "1", false);
  quiet_scan("/usr/bin/nobody", "", false);
  /* Known paths and new ones, in one scan. */
  begin();
  {
    size_t a = use("/usr/bin/p"), b = use("/usr/bin/p2"), c = use("/opt/c");

    assert_int_equal(use("/usr/bin/p"), a);
    assert_int_equal(owners_ask(o), 0);
    settle_owners();
    expect(a, LONG_AGO, "1", false);
    expect(b, LONG_AGO, "1", false);
    expect(c, LONG_AGO, "", false);
  }
  owners_end(o);
}

static void an_update_between_two_scans_is_told_at_once(void **state) {
  (void)state;
  install(INSTALLED("p", "1"));
  quiet_scan("/usr/bin/p", "1", false);
  replace(DPKG "status", INSTALLED("p", "2"));
  quiet_scan("/usr/bin/p", "2", false);
}

/* A list that is altered in place moves no stamp, so what another reading would
 * find tells whether there was one. */
static void owners_are_read_again_only_when_the_database_changed(void **state) {
  (void)state;
  install(INSTALLED("p", "1"));
  quiet_scan("/usr/bin/p", "1", false);
  put(DPKG "info/p.list", "/usr/bin/p2\n");
  for (int i = 0; i < 3; i++)
    quiet_scan("/usr/bin/p", "1", false);
  /* Nor are those that are known when a new path is asked for. */
  begin();
  {
    size_t known = use("/usr/bin/p"), new = use("/usr/bin/p2");

    assert_int_equal(owners_ask(o), 0);
    settle_owners();
    expect(known, LONG_AGO, "1", false);
    expect(new, LONG_AGO, "1", false);
  }
  owners_end(o);
  replace(DPKG "status", INSTALLED("p", "1"));
  quiet_scan("/usr/bin/p", "", false);
}

/* The digest may be of either version. */
static void an_update_during_a_scan_is_in_transaction(void **state) {
  size_t p;

  (void)state;
  install(INSTALLED("p", "1"));
  quiet_scan("/usr/bin/p", "1", false);
  begin();
  p = use("/usr/bin/p");
  assert_int_equal(owners_ask(o), 0);
  replace(DPKG "status", INSTALLED("p", "2"));
  settle_owners();
  expect(p, LONG_AGO, "2", true);
  owners_end(o);
  quiet_scan("/usr/bin/p", "2", false);
}

static void an_update_during_the_first_scan_is_in_transaction(void **state) {
  size_t p;

  (void)state;
  install(INSTALLED("p", "1"));
  begin();
  p = use("/usr/bin/p");
  replace(DPKG "status", INSTALLED("p", "2"));
  assert_int_equal(owners_ask(o), 0);
  settle_owners();
  expect(p, LONG_AGO, "2", true);
  owners_end(o);
  quiet_scan("/usr/bin/p", "2", false);
}

static void another_packages_update_disturbs_only_what_changed(void **state) {
  int64_t now = time(NULL);
  size_t p;

  (void)state;
  install(INSTALLED("p", "1") INSTALLED("q", "1"));
  quiet_scan("/usr/bin/p", "1", false);
  begin();
  p = use("/usr/bin/p");
  assert_int_equal(owners_ask(o), 0);
  replace(DPKG "status", INSTALLED("p", "1") INSTALLED("q", "2"));
  settle_owners();
  expect(p, LONG_AGO, "1", false);
  /* A file that changed since may have come from anywhere. */
  expect(p, now + 1, "1", true);
  owners_end(o);
  begin();
  p = use("/usr/bin/p");
  settle_owners();
  expect(p, now + 1, "1", false);
  owners_end(o);
}

static void what_the_database_calls_under_way_is(void **state) {
  (void)state;
  install(STANZA("p", "install ok half-configured", "2", "amd64"));
  quiet_scan("/usr/bin/p", "2", true);
  quiet_scan("/usr/bin/p", "2", true);
  replace(DPKG "status", INSTALLED("p", "2"));
  quiet_scan("/usr/bin/p", "2", false);
}

static void a_transaction_that_ended_during_a_scan_holds_for_it(void **state) {
  size_t p;

  (void)state;
  install(STANZA("p", "install ok unpacked", "2", "amd64"));
  quiet_scan("/usr/bin/p", "2", true);
  begin();
  p = use("/usr/bin/p");
  assert_int_equal(owners_ask(o), 0);
  replace(DPKG "status", INSTALLED("p", "2"));
  settle_owners();
  expect(p, LONG_AGO, "2", true);
  owners_end(o);
  quiet_scan("/usr/bin/p", "2", false);
}

/* /usr/bin/p moves to q, which is being unpacked; p is settled and still lists
 * it. */
static void a_file_that_moves_is_in_transaction(void **state) {
  int64_t begun = time(NULL) - 100;
  size_t p;

  (void)state;
  install(INSTALLED("p", "1"));
  put_changed(DPKG "updates/0000",
              STANZA("q", "install reinstreq half-installed", "1", "amd64"),
              begun);
  for (int i = 0; i < 2; i++) {
    begin();
    p = use("/usr/bin/p");
    settle_owners();
    expect(p, begun - 1, "1", false);
    expect(p, begun, "1", true);
    expect(p, begun + 1, "1", true);
    owners_end(o);
  }
}

static void after_a_step_of_the_clock_times_say_nothing(void **state) {
  size_t p;

  (void)state;
  install(INSTALLED("p", "1"));
  quiet_scan("/usr/bin/p", "1", false);
  owners_clock_was_set(o);
  begin();
  p = use("/usr/bin/p");
  replace(DPKG "status", INSTALLED("p", "1"));
  settle_owners();
  expect(p, LONG_AGO, "1", true);
  owners_end(o);
  quiet_scan("/usr/bin/p", "1", false);
}

static void a_new_executable_waits_for_its_owner(void **state) {
  struct package p;
  size_t number;

  (void)state;
  install(INSTALLED("p", "1"));
  begin();
  number = use("/usr/bin/p");
  assert_int_equal(owners_get(o, number, LONG_AGO, &p), -EAGAIN);
  /* A scan whose time is up. */
  assert_int_equal(owners_ask(o), 0);
  assert_int_equal(owners_get(o, number, LONG_AGO, &p), -EAGAIN);
  owners_end(o);
  quiet_scan("/usr/bin/p", "1", false);
}

static void a_known_owner_stays_while_its_database_is_read(void **state) {
  int64_t now = time(NULL);
  size_t p;

  (void)state;
  install(INSTALLED("p", "1"));
  quiet_scan("/usr/bin/p", "1", false);
  replace(DPKG "status", INSTALLED("p", "2"));
  begin();
  p = use("/usr/bin/p");
  assert_int_equal(owners_ask(o), 0);
  /* Not settled: no answer has come. An old file is still the old version's,
   * a new one is perhaps not. */
  expect(p, LONG_AGO, "1", false);
  expect(p, now + 1, "1", true);
  owners_end(o);
  quiet_scan("/usr/bin/p", "2", false);
}

/* A list that takes a while to read. */
static void put_long_list(void) {
  static const char line[] = "/usr/share/something/that/nobody/asks/for\n";
  enum { LINES = 800000 };
  char *text = malloc(LINES * (sizeof(line) - 1));

  assert_non_null(text);
  for (size_t i = 0; i < LINES; i++)
    memcpy(text + i * (sizeof(line) - 1), line, sizeof(line) - 1);
  put_bytes(DPKG "info/long.list", text, LINES * (sizeof(line) - 1));
  free(text);
}

/* What is known is from before the walk; that must be found out even if the
 * scan's time is up while another path is still being looked for. */
static void an_update_is_seen_while_others_are_read(void **state) {
  int64_t now = time(NULL);
  size_t p;

  (void)state;
  install(INSTALLED("p", "1"));
  put_long_list();
  quiet_scan("/usr/bin/p", "1", false);
  begin();
  p = use("/usr/bin/p");
  (void)use("/usr/bin/p2");
  replace(DPKG "status", INSTALLED("p", "2"));
  assert_int_equal(owners_ask(o), 0);
  assert_int_equal(owners_settle(o, 0), 0);
  expect(p, now + 1, "1", true);
  expect(p, LONG_AGO, "1", false);
  owners_end(o);
}

/* Scan until the owner is known and its version is that, or it is no use. */
static struct package eventually(const char *path, const char *version) {
  struct package p = {.version = "never known"};

  for (int i = 0; i < 5000; i++) {
    size_t number;
    int ret;

    begin();
    number = use(path);
    assert_int_equal(owners_ask(o), 0);
    settle_owners();
    ret = owners_get(o, number, LONG_AGO, &p);
    owners_end(o);
    if (ret == 0 && strcmp(p.version, version) == 0)
      break;
    usleep(1000);
  }
  return p;
}

static void a_database_that_fails_is_given_up(void **state) {
  int64_t now = time(NULL);
  size_t p;

  (void)state;
  install(INSTALLED("p", "1"));
  quiet_scan("/usr/bin/p", "1", false);
  assert_int_equal(unlink(in_dir(DPKG "status")), 0);
  assert_int_equal(mkfifo(in_dir(DPKG "status"), 0666), 0);
  /* What is known stays, what is new has none, perhaps a few scans later. */
  quiet_scan("/usr/bin/p", "1", false);
  assert_string_equal(eventually("/usr/bin/p2", "").version, "");
  quiet_scan("/usr/bin/p", "1", false);
  assert_string_equal(owners_failure(o).manager, "dpkg");
  /* But a file that changed may be of the version that can't be read. */
  begin();
  p = use("/usr/bin/p");
  settle_owners();
  expect(p, now + 1, "1", true);
  owners_end(o);
  assert_int_equal(unlink(in_dir(DPKG "status")), 0);
  put(DPKG "status", INSTALLED("p", "2"));
  assert_string_equal(eventually("/usr/bin/p2", "2").version, "2");
  quiet_scan("/usr/bin/p", "2", false);
}

static void a_database_that_goes_takes_its_owners_along(void **state) {
  (void)state;
  install(INSTALLED("p", "1"));
  quiet_scan("/usr/bin/p", "1", false);
  assert_int_equal(unlink(in_dir(DPKG "status")), 0);
  quiet_scan("/usr/bin/p", "", false);
}

static void hang_and_go_on(const char *folder) {
  size_t number;
  pid_t bindfs;

  owners_free(o);
  close(proc_fd);
  make_owners(300);
  install(INSTALLED("p", "1"));
  bindfs = hang_folder(folder);
  quiet_scan("/usr/bin/p", "1", false);
  kill(bindfs, SIGSTOP);
  usleep(1200000); /* FUSE believes what it knows for a second */
  begin();
  number = use("/usr/bin/p");
  assert_int_equal(owners_ask(o), 0);
  settle_owners();
  expect(number, LONG_AGO, "1", false);
  expect(number, time(NULL) + 1, "1", true);
  owners_end(o);
  assert_string_equal(eventually("/usr/bin/p2", "").version, "");
  assert_int_equal(owners_failure(o).error, -ETIMEDOUT);
  kill(bindfs, SIGCONT);
  assert_string_equal(eventually("/usr/bin/p2", "1").version, "1");
  assert_null(owners_failure(o).manager);
}

static void a_database_that_hangs_is_given_up(void **state) {
  (void)state;
  hang_and_go_on(DPKG);
}

/* Nothing is looked up below it: it is the folder itself that is asked. */
static void a_hung_folder_of_it_is_given_up(void **state) {
  (void)state;
  hang_and_go_on(DPKG "info");
}

static void memory_follows_what_is_in_use(void **state) {
  char path[64];

  (void)state;
  install(INSTALLED("p", "1"));
  for (int scan = 0; scan < 10; scan++) {
    begin();
    for (int i = 0; i < 300; i++) {
      size_t number;

      snprintf(path, sizeof(path), "/usr/bin/%d-%d", scan, i);
      number = use(path);
      /* Numbers count what is remembered. */
      assert_in_range(number, 0, 3 * 300 + 256);
    }
    settle_owners();
    owners_end(o);
  }
  quiet_scan("/usr/bin/p", "1", false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_quiet_database_is_told_as_it_is),
      TEST(an_update_between_two_scans_is_told_at_once),
      TEST(owners_are_read_again_only_when_the_database_changed),
      TEST(an_update_during_a_scan_is_in_transaction),
      TEST(an_update_during_the_first_scan_is_in_transaction),
      TEST(another_packages_update_disturbs_only_what_changed),
      TEST(what_the_database_calls_under_way_is),
      TEST(a_transaction_that_ended_during_a_scan_holds_for_it),
      TEST(a_file_that_moves_is_in_transaction),
      TEST(after_a_step_of_the_clock_times_say_nothing),
      TEST(a_new_executable_waits_for_its_owner),
      TEST(a_known_owner_stays_while_its_database_is_read),
      TEST(an_update_is_seen_while_others_are_read),
      TEST(a_database_that_fails_is_given_up),
      TEST(a_database_that_goes_takes_its_owners_along),
      TEST(a_database_that_hangs_is_given_up),
      TEST(a_hung_folder_of_it_is_given_up),
      TEST(memory_follows_what_is_in_use),
  };

  alarm(120); /* what is waited for must end by itself */
  return cmocka_run_group_tests(tests, NULL, NULL);
}
