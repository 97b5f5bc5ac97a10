/* Goal: a package of rpm gives its name and what it installs, whichever digests
 * it has; a signature counts with its key; a broken package is broken. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include "correlator/manifest_rpm.h"
#include "tests/unit/made_rpms.h"

static struct manifest_reading reading;
static struct manifest manifest;

static int open_file(const char *name) {
  char path[PATH_MAX + 64];
  int fd;

  snprintf(path, sizeof(path), "%s/%s", rpms, name);
  fd = open(path, O_RDONLY | O_CLOEXEC);
  assert_true(fd >= 0);
  return fd;
}

/* Read it as `manifest import` does; closes it. */
static int read_fd(int fd, const struct manifest_limits *limits) {
  const struct manifest_format *format = NULL;
  int error;

  manifest_clear(&manifest);
  reading = (struct manifest_reading){.fd = fd, .limits = limits};
  assert_int_equal(manifest_format_of(fd, &format), 0);
  assert_ptr_equal(format, &manifest_rpm);
  error = manifest_read(&reading, format, &manifest);
  close(fd);
  return error;
}

static int read_file(const char *name) {
  return read_fd(open_file(name), &manifest_limits_default);
}

/* The entries as sha256sum has them, '*' before conffiles. */
static char *listed(void) {
  static char text[4096];
  char hex[DIGEST_HEX_LEN + 1];
  size_t len = 0;

  text[0] = '\0';
  for (size_t i = 0; i < manifest.entries_len; i++) {
    const struct manifest_entry *e = &manifest.entries[i];

    digest_to_hex(&e->digest, hex);
    len += (size_t)snprintf(text + len, sizeof(text) - len, "%s  %s%s\n", hex,
                            e->conffile ? "*" : "", e->path);
    assert_true(len < sizeof(text));
  }
  return text;
}

/* What rpm2archive and sha256sum say of the executables. */
static const char *unpacked(const char *name) {
  static char text[4096];
  FILE *pipe;

  setenv("NAME", name, 1);
  pipe = popen("set -e; rm -rf \"$RPMS/unpacked\"; mkdir \"$RPMS/unpacked\";"
               "cd \"$RPMS/unpacked\";"
               "rpm2archive - < \"$RPMS/$NAME\" | tar xzf -; mv bin libo32 usr;"
               "sha256sum etc/sleeper.d/hook usr/bin/sleeper-bin"
               " usr/lib64/libsleeper.so.1 usr/libo32/sleeper-o32"
               " usr/sbin/sleeper"
               " usr/sbin/sleeper-too usr/share/sleeper/same |"
               "sed 's,  ,  /,; s,/etc/,*/etc/,'",
               "r");
  assert_non_null(pipe);
  text[fread(text, 1, sizeof(text) - 1, pipe)] = '\0';
  assert_int_equal(pclose(pipe), 0);
  return text;
}

static void digests_are_those_of_the_files(void **state) {
  static const char *const names[] = {
      "sleeper-1.0.rpm", "old-digests/sleeper-1.0.rpm", "sleeper-1.1.rpm"};
  struct utsname u;

  (void)state;
  uname(&u);
  for (size_t i = 0; i < 3; i++) {
    print_message("%s\n", names[i]);
    assert_int_equal(read_file(names[i]), 0);
    assert_string_equal(listed(), unpacked(names[i]));
    assert_string_equal(manifest.package.manager, "rpm");
    assert_string_equal(manifest.package.name, "sleeper");
    assert_string_equal(manifest.package.version,
                        i < 2 ? "2:1.0-1" : "2:1.1-1");
    assert_string_equal(manifest.package.arch, u.machine);
  }
}

/* What vouches for a file, with a keyring ("": none). */
static enum manifest_provenance vouched(const char *name, const char *keyring) {
  char path[PATH_MAX + 64];
  enum manifest_provenance provenance = MANIFEST_FILE;

  snprintf(path, sizeof(path), "%s/%s", rpms, keyring);
  reading = (struct manifest_reading){.fd = open_file(name),
                                      .limits = &manifest_limits_default,
                                      .keyring = *keyring ? path : NULL};
  assert_int_equal(manifest_rpm.vouch(&reading, &provenance), 0);
  close(reading.fd);
  return provenance;
}

static void a_signature_counts_with_its_key(void **state) {
  (void)state;
  assert_int_equal(vouched("signed/sleeper-1.0.rpm", "key.asc"),
                   MANIFEST_SIGNED_PACKAGE);
  assert_int_equal(vouched("signed/sleeper-1.0.rpm", "other.asc"),
                   MANIFEST_FILE);
  assert_int_equal(vouched("signed/sleeper-1.0.rpm", ""), MANIFEST_FILE);
  assert_int_equal(vouched("sleeper-1.0.rpm", "key.asc"), MANIFEST_FILE);
  assert_int_equal(vouched("old-digests/sleeper-1.0.rpm", "key.asc"),
                   MANIFEST_FILE);
}

static void keyrings_are_read_in_each_form(void **state) {
  static const struct {
    const char *made_by;
    int expected;
  } cases[] = {
      {"cat other.asc key.asc", 0},
      {"echo text; cat other.asc; echo more; cat key.asc", 0},
      {"gpg --batch --dearmor < key.asc", 0},
      {"gpg --batch --dearmor < other.asc; gpg --batch --dearmor < key.asc", 0},
      {":", -EINVAL},
      {"echo text", -EINVAL},
      {"head -c 500 key.asc", -EINVAL},
      {"gpg --batch --dearmor < key.asc | head -c 200", -EINVAL},
      {"cat key.asc; echo '-----BEGIN PGP PUBLIC KEY BLOCK-----'", -EINVAL},
      {"head -c 2000000 /dev/zero", -EINVAL},
  };
  char path[PATH_MAX + 64];

  (void)state;
  snprintf(path, sizeof(path), "%s/ring", rpms);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char command[256];

    print_message("%s\n", cases[i].made_by);
    snprintf(command, sizeof(command), "cd \"$RPMS\" && { %s; } > ring",
             cases[i].made_by);
    assert_int_equal(system(command), 0);
    assert_int_equal(manifest_rpm_check_keyring(path), cases[i].expected);
    if (cases[i].expected == 0)
      assert_int_equal(vouched("signed/sleeper-1.0.rpm", "ring"),
                       MANIFEST_SIGNED_PACKAGE);
  }
  assert_int_equal(manifest_rpm_check_keyring("/nowhere/ring"), -ENOENT);
  assert_int_equal(manifest_rpm_check_keyring("/"), -EINVAL);
}

/* The bytes of a package, to be changed. */
static uint8_t *load(const char *name, size_t *ret_len) {
  int fd = open_file(name);
  off_t len = lseek(fd, 0, SEEK_END);
  uint8_t *bytes = malloc((size_t)len);

  assert_non_null(bytes);
  assert_int_equal(pread(fd, bytes, (size_t)len, 0), len);
  close(fd);
  *ret_len = (size_t)len;
  return bytes;
}

static int file_of(const uint8_t *bytes, size_t len) {
  int fd = memfd_create("package", MFD_CLOEXEC);

  assert_true(fd >= 0);
  assert_int_equal(write(fd, bytes, len), (ssize_t)len);
  return fd;
}

static void expect_broken(int fd, const char *why) {
  assert_int_equal(read_fd(fd, &manifest_limits_default), -EBADMSG);
  if (strstr(reading.why, why) == NULL)
    fail_msg("expected \"%s\", found \"%s\"", why, reading.why);
}

static void a_truncated_package_is_broken(void **state) {
  size_t len;
  uint8_t *bytes = load("sleeper-1.0.rpm", &len);

  (void)state;
  for (size_t cut = 4; cut < len; cut += cut < 8192 ? 131 : 4999)
    expect_broken(file_of(bytes, cut), "");
  expect_broken(file_of(bytes, len - 1), "BAD");
  assert_int_equal(read_fd(file_of(bytes, len), &manifest_limits_default), 0);
  free(bytes);
}

/* Whatever byte is changed: either it is seen, or it is one that means nothing
 * (padding, what no digest covers) and the manifest is the same. */
static void no_changed_byte_changes_a_manifest(void **state) {
  char expected[4096];
  size_t len, seen = 0, tried = 0;
  uint8_t *bytes = load("sleeper-1.0.rpm", &len);

  (void)state;
  assert_int_equal(read_file("sleeper-1.0.rpm"), 0);
  set_text(expected, listed());
  for (size_t at = 4; at < len; at += at < 8192 ? 17 : 3001) {
    int error;

    bytes[at] ^= 0x41;
    error = read_fd(file_of(bytes, len), &manifest_limits_default);
    bytes[at] ^= 0x41;
    tried++;
    seen += error == -EBADMSG;
    if (error == 0)
      assert_string_equal(listed(), expected);
    else
      assert_int_equal(error, -EBADMSG);
  }
  assert_true(seen > tried / 2);
  free(bytes);
}

static void a_wrong_signature_is_broken(void **state) {
  char path[PATH_MAX + 64];
  size_t len;
  uint8_t *bytes = load("signed/sleeper-1.0.rpm", &len);
  enum manifest_provenance provenance = MANIFEST_FILE;
  uint8_t *at;

  (void)state;
  /* The last time that the name of its content is there is in the header; the
   * digests are made to fit by whoever changes it. */
  at = memmem(bytes, len, "A daemon that sleeps", 20);
  assert_non_null(at);
  *at = 'B';
  snprintf(path, sizeof(path), "%s/key.asc", rpms);
  reading = (struct manifest_reading){.fd = file_of(bytes, len),
                                      .limits = &manifest_limits_default,
                                      .keyring = path};
  assert_int_equal(manifest_rpm.vouch(&reading, &provenance), -EBADMSG);
  assert_int_equal(provenance, MANIFEST_FILE);
  assert_non_null(strstr(reading.why, "BAD"));
  close(reading.fd);
  free(bytes);
}

/* Whoever may write the file can change it without a new time (mmap(2)). */
static void what_was_signed_once_must_be_signed_when_it_is_read(void **state) {
  char path[PATH_MAX + 64];
  size_t signed_len, bare_len;
  uint8_t *signed_bytes = load("signed/sleeper-1.0.rpm", &signed_len);
  uint8_t *bare = load("sleeper-1.0.rpm", &bare_len);
  enum manifest_provenance provenance = MANIFEST_FILE;

  (void)state;
  manifest_clear(&manifest);
  snprintf(path, sizeof(path), "%s/key.asc", rpms);
  reading = (struct manifest_reading){.fd = file_of(signed_bytes, signed_len),
                                      .limits = &manifest_limits_default,
                                      .keyring = path};
  assert_int_equal(manifest_rpm.vouch(&reading, &provenance), 0);
  assert_int_equal(provenance, MANIFEST_SIGNED_PACKAGE);
  assert_int_equal(manifest_read(&reading, &manifest_rpm, &manifest), 0);
  manifest_clear(&manifest);
  assert_int_equal(ftruncate(reading.fd, 0), 0);
  assert_int_equal(pwrite(reading.fd, bare, bare_len, 0), (ssize_t)bare_len);
  assert_int_equal(manifest_read(&reading, &manifest_rpm, &manifest), -EBADMSG);
  assert_string_equal(reading.why, "changed while it was read");
  close(reading.fd);
  free(signed_bytes);
  free(bare);
}

static void what_is_no_binary_package_is_named(void **state) {
  static const uint8_t magic[4096] = {0xED, 0xAB, 0xEE, 0xDB};

  (void)state;
  expect_broken(open_file("source/sleeper-1.0-1.src.rpm"), "source package");
  expect_broken(file_of(magic, 4), "no rpm package");
  expect_broken(file_of(magic, sizeof(magic)), "");
}

static void limits_bound_what_a_package_costs(void **state) {
  struct manifest_limits limits = manifest_limits_default;

  (void)state;
  limits.entries = 5;
  assert_int_equal(read_fd(open_file("sleeper-1.0.rpm"), &limits), -EBADMSG);
  limits = manifest_limits_default;
  limits.unpacked_bytes = 1000;
  assert_int_equal(read_fd(open_file("old-digests/sleeper-1.0.rpm"), &limits),
                   -EBADMSG);
  /* The header says it all: nothing is unpacked. */
  assert_int_equal(read_fd(open_file("sleeper-1.0.rpm"), &limits), 0);
}

#ifdef PDNA_WITHOUT_RPM
static void a_build_without_librpm_says_so(void **state) {
  static const uint8_t magic[4096] = {0xED, 0xAB, 0xEE, 0xDB};

  (void)state;
  expect_broken(file_of(magic, sizeof(magic)), "this build has no librpm");
  assert_int_equal(manifest_rpm_check_keyring("/dev/null"), -ENOSYS);
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(digests_are_those_of_the_files),
      cmocka_unit_test(a_signature_counts_with_its_key),
      cmocka_unit_test(keyrings_are_read_in_each_form),
      cmocka_unit_test(a_truncated_package_is_broken),
      cmocka_unit_test(no_changed_byte_changes_a_manifest),
      cmocka_unit_test(a_wrong_signature_is_broken),
      cmocka_unit_test(what_was_signed_once_must_be_signed_when_it_is_read),
      cmocka_unit_test(what_is_no_binary_package_is_named),
      cmocka_unit_test(limits_bound_what_a_package_costs),
  };
  int failed;

#ifdef PDNA_WITHOUT_RPM
  const struct CMUnitTest without[] = {
      cmocka_unit_test(a_build_without_librpm_says_so),
  };

  (void)tests;
  return cmocka_run_group_tests(without, NULL, NULL);
#endif
  failed = cmocka_run_group_tests(tests, make_packages, NULL);
  manifest_clear(&manifest);
  return failed;
}
