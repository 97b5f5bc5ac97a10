/* Goal: whatever path is asked for, the package is found that dpkg itself would
 * name, with the version that it has now, and a change of the database shows.
 */
#include <malloc.h>

#include "tests/unit/made_dpkg.h"

static void a_path_has_its_package(void **state) {
  (void)state;
  put(DPKG "status",
      INSTALLED("g++-12", "1:12.2.0-14+b1~x") INSTALLED("b", "2"));
  put(DPKG "info/g++-12.list", "/.\n/usr\n/usr/bin\n/usr/bin/g++-12\n");
  put(DPKG "info/b.list", "/.\n/usr/bin/b\n/usr/bin/last");
  expect_package("/usr/bin/g++-12", "g++-12", "1:12.2.0-14+b1~x");
  expect_package("/usr/bin/b", "b", "2");
  expect_package("/usr/bin/last", "b", "2");
  expect_package("/usr/bin/nobody", "", "");
  expect_package("/usr/bin/g++", "", "");
  expect_package("/usr/bin/", "", "");
  assert_string_equal(ask_package("/usr/bin/b").arch, "amd64");
  assert_false(ask_package("/usr/bin/b").in_transaction);
  assert_int_equal(changing_s, PACKAGE_DB_SETTLED);
}

static void merged_usr_is_one_in_both_directions(void **state) {
  (void)state;
  put("usr/bin/x", "");
  put("usr/sbin/x", "");
  put_link("bin", "usr/bin");
  put_link("sbin", "/usr/sbin");
  put(DPKG "status", INSTALLED("old", "1") INSTALLED("new", "2"));
  put(DPKG "info/old.list", "/bin/sh\n/sbin/init\n/lib/kept\n");
  put(DPKG "info/new.list", "/usr/bin/env\n");
  expect_package("/usr/bin/sh", "old", "1");
  expect_package("/bin/sh", "old", "1");
  expect_package("/usr/sbin/init", "old", "1");
  expect_package("/bin/env", "new", "2");
  expect_package("/usr/bin/env", "new", "2");
  /* The root has no link for /lib. */
  expect_package("/lib/kept", "old", "1");
  expect_package("/usr/lib/kept", "", "");
}

static void an_unmerged_usr_is_two(void **state) {
  (void)state;
  put("usr/bin/x", "");
  put("bin/x", "");
  put(DPKG "status", INSTALLED("a", "1"));
  put(DPKG "info/a.list", "/bin/x\n");
  expect_package("/bin/x", "a", "1");
  expect_package("/usr/bin/x", "", "");
}

static void a_diverted_file_belongs_to_whose_it_is(void **state) {
  (void)state;
  put(DPKG "status", INSTALLED("dash", "1") INSTALLED("bash", "2"));
  put(DPKG "info/dash.list", "/bin/sh\n");
  put(DPKG "info/bash.list", "/bin/sh\n/bin/local\n");
  put(DPKG "diversions", "/bin/sh\n/bin/sh.distrib\ndash\n"
                         "/bin/local\n/bin/local.real\n:\n");
  expect_package("/bin/sh", "dash", "1");
  expect_package("/bin/sh.distrib", "bash", "2");
  expect_package("/bin/local", "", "");
  expect_package("/bin/local.real", "bash", "2");
  /* Without the diversion both list the path. */
  put(DPKG "diversions", "");
  expect_package("/bin/sh", "bash", "2");
  expect_package("/bin/sh.distrib", "", "");
}

static void diversions_of_several_architectures_are_one_packages(void **state) {
  (void)state;
  put(DPKG "status",
      STANZA("m", "install ok installed", "1", "i386") INSTALLED("o", "2"));
  put(DPKG "info/m:i386.list", "/usr/bin/d\n");
  put(DPKG "info/o.list", "/usr/bin/d\n");
  put(DPKG "diversions", "/usr/bin/d\n/usr/bin/d.o\nm\n");
  expect_package("/usr/bin/d", "m", "1");
  expect_package("/usr/bin/d.o", "o", "2");
}

static void an_alternative_leads_to_its_targets_package(void **state) {
  (void)state;
  put("usr/bin/vim.basic", "");
  put("etc/alternatives/.empty", "");
  put_link("etc/alternatives/vi", "/usr/bin/vim.basic");
  put_link("usr/bin/vi", "/etc/alternatives/vi");
  put_link("usr/bin/relative", "../bin/./vim.basic");
  put_link("usr/bin/owned", "vim.basic");
  put_link("usr/bin/loop", "loop");
  put_link("usr/bin/out", "../../../../../../usr/bin/vim.basic");
  put(DPKG "status", INSTALLED("vim", "2:9") INSTALLED("owner", "1"));
  put(DPKG "info/vim.list", "/usr/bin/vim.basic\n");
  put(DPKG "info/owner.list", "/usr/bin/owned\n");
  expect_package("/usr/bin/vi", "vim", "2:9");
  expect_package("/usr/bin/relative", "vim", "2:9");
  expect_package("/usr/bin/owned", "owner", "1");
  expect_package("/usr/bin/loop", "", "");
  expect_package("/usr/bin/out", "vim", "2:9");
}

/* Whoever runs a file of his own and then puts a link in its place would have
 * what runs taken for the package's. */
static void a_link_that_is_anyones_leads_nowhere(void **state) {
  (void)state;
  if (geteuid() != 0)
    skip();
  put("usr/bin/vim.basic", "");
  put("home/u/.empty", "");
  put_link("usr/bin/vi", "vim.basic");
  put_link("home/u/x", "/usr/bin/vim.basic");
  put_link("home/u/d", "/usr/bin");
  put(DPKG "status", INSTALLED("vim", "2:9"));
  put(DPKG "info/vim.list", "/usr/bin/vim.basic\n");
  expect_package("/usr/bin/vi", "vim", "2:9");
  expect_package("/home/u/x", "vim", "2:9");
  assert_int_equal(lchown(in_dir("home/u/x"), 1000, 1000), 0);
  assert_int_equal(lchown(in_dir("home/u/d"), 1000, 1000), 0);
  expect_package("/home/u/x", "", "");
  expect_package("/home/u/d/vi", "", "");
}

static void each_architecture_has_its_version(void **state) {
  (void)state;
  put(DPKG "status", STANZA("lib", "install ok installed", "1", "amd64")
                         STANZA("lib", "install ok installed", "2", "i386"));
  put(DPKG "info/lib:amd64.list", "/usr/lib/a/tool\n/usr/bin/both\n");
  put(DPKG "info/lib:i386.list", "/usr/lib/i/tool\n/usr/bin/both\n");
  expect_package("/usr/lib/a/tool", "lib", "1");
  expect_package("/usr/lib/i/tool", "lib", "2");
  assert_string_equal(ask_package("/usr/lib/i/tool").arch, "i386");
  expect_package("/usr/bin/both", "lib", "1");
}

static void a_list_without_architecture_is_the_installed_ones(void **state) {
  (void)state;
  put(DPKG "status",
      STANZA("p", "deinstall ok config-files", "1", "i386")
          STANZA("p", "install ok installed", "2", "amd64")
              STANZA("p", "deinstall ok config-files", "3", "armhf"));
  put(DPKG "info/p.list", "/usr/bin/p\n");
  expect_package("/usr/bin/p", "p", "2");
}

static void of_several_packages_one_is_the_same_each_time(void **state) {
  (void)state;
  put(DPKG "status", INSTALLED("z", "1") INSTALLED("a", "2") STANZA(
                         "0", "deinstall ok config-files", "3", "amd64"));
  put(DPKG "info/z.list", "/usr/bin/x\n");
  put(DPKG "info/a.list", "/usr/bin/x\n");
  put(DPKG "info/0.list", "/usr/bin/x\n");
  expect_package("/usr/bin/x", "a", "2");
}

static void states_say_what_is_there_and_what_is_under_way(void **state) {
  static const struct {
    const char *status;
    bool owns, under_way;
  } cases[] = {
      {"install ok installed", true, false},
      {"hold ok installed", true, false},
      {"deinstall ok installed", true, false},
      {"install ok triggers-pending", true, false},
      {"install ok triggers-awaited", true, false},
      {"install reinstreq installed", true, true},
      {"install ok half-installed", true, true},
      {"install ok unpacked", true, true},
      {"install ok half-configured", true, true},
      {"deinstall ok config-files", false, false},
      {"purge ok not-installed", false, false},
      {"install ok new-in-a-later-dpkg", false, false},
      {"install ok", false, false},
      {"", false, false},
  };

  (void)state;
  put(DPKG "info/p.list", "/usr/bin/p\n");
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char text[256];
    struct package owner;

    snprintf(text, sizeof(text),
             "Package: p\nStatus: %s\nVersion: 1\nArchitecture: all\n",
             cases[i].status);
    put(DPKG "status", text);
    owner = ask_package("/usr/bin/p");
    assert_int_equal(owner.manager[0] != '\0', cases[i].owns);
    assert_int_equal(owner.in_transaction, cases[i].under_way);
    assert_int_equal(changing_s, PACKAGE_DB_SETTLED);
  }
}

/* A journal as dpkg 1.21 wrote it while it upgraded pdna-a from 1:1.0-1 to
 * 1:2.0-1, which took /usr/bin/moved over from pdna-b, and installed pdna-z. */
static void a_real_journal_is_followed_entry_by_entry(void **state) {
  static const char data[] = "tests/unit/data/dpkg-upgrade";
  static const struct {
    const char *version;
    bool under_way, changing;
  } after[] = {
      {"1:1.0-1", true, false}, {"1:1.0-1", true, false},
      {"1:1.0-1", true, true},  {"1:1.0-1", true, true},
      {"1:1.0-1", true, true},  {"1:2.0-1", true, true},
      {"1:2.0-1", true, true},  {"1:2.0-1", true, true},
      {"1:2.0-1", true, true},  {"1:2.0-1", true, true},
      {"1:2.0-1", true, true},  {"1:2.0-1", true, true},
      {"1:2.0-1", false, true}, {"1:2.0-1", false, true},
      {"1:2.0-1", false, true},
  };
  char from[256], to[64];

  (void)state;
  snprintf(from, sizeof(from), "%s/status", data);
  copy_file(from, in_dir(DPKG "status"));
  snprintf(from, sizeof(from), "%s/before/pdna-a.list", data);
  copy_file(from, in_dir(DPKG "info/pdna-a.list"));
  snprintf(from, sizeof(from), "%s/before/pdna-b.list", data);
  copy_file(from, in_dir(DPKG "info/pdna-b.list"));
  expect_package("/usr/bin/pdnad", "pdna-a", "1:1.0-1");
  expect_package("/usr/bin/moved", "pdna-b", "5+b~1");
  for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
    snprintf(from, sizeof(from), "%s/updates/%04zu", data, i);
    snprintf(to, sizeof(to), DPKG "updates/%04zu", i);
    copy_file(from, in_dir(to));
    if (i == 4) {
      snprintf(from, sizeof(from), "%s/after/pdna-a.list", data);
      copy_file(from, in_dir(DPKG "info/pdna-a.list"));
    }
    expect_package("/usr/bin/pdnad", "pdna-a", after[i].version);
    assert_int_equal(ask_package("/usr/bin/pdnad").in_transaction,
                     after[i].under_way);
    assert_int_equal(changing_s != PACKAGE_DB_SETTLED, after[i].changing);
    if (i < 4)
      assert_string_equal(ask_package("/usr/bin/moved").name, "pdna-b");
    else
      expect_package("/usr/bin/moved", "pdna-a", after[i].version);
  }
}

static void a_journal_deleted_from_its_beginning_stays_right(void **state) {
  char name[64];

  (void)state;
  put(DPKG "status", INSTALLED("p", "2"));
  put(DPKG "info/p.list", "/usr/bin/p\n");
  put(DPKG "updates/0000",
      STANZA("p", "install reinstreq half-installed", "1", "amd64"));
  put(DPKG "updates/0001", STANZA("p", "install ok unpacked", "2", "amd64"));
  put(DPKG "updates/0002", INSTALLED("p", "2"));
  put(DPKG "updates/tmp.i", INSTALLED("p", "9"));
  put(DPKG "updates/00031", INSTALLED("p", "9"));
  for (int i = 0; i < 3; i++) {
    expect_package("/usr/bin/p", "p", "2");
    assert_false(ask_package("/usr/bin/p").in_transaction);
    snprintf(name, sizeof(name), DPKG "updates/%04d", i);
    assert_int_equal(unlink(in_dir(name)), 0);
  }
  expect_package("/usr/bin/p", "p", "2");
}

static void the_journal_says_that_a_package_has_gone(void **state) {
  (void)state;
  put(DPKG "status", INSTALLED("p", "2"));
  put(DPKG "info/p.list", "/usr/bin/p\n");
  put(DPKG "updates/0000",
      "Package: p\nStatus: unknown ok not-installed\nArchitecture: amd64\n");
  expect_package("/usr/bin/p", "", "");
}

static void a_file_that_moves_is_told_by_when_it_changed(void **state) {
  struct timespec times[2] = {{.tv_sec = 5000}, {.tv_sec = 5000}};

  (void)state;
  put(DPKG "status", INSTALLED("from", "1") INSTALLED("to", "1"));
  put(DPKG "info/from.list", "/usr/bin/x\n");
  put(DPKG "updates/0007",
      STANZA("to", "install reinstreq half-installed", "1", "amd64"));
  assert_int_equal(utimensat(AT_FDCWD, in_dir(DPKG "updates/0007"), times, 0),
                   0);
  expect_package("/usr/bin/x", "from", "1");
  assert_int_equal(changing_s, 5000);
  /* Of several the first to change counts. */
  put(DPKG "updates/0008",
      STANZA("other", "install reinstreq half-installed", "1", "amd64"));
  expect_package("/usr/bin/x", "from", "1");
  assert_int_equal(changing_s, 5000);
}

static uint64_t stamp(void) {
  uint64_t cached = 0, asked = 1;

  assert_int_equal(dpkg_db.stamp(root_fd, false, &asked), 0);
  assert_int_equal(dpkg_db.stamp(root_fd, true, &cached), 0);
  assert_int_equal(cached, asked);
  return asked;
}

/* The way in which dpkg replaces a file. */
static void replace(const char *name, const char *text) {
  put("new", text);
  assert_int_equal(rename(in_dir("new"), in_dir(name)), 0);
}

static void the_stamp_changes_with_the_database(void **state) {
  static const char *const names[] = {DPKG "status", DPKG "diversions",
                                      DPKG "updates/0000", DPKG "info/p.list"};
  uint64_t last;

  (void)state;
  assert_int_equal(dpkg_db.stamp(root_fd, false, &last), -ENOENT);
  put(DPKG "status", INSTALLED("p", "1"));
  last = stamp();
  assert_int_equal(stamp(), last);
  for (size_t i = 0; i < 2 * sizeof(names) / sizeof(names[0]); i++) {
    /* Time stamps of files have the grain of the kernel's clock. */
    usleep(20000);
    replace(names[i / 2], INSTALLED("p", "1"));
    assert_int_not_equal(stamp(), last);
    last = stamp();
    assert_int_equal(stamp(), last);
  }
  usleep(20000);
  assert_int_equal(unlink(in_dir(DPKG "updates/0000")), 0);
  assert_int_not_equal(stamp(), last);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

/* Packages "p0" and on, each with as many files. */
static void make_database(int packages, int files) {
  size_t size = (size_t)packages * 256 + (size_t)files * 64;
  char *text = malloc(size), name[64];
  size_t len = 0;

  assert_non_null(text);
  for (int i = 0; i < packages; i++)
    len += (size_t)snprintf(text + len, size - len, INSTALLED("p%d", "1.%d"), i,
                            i);
  put_bytes(DPKG "status", text, len);
  for (int i = 0; i < packages; i++) {
    len = 0;
    for (int k = 0; k < files; k++)
      len +=
          (size_t)snprintf(text + len, size - len, "/usr/bin/p%d-%d\n", i, k);
    snprintf(name, sizeof(name), DPKG "info/p%d.list", i);
    put_bytes(name, text, len);
  }
  free(text);
}

static size_t memory(void) {
  const struct mallinfo2 m = mallinfo2();

  return m.uordblks + m.hblkhd;
}

static bool note_memory(void *most) {
  size_t *so_far = most;

  if (memory() > *so_far)
    *so_far = memory();
  return true;
}

enum { ASKED_MAX = 1000 };

/* The most that is in use while so many paths are asked for, of which two are
 * a package's. */
static size_t memory_of_asking(size_t len) {
  static char texts[ASKED_MAX][32];
  static const char *paths[ASKED_MAX] = {"/usr/bin/p0-0", "/usr/bin/p1-9"};
  static struct package owners[ASKED_MAX];
  size_t before = memory(), most = before;
  struct package_db_query query = {.root_fd = root_fd,
                                   .paths = paths,
                                   .len = len,
                                   .progress = note_memory,
                                   .arg = &most};

  memset(owners, 0, sizeof(owners));
  for (size_t i = 2; i < len; i++) {
    snprintf(texts[i], sizeof(texts[i]), "/usr/bin/q%04zu", i);
    paths[i] = texts[i];
  }
  assert_int_equal(dpkg_db.find(&query, owners, &changing_s), 0);
  assert_string_equal(owners[0].version, "1.0");
  assert_string_equal(owners[1].version, "1.1");
  return most - before;
}

static void memory_grows_with_what_is_asked_for_only(void **state) {
  size_t small, large;

  (void)state;
  if (memory() == 0)
    skip(); /* a sanitizer's malloc doesn't tell */
  make_database(2, 10);
  (void)memory_of_asking(2); /* what the C library keeps, it has by now */
  small = memory_of_asking(2);
  make_database(1500, 300);
  large = memory_of_asking(2);
  assert_in_range(large, 0, small + 1024);
  assert_true(memory_of_asking(ASKED_MAX) > large + (size_t)ASKED_MAX * 32);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_path_has_its_package),
      TEST(merged_usr_is_one_in_both_directions),
      TEST(an_unmerged_usr_is_two),
      TEST(a_diverted_file_belongs_to_whose_it_is),
      TEST(diversions_of_several_architectures_are_one_packages),
      TEST(an_alternative_leads_to_its_targets_package),
      TEST(a_link_that_is_anyones_leads_nowhere),
      TEST(each_architecture_has_its_version),
      TEST(a_list_without_architecture_is_the_installed_ones),
      TEST(of_several_packages_one_is_the_same_each_time),
      TEST(states_say_what_is_there_and_what_is_under_way),
      TEST(a_real_journal_is_followed_entry_by_entry),
      TEST(a_journal_deleted_from_its_beginning_stays_right),
      TEST(the_journal_says_that_a_package_has_gone),
      TEST(a_file_that_moves_is_told_by_when_it_changed),
      TEST(the_stamp_changes_with_the_database),
      TEST(memory_grows_with_what_is_asked_for_only),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
