/* A wrong command line is refused before anything is asked, help needs no
 * database, and a database out of reach has a status of its own. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "correlator/cmd_common.h"
#include "tests/unit/unit.h"

enum { ARGUMENTS_MAX = 6 };

struct scenario {
  command_fn *command;
  const char *argv[ARGUMENTS_MAX];
  int status;
};

static int with_output_to(int fd, const struct scenario *s) {
  static char database[] = "host=/nonexistent", file[] = "x.conf",
              tenant[] = "default";
  const struct config config = {
      .database = database, .file = file, .tenant = tenant};
  char copies[ARGUMENTS_MAX][64], *argv[ARGUMENTS_MAX + 1] = {0};
  int argc = 0, status;
  int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);

  for (; argc < ARGUMENTS_MAX && s->argv[argc] != NULL; argc++) {
    (void)set_text(copies[argc], s->argv[argc]);
    argv[argc] = copies[argc];
  }
  (void)fflush(stdout);
  assert_true(dup2(fd, STDOUT_FILENO) >= 0 && dup2(fd, STDERR_FILENO) >= 0);
  status = s->command(&config, argc, argv);
  (void)fflush(stdout);
  assert_true(dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0);
  (void)close(out);
  (void)close(err);
  return status;
}

static void expect_all(const struct scenario *scenarios, size_t len) {
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

  for (size_t i = 0; i < len; i++) {
    int status = with_output_to(null, &scenarios[i]);

    if (status != scenarios[i].status)
      fail_msg("scenario %zu (%s %s): status %d", i, scenarios[i].argv[0],
               scenarios[i].argv[1] != NULL ? scenarios[i].argv[1] : "",
               status);
  }
  (void)close(null);
}
#define EXPECT_ALL(scenarios)                                                  \
  expect_all(scenarios, sizeof(scenarios) / sizeof(*(scenarios)))

static void a_wrong_command_line_is_refused(void **state) {
  static const struct scenario wrong[] = {
      {command_status, {"status", "--foo"}, EXIT_USAGE},
      {command_status, {"status", "x"}, EXIT_USAGE},
      {command_status, {"status", "--all"}, EXIT_USAGE},
      {command_alerts, {"alerts", "x"}, EXIT_USAGE},
      {command_alerts, {"alerts", "--json=1"}, EXIT_USAGE},
      {command_explain, {"explain"}, EXIT_USAGE},
      {command_explain, {"explain", "h", "p"}, EXIT_USAGE}, /* not absolute */
      {command_explain, {"explain", "h", "/p", "x"}, EXIT_USAGE},
      {command_explain, {"explain", "--container", "k", "1"}, EXIT_USAGE},
      {command_explain,
       {"explain", "--container", "a b", "h", "/p"},
       EXIT_USAGE},
      {command_detections, {"detections", "x"}, EXIT_USAGE},
      {command_detections, {"detections", "--dot", "x"}, EXIT_USAGE},
      {command_detections, {"detections", "--svg", "x", "y"}, EXIT_USAGE},
      {command_detections, {"detections", "--svg=x"}, EXIT_USAGE},
      {command_detections, {"detections", "--dot", "--svg"}, EXIT_USAGE},
      {command_detections, {"detections", "--json", "--dot"}, EXIT_USAGE},
      {command_accept, {"accept", "1"}, EXIT_USAGE},
      {command_accept, {"accept", "1", "--why"}, EXIT_USAGE},
      {command_accept, {"accept", "1", "--why", " \n"}, EXIT_USAGE},
      {command_accept, {"accept", "--why", "x"}, EXIT_USAGE},
      {command_agents, {"agents", "a", "b"}, EXIT_USAGE},
      {command_agents, {"agents", "retire"}, EXIT_USAGE},
      {command_agents, {"agents", "retire", "a", "--user", "u"}, EXIT_USAGE},
      {command_agents, {"agents", "--user", "u"}, EXIT_USAGE},
      {command_addresses, {"addresses", "a", "b"}, EXIT_USAGE},
      {command_addresses, {"addresses", "add", "a"}, EXIT_USAGE},
      {command_addresses, {"addresses", "remove"}, EXIT_USAGE},
      {command_auth_test, {"auth-test", "--json"}, EXIT_USAGE},
      {command_auth_test, {"auth-test", "a", "b"}, EXIT_USAGE},
      {command_manifest, {"manifest"}, EXIT_USAGE},
      {command_manifest, {"manifest", "export"}, EXIT_USAGE},
      {command_manifest, {"manifest", "import"}, EXIT_USAGE},
      {command_manifest, {"manifest", "list", "a", "b"}, EXIT_USAGE},
      {command_manifest, {"manifest", "list", "--requests", "a"}, EXIT_USAGE},
      {command_manifest,
       {"manifest", "import", "-p", "opt/*", "x"},
       EXIT_USAGE},
      {command_manifest, {"manifest", "import", "-e", "soon", "x"}, EXIT_USAGE},
      {command_manifest, {"manifest", "fetch"}, EXIT_USAGE}, /* no section */
      {command_manifest, {"manifest", "remove"}, EXIT_USAGE},
      {command_manifest, {"manifest", "remove", "1"}, EXIT_USAGE},
      {command_manifest, {"manifest", "remove", "1", "-w", " "}, EXIT_USAGE},
      {command_manifest, {"manifest", "remove", "-1", "-w", "x"}, EXIT_USAGE},
  };

  (void)state;
  EXPECT_ALL(wrong);
}

static void a_reason_is_as_long_as_the_database_takes(void **state) {
  char why[1026];

  (void)state;
  memset(why, 'x', sizeof(why));
  why[1024] = '\0';
  assert_int_equal(cmd_check_why("accept", why), EXIT_DONE);
  why[1024] = 'x';
  why[1025] = '\0';
  assert_int_equal(cmd_check_why("accept", why), EXIT_USAGE);
}

static void help_needs_no_database(void **state) {
  static const struct scenario help[] = {
      {command_status, {"status", "--help"}, EXIT_DONE},
      {command_alerts, {"alerts", "-h"}, EXIT_DONE},
      {command_explain, {"explain", "--help"}, EXIT_DONE},
      {command_accept, {"accept", "--help"}, EXIT_DONE},
      {command_agents, {"agents", "retire", "--help"}, EXIT_DONE},
      {command_addresses, {"addresses", "-h"}, EXIT_DONE},
      {command_auth_test, {"auth-test", "--help"}, EXIT_DONE},
      {command_manifest, {"manifest", "--help"}, EXIT_DONE},
      {command_manifest, {"manifest", "import", "-h"}, EXIT_DONE},
      {command_manifest, {"manifest", "list", "-h"}, EXIT_DONE},
      {command_manifest, {"manifest", "fetch", "-h"}, EXIT_DONE},
      {command_manifest, {"manifest", "remove", "-h"}, EXIT_DONE},
  };

  (void)state;
  EXPECT_ALL(help);
}

static void a_database_out_of_reach_has_its_own_status(void **state) {
  static const struct scenario away[] = {
      {command_status, {"status", "--json"}, EXIT_DATABASE},
      {command_alerts, {"alerts", "-a"}, EXIT_DATABASE},
      {command_alerts, {"alerts", "--restart-pending"}, EXIT_DATABASE},
      {command_explain, {"explain", "--json", "1"}, EXIT_DATABASE},
      {command_explain, {"explain", "h", "/p"}, EXIT_DATABASE},
      {command_accept, {"accept", "1", "2", "-w", "x"}, EXIT_DATABASE},
      {command_agents, {"agents", "a"}, EXIT_DATABASE},
      {command_agents, {"agents", "rebind", "-u", "u", "a"}, EXIT_DATABASE},
      {command_addresses, {"addresses", "a", "--json"}, EXIT_DATABASE},
      {command_addresses, {"addresses", "add", "a", "::1"}, EXIT_DATABASE},
      {command_manifest, {"manifest", "import", "x"}, EXIT_DATABASE},
      {command_manifest, {"manifest", "list", "--json"}, EXIT_DATABASE},
      {command_manifest, {"manifest", "list", "--requests"}, EXIT_DATABASE},
      {command_manifest, {"manifest", "remove", "1", "-w", "x"}, EXIT_DATABASE},
  };

  (void)state;
  EXPECT_ALL(away);
}

static void output_that_cannot_be_written_is_no_success(void **state) {
  const struct scenario help = {command_status, {"status", "--help"}, EXIT_NO};
  int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

  (void)state;
  assert_int_equal(with_output_to(full, &help), EXIT_NO);
  clearerr(stdout);
  (void)close(full);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wrong_command_line_is_refused),
      cmocka_unit_test(a_reason_is_as_long_as_the_database_takes),
      cmocka_unit_test(help_needs_no_database),
      cmocka_unit_test(a_database_out_of_reach_has_its_own_status),
      cmocka_unit_test(output_that_cannot_be_written_is_no_success),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
