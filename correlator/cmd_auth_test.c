/* process-dna-correlator auth-test */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "correlator/auth_json.h"
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

enum { READ_BYTES = 256 * 1024 };

struct test {
  struct auth_stream *stream;
  bool malformed; /* print them too, not only those that look like logins */
  int64_t now_us;
  uint64_t lines, cut, other;
  uint64_t outcomes[AUTH_OUTCOMES];
  struct auth_json output;
};

static int take_line(struct test *t, const char *line, size_t len) {
  struct auth_event event;

  t->lines++;
  if (len > AUTH_LINE_MAX) {
    t->cut++;
    len = AUTH_LINE_MAX;
  }
  enum auth_line what =
      auth_stream_line(t->stream, line, len, t->now_us, &event);
  if (what == AUTH_LINE_OTHER) {
    t->other++;
    return EXIT_DONE;
  }
  t->outcomes[event.outcome]++;
  if (event.outcome == AUTH_MALFORMED && !t->malformed)
    return EXIT_DONE;
  if (auth_json_append(&t->output, t->lines, &event) == 0)
    return EXIT_DONE;
  cmd_error("%s", strerror(ENOMEM));
  return EXIT_NO;
}

/* The bytes of the file that were read and not taken yet. */
struct window {
  char *bytes; /* READ_BYTES */
  size_t begin, end;
  bool skipping; /* the rest of a line that was taken */
};

/* Take the lines that are whole, and of one that fills the window what is
 * there. */
static int take_lines(struct test *t, struct window *w, bool at_end) {
  int status = EXIT_DONE;

  while (status == EXIT_DONE && w->begin < w->end) {
    const char *line = w->bytes + w->begin;
    size_t rest = w->end - w->begin;
    const char *newline = memchr(line, '\n', rest);
    bool whole = newline != NULL || at_end;
    if (!whole && rest < READ_BYTES)
      break;
    size_t len = newline != NULL ? (size_t)(newline - line) : rest;
    if (!w->skipping)
      status = take_line(t, line, len);
    w->skipping = !whole;
    w->begin += len + (newline != NULL);
  }
  memmove(w->bytes, w->bytes + w->begin, w->end - w->begin);
  w->end -= w->begin;
  w->begin = 0;
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
  struct window w = {.bytes = malloc(READ_BYTES)};
  int status = EXIT_NO;
  ssize_t n = 1;

  if (w.bytes == NULL) {
    cmd_error("%s", strerror(ENOMEM));
    return EXIT_NO;
  }
  while (n > 0) {
    n = read(fd, w.bytes + w.end, READ_BYTES - w.end);
    if (n < 0 && errno == EINTR) {
      n = 1;
      continue;
    }
    if (n < 0) {
      cmd_error("%s: %s", name, strerror(errno));
      goto out;
    }
    w.end += (size_t)n;
    t->now_us = clock_wall_us(); /* what is read may go on for days */
    if (take_lines(t, &w, n == 0) != EXIT_DONE)
      goto out;
    print(t);
    if (ferror(stdout) != 0)
      goto out;
  }
  status = EXIT_DONE;
out:
  free(w.bytes);
  return status;
}

static void print_count(const char *what, uint64_t count) {
  (void)fprintf(stderr, "%12" PRIu64 " %s\n", count, what);
}

/* Every kind has its line, so that a script finds those that are 0. */
static void print_counts(const struct test *t) {
  print_count("lines", t->lines);
  for (int i = 0; i < AUTH_OUTCOMES; i++)
    print_count(auth_outcome_name((enum auth_outcome)i), t->outcomes[i]);
  print_count("other", t->other);
  if (t->cut > 0)
    print_count("of these longer than 64 KiB, and cut there", t->cut);
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
  t.stream = auth_stream_new();
  if (t.stream == NULL) {
    cmd_error("%s", strerror(ENOMEM));
    return EXIT_NO;
  }
  status = test_file(&t, argv[first]);
  auth_stream_free(t.stream);
  auth_json_clear(&t.output);
  return status;
}
