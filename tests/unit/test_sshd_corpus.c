/* What real daemons wrote, for inputs chosen to be hard, and what was made
 * after their source (data/sshd): each line says what its truth file has for
 * it, and no other line says anything. */
#include <stdlib.h>
#include <string.h>

#include "correlator/auth_stream.h"
#include "tests/unit/auth_texts.h"

#define FOLDER "tests/unit/data/sshd/"

/* 23 November 2023, 12:00 UTC. */
static const int64_t arrived_us = 1700740800000000;

static const char *const recorded[] = {
    "sshd-10.5p1",
    "sshd-10.5p1-extra",
    "sshd-9.8p1",
    "sshd-9.2p1-debian-pam",
};

static const char *const made[] = {"made"};

/* The columns of a truth file. */
enum {
  LINE,
  OUTCOME,
  REPEAT,
  METHOD,
  USER,
  KNOWN,
  IP,
  PORT,
  PROTOCOL,
  EXTRA,
  PROGRAM,
  PID,
  COLUMNS
};

struct truth {
  FILE *file;
  char *text;
  size_t size;
  char *columns[COLUMNS];
  unsigned long line; /* 0: no more */
};

static void next_truth(struct truth *t) {
  char *rest;

  t->line = 0;
  ssize_t len = getline(&t->text, &t->size, t->file);
  if (len <= 0)
    return;
  t->text[strcspn(t->text, "\n")] = '\0';
  rest = t->text;
  for (int i = 0; i < COLUMNS; i++) {
    t->columns[i] = strsep(&rest, "\t");
    assert_non_null(t->columns[i]);
  }
  assert_null(rest);
  t->line = strtoul(t->columns[LINE], NULL, 10);
}

static void open_truth(struct truth *t, const char *name) {
  char path[256];

  (void)snprintf(path, sizeof(path), FOLDER "%s.truth.tsv", name);
  t->file = fopen(path, "r");
  assert_non_null(t->file);
  assert_true(getline(&t->text, &t->size, t->file) > 0);
  assert_int_equal(strncmp(t->text, "line\toutcome\t", 13), 0);
  next_truth(t);
}

/* Where we are, for messages. */
static const char *file;
static unsigned long number;

static void assert_column(struct auth_text text, const char *expected) {
  if (!text_is(text, expected))
    fail_msg("%s:%lu: '%.*s' is not '%s'", file, number, (int)text.len,
             text.len > 0 ? text.at : "", expected);
}

static void assert_number(unsigned long value, const char *expected) {
  char text[32];

  (void)snprintf(text, sizeof(text), "%lu", value);
  assert_column((struct auth_text){text, strlen(text)}, expected);
}

/* The truth file has the first 80 bytes, with the path that the daemon read
 * before the log was made public. */
static void assert_malformed(struct auth_text message, char *expected) {
  enum { KEPT = 80 };
  static const char path[] = " found at ";
  char *place = strstr(expected, path);

  if (place != NULL)
    *place = '\0';
  if (message.len > KEPT)
    message.len = KEPT;
  if (place != NULL && message.len > strlen(expected))
    message.len = strlen(expected);
  assert_column(message, expected);
}

/* The truth file has all that follows in the user's column. */
static void assert_session(const struct auth_event *e, const char *expected) {
  char place[256];

  assert_column(e->extra, expected);
  (void)snprintf(place, sizeof(place), " for %.*s from %.*s port %u id ",
                 (int)e->user.len, e->user.at, (int)e->source.len, e->source.at,
                 e->port);
  const char *found = strstr(expected, place);
  assert_non_null(found);
  assert_null(strchr(found + strlen(place), ' '));
}

static void assert_event(const struct auth_event *e, char **truth) {
  const char *outcome = auth_outcome_name(e->outcome);

  assert_column((struct auth_text){outcome, strlen(outcome)}, truth[OUTCOME]);
  assert_number(e->repeat, truth[REPEAT]);
  assert_column(e->program, truth[PROGRAM]);
  assert_number(e->pid, truth[PID]);
  assert_column(e->method, truth[METHOD]);
  if (e->outcome >= AUTH_MALFORMED_ACCEPTED) {
    assert_malformed(e->extra, truth[EXTRA]);
    return;
  }
  if (e->outcome != AUTH_ROOT_REFUSED) /* which tells of no user */
    assert_number(e->user_known, truth[KNOWN]);
  if (e->outcome == AUTH_STARTING_SESSION) {
    assert_session(e, truth[USER]);
    return;
  }
  assert_column(e->user, truth[USER]);
  assert_column(e->source, truth[IP]);
  if (e->port > 0 || e->protocol.len > 0) /* then a port was told */
    assert_number(e->port, truth[PORT]);
  else
    assert_string_equal(truth[PORT], "");
  assert_column(e->protocol, truth[PROTOCOL]);
  assert_column(e->extra, truth[EXTRA]);
}

static void check_file(const char *name) {
  char path[256];
  char *line = NULL;
  size_t size = 0;
  ssize_t len;
  struct auth_event event;
  struct truth truth = {.line = 0};
  struct auth_stream *stream = auth_stream_new();

  file = name;
  number = 0;
  (void)snprintf(path, sizeof(path), FOLDER "%s.log", name);
  FILE *log = fopen(path, "r");
  assert_non_null(log);
  assert_non_null(stream);
  open_truth(&truth, name);
  while ((len = getline(&line, &size, log)) > 0) {
    enum auth_line what =
        auth_stream_line(stream, line, (size_t)len, arrived_us, &event);
    if (++number != truth.line) {
      if (what != AUTH_LINE_OTHER)
        fail_msg("%s:%lu says %s", name, number,
                 auth_outcome_name(event.outcome));
      continue;
    }
    if (what == AUTH_LINE_OTHER)
      fail_msg("%s:%lu says nothing", name, number);
    assert_event(&event, truth.columns);
    next_truth(&truth);
  }
  assert_int_equal(truth.line, 0);
  auth_stream_free(stream);
  free(line);
  free(truth.text);
  (void)fclose(truth.file);
  (void)fclose(log);
}

static void every_recorded_line_says_what_is_true(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(recorded) / sizeof(recorded[0]); i++)
    check_file(recorded[i]);
}

static void every_made_line_says_what_is_true(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
    check_file(made[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_recorded_line_says_what_is_true),
      cmocka_unit_test(every_made_line_says_what_is_true),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
