/* Goal: a dpkg database that an attacker wrote, or that can't be read, does no
 * more than say nothing, or that it can't be read. */
#include <sys/fsuid.h>

#include "tests/unit/made_dpkg.h"

static void garbage_around_it_hides_no_package(void **state) {
  static const char status[] =
      "\n\n\nno colon here\n\n"
      ": empty name\n\n"
      "Package:\nStatus: install ok installed\nVersion: 1\n\n"
      "Package: p\n\nStatus: install ok installed\nVersion: 1\n\n"
      "Package: p/../q\nStatus: install ok installed\nVersion: 1\n"
      "Architecture: all\n\n"
      "\xff\xfe\x80: \xff\n"
      "pAcKaGe:\tp  \n \n"
      "PACKAGE:\tp  \nstatus:install ok installed\n"
      "VERSION: 3 \narchitecture: all\n\tPackage: q\n Version: 9\n   \t\n"
      "Package: p";

  (void)state;
  put(DPKG "status", status);
  put(DPKG "info/p.list", "relative\n\n/\n//\n/usr/bin/p\n\xff\xfe\n");
  expect_package("/usr/bin/p", "p", "3");
}

static void a_stanza_without_what_a_package_needs_owns_nothing(void **state) {
  static const char *const bad[] = {
      "Package: p\nStatus: install ok installed\nArchitecture: all\n",
      "Package: p\nStatus: install ok installed\nVersion: 1\n",
      "Package: p\nStatus: install ok installed\nArchitecture: all\nVersion: "
      "1 2\n",
      "Package: p\nStatus: install ok installed\nArchitecture: a:b\nVersion: "
      "1\n",
      "Package: p\nStatus: install ok installed\nArchitecture: all\nVersion: "
      "=\xff\n",
      "Package: p\nVersion: 1\nArchitecture: all\n",
  };

  (void)state;
  put(DPKG "info/p.list", "/usr/bin/p\n");
  put(DPKG "status", INSTALLED("p", "1"));
  expect_package("/usr/bin/p", "p", "1");
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    put(DPKG "status", bad[i]);
    expect_package("/usr/bin/p", "", "");
  }
}

static void bytes_of_zero_end_nothing(void **state) {
  static const char status[] =
      "Package: p\0q\nStatus: install ok installed\n"
      "Version: 1\nArchitecture: all\n\n" INSTALLED("p", "2");
  static const char list[] = "/usr/bin/q\0/usr/bin/p\n/usr/bin/p\0\n/usr/bin/r";

  (void)state;
  put_bytes(DPKG "status", status, sizeof(status) - 1);
  put_bytes(DPKG "info/p.list", list, sizeof(list) - 1);
  expect_package("/usr/bin/r", "p", "2");
  expect_package("/usr/bin/p", "", "");
  expect_package("/usr/bin/q", "", "");
}

static void endless_lines_are_skipped(void **state) {
  enum { LONG = 3 * LINES_BUFFER + 17 };
  char *text = malloc(LONG + 1024);
  size_t len;

  (void)state;
  assert_non_null(text);
  memset(text, '/', LONG);
  len = LONG;
  len += (size_t)snprintf(text + len, 1024, "\n/usr/bin/p\n");
  put_bytes(DPKG "info/p.list", text, len);
  memset(text, 'x', LONG);
  text[7] = ':'; /* a field, as Depends is */
  len = LONG;
  len += (size_t)snprintf(text + len, 1024,
                          "\nPackage: p\nStatus: install ok installed\n"
                          "Version: 1\nArchitecture: all\n");
  put_bytes(DPKG "status", text, len);
  /* An entry of three lines of which one is endless is none. */
  memset(text, '/', LONG);
  len = LONG;
  len += (size_t)snprintf(text + len, 1024,
                          "\n/usr/bin/p\n:\n/usr/bin/p\n/usr/bin/q\n:\n");
  put_bytes(DPKG "diversions", text, len);
  expect_package("/usr/bin/q", "p", "1");
  expect_package("/usr/bin/p", "", "");
  free(text);
}

static void a_line_as_long_as_the_buffer_is_whole(void **state) {
  char *text = malloc(LINES_BUFFER + 64);

  (void)state;
  assert_non_null(text);
  for (size_t over = 0; over < 3; over++) {
    size_t len = LINES_BUFFER - 1 + over;

    memset(text, 'x', len);
    len += (size_t)snprintf(text + len, 64, "\n/usr/bin/p\n");
    put_bytes(DPKG "info/p.list", text, len);
    put(DPKG "status", INSTALLED("p", "1"));
    expect_package("/usr/bin/p", "p", "1");
  }
  free(text);
}

static void the_end_of_an_endless_line_is_no_line(void **state) {
  char *text = malloc(LINES_BUFFER + 64);
  size_t len = LINES_BUFFER;

  (void)state;
  assert_non_null(text);
  memset(text, 'x', len);
  len += (size_t)snprintf(text + len, 64, "/usr/bin/end\n/usr/bin/p\n");
  put_bytes(DPKG "info/p.list", text, len);
  put(DPKG "status", INSTALLED("p", "1"));
  expect_package("/usr/bin/p", "p", "1");
  expect_package("/usr/bin/end", "", "");
  free(text);
}

static void what_is_no_file_is_never_waited_for(void **state) {
  (void)state;
  put(DPKG "status", INSTALLED("p", "1"));
  put(DPKG "info/p.list", "/usr/bin/p\n");
  assert_int_equal(mkfifo(in_dir(DPKG "info/fifo.list"), 0666), 0);
  assert_int_equal(mkdir(in_dir(DPKG "info/folder.list"), 0755), 0);
  put_link(DPKG "info/loop.list", "loop.list");
  put_link(DPKG "info/zero.list", "/dev/zero");
  put_link(DPKG "info/dangling.list", "nowhere");
  assert_int_equal(mkfifo(in_dir(DPKG "updates/0001"), 0666), 0);
  assert_int_equal(mkdir(in_dir(DPKG "updates/0002"), 0755), 0);
  assert_int_equal(mkfifo(in_dir(DPKG "diversions"), 0666), 0);
  expect_package("/usr/bin/p", "p", "1");
}

static void a_status_that_is_no_file_is_an_error(void **state) {
  const char *path = "/usr/bin/p";
  struct package_db_query query = {
      .root_fd = root_fd, .paths = &path, .len = 1};
  struct package owner = {.manager = ""};

  (void)state;
  put(DPKG "info/p.list", "/usr/bin/p\n");
  assert_int_equal(dpkg_db.find(&query, &owner, &changing_s), -ENOENT);
  assert_int_equal(mkfifo(in_dir(DPKG "status"), 0666), 0);
  assert_int_equal(dpkg_db.find(&query, &owner, &changing_s), -EINVAL);
  assert_int_equal(unlink(in_dir(DPKG "status")), 0);
  assert_int_equal(mkdir(in_dir(DPKG "status"), 0755), 0);
  assert_int_equal(dpkg_db.find(&query, &owner, &changing_s), -EINVAL);
  assert_int_equal(rmdir(in_dir(DPKG "status")), 0);
  put(DPKG "status", "");
  assert_int_equal(truncate(in_dir(DPKG "status"), (off_t)1 << 40), 0);
  assert_int_equal(dpkg_db.find(&query, &owner, &changing_s), -EFBIG);
  assert_string_equal(owner.manager, "");
}

static void links_do_not_lead_out_of_the_root(void **state) {
  char outside[128];

  (void)state;
  /* From here this is the root's etc/status, which is not there. */
  put(DPKG "info/p.list", "/usr/bin/p\n");
  put("real/status", INSTALLED("p", "1"));
  snprintf(outside, sizeof(outside), "%s/real/status", test_dir);
  put_link(DPKG "status", outside);
  {
    const char *path = "/usr/bin/p";
    struct package_db_query query = {
        .root_fd = root_fd, .paths = &path, .len = 1};
    struct package owner = {.manager = ""};

    assert_int_equal(dpkg_db.find(&query, &owner, &changing_s), -ENOENT);
  }
  assert_int_equal(unlink(in_dir(DPKG "status")), 0);
  put_link(DPKG "status", "/real/status");
  expect_package("/usr/bin/p", "p", "1");
}

static void missing_lists_and_folders_are_no_error(void **state) {
  (void)state;
  put(DPKG "status", INSTALLED("p", "1"));
  expect_package("/usr/bin/p", "", "");
  assert_int_equal(unlink(in_dir(DPKG "info/.empty")), 0);
  assert_int_equal(rmdir(in_dir(DPKG "info")), 0);
  assert_int_equal(unlink(in_dir(DPKG "updates/.empty")), 0);
  assert_int_equal(rmdir(in_dir(DPKG "updates")), 0);
  expect_package("/usr/bin/p", "", "");
}

/* As the subagent reads it, which is not always root. */
static int find_as_nobody(void) {
  const char *path = "/usr/bin/p";
  struct package_db_query query = {
      .root_fd = root_fd, .paths = &path, .len = 1};
  struct package owner = {.manager = ""};
  int ret;

  (void)setfsuid(65534);
  ret = dpkg_db.find(&query, &owner, &changing_s);
  (void)setfsuid(0);
  return ret;
}

/* A journal entry that is left out is an old version in the place of a new
 * one, a list that is left out a file that nobody owns. */
static void what_must_not_be_read_is_an_error(void **state) {
  static const char *const parts[] = {DPKG "updates/0000", DPKG "updates",
                                      DPKG "info/p.list",  DPKG "info",
                                      DPKG "diversions",   DPKG "status"};

  (void)state;
  if (geteuid() != 0)
    skip();
  put(DPKG "status", INSTALLED("p", "1"));
  put(DPKG "info/p.list", "/usr/bin/p\n");
  put(DPKG "updates/0000", INSTALLED("p", "2"));
  put(DPKG "diversions", "");
  assert_int_equal(chmod(test_dir, 0755), 0);
  assert_int_equal(find_as_nobody(), 0);
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    assert_int_equal(chmod(in_dir(parts[i]), 0700), 0);
    assert_int_equal(find_as_nobody(), -EACCES);
    assert_int_equal(chmod(in_dir(parts[i]), 0755), 0);
  }
}

static void a_name_that_is_no_utf8_finds_its_list(void **state) {
  (void)state;
  put(DPKG "status", INSTALLED("p", "1"));
  put(DPKG "info/\xff\xfe.list", "/usr/bin/p\n");
  put(DPKG "info/p.list", "/usr/bin/\xff\n");
  expect_package("/usr/bin/p", "", "");
  expect_package("/usr/bin/\xff", "p", "1");
}

static bool never(void *arg) {
  ++*(int *)arg;
  return false;
}

static void who_asks_may_give_up(void **state) {
  const char *path = "/usr/bin/p";
  int calls = 0;
  struct package_db_query query = {.root_fd = root_fd,
                                   .paths = &path,
                                   .len = 1,
                                   .progress = never,
                                   .arg = &calls};
  struct package owner = {.manager = ""};

  (void)state;
  put(DPKG "status", INSTALLED("p", "1"));
  put(DPKG "info/p.list", "/usr/bin/p\n");
  assert_int_equal(dpkg_db.find(&query, &owner, &changing_s), -ECANCELED);
  assert_int_equal(calls, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(garbage_around_it_hides_no_package),
      TEST(a_stanza_without_what_a_package_needs_owns_nothing),
      TEST(bytes_of_zero_end_nothing),
      TEST(endless_lines_are_skipped),
      TEST(a_line_as_long_as_the_buffer_is_whole),
      TEST(the_end_of_an_endless_line_is_no_line),
      TEST(what_is_no_file_is_never_waited_for),
      TEST(a_status_that_is_no_file_is_an_error),
      TEST(links_do_not_lead_out_of_the_root),
      TEST(missing_lists_and_folders_are_no_error),
      TEST(what_must_not_be_read_is_an_error),
      TEST(a_name_that_is_no_utf8_finds_its_list),
      TEST(who_asks_may_give_up),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
