/* A folder with a log that a daemon writes, that is rotated as logrotate does
 * it, and that is followed. Event N is a login by process N. Included by one
 * file of a program. */
#ifndef PDNA_LOG_WORLD_H
#define PDNA_LOG_WORLD_H

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "correlator/auth_log.h"
#include "tests/unit/unit.h"

#include "tests/unit/fake_ingest.h"

enum { WORLD_TEXT_MAX = 65536, WORLD_STEPS_MAX = 10000 };

static char world_dir[] = "/tmp/pdna-auth-log-XXXXXX";
static char world_path[PATH_MAX]; /* the log */
static struct ingest world_ingest;
static struct auth_log *world_log;
static unsigned world_written; /* the last event */

/* The log's path with an end to it. */
static const char *world_name(const char *end) {
  static char names[2][PATH_MAX + 64];
  static unsigned last;
  char *name = names[++last % 2];

  (void)snprintf(name, sizeof(names[0]), "%s%s", world_path, end);
  return name;
}

static void world_append_to(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  assert_int_equal(close(fd), 0);
}

static void world_append(const char *text) {
  world_append_to(world_path, text);
}

#define WORLD_LINE                                                             \
  "2026-11-26T00:00:01+00:00 web-1 sshd[%u]: Accepted password for alice "     \
  "from 192.0.2.7 port 50022 ssh2\n"

/* The next event's line. */
static const char *world_line(void) {
  static char line[256];

  (void)snprintf(line, sizeof(line), WORLD_LINE, ++world_written);
  return line;
}

static void world_write(unsigned count) {
  while (count-- > 0)
    world_append(world_line());
}

/* No two lines of a log are the same: they have stamps. */
static inline void world_other(void) {
  static unsigned others;
  char line[256];

  (void)snprintf(line, sizeof(line),
                 "Nov 26 00:00:01 web-1 cron[%u]: (root) CMD (true)\n",
                 10000 + ++others);
  world_append(line);
}

static bool world_exists(const char *path) { return access(path, F_OK) == 0; }

/* PATH.1 becomes PATH.2 and so on. */
static void world_shift(void) {
  char end[16];
  int last = 1;

  while (snprintf(end, sizeof(end), ".%d", last) > 0 &&
         world_exists(world_name(end)))
    last++;
  for (; last > 1; last--) {
    char before[16];
    (void)snprintf(end, sizeof(end), ".%d", last);
    (void)snprintf(before, sizeof(before), ".%d", last - 1);
    assert_int_equal(rename(world_name(before), world_name(end)), 0);
  }
}

static void world_rename_to(const char *end) {
  assert_int_equal(rename(world_path, world_name(end)), 0);
}

static void world_rename(void) {
  world_shift();
  world_rename_to(".1");
}

static void world_copy_to(const char *end) {
  static char bytes[4 << 20];
  int from = open(world_path, O_RDONLY);
  int to = open(world_name(end), O_WRONLY | O_CREAT | O_EXCL, 0644);
  ssize_t len = read(from, bytes, sizeof(bytes));

  assert_true(len >= 0 && (size_t)len < sizeof(bytes));
  assert_int_equal(write(to, bytes, (size_t)len), len);
  assert_int_equal(close(to), 0);
  assert_int_equal(close(from), 0);
}

static inline void world_copy_and_cut(void) {
  world_shift();
  world_copy_to(".1");
  assert_int_equal(truncate(world_path, 0), 0);
}

static enum auth_log_state world_step(void) {
  enum auth_log_state state;
  int steps = 0;

  while ((state = auth_log_step(world_log)) == AUTH_LOG_MORE)
    assert_in_range(++steps, 0, WORLD_STEPS_MAX);
  return state;
}

static void world_start(void) {
  world_log = auth_log_new(world_path, 0, &world_ingest);
  assert_non_null(world_log);
}

/* What is not committed is lost, and a new correlator begins. */
static inline void world_kill(void) {
  auth_log_free(world_log);
  fake_ingest_roll_back(&world_ingest);
  world_start();
}

/* The events, as far as they are in order: "1-3 7-9 ". */
static inline const char *world_events(void) {
  static char text[WORLD_TEXT_MAX];
  size_t len = 0;

  text[0] = '\0';
  for (size_t i = 0; i < world_ingest.events_len;) {
    uint32_t first = world_ingest.events[i]->event.pid;
    uint32_t last = first;
    while (++i < world_ingest.events_len &&
           world_ingest.events[i]->event.pid == last + 1)
      last++;
    len += (size_t)snprintf(text + len, sizeof(text) - len,
                            first == last ? "%u " : "%u-%u ", first, last);
    assert_true(len < sizeof(text));
  }
  return text;
}

static int world_remove_files(void) {
  DIR *dir = opendir(world_dir);
  const struct dirent *entry;

  while (dir != NULL && (entry = readdir(dir)) != NULL)
    if (entry->d_name[0] != '.')
      (void)unlinkat(dirfd(dir), entry->d_name, 0);
  return dir == NULL ? -1 : closedir(dir);
}

static int world_make(void **state) {
  (void)state;
  return mkdtemp(world_dir) == NULL || snprintf(world_path, sizeof(world_path),
                                                "%s/auth.log", world_dir) < 0
             ? -1
             : 0;
}

static int world_remove(void **state) {
  (void)state;
  return rmdir(world_dir);
}

static int world_begin(void **state) {
  (void)state;
  world_written = 0;
  world_start();
  return 0;
}

static int world_end(void **state) {
  (void)state;
  auth_log_free(world_log);
  fake_ingest_clear(&world_ingest);
  return world_remove_files();
}

#define world_test(f) cmocka_unit_test_setup_teardown(f, world_begin, world_end)

#endif
