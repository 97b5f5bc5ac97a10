/* Goal: auth-test tells of each line what following its log tells, whatever
 * lies in it. */
#include <inttypes.h>

#include "correlator/auth_json.h"
#include "correlator/auth_lines.h"
#include "correlator/commands.h"
#include "correlator/counters.h"
#include "tests/unit/log_world.h"

#define HEADER "2026-11-26T00:00:01+00:00 web-1 "

enum kind {
  LOGIN,
  REPEAT,
  EMPTY,
  HOLE,
  LOGIN_BEHIND_HOLE,
  HOLE_WITHIN,
  LONGEST,
  LONGEST_BEHIND_HOLE,
  TOO_LONG,
  FAR_TOO_LONG,
  KINDS
};

static void fill(FILE *f, int byte, size_t len) {
  while (len-- > 0)
    (void)putc(byte, f);
}

/* A login of `len` bytes, or as short as it can be. */
static void put_login(FILE *f, unsigned pid, size_t len) {
  size_t head = (size_t)fprintf(f,
                                HEADER "sshd[%u]: Accepted password for alice "
                                       "from 192.0.2.7 port 50022 ssh2: ",
                                pid);

  fill(f, 'x', len > head ? len - head : 1);
}

/* Without its newline. What it tells holds its number, as pid or repeat. */
static void put_line(FILE *f, enum kind kind, unsigned number) {
  enum { HOLE_LEN = 100000, FAR = 200000 };
  bool behind_hole =
      kind == HOLE || kind == LOGIN_BEHIND_HOLE || kind == LONGEST_BEHIND_HOLE;

  fill(f, 0, behind_hole ? HOLE_LEN : 0);
  switch (kind) {
  case LOGIN:
  case LOGIN_BEHIND_HOLE:
    put_login(f, number, 0);
    break;
  case REPEAT:
    (void)fprintf(f, HEADER "last message repeated %u times", number);
    break;
  case HOLE_WITHIN:
    (void)fprintf(f, HEADER "sshd[%u]: Failed password for ", number);
    fill(f, 0, HOLE_LEN / 2);
    break;
  case LONGEST:
  case LONGEST_BEHIND_HOLE:
    put_login(f, number, AUTH_LINE_MAX);
    break;
  case TOO_LONG:
    put_login(f, number, AUTH_LINE_MAX + 1);
    break;
  case FAR_TOO_LONG:
    put_login(f, number, FAR);
    break;
  default:
    break;
  }
}

/* Each kind before and after each other, and `last` without a newline. */
static void make_log(enum kind last) {
  FILE *f = fopen(world_path, "w");
  unsigned number = 0;

  assert_non_null(f);
  for (int before = 0; before < KINDS; before++) {
    for (int after = 0; after < KINDS; after++) {
      put_line(f, (enum kind)before, ++number);
      (void)putc('\n', f);
      put_line(f, (enum kind)after, ++number);
      (void)putc('\n', f);
    }
  }
  put_line(f, last, ++number);
  assert_int_equal(fclose(f), 0);
}

struct told {
  struct auth_json objects;
  uint64_t lines, too_long;
};

/* UINT64_MAX: it is not told. */
static uint64_t count_of(const char *counts, const char *what) {
  const char *at = strstr(counts, what);

  if (at == NULL)
    return UINT64_MAX;
  while (at > counts && at[-1] != '\n')
    at--;
  return strtoull(at, NULL, 10);
}

static void auth_test(struct told *ret) {
  FILE *real_out = stdout, *real_err = stderr;
  char *argv[] = {(char[]){"auth-test"}, world_path, NULL}, *counts;
  size_t counts_len;

  FILE *out = open_memstream(&ret->objects.at, &ret->objects.len);
  FILE *err = open_memstream(&counts, &counts_len);
  assert_true(out != NULL && err != NULL);
  stdout = out;
  stderr = err;
  int status = command_auth_test(NULL, 2, argv);
  stdout = real_out;
  stderr = real_err;
  (void)fclose(out);
  (void)fclose(err);
  assert_int_equal(status, EXIT_DONE);
  ret->lines = count_of(counts, " lines\n");
  ret->too_long =
      count_of(counts, " of these longer than 64 KiB, and skipped\n");
  free(counts);
}

/* Once it is rotated, what has no newline is a line too. */
static void follow(struct told *ret) {
  uint64_t lines = counters_get(COUNTER_AUTH_LINES);
  uint64_t too_long = counters_get(COUNTER_AUTH_CUT);

  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  world_rename();
  world_write(1);
  assert_int_equal(world_step(), AUTH_LOG_IDLE);
  ret->lines = counters_get(COUNTER_AUTH_LINES) - lines - 1;
  ret->too_long = counters_get(COUNTER_AUTH_CUT) - too_long;
  for (size_t i = 0; i + 1 < world_ingest.events_len; i++) {
    const struct auth_event *event = &world_ingest.events[i]->event;
    unsigned number = event->repeat > 1 ? event->repeat : event->pid;
    assert_int_equal(auth_json_append(&ret->objects, number, event), 0);
  }
}

static void it_tells_what_following_tells(void **state) {
  for (int last = 0; last < KINDS; last++) {
    struct told tested = {.lines = 0}, followed = {.lines = 0};
    make_log((enum kind)last);
    auth_test(&tested);
    follow(&followed);
    assert_in_range(world_ingest.events_len, KINDS * KINDS / 2,
                    2 * KINDS * KINDS);
    assert_int_equal(tested.lines, followed.lines);
    assert_int_equal(tested.too_long, followed.too_long);
    assert_int_equal(tested.objects.len, followed.objects.len);
    assert_memory_equal(tested.objects.at, followed.objects.at,
                        followed.objects.len);
    auth_json_clear(&tested.objects);
    auth_json_clear(&followed.objects);
    (void)world_end(state);
    (void)world_begin(state);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      world_test(it_tells_what_following_tells),
  };
  return cmocka_run_group_tests(tests, world_make, world_remove);
}
