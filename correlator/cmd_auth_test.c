/* process-dna-correlator auth-test */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "correlator/auth_intake.h"
#include "correlator/auth_json.h"
#include "correlator/auth_lines.h"
#include "correlator/auth_stream.h"
#include "correlator/cmd_common.h"
#include "lib/record/clock.h"

static const char help[] =
    "Usage: process-dna-correlator auth-test [--malformed] [FILE]\n"
    "\n"
    "Show how the lines of a log are read: those of FILE, or of standard\n"
    "input. For each line that tells an outcome, print one JSON object, and "
    "at\n"
    "the end, on standard error, how many lines there were of each kind.\n"
    "Lines are taken as `run` takes those of a file that it follows: one of\n"
    "more than 64 KiB is skipped, and counts as other.\n"
    "Needs neither the database nor a configuration.\n"
    "\n"
    "Options:\n"
    "      --malformed  print an object also for lines that begin like an\n"
    "                   outcome other than a login and are none; `extra` is\n"
    "                   the message\n"
    "  -h, --help       this text\n"
    "\n"
    "Exit status: 0 read to its end, 1 it could not be read or the output not\n"
    "be written, 2 wrong usage.\n";

struct test {
  struct auth_lines *lines;
  struct auth_stream *stream;
  bool malformed; /* print them too, not only those that look like logins */
  int64_t now_us;
  uint64_t count, too_long, other; /* lines */
  uint64_t outcomes[AUTH_OUTCOMES];
  struct auth_json output;
};

static int take_line(struct test *t, struct auth_text line) {
  struct auth_event event;
  enum auth_line what =
      auth_stream_line(t->stream, line.at, line.len, t->now_us, &event);

  if (what == AUTH_LINE_OTHER) {
    t->other++;
    return EXIT_DONE;
  }
  t->outcomes[event.outcome]++;
  if (event.outcome == AUTH_MALFORMED && !t->malformed)
    return EXIT_DONE;
  if (auth_json_append(&t->output, t->count, &event) == 0)
    return EXIT_DONE;
  cmd_error("%s", strerror(ENOMEM));
  return EXIT_NO;
}

/* It is not read, so nobody knows whether it were malformed. */
static void skip_line(struct test *t) {
  auth_intake_too_long(t->stream);
  t->too_long++;
  t->other++;
}

/* All whole lines that were read, and at the end the rest. */
static int take_lines(struct test *t, bool at_end) {
  struct auth_text line;
  int status = EXIT_DONE;

  while (status == EXIT_DONE) {
    enum auth_lines_found found = at_end ? auth_lines_rest(t->lines, &line)
                                         : auth_lines_next(t->lines, &line);
    if (found == AUTH_LINES_NONE)
      break;
    t->count++;
    if (found == AUTH_LINES_TOO_LONG)
      skip_line(t);
    else
      status = take_line(t, line);
  }
  return status;
}

/* What is known is shown before there is more to read. */
static void print(struct test *t) {
  if (t->output.len > 0)
    (void)fwrite(t->output.at, 1, t->output.len, stdout);
  (void)fflush(stdout); /* what went wrong is cmd_finish's */
  t->output.len = 0;
}

static int read_all(struct test *t, int fd, const char *name) {
  ssize_t n = 1;

  while (n > 0 && ferror(stdout) == 0) {
    size_t len;
    char *room = auth_lines_room(t->lines, &len);
    n = read(fd, room, len);
    if (n < 0 && errno == EINTR) {
      n = 1;
      continue;
    }
    if (n < 0) {
      cmd_error("%s: %s", name, strerror(errno));
      return EXIT_NO;
    }
    auth_lines_filled(t->lines, (size_t)n);
    t->now_us = clock_wall_us(); /* what is read may go on for days */
    if (take_lines(t, n == 0) != EXIT_DONE)
      return EXIT_NO;
    print(t);
  }
  return EXIT_DONE;
}

static void print_count(const char *what, uint64_t count) {
  (void)fprintf(stderr, "%12" PRIu64 " %s\n", count, what);
}

/* Every kind has its line, so that a script finds those that are 0. */
static void print_counts(const struct test *t) {
  print_count("lines", t->count);
  for (int i = 0; i < AUTH_OUTCOMES; i++)
    print_count(auth_outcome_name((enum auth_outcome)i), t->outcomes[i]);
  print_count("other", t->other);
  if (t->too_long > 0)
    print_count("of these longer than 64 KiB, and skipped", t->too_long);
}

static int test_file(struct test *t, const char *file) {
  bool is_input = file == NULL || strcmp(file, "-") == 0;
  int fd = is_input ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);

  if (fd < 0) {
    cmd_error("%s: %s", file, strerror(errno));
    return EXIT_NO;
  }
  int status = read_all(t, fd, is_input ? "standard input" : file);
  status = cmd_finish(status); /* what was printed goes before the counts */
  print_counts(t);
  if (!is_input)
    (void)close(fd);
  return status;
}

int command_auth_test(const struct config *config, int argc, char **argv) {
  struct test t = {.malformed = false};
  const struct cmd_syntax syntax = {
      "auth-test", help, {{"malformed", 0, &t.malformed, NULL}}};
  int first;

  (void)config; /* there need not be one */
  int status = cmd_options(&syntax, argc, argv, &first);
  if (status >= 0)
    return status;
  if (argc - first > 1)
    return cmd_usage("auth-test", "%s: expected one file", argv[first + 1]);
  t.lines = auth_lines_new();
  t.stream = auth_stream_new();
  if (t.lines != NULL && t.stream != NULL) {
    status = test_file(&t, argv[first]);
  } else {
    cmd_error("%s", strerror(ENOMEM));
    status = EXIT_NO;
  }
  auth_stream_free(t.stream);
  auth_lines_free(t.lines);
  auth_json_clear(&t.output);
  return status;
}
