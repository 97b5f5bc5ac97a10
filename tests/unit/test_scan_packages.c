/* Goal: each record of a file on the host has the package of its path, no other
 * has one, and none is told before its package is known. */
#include "tests/unit/made_dpkg.h"
#include "tests/unit/scan_tree.h"

static int set_up(void **state) {
  int ret = set_up_tree(state);
  char list[256];

  options.package_root = test_dir;
  put(DPKG "status", INSTALLED("p", "1:2-3"));
  snprintf(list, sizeof(list), "%s/app\n/app\n", test_dir);
  put(DPKG "info/p.list", list);
  return ret;
}

static int tear_down(void **state) {
  (void)umount2(in_dir(DPKG), MNT_DETACH);
  return remove_dir(state);
}

static struct record scan_one(struct scanner *s) {
  struct snapshot *snapshot = scan_once(s);
  struct record r;

  assert_int_equal(snapshot->records_len, 1);
  r = snapshot->records[0];
  r.exe_path = NULL;
  snapshot_free(snapshot);
  return r;
}

static void a_record_has_its_package(void **state) {
  struct scanner *s;

  (void)state;
  add(1, (struct made_up){.exe = make_file("app", 1000, 'a')});
  s = new_scanner(&options);
  /* In the first scan, and when it takes but a glance. */
  for (int i = 0; i < 3; i++) {
    struct record r = scan_one(s);

    assert_int_equal(r.state, EXE_CURRENT);
    assert_string_equal(r.package.manager, "dpkg");
    assert_string_equal(r.package.name, "p");
    assert_string_equal(r.package.version, "1:2-3");
    assert_string_equal(r.package.arch, "amd64");
    assert_false(r.package.in_transaction);
  }
  scanner_free(s);
}

static void none_is_told_where_it_is_not_wanted(void **state) {
  struct scanner *s;

  (void)state;
  add(1, (struct made_up){.exe = make_file("app", 1000, 'a')});
  options.packages = false;
  s = new_scanner(&options);
  assert_string_equal(scan_one(s).package.manager, "");
  scanner_free(s);
}

static void a_file_that_no_package_has_is_nobodys(void **state) {
  struct scanner *s;

  (void)state;
  add(1, (struct made_up){.exe = make_file("other", 1000, 'a')});
  s = new_scanner(&options);
  assert_string_equal(scan_one(s).package.manager, "");
  scanner_free(s);
}

static void a_file_on_fuse_is_nobodys(void **state) {
  const char *app = make_file("app", 1000, 'a');
  struct scanner *s;
  struct record r;

  (void)state;
  add(1, (struct made_up){.exe = app});
  call_mount(app, "fuse.bindfs");
  s = new_scanner(&options);
  r = scan_one(s);
  assert_int_equal(r.state, EXE_CURRENT);
  assert_string_equal(r.package.manager, "");
  scanner_free(s);
}

static void an_update_reaches_the_record(void **state) {
  struct scanner *s;

  (void)state;
  add(1, (struct made_up){.exe = make_file("app", 1000, 'a')});
  s = new_scanner(&options);
  assert_string_equal(scan_one(s).package.version, "1:2-3");
  put("new", STANZA("p", "install ok half-configured", "1:3", "amd64"));
  assert_int_equal(rename(in_dir("new"), in_dir(DPKG "status")), 0);
  assert_string_equal(scan_one(s).package.version, "1:3");
  assert_true(scan_one(s).package.in_transaction);
  scanner_free(s);
}

static void no_digest_is_told_before_its_package(void **state) {
  struct scanner *s;
  struct record r;
  pid_t bindfs;

  (void)state;
  add(1, (struct made_up){.exe = make_file("app", 1000, 'a')});
  bindfs = hang_folder(DPKG);
  kill(bindfs, SIGSTOP);
  usleep(1200000); /* FUSE believes what it knows for a second */
  options.scan_timeout_ms = 500;
  options.file_timeout_ms = 100000;
  s = new_scanner(&options);
  r = scan_one(s);
  assert_int_equal(r.state, EXE_UNREADABLE);
  assert_int_equal(r.reason, EXE_REASON_PENDING);
  assert_false(r.has_exe_sha256);
  kill(bindfs, SIGCONT);
  for (int i = 0; i < 5000 && r.state != EXE_CURRENT; i++) {
    usleep(1000);
    r = scan_one(s);
  }
  assert_int_equal(r.state, EXE_CURRENT);
  assert_string_equal(r.package.name, "p");
  scanner_free(s);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(a_record_has_its_package),
      CASE(none_is_told_where_it_is_not_wanted),
      CASE(a_file_that_no_package_has_is_nobodys),
      CASE(a_file_on_fuse_is_nobodys),
      CASE(an_update_reaches_the_record),
      CASE(no_digest_is_told_before_its_package),
  };

  alarm(120); /* what is waited for must end by itself */
  return cmocka_run_group_tests(tests, NULL, NULL);
}
