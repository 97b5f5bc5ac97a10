/* Goal: a program runs without a shell, sees the environment that it is given
 * and no other, and never outlives its time, nor does what it has started. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "correlator/program.h"
#include "tests/unit/unit.h"

static char *no_environment[] = {NULL};

static int run(char *const *argv, unsigned timeout_s,
               struct program_result *result) {
  const struct program program = {.argv = argv, .environment = no_environment};

  return program_run(&program, timeout_s, result);
}

static void what_it_writes_and_how_it_ends_is_told(void **state) {
  char *argv[] = {"/bin/sh", "-c", "echo out; echo err >&2; cat; exit 7", NULL};
  struct program_result result;

  (void)state;
  assert_int_equal(run(argv, 60, &result), 0);
  assert_false(result.timed_out);
  assert_true(WIFEXITED(result.status) && WEXITSTATUS(result.status) == 7);
  assert_string_equal(result.output, "out\n");
  assert_string_equal(result.error, "err\n");
  program_result_free(&result);
}

static void it_gets_its_own_environment_folder_and_name(void **state) {
  char *argv[] = {"other-name", "-c", "echo $0 $A $HOME; pwd", NULL};
  char *environment[] = {"A=given", NULL};
  const struct program program = {.path = "/bin/sh",
                                  .argv = argv,
                                  .environment = environment,
                                  .folder = "/usr"};
  struct program_result result;

  (void)state;
  assert_int_equal(setenv("HOME", "/not-this", 1), 0);
  assert_int_equal(program_run(&program, 60, &result), 0);
  assert_string_equal(result.output, "other-name given\n/usr\n");
  program_result_free(&result);
}

static void its_input_and_output_may_be_files(void **state) {
  static const char text[] = "what it reads\n";
  char *argv[] = {"/bin/sh", "-c", "tr a-z A-Z; echo err >&2", NULL};
  struct program_result result;
  char got[64] = "";
  int files[2];

  (void)state;
  for (int i = 0; i < 2; i++) {
    files[i] = memfd_create("file", MFD_CLOEXEC);
    assert_true(files[i] > 2);
  }
  assert_int_equal(pwrite(files[0], text, strlen(text), 0), strlen(text));
  const struct program program = {.path = "/bin/sh",
                                  .argv = argv,
                                  .environment = no_environment,
                                  .input = files[0],
                                  .output = files[1]};
  assert_int_equal(program_run(&program, 60, &result), 0);
  assert_string_equal(result.output, "");
  assert_string_equal(result.error, "err\n");
  assert_int_equal(pread(files[1], got, sizeof(got), 0), strlen(text));
  assert_string_equal(got, "WHAT IT READS\n");
  program_result_free(&result);
  for (int i = 0; i < 2; i++)
    assert_int_equal(close(files[i]), 0);
}

static void it_gets_no_descriptor_of_ours(void **state) {
  char *argv[] = {"/bin/sh", "-c", "[ ! -e /proc/self/fd/99 ] && echo none",
                  NULL};
  struct program_result result;

  (void)state;
  assert_int_equal(dup2(STDIN_FILENO, 99), 99); /* without close-on-exec */
  assert_int_equal(run(argv, 60, &result), 0);
  assert_string_equal(result.output, "none\n");
  program_result_free(&result);
  assert_int_equal(close(99), 0);
}

static void a_program_that_is_not_there_is_an_error(void **state) {
  char *argv[] = {"/nonexistent", NULL};
  struct program_result result;

  (void)state;
  assert_int_equal(run(argv, 60, &result), -ENOENT);
  program_result_free(&result);
}

/* The pid that the child of the shell writes. */
static pid_t written_pid(const struct program_result *result) {
  return (pid_t)strtol(result->output, NULL, 10);
}

static void assert_gone(pid_t pid) {
  assert_true(pid > 0);
  for (int i = 0; i < 1000 && kill(pid, 0) == 0; i++) {
    (void)waitpid(pid, NULL, WNOHANG); /* where we have inherited it */
    (void)usleep(10000);
  }
  assert_int_equal(kill(pid, 0), -1);
}

static void what_takes_too_long_is_ended_with_all_it_started(void **state) {
  char *argv[] = {"/bin/sh", "-c", "sleep 600 & echo $!; wait", NULL};
  struct program_result result;

  (void)state;
  assert_int_equal(run(argv, 1, &result), 0);
  assert_true(result.timed_out);
  assert_gone(written_pid(&result));
  program_result_free(&result);
}

static void what_it_leaves_behind_is_ended(void **state) {
  char *argv[] = {"/bin/sh", "-c", "sleep 600 & echo $!", NULL};
  struct program_result result;

  (void)state;
  assert_int_equal(run(argv, 60, &result), 0);
  assert_false(result.timed_out);
  assert_int_equal(result.status, 0);
  assert_gone(written_pid(&result));
  program_result_free(&result);
}

static void output_is_bounded(void **state) {
  char *argv[] = {"/bin/sh", "-c",
                  "head -c 1000000 /dev/zero | tr '\\0' x; echo end >&2", NULL};
  char *environment[] = {"PATH=/usr/bin:/bin", NULL};
  const struct program program = {.argv = argv, .environment = environment};
  struct program_result result;

  (void)state;
  assert_int_equal(program_run(&program, 60, &result), 0);
  assert_int_equal(result.status, 0);
  assert_int_equal(strlen(result.output), PROGRAM_OUTPUT_MAX);
  assert_string_equal(result.error, "end\n");
  program_result_free(&result);
}

static void files_are_bounded(void **state) {
  char folder[] = "/tmp/pdna-program-XXXXXX";
  char *argv[] = {"/bin/sh", "-c", "exec head -c 100000 /dev/zero >file", NULL};
  char *environment[] = {"PATH=/usr/bin:/bin", NULL};
  struct program program = {
      .argv = argv, .environment = environment, .file_size_max = 4096};
  struct program_result result;

  (void)state;
  assert_non_null(mkdtemp(folder));
  program.folder = folder;
  assert_int_equal(program_run(&program, 60, &result), 0);
  assert_int_not_equal(result.status, 0);
  program_result_free(&result);
  program.file_size_max = 0;
  assert_int_equal(program_run(&program, 60, &result), 0);
  assert_int_equal(result.status, 0);
  program_result_free(&result);
  assert_int_equal(chdir(folder), 0);
  assert_int_equal(unlink("file"), 0);
  assert_int_equal(chdir("/"), 0);
  assert_int_equal(rmdir(folder), 0);
}

/* Whoever is killed can't end its children itself. */
static void it_ends_with_whoever_runs_it(void **state) {
  int ends[2];
  pid_t program_pid = 0;

  (void)state;
  assert_int_equal(pipe(ends), 0);
  assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  pid_t parent = fork();
  if (parent == 0) {
    char *argv[] = {"/bin/sleep", "600", NULL};
    const struct program program = {.argv = argv,
                                    .environment = no_environment};
    if (program_start(&program, 2, 2, &program_pid) != 0 ||
        write(ends[1], &program_pid, sizeof(program_pid)) < 0)
      _exit(1);
    (void)pause();
  }
  assert_int_equal(read(ends[0], &program_pid, sizeof(program_pid)),
                   sizeof(program_pid));
  assert_int_equal(kill(program_pid, 0), 0);
  assert_int_equal(kill(parent, SIGKILL), 0);
  assert_int_equal(waitpid(parent, NULL, 0), parent);
  assert_gone(program_pid);
  (void)close(ends[0]);
  (void)close(ends[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_it_writes_and_how_it_ends_is_told),
      cmocka_unit_test(it_gets_its_own_environment_folder_and_name),
      cmocka_unit_test(its_input_and_output_may_be_files),
      cmocka_unit_test(it_gets_no_descriptor_of_ours),
      cmocka_unit_test(a_program_that_is_not_there_is_an_error),
      cmocka_unit_test(what_takes_too_long_is_ended_with_all_it_started),
      cmocka_unit_test(what_it_leaves_behind_is_ended),
      cmocka_unit_test(output_is_bounded),
      cmocka_unit_test(files_are_bounded),
      cmocka_unit_test(it_ends_with_whoever_runs_it),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
