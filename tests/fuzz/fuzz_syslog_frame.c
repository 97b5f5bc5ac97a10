/* Goal: whatever a peer sends, and in whatever pieces it arrives, the same
 * lines come out, none longer than the bound, and every octet is taken once.
 *
 * The first octet says how long the pieces are. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/syslog_frame.h"
#include "tests/fuzz/fuzz.h"

/* What came out, as far as it tells two runs apart. */
struct outcome {
  size_t lines, too_long;
  uint64_t sum;
  bool broken, open;
};

static void add_line(struct outcome *o, const struct syslog_bytes *line) {
  if (line->len == 0 || line->len > SYSLOG_LINE_MAX)
    abort();
  o->lines++;
  for (size_t i = 0; i < line->len; i++)
    o->sum = o->sum * 1099511628211U + (uint8_t)line->at[i] + 1;
  o->sum = o->sum * 1099511628211U;
}

/* In a copy, so that nothing behind the piece can be read. */
static void feed(struct syslog_frame *frame, const uint8_t *at, size_t len,
                 struct outcome *o) {
  char *copy = malloc(len + 1);
  struct syslog_bytes input = {copy, len}, line;

  if (!copy)
    abort();
  memcpy(copy, at, len);
  for (bool more = true; more && !o->broken;)
    switch (syslog_frame_next(frame, &input, &line)) {
    case SYSLOG_FRAME_LINE:
      add_line(o, &line);
      break;
    case SYSLOG_FRAME_TOO_LONG:
      o->too_long++;
      break;
    case SYSLOG_FRAME_BROKEN:
      o->broken = true;
      break;
    case SYSLOG_FRAME_MORE:
      if (input.len != 0)
        abort();
      more = false;
    }
  free(copy);
}

static struct outcome run(const uint8_t *data, size_t size, size_t piece) {
  struct syslog_frame *frame = syslog_frame_new();
  struct outcome o = {0};

  if (!frame)
    abort();
  for (size_t at = 0; at < size && !o.broken; at += piece)
    feed(frame, data + at, size - at < piece ? size - at : piece, &o);
  o.open = !o.broken && syslog_frame_is_open(frame);
  syslog_frame_free(frame);
  return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct outcome whole, pieces;

  if (size == 0)
    return 0;
  whole = run(data + 1, size - 1, size);
  pieces = run(data + 1, size - 1, (size_t)data[0] + 1);
  if (whole.lines != pieces.lines || whole.too_long != pieces.too_long ||
      whole.sum != pieces.sum || whole.broken != pieces.broken ||
      whole.open != pieces.open)
    abort();
  return 0;
}
