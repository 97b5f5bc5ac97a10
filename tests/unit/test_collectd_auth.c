/* Goal: the auth-file is read as collectd reads it, a bad one is refused, and
 * a bad successor never takes the users away. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "correlator/collectd_auth.h"
#include "correlator/log.h"
#include "correlator/watched_file.h"
#include "tests/unit/unit.h"

static char folder[] = "/tmp/pdna-auth-XXXXXX";
static char file[64], other[64];

static void write_file(const char *path, const void *content, size_t len,
                       mode_t mode) {
  FILE *f = fopen(path, "we");

  assert_non_null(f);
  assert_int_equal(fwrite(content, 1, len, f), len);
  assert_int_equal(fclose(f), 0);
  assert_int_equal(chmod(path, mode), 0);
}

static void write_text(const char *content) {
  write_file(file, content, strlen(content), 0600);
}

/* As an editor does: never half a file under the name. */
static void replace(const char *content) {
  write_file(other, content, strlen(content), 0600);
  assert_int_equal(rename(other, file), 0);
}

static int set_up(void **state) {
  (void)state;
  log_setup(false, LOG_LEVEL_ERROR);
  if (!mkdtemp(folder))
    return -1;
  snprintf(file, sizeof(file), "%s/auth", folder);
  snprintf(other, sizeof(other), "%s/other", folder);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  (void)unlink(file);
  (void)unlink(other);
  return rmdir(folder);
}

static const struct collectd_user *find(const struct collectd_auth *auth,
                                        const char *name) {
  return collectd_auth_find(auth, name, strlen(name));
}

static void assert_password(const struct collectd_auth *auth, const char *name,
                            const char *password) {
  const struct collectd_user *user = find(auth, name);

  assert_non_null(user);
  assert_string_equal(user->name, name);
  assert_int_equal(user->password_len, strlen(password));
  assert_string_equal(user->password, password);
}

static void assert_refused(const char *content, int expected) {
  struct collectd_auth *auth = NULL;

  write_text(content);
  assert_int_equal(collectd_auth_new(file, &auth), expected);
  assert_null(auth);
}

static void lines_are_read_as_collectd_reads_them(void **state) {
  struct collectd_auth *auth;

  (void)state;
  write_text("# comment: none\n\n"
             "alice: wonderland\n"
             "  bob:  b: c \r\n"
             "\t# indented comment\n"
             "carol:x");
  assert_int_equal(collectd_auth_new(file, &auth), 0);
  assert_password(auth, "alice", "wonderland");
  assert_password(auth, "bob", "b: c ");
  assert_password(auth, "carol", "x");
  assert_null(find(auth, "dave"));
  assert_null(find(auth, "alic"));
  assert_null(find(auth, ""));
  assert_null(collectd_auth_find(auth, "alice\0x", 7));
  collectd_auth_free(auth);
}

static void lines_that_are_no_users_are_refused(void **state) {
  (void)state;
  assert_refused("alice: a\nbob\n", -EINVAL);
  assert_refused("alice: a\nbob:\n", -EINVAL);
  assert_refused("alice: a\n: b\n", -EINVAL);
  assert_refused("alice: a\nb\001b: b\n", -EINVAL);
  assert_refused("alice: a\nalice: b\n", -EINVAL);
  assert_refused("# nobody\n", -EINVAL);
  assert_refused("", -EINVAL);
}

static void a_nul_in_the_file_is_refused(void **state) {
  struct collectd_auth *auth = NULL;

  (void)state;
  write_file(file, "alice: a\0b\n", 11, 0600);
  assert_int_equal(collectd_auth_new(file, &auth), -EINVAL);
}

static void names_are_at_most_127_bytes(void **state) {
  char line[COLLECTD_USER_MAX + 8];
  struct collectd_auth *auth;

  (void)state;
  memset(line, 'n', sizeof(line));
  memcpy(line + COLLECTD_USER_MAX, ":x\n", 4);
  write_text(line);
  assert_int_equal(collectd_auth_new(file, &auth), 0);
  collectd_auth_free(auth);
  memcpy(line + COLLECTD_USER_MAX, "n:x\n", 5);
  assert_refused(line, -EINVAL);
}

static void a_file_that_others_may_read_is_refused(void **state) {
  struct collectd_auth *auth = NULL;

  (void)state;
  write_file(file, "alice: a\n", 9, 0640);
  assert_int_equal(collectd_auth_new(file, &auth), -EACCES);
  write_file(file, "alice: a\n", 9, 0604);
  assert_int_equal(collectd_auth_new(file, &auth), -EACCES);
  assert_null(auth);
}

static void a_huge_file_is_refused(void **state) {
  struct collectd_auth *auth = NULL;

  (void)state;
  write_text("alice: a\n");
  assert_int_equal(truncate(file, WATCHED_FILE_MAX + 1), 0);
  assert_int_equal(collectd_auth_new(file, &auth), -EFBIG);
}

static void a_missing_file_and_a_folder_are_refused(void **state) {
  struct collectd_auth *auth = NULL;

  (void)state;
  assert_int_equal(collectd_auth_new("/nonexistent/auth", &auth), -ENOENT);
  assert_int_equal(collectd_auth_new(folder, &auth), -EINVAL);
}

static void a_changed_file_is_read_again(void **state) {
  struct collectd_auth *auth;

  (void)state;
  write_text("alice: a\n");
  assert_int_equal(collectd_auth_new(file, &auth), 0);
  collectd_auth_refresh(auth, 5000);
  replace("alice: b\nbob: c\n");
  collectd_auth_refresh(auth, 6000);
  assert_password(auth, "alice", "b");
  assert_password(auth, "bob", "c");
  replace("bob: c\n");
  collectd_auth_refresh(auth, 7000);
  assert_null(find(auth, "alice"));
  collectd_auth_free(auth);
}

static void it_looks_at_most_once_a_second(void **state) {
  struct collectd_auth *auth;

  (void)state;
  write_text("alice: a\n");
  assert_int_equal(collectd_auth_new(file, &auth), 0);
  collectd_auth_refresh(auth, 5000);
  replace("alice: b\n");
  collectd_auth_refresh(auth, 5999);
  assert_password(auth, "alice", "a");
  collectd_auth_refresh(auth, 6000);
  assert_password(auth, "alice", "b");
  collectd_auth_free(auth);
}

static void a_bad_successor_leaves_the_users(void **state) {
  struct collectd_auth *auth;

  (void)state;
  write_text("alice: a\n");
  assert_int_equal(collectd_auth_new(file, &auth), 0);
  replace("alice\n");
  collectd_auth_refresh(auth, 6000);
  assert_password(auth, "alice", "a");
  replace("");
  collectd_auth_refresh(auth, 7000);
  assert_password(auth, "alice", "a");
  replace("alice: b\n");
  assert_int_equal(chmod(file, 0644), 0);
  collectd_auth_refresh(auth, 8000);
  assert_password(auth, "alice", "a");
  assert_int_equal(unlink(file), 0);
  collectd_auth_refresh(auth, 9000);
  assert_password(auth, "alice", "a");
  write_text("alice: c\n");
  collectd_auth_refresh(auth, 10000);
  assert_password(auth, "alice", "c");
  collectd_auth_free(auth);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_are_read_as_collectd_reads_them),
      cmocka_unit_test(lines_that_are_no_users_are_refused),
      cmocka_unit_test(a_nul_in_the_file_is_refused),
      cmocka_unit_test(names_are_at_most_127_bytes),
      cmocka_unit_test(a_file_that_others_may_read_is_refused),
      cmocka_unit_test(a_huge_file_is_refused),
      cmocka_unit_test(a_missing_file_and_a_folder_are_refused),
      cmocka_unit_test(a_changed_file_is_read_again),
      cmocka_unit_test(it_looks_at_most_once_a_second),
      cmocka_unit_test(a_bad_successor_leaves_the_users),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
