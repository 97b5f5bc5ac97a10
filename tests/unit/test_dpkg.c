/* Goal: whatever path is asked for, the package is found that dpkg itself would
 * name, with the version that it has now, and a database that an attacker wrote
 * does no more than say nothing. */
#include <dirent.h>
#include <sys/fsuid.h>

#include "lib/scan/dpkg.h"
#include "tests/unit/made_dpkg.h"

static int64_t changing_s;

/* Ask for one path; "": no package. */
static struct package ask(const char *path) {
  struct package_db_query query = {
      .root_fd = root_fd, .paths = &path, .len = 1};
  struct package owner = {.manager = ""};

  assert_int_equal(dpkg_db.find(&query, &owner, &changing_s), 0);
  return owner;
}

static void expect(const char *path, const char *name, const char *version) {
  struct package owner = ask(path);

  assert_string_equal(owner.name, name);
  assert_string_equal(owner.version, version);
  assert_string_equal(owner.manager, name[0] != '\0' ? "dpkg" : "");
}

static void a_path_has_its_package(void **state) {
  (void)state;
  put(DPKG "status",
      INSTALLED("g++-12", "1:12.2.0-14+b1~x") INSTALLED("b", "2"));
  put(DPKG "info/g++-12.list", "/.\n/usr\n/usr/bin\n/usr/bin/g++-12\n");
  put(DPKG "info/b.list", "/.\n/usr/bin/b\n/usr/bin/last");
  expect("/usr/bin/g++-12", "g++-12", "1:12.2.0-14+b1~x");
  expect("/usr/bin/b", "b", "2");
  expect("/usr/bin/last", "b", "2");
  expect("/usr/bin/nobody", "", "");
  expect("/usr/bin/g++", "", "");
  expect("/usr/bin/", "", "");
  assert_string_equal(ask("/usr/bin/b").arch, "amd64");
  assert_false(ask("/usr/bin/b").in_transaction);
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
  expect("/usr/bin/sh", "old", "1");
  expect("/bin/sh", "old", "1");
  expect("/usr/sbin/init", "old", "1");
  expect("/bin/env", "new", "2");
  expect("/usr/bin/env", "new", "2");
  /* The root has no link for /lib. */
  expect("/lib/kept", "old", "1");
  expect("/usr/lib/kept", "", "");
}

static void an_unmerged_usr_is_two(void **state) {
  (void)state;
  put("usr/bin/x", "");
  put("bin/x", "");
  put(DPKG "status", INSTALLED("a", "1"));
  put(DPKG "info/a.list", "/bin/x\n");
  expect("/bin/x", "a", "1");
  expect("/usr/bin/x", "", "");
}

static void a_diverted_file_belongs_to_whose_it_is(void **state) {
  (void)state;
  put(DPKG "status", INSTALLED("dash", "1") INSTALLED("bash", "2"));
  put(DPKG "info/dash.list", "/bin/sh\n");
  put(DPKG "info/bash.list", "/bin/sh\n/bin/local\n");
  put(DPKG "diversions", "/bin/sh\n/bin/sh.distrib\ndash\n"
                         "/bin/local\n/bin/local.real\n:\n");
  expect("/bin/sh", "dash", "1");
  expect("/bin/sh.distrib", "bash", "2");
  expect("/bin/local", "", "");
  expect("/bin/local.real", "bash", "2");
  /* Without the diversion both list the path. */
  put(DPKG "diversions", "");
  expect("/bin/sh", "bash", "2");
  expect("/bin/sh.distrib", "", "");
}

static void diversions_of_several_architectures_are_one_packages(void **state) {
  (void)state;
  put(DPKG "status",
      STANZA("m", "install ok installed", "1", "i386") INSTALLED("o", "2"));
  put(DPKG "info/m:i386.list", "/usr/bin/d\n");
  put(DPKG "info/o.list", "/usr/bin/d\n");
  put(DPKG "diversions", "/usr/bin/d\n/usr/bin/d.o\nm\n");
  expect("/usr/bin/d", "m", "1");
  expect("/usr/bin/d.o", "o", "2");
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
  expect("/usr/bin/vi", "vim", "2:9");
  expect("/usr/bin/relative", "vim", "2:9");
  expect("/usr/bin/owned", "owner", "1");
  expect("/usr/bin/loop", "", "");
  expect("/usr/bin/out", "vim", "2:9");
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
  expect("/usr/bin/vi", "vim", "2:9");
  expect("/home/u/x", "vim", "2:9");
  assert_int_equal(lchown(in_dir("home/u/x"), 1000, 1000), 0);
  assert_int_equal(lchown(in_dir("home/u/d"), 1000, 1000), 0);
  expect("/home/u/x", "", "");
  expect("/home/u/d/vi", "", "");
}

static void each_architecture_has_its_version(void **state) {
  (void)state;
  put(DPKG "status", STANZA("lib", "install ok installed", "1", "amd64")
                         STANZA("lib", "install ok installed", "2", "i386"));
  put(DPKG "info/lib:amd64.list", "/usr/lib/a/tool\n/usr/bin/both\n");
  put(DPKG "info/lib:i386.list", "/usr/lib/i/tool\n/usr/bin/both\n");
  expect("/usr/lib/a/tool", "lib", "1");
  expect("/usr/lib/i/tool", "lib", "2");
  assert_string_equal(ask("/usr/lib/i/tool").arch, "i386");
  expect("/usr/bin/both", "lib", "1");
}

static void a_list_without_architecture_is_the_installed_ones(void **state) {
  (void)state;
  put(DPKG "status",
      STANZA("p", "deinstall ok config-files", "1", "i386")
          STANZA("p", "install ok installed", "2", "amd64")
              STANZA("p", "deinstall ok config-files", "3", "armhf"));
  put(DPKG "info/p.list", "/usr/bin/p\n");
  expect("/usr/bin/p", "p", "2");
}

static void of_several_packages_one_is_the_same_each_time(void **state) {
  (void)state;
  put(DPKG "status", INSTALLED("z", "1") INSTALLED("a", "2") STANZA(
                         "0", "deinstall ok config-files", "3", "amd64"));
  put(DPKG "info/z.list", "/usr/bin/x\n");
  put(DPKG "info/a.list", "/usr/bin/x\n");
  put(DPKG "info/0.list", "/usr/bin/x\n");
  expect("/usr/bin/x", "a", "2");
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
    owner = ask("/usr/bin/p");
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
  expect("/usr/bin/pdnad", "pdna-a", "1:1.0-1");
  expect("/usr/bin/moved", "pdna-b", "5+b~1");
  for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++) {
    snprintf(from, sizeof(from), "%s/updates/%04zu", data, i);
    snprintf(to, sizeof(to), DPKG "updates/%04zu", i);
    copy_file(from, in_dir(to));
    if (i == 4) {
      snprintf(from, sizeof(from), "%s/after/pdna-a.list", data);
      copy_file(from, in_dir(DPKG "info/pdna-a.list"));
    }
    expect("/usr/bin/pdnad", "pdna-a", after[i].version);
    assert_int_equal(ask("/usr/bin/pdnad").in_transaction, after[i].under_way);
    assert_int_equal(changing_s != PACKAGE_DB_SETTLED, after[i].changing);
    if (i < 4)
      assert_string_equal(ask("/usr/bin/moved").name, "pdna-b");
    else
      expect("/usr/bin/moved", "pdna-a", after[i].version);
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
    expect("/usr/bin/p", "p", "2");
    assert_false(ask("/usr/bin/p").in_transaction);
    snprintf(name, sizeof(name), DPKG "updates/%04d", i);
    assert_int_equal(unlink(in_dir(name)), 0);
  }
  expect("/usr/bin/p", "p", "2");
}

static void the_journal_says_that_a_package_has_gone(void **state) {
  (void)state;
  put(DPKG "status", INSTALLED("p", "2"));
  put(DPKG "info/p.list", "/usr/bin/p\n");
  put(DPKG "updates/0000",
      "Package: p\nStatus: unknown ok not-installed\nArchitecture: amd64\n");
  expect("/usr/bin/p", "", "");
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
  expect("/usr/bin/x", "from", "1");
  assert_int_equal(changing_s, 5000);
  /* Of several the first to change counts. */
  put(DPKG "updates/0008",
      STANZA("other", "install reinstreq half-installed", "1", "amd64"));
  expect("/usr/bin/x", "from", "1");
  assert_int_equal(changing_s, 5000);
}

/* --- Hostile databases -----------------------------------------------------
 */

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
  expect("/usr/bin/p", "p", "3");
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
  expect("/usr/bin/p", "p", "1");
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    put(DPKG "status", bad[i]);
    expect("/usr/bin/p", "", "");
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
  expect("/usr/bin/r", "p", "2");
  expect("/usr/bin/p", "", "");
  expect("/usr/bin/q", "", "");
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
  expect("/usr/bin/q", "p", "1");
  expect("/usr/bin/p", "", "");
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
    expect("/usr/bin/p", "p", "1");
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
  expect("/usr/bin/p", "p", "1");
  expect("/usr/bin/end", "", "");
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
  expect("/usr/bin/p", "p", "1");
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
  expect("/usr/bin/p", "p", "1");
}

static void missing_lists_and_folders_are_no_error(void **state) {
  (void)state;
  put(DPKG "status", INSTALLED("p", "1"));
  expect("/usr/bin/p", "", "");
  assert_int_equal(unlink(in_dir(DPKG "info/.empty")), 0);
  assert_int_equal(rmdir(in_dir(DPKG "info")), 0);
  assert_int_equal(unlink(in_dir(DPKG "updates/.empty")), 0);
  assert_int_equal(rmdir(in_dir(DPKG "updates")), 0);
  expect("/usr/bin/p", "", "");
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
  expect("/usr/bin/p", "", "");
  expect("/usr/bin/\xff", "p", "1");
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

/* --- The stamp -------------------------------------------------------------
 */

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

/* --- The machine's own -----------------------------------------------------
 */

enum { PATHS_MAX = 20000 };

struct machine {
  char *paths[PATHS_MAX];
  size_t len;
  char *said[PATHS_MAX]; /* ", name, name, " as dpkg -S says */
  struct package owners[PATHS_MAX];
};

static void list_folder(struct machine *m, const char *folder) {
  DIR *dir = opendir(folder);
  const struct dirent *entry;

  assert_non_null(dir);
  while ((entry = readdir(dir)) != NULL) {
    if (entry->d_name[0] == '.')
      continue;
    assert_true(m->len < PATHS_MAX);
    assert_true(asprintf(&m->paths[m->len++], "%s/%s", folder, entry->d_name) >
                0);
  }
  closedir(dir);
}

static int compare_paths(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Take over a line "name, name:arch: /path". */
static void take_line(struct machine *m, char *line) {
  char *path = strstr(line, ": /");
  char merged[PATH_MAX], *key = merged, *said, **found;

  if (path == NULL || strncmp(line, "diversion", 9) == 0)
    return;
  *path = '\0';
  path[strcspn(path + 2, "\n") + 2] = '\0';
  snprintf(merged, sizeof(merged), "%s%s",
           strncmp(path + 2, "/usr/", 5) != 0 ? "/usr" : "", path + 2);
  found = bsearch(&key, m->paths, m->len, sizeof(char *), compare_paths);
  if (found == NULL)
    return;
  said = m->said[found - m->paths];
  assert_true(asprintf(&m->said[found - m->paths], "%s%s, ",
                       said != NULL ? said : ", ", line) > 0);
  free(said);
}

/* Does dpkg -S name the package, with whatever architecture? */
static bool is_said(const char *said, const char *name) {
  char with_end[2][PACKAGE_NAME_MAX + 8];

  snprintf(with_end[0], sizeof(with_end[0]), ", %s,", name);
  snprintf(with_end[1], sizeof(with_end[1]), ", %s:", name);
  return strstr(said, with_end[0]) != NULL || strstr(said, with_end[1]) != NULL;
}

static void every_executable_has_the_owner_that_dpkg_tells(void **state) {
  static struct machine m;
  struct package_db_query query = {.paths = (const char *const *)m.paths};
  size_t owned = 0;
  char *line = NULL;
  size_t size = 0;
  struct stat st;
  FILE *pipe;

  (void)state;
  if (stat("/var/lib/dpkg/status", &st) != 0 || lstat("/bin", &st) != 0 ||
      !S_ISLNK(st.st_mode))
    skip();
  list_folder(&m, "/usr/bin");
  list_folder(&m, "/usr/sbin");
  qsort(m.paths, m.len, sizeof(char *), compare_paths);
  query.len = m.len;
  query.root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  assert_int_equal(dpkg_db.find(&query, m.owners, &changing_s), 0);
  close(query.root_fd);
  /* Once by each of their names, as dpkg knows nothing of merged /usr. */
  pipe = popen("LC_ALL=C dpkg -S /usr/bin/* /usr/sbin/* /bin/* /sbin/* "
               "2>/dev/null",
               "r");
  assert_non_null(pipe);
  while (getline(&line, &size, pipe) > 0)
    take_line(&m, line);
  (void)pclose(pipe);
  free(line);
  for (size_t i = 0; i < m.len; i++) {
    bool has_owner = m.owners[i].manager[0] != '\0';

    if (m.said[i] != NULL) {
      owned++;
      if (!has_owner || !is_said(m.said[i], m.owners[i].name))
        fail_msg("%s: \"%s\", but dpkg -S says \"%s\"", m.paths[i],
                 m.owners[i].name, m.said[i]);
    } else if (has_owner && lstat(m.paths[i], &st) == 0 &&
               !S_ISLNK(st.st_mode) && strstr(m.paths[i], ".") == NULL) {
      fail_msg("%s: \"%s\", but dpkg -S says nothing", m.paths[i],
               m.owners[i].name);
    }
    free(m.paths[i]);
    free(m.said[i]);
  }
  assert_true(owned > 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

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
      TEST(the_stamp_changes_with_the_database),
      cmocka_unit_test(every_executable_has_the_owner_that_dpkg_tells),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
