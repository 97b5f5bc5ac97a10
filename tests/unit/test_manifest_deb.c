/* A Debian package gives its name and the executables in it, whichever way
 * dpkg-deb packed it; one that dpkg-deb would not make is broken. */
#include <fcntl.h>

#include "correlator/manifest_deb.h"
#include "tests/unit/made_archive.h"

static char folder[] = "build/deb-XXXXXX";

static int make_folder(void **state) {
  (void)state;
  return mkdtemp(folder) == NULL;
}

/* Run it in the folder; it sees the argument as $arg. */
static void shell(const char *text, const char *argument) {
  char command[2200];

  assert_int_equal(setenv("arg", argument, 1), 0);
  (void)snprintf(command, sizeof(command), "cd %s && %s", folder, text);
  assert_int_equal(system(command), 0);
}

static int remove_folder(void **state) {
  (void)state;
  shell("rm -rf \"$PWD\"", "");
  return 0;
}

/* Make package `name`.deb of what a real one may have in it. */
static void build(const char *compression, const char *name) {
  shell("rm -rf root && mkdir -p root/DEBIAN root/bin root/etc root/usr/lib && "
        "printf 'Package: made-up\\nVersion: 1:2.0~rc1-3+b1\\n"
        "Architecture: amd64\\nMaintainer: x <x@x.example>\\n"
        "Description: made up\\n for a test\\n .\\n with Version: 3\\n' "
        "> root/DEBIAN/control && "
        "printf '/etc/script\\n' > root/DEBIAN/conffiles && "
        "printf '#!/bin/sh\\n' > root/bin/tool && "
        "printf '#!/bin/sh -e\\n' > root/etc/script && "
        "printf 'text' > root/etc/plain && "
        "printf '\\177ELFx' > root/usr/lib/x.so && "
        "chmod 755 root/bin/tool root/etc/script && "
        "ln root/bin/tool root/bin/again && ln -s tool root/bin/soft && "
        "dpkg-deb --root-owner-group $arg -b root made.deb >/dev/null",
        compression);
  shell("mv made.deb $arg", name);
}

static void expect_made_up(const struct manifest *m) {
  assert_string_equal(m->package.manager, "dpkg");
  assert_string_equal(m->package.name, "made-up");
  assert_string_equal(m->package.version, "1:2.0~rc1-3+b1");
  assert_string_equal(m->package.arch, "amd64");
  assert_int_equal(m->entries_len, 4);
  expect_entry(m, 0, "/etc/script", "#!/bin/sh -e\n");
  expect_entry(m, 1, "/usr/bin/again", "#!/bin/sh\n");
  expect_entry(m, 2, "/usr/bin/tool", "#!/bin/sh\n");
  expect_entry(m, 3, "/usr/lib/x.so",
               "\x7F"
               "ELFx");
  for (size_t i = 0; i < m->entries_len; i++)
    assert_int_equal(entry_at(m, i)->conffile, i == 0);
}

static int read_file(const char *name, struct manifest *ret) {
  char path[256];
  int fd, error;

  (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
  fd = open(path, O_RDONLY | O_CLOEXEC);
  assert_true(fd >= 0);
  error = read_fd(fd, NULL, ret);
  (void)close(fd);
  return error;
}

static void each_compression_of_dpkg_deb_is_read(void **state) {
  static const char *const compressions[] = {
      "-Znone", "-Zgzip", "-Zxz", "-Zzstd", "-Zxz --no-uniform-compression"};
  struct manifest m = {0};

  (void)state;
  for (size_t i = 0; i < sizeof(compressions) / sizeof(*compressions); i++) {
    build(compressions[i], "one.deb");
    if (read_file("one.deb", &m) != 0)
      fail_msg("%s: %s", compressions[i], last_why);
    expect_made_up(&m);
    manifest_clear(&m);
  }
}

static void older_compressions_are_read(void **state) {
  struct manifest m = {0};

  (void)state;
  build("-Znone", "two.deb");
  shell("rm -rf ar && mkdir ar && cd ar && ar x ../two.deb && "
        "bzip2 control.tar && bzip2 data.tar && ar rc ../old.deb "
        "debian-binary control.tar.bz2 data.tar.bz2",
        "");
  assert_int_equal(read_file("old.deb", &m), 0);
  expect_made_up(&m);
  manifest_clear(&m);
}

static void load(const char *name, struct blob *ret) {
  char path[256], buffer[4096];
  size_t n;
  FILE *file;

  (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
  file = fopen(path, "re");
  assert_non_null(file);
  while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
    put(ret, buffer, n);
  (void)fclose(file);
}

static void truncated_anywhere_is_broken(void **state) {
  static const char *const compressions[] = {"-Znone", "-Zgzip", "-Zxz",
                                             "-Zzstd"};
  struct manifest m = {0};

  (void)state;
  for (size_t i = 0; i < sizeof(compressions) / sizeof(*compressions); i++) {
    struct blob deb = {0};

    build(compressions[i], "cut.deb");
    load("cut.deb", &deb);
    assert_int_equal(read_part(&deb, deb.len, NULL, &m), 0);
    manifest_clear(&m);
    for (size_t len = 512; len < deb.len; len += 512)
      if (read_part(&deb, len, NULL, &m) != -EBADMSG)
        fail_msg("%s: %zu of %zu bytes were enough", compressions[i], len,
                 deb.len);
    assert_int_equal(read_part(&deb, deb.len - 2, NULL, &m), -EBADMSG);
    blob_free(&deb);
  }
}

static void a_changed_byte_of_what_is_compressed_is_broken(void **state) {
  struct blob deb = {0};
  struct manifest m = {0};

  (void)state;
  build("-Zxz", "flip.deb");
  load("flip.deb", &deb);
  if (deb.data == NULL)
    abort();
  deb.data[deb.len - 60] = (char)(deb.data[deb.len - 60] ^ 1);
  expect_broken(&deb, "");
  manifest_clear(&m);
}

static struct blob some_data(void) {
  struct blob tar = {0};

  add_member(&tar, (struct made_member){.name = "./usr/bin/x", .data = "x"});
  end_tar(&tar);
  return tar;
}

static void control_is_read_or_broken(void **state) {
#define FINE MADE_CONTROL
  static const struct {
    const char *control, *why; /* NULL: fine */
  } controls[] = {
      {FINE, NULL},
      {"PACKAGE:made\nversion:\t1.0-1 \nArchitecture: amd64", NULL},
      {"# a comment\n\n" FINE "\n\n", NULL},
      {FINE "Description: a\n Package: b\n\tVersion: 7\n", NULL},
      {"Package: made\r\nVersion: 1.0-1\r\nArchitecture: amd64\r\n", NULL},
      {"", "has no Package"},
      {"Package: made\nVersion: 1.0-1\n", "has no Architecture"},
      {"Package: made\nArchitecture: amd64\n", "has no Version"},
      {FINE "Package: other\n", "Package stands there twice"},
      {FINE "\n" FINE, "more than one paragraph"},
      {"Package: made\n up\nVersion: 1\nArchitecture: amd64\n",
       "Package goes over several lines"},
      {FINE "garbage\n", "no field"},
      {FINE ": x\n", "no field"},
      {"Package: ma de\nVersion: 1\nArchitecture: amd64\n", "no package"},
      {"Package: made\nVersion: 1=2\nArchitecture: amd64\n", "no package"},
      {"Package: made\nVersion:\nArchitecture: amd64\n", "no package"},
      {"Package: made\nVersion: 1\nArchitecture: "
       "an-architecture-that-nobody-has\n",
       "no package"},
      {"Package: m\xff\nVersion: 1\nArchitecture: amd64\n", "no package"},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(controls) / sizeof(*controls); i++) {
    struct blob data = some_data(), deb = made_deb(controls[i].control, &data);
    struct manifest m = {0};

    if (controls[i].why != NULL) {
      expect_broken(&deb, controls[i].why);
      continue;
    }
    if (read_blob(&deb, &m) != 0)
      fail_msg("control %zu: %s", i, last_why);
    assert_string_equal(m.package.name, "made");
    assert_string_equal(m.package.version, "1.0-1");
    expect_entry(&m, 0, "/usr/bin/x", "x");
    manifest_clear(&m);
  }
}

/* A package with these members of the outer archive; NULL data: of a whole
 * package's. */
static void expect_broken_members(const char *const *names, const char *why) {
  struct blob control = {0}, data = some_data(), deb = {0};

  add_member(&control,
             (struct made_member){.name = "control", .data = MADE_CONTROL});
  end_tar(&control);
  for (; *names != NULL; names++) {
    if (strncmp(*names, "control", 7) == 0)
      add_ar(&deb, *names, control.data, control.len);
    else if (strncmp(*names, "data", 4) == 0)
      add_ar(&deb, *names, data.data, data.len);
    else
      add_ar(&deb, *names, "2.0\n", 4);
  }
  blob_free(&control);
  blob_free(&data);
  if (why != NULL) {
    expect_broken(&deb, why);
  } else {
    struct manifest m = {0};

    assert_int_equal(read_blob(&deb, &m), 0);
    assert_int_equal(m.entries_len, 1);
    manifest_clear(&m);
  }
}

static void members_in_another_order_or_twice_are_broken(void **state) {
  static const struct {
    const char *names[6], *why;
  } packages[] = {
      {{"debian-binary", "control.tar", "data.tar"}, NULL},
      {{"debian-binary/", "control.tar/", "data.tar/"}, NULL},
      {{"debian-binary", "_note", "control.tar", "data.tar", "later"}, NULL},
      {{"debian-binary", "data.tar", "control.tar"}, "where control.tar"},
      {{"debian-binary", "control.tar", "control.tar", "data.tar"},
       "where data.tar"},
      {{"debian-binary", "control.tar", "data.tar", "control.tar.gz"},
       "one too many"},
      {{"debian-binary", "control.tar", "data.tar", "data.tar.gz"},
       "one too many"},
      {{"debian-binary", "control.tar"}, "has no member data.tar"},
      {{"debian-binary"}, "has no member control.tar"},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(packages) / sizeof(*packages); i++)
    expect_broken_members(packages[i].names, packages[i].why);
}

static void another_version_of_the_format_is_broken(void **state) {
  struct blob deb = {0};

  (void)state;
  add_ar(&deb, "debian-binary", "3.0\n", 4);
  expect_broken(&deb, "debian-binary: 3.0");
  add_ar(&deb, "debian-binary", deb.data, 0);
  expect_broken(&deb, "debian-binary: ");
}

/* A package with that control.tar, which is freed. */
static struct blob with_control_tar(struct blob *control) {
  struct blob data = some_data(), deb = {0};

  end_tar(control);
  add_ar(&deb, "debian-binary", "2.0\n", 4);
  add_ar(&deb, "control.tar", control->data, control->len);
  add_ar(&deb, "data.tar", data.data, data.len);
  blob_free(&data);
  blob_free(control);
  return deb;
}

static void hostile_control_archives_are_broken(void **state) {
  const struct made_member fine = {.name = "control", .data = MADE_CONTROL};
  const struct made_member one[] = {
      {.name = "./control", .data = "Package: other\n"},
      {.name = "control", .type = '1', .link = "./control"},
      {.name = "conffiles", .type = '2', .link = "/etc/passwd"},
      {.name = "conffiles", .data = "/etc/../x\n"},
      {.name = "conffiles", .data = "a\0b", .len = 3},
      {.name = "../control", .data = MADE_CONTROL},
  };
  static const char *const whys[] = {"twice",  "is no file", "is no file",
                                     "\"..\"", "NUL",        "\"..\""};
  struct blob tar = {0}, deb, huge = {0};

  (void)state;
  for (size_t i = 0; i < sizeof(one) / sizeof(*one); i++) {
    add_member(&tar, fine);
    add_member(&tar, one[i]);
    deb = with_control_tar(&tar);
    expect_broken(&deb, whys[i]);
  }
  put_zeros(&huge, (1 << 20) + 1);
  memset(huge.data, 'x', huge.len);
  add_member(&tar, (struct made_member){
                       .name = "control", .data = huge.data, .len = huge.len});
  deb = with_control_tar(&tar);
  expect_broken(&deb, "more than 1048576 bytes");
  blob_free(&huge);
  add_member(&tar, (struct made_member){.name = "postinst", .data = "x"});
  deb = with_control_tar(&tar);
  expect_broken(&deb, "has no control");
}

static void conffiles_are_flagged_in_each_way_of_writing(void **state) {
  static const char list[] = "/bin/a\n\n/etc/not-shipped\nremove-on-upgrade "
                             "/usr/bin/b\n  ./c  \n";
  struct blob control = {0}, data = {0}, deb = {0};
  struct manifest m = {0};

  (void)state;
  add_member(&control, (struct made_member){.name = "conffiles", .data = list});
  add_member(&control,
             (struct made_member){.name = "control", .data = MADE_CONTROL});
  end_tar(&control);
  for (const char *name = "abcd"; *name != '\0'; name++) {
    char path[16];

    (void)snprintf(path, sizeof(path), "%s%c",
                   *name == 'a'   ? "./bin/"
                   : *name == 'b' ? "usr/bin/"
                                  : "",
                   *name);
    add_member(&data, (struct made_member){.name = path, .data = "x"});
  }
  end_tar(&data);
  add_ar(&deb, "debian-binary", "2.0\n", 4);
  add_ar(&deb, "control.tar", control.data, control.len);
  add_ar(&deb, "data.tar", data.data, data.len);
  blob_free(&control);
  blob_free(&data);
  assert_int_equal(read_blob(&deb, &m), 0);
  assert_int_equal(m.entries_len, 4);
  assert_string_equal(entry_at(&m, 0)->path, "/c");
  assert_true(entry_at(&m, 0)->conffile);
  assert_string_equal(entry_at(&m, 1)->path, "/d");
  assert_false(entry_at(&m, 1)->conffile);
  assert_true(entry_at(&m, 2)->conffile); /* /usr/bin/a */
  assert_true(entry_at(&m, 3)->conffile);
  manifest_clear(&m);
}

static void a_package_without_executables_is_one(void **state) {
  struct blob data = {0}, deb;
  struct manifest m = {0};

  (void)state;
  end_tar(&data);
  deb = made_deb(MADE_CONTROL, &data);
  assert_int_equal(read_blob(&deb, &m), 0);
  assert_string_equal(m.package.name, "made");
  assert_int_equal(m.entries_len, 0);
  manifest_clear(&m);
}

static void an_archive_that_is_no_package_is_told_apart(void **state) {
  struct blob ar = {0};
  struct manifest m = {0};

  (void)state;
  add_ar(&ar, "x.o", "x", 1);
  assert_int_equal(read_blob(&ar, &m), -ENOMSG);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_compression_of_dpkg_deb_is_read),
      cmocka_unit_test(older_compressions_are_read),
      cmocka_unit_test(truncated_anywhere_is_broken),
      cmocka_unit_test(a_changed_byte_of_what_is_compressed_is_broken),
      cmocka_unit_test(control_is_read_or_broken),
      cmocka_unit_test(members_in_another_order_or_twice_are_broken),
      cmocka_unit_test(another_version_of_the_format_is_broken),
      cmocka_unit_test(hostile_control_archives_are_broken),
      cmocka_unit_test(conffiles_are_flagged_in_each_way_of_writing),
      cmocka_unit_test(a_package_without_executables_is_one),
      cmocka_unit_test(an_archive_that_is_no_package_is_told_apart),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
