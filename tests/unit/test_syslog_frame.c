/* Goal: whatever a sender puts into a connection, and however it is cut into
 * pieces on the way, the same lines come out, in bounded memory. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/syslog_frame.h"
#include "tests/unit/unit.h"

/* What came out: each line in [], + for one that was too long, ! where the
 * connection is broken, and at the end ~ for a frame that is open. */
struct result {
  char text[512];
  size_t len;
};

static struct syslog_frame *frame;

static int set_up(void **state) {
  (void)state;
  frame = syslog_frame_new();
  return frame == NULL;
}

static int tear_down(void **state) {
  (void)state;
  syslog_frame_free(frame);
  return 0;
}

static void say(struct result *r, const char *text, size_t len) {
  assert_true(r->len + len < sizeof(r->text));
  memcpy(r->text + r->len, text, len);
  r->len += len;
}

/* A line is shown with "." for each NUL in it. */
static void say_line(struct result *r, const struct syslog_bytes *line) {
  say(r, "[", 1);
  for (size_t i = 0; i < line->len; i++)
    say(r, line->at[i] ? &line->at[i] : ".", 1);
  say(r, "]", 1);
}

/* Feed a piece, in memory of just its size. False: broken. */
static bool feed(struct result *r, const char *at, size_t len) {
  char *copy = malloc(len + 1);
  struct syslog_bytes input = {copy, len}, line;
  enum syslog_frame_result result;

  assert_non_null(copy);
  memcpy(copy, at, len);
  while ((result = syslog_frame_next(frame, &input, &line)) !=
         SYSLOG_FRAME_MORE) {
    if (result == SYSLOG_FRAME_LINE)
      say_line(r, &line);
    else
      say(r, result == SYSLOG_FRAME_BROKEN ? "!" : "+", 1);
    if (result == SYSLOG_FRAME_BROKEN)
      break;
  }
  if (result == SYSLOG_FRAME_MORE)
    assert_int_equal(input.len, 0);
  free(copy);
  return result != SYSLOG_FRAME_BROKEN;
}

static void restart(struct result *r) {
  syslog_frame_free(frame);
  frame = syslog_frame_new();
  assert_non_null(frame);
  *r = (struct result){.len = 0};
}

static void check(struct result *r, bool whole, const char *expected) {
  if (whole && syslog_frame_is_open(frame))
    say(r, "~", 1);
  assert_string_equal(r->text, expected);
}

struct sample {
  const char *bytes;
  size_t len;
  const char *expected;
};
#define BYTES(literal) (literal), sizeof(literal) - 1

static const struct sample samples[] = {
    /* Newline framing. */
    {BYTES("<13>one\n<13>two\n"), "[<13>one][<13>two]"},
    {BYTES("<13>one\r\n<13>two\r\n"), "[<13>one][<13>two]"},
    {BYTES("\n\n<13>one\n\n\r\n<13>two\n"), "[<13>one][<13>two]"},
    {BYTES("one\ntwo"), "[one]~"},
    {BYTES(""), ""},
    /* NUL as a trailer, if it is the first; else it is text. */
    {BYTES("<13>one\0<13>two\0"), "[<13>one][<13>two]"},
    {BYTES("<13>one\0<13>t\nwo\0"), "[<13>one][<13>t\nwo]"},
    {BYTES("<13>one\n<13>t\0wo\n"), "[<13>one][<13>t.wo]"},
    {BYTES("<13>one\n\0<13>two\n\0"), "[<13>one][<13>two]"},
    {BYTES("<13>one\0\n<13>two\0\n"), "[<13>one][<13>two]"},
    /* Octet counting. */
    {BYTES("7 <13>one8 <13>four"), "[<13>one][<13>four]"},
    {BYTES("8 <13>one\n9 <13>four\n"), "[<13>one][<13>four]"},
    {BYTES("7 <13>one\n8 <13>four\n"), "[<13>one][<13>four]"},
    {BYTES("7 <13>one\0008 <13>four"), "[<13>one][<13>four]"},
    {BYTES("13 <13>one\n<13>t7 <13>wo."), "[<13>one\n<13>t][<13>wo.]"},
    {BYTES("9 <13>o\0n\0e"), "[<13>o.n.e]"},
    {BYTES("1 <1 <"), "[<][<]"},
    {BYTES("1 <"), "[<]"},
    {BYTES("3 <\n\n7 <13>one"), "[<][<13>one]"},
    {BYTES("8 <13>one"), "~"},
    {BYTES("8 "), "~"},
    {BYTES("8"), "~"},
    /* Told apart for each frame. */
    {BYTES("7 <13>one<13>two\n7 <13>six"), "[<13>one][<13>two][<13>six]"},
    {BYTES("<13>two\n7 <13>six<13>two\n"), "[<13>two][<13>six][<13>two]"},
    /* No octet counting. */
    {BYTES("07 <13>one\n"), "[07 <13>one]"},
    {BYTES("0 <13>one\n"), "[0 <13>one]"},
    {BYTES("2026-11-26T10:00:00Z web-1\n"), "[2026-11-26T10:00:00Z web-1]"},
    {BYTES("12 Nov\n13"), "[12 Nov]~"},
    {BYTES("12\n<13>one\n"), "[12][<13>one]"},
    {BYTES("12 \n<13>one\n"), "[12 ][<13>one]"},
    {BYTES("12  <13>one\n"), "[12  <13>one]"},
    {BYTES(" 7 <13>one\n"), "[ 7 <13>one]"},
    {BYTES("-7 <13>one\n"), "[-7 <13>one]"},
    {BYTES("+7 <13>one\n"), "[+7 <13>one]"},
    {BYTES("7<13>one\n"), "[7<13>one]"},
    {BYTES("123456789012345678901 <13>one\n"),
     "[123456789012345678901 <13>one]"},
    /* More than anybody sends, also where it would wrap around. */
    {BYTES("4294967296 <13>one"), "!"},
    {BYTES("4294967303 <13>one"), "!"},
    {BYTES("18446744073709551623 <13>"), "!"},
    {BYTES("16777217 <13>one"), "!"},
    {BYTES("16777216 <13>one"), "~"},
    {BYTES("7 <13>one4294967296 <13>one"), "[<13>one]!"},
    /* After a line, no number makes all that follows disappear. */
    {BYTES("<13>one\n4294967296 <13>a\n<13>b\n"),
     "[<13>one][4294967296 <13>a][<13>b]"},
    {BYTES("<13>one\n65537 <13>a\n<13>b\n"), "[<13>one][65537 <13>a][<13>b]"},
};

static void feed_pieces(const struct sample *s, size_t first, size_t second) {
  struct result r;
  bool whole;

  restart(&r);
  whole = feed(&r, s->bytes, first) &&
          feed(&r, s->bytes + first, second - first) &&
          feed(&r, s->bytes + second, s->len - second);
  check(&r, whole, s->expected);
}

static void lines_are_the_same_however_they_are_cut(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
    for (size_t first = 0; first <= samples[i].len; first++)
      for (size_t second = first; second <= samples[i].len; second++)
        feed_pieces(&samples[i], first, second);
}

static void octets_one_by_one_give_the_same(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
    const struct sample *s = &samples[i];
    struct result r;
    bool whole = true;

    restart(&r);
    for (size_t at = 0; at < s->len && whole; at++)
      whole = feed(&r, s->bytes + at, 1);
    check(&r, whole, s->expected);
  }
}

/* A line of `len` octets in a frame of either kind. */
static size_t put_long(char *at, size_t len, bool counted) {
  const int head = counted ? sprintf(at, "%zu ", len) : 0;

  memset(at + head, 'x', len);
  at[head] = '<';
  at[(size_t)head + len] = '\n';
  return (size_t)head + len + 1;
}

static void check_long(size_t len, bool counted, size_t piece) {
  static const char last[] = {'<', '1', '3', '>', 'l', 'a', 's', 't', '\n'};
  static char bytes[3 * SYSLOG_LINE_MAX];
  size_t n = put_long(bytes, len, counted), lines = 0, too_long = 0;

  memcpy(bytes + n, last, sizeof(last));
  n += sizeof(last);
  syslog_frame_free(frame);
  frame = syslog_frame_new();
  for (size_t at = 0; at < n; at += piece) {
    struct syslog_bytes input = {bytes + at, n - at < piece ? n - at : piece};
    struct syslog_bytes line;
    enum syslog_frame_result r;

    while ((r = syslog_frame_next(frame, &input, &line)) != SYSLOG_FRAME_MORE) {
      assert_int_not_equal(r, SYSLOG_FRAME_BROKEN);
      too_long += r == SYSLOG_FRAME_TOO_LONG;
      if (r == SYSLOG_FRAME_LINE && lines++ == 0 && len <= SYSLOG_LINE_MAX)
        assert_int_equal(line.len, len);
    }
  }
  assert_int_equal(lines, len <= SYSLOG_LINE_MAX ? 2 : 1);
  assert_int_equal(too_long, len > SYSLOG_LINE_MAX);
  assert_false(syslog_frame_is_open(frame));
}

static void lines_over_the_bound_are_skipped_to_their_end(void **state) {
  static const size_t lengths[] = {SYSLOG_LINE_MAX - 1, SYSLOG_LINE_MAX,
                                   SYSLOG_LINE_MAX + 1,
                                   (size_t)2 * SYSLOG_LINE_MAX + 17};
  static const size_t pieces[] = {1, 1000, SYSLOG_LINE_MAX,
                                  (size_t)4 * SYSLOG_LINE_MAX};

  (void)state;
  for (size_t i = 0; i < 4; i++)
    for (size_t k = 0; k < 4; k++) {
      check_long(lengths[i], false, pieces[k]);
      check_long(lengths[i], true, pieces[k]);
    }
}

static size_t memory(void) {
  const struct mallinfo2 m = mallinfo2();

  return m.uordblks + m.hblkhd;
}

static void a_sender_without_a_newline_is_one_line(void **state) {
  static char bytes[SYSLOG_LINE_MAX];
  const size_t before = memory();
  struct syslog_bytes line, input;

  (void)state;
  memset(bytes, 'x', sizeof(bytes));
  for (int i = 0; i < 1000; i++) {
    input = (struct syslog_bytes){bytes, sizeof(bytes)};
    assert_int_equal(syslog_frame_next(frame, &input, &line),
                     SYSLOG_FRAME_MORE);
  }
  assert_true(syslog_frame_is_open(frame));
  assert_true(memory() < before + (size_t)2 * SYSLOG_LINE_MAX);
  input = (struct syslog_bytes){"\n<13>next\n", 10};
  assert_int_equal(syslog_frame_next(frame, &input, &line),
                   SYSLOG_FRAME_TOO_LONG);
  assert_int_equal(syslog_frame_next(frame, &input, &line), SYSLOG_FRAME_LINE);
  assert_memory_equal(line.at, "<13>next", line.len);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(lines_are_the_same_however_they_are_cut),
      TEST(octets_one_by_one_give_the_same),
      TEST(lines_over_the_bound_are_skipped_to_their_end),
      TEST(a_sender_without_a_newline_is_one_line),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
