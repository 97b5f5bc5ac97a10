#include "correlator/syslog_frame.h"

#include <stdlib.h>
#include <string.h>

enum {
  DIGITS_MAX = 20, /* more are no number */
  HELD_FIRST = 512,
};

enum state {
  STATE_BEGIN,   /* how it is framed is not known yet */
  STATE_COUNTED, /* `count` octets of it are to come */
  STATE_LINE,    /* until its trailer */
};

enum { TRAILER_UNKNOWN = -1 };

struct syslog_frame {
  enum state state;
  int trailer;
  char head[DIGITS_MAX + 1]; /* in STATE_BEGIN: digits, and maybe a space */
  size_t head_len;
  size_t count;
  bool skipping; /* it is too long */
  char *held;    /* of a frame that comes in pieces */
  size_t held_len, held_size;
};

struct syslog_frame *syslog_frame_new(void) {
  struct syslog_frame *f = calloc(1, sizeof(*f));

  if (f)
    f->trailer = TRAILER_UNKNOWN;
  return f;
}

void syslog_frame_free(struct syslog_frame *frame) {
  if (!frame)
    return;
  free(frame->held);
  free(frame);
}

bool syslog_frame_is_open(const struct syslog_frame *frame) {
  return frame->state != STATE_BEGIN || frame->head_len > 0;
}

static bool is_trailing(char c) { return c == '\r' || c == '\n' || c == '\0'; }

void syslog_frame_trim(struct syslog_bytes *line) {
  while (line->len > 0 && is_trailing(line->at[line->len - 1]))
    line->len--;
}

static void advance(struct syslog_bytes *bytes, size_t len) {
  bytes->at += len;
  bytes->len -= len;
}

static void drop_held(struct syslog_frame *f) {
  free(f->held);
  f->held = NULL;
  f->held_len = f->held_size = 0;
}

/* Keep a piece of a frame, unless the frame is skipped. */
static void hold(struct syslog_frame *f, const char *at, size_t len) {
  size_t size = f->held_size ? f->held_size : HELD_FIRST;
  char *held;

  if (f->skipping || len == 0)
    return;
  if (len > SYSLOG_LINE_MAX - f->held_len)
    goto skip;
  while (size < f->held_len + len)
    size *= 2;
  if (size != f->held_size) {
    held = realloc(f->held, size);
    if (!held)
      goto skip;
    f->held = held;
    f->held_size = size;
  }
  memcpy(f->held + f->held_len, at, len);
  f->held_len += len;
  return;
skip:
  f->skipping = true;
  drop_held(f);
}

/* Go on to the octet that settles how the frame is framed, which is left in the
 * input. Gives STATE_BEGIN if it is yet to come. */
static enum state tell_framing(struct syslog_frame *f,
                               struct syslog_bytes *input) {
  for (; input->len > 0; advance(input, 1)) {
    const char c = *input->at;

    if (f->head_len > 0 && f->head[f->head_len - 1] == ' ')
      return c == '<' ? STATE_COUNTED : STATE_LINE;
    if (c >= (f->head_len ? '0' : '1') && c <= '9' &&
        f->head_len < DIGITS_MAX) {
      if (f->count <= SYSLOG_COUNT_MAX) /* is too much, whatever follows */
        f->count = f->count * 10 + (size_t)(c - '0');
    } else if (c != ' ' || f->head_len == 0) {
      return STATE_LINE;
    }
    f->head[f->head_len++] = c;
  }
  return STATE_BEGIN;
}

/* Returns MORE, or LINE: there is a frame in the input, or BROKEN. */
static enum syslog_frame_result begin(struct syslog_frame *f,
                                      struct syslog_bytes *input) {
  drop_held(f);
  f->skipping = false;
  if (f->head_len == 0) {
    f->count = 0;
    while (input->len > 0 && (*input->at == '\n' || *input->at == '\0'))
      advance(input, 1);
  }
  f->state = tell_framing(f, input);
  if (f->state == STATE_BEGIN)
    return SYSLOG_FRAME_MORE;
  if (f->state == STATE_COUNTED && f->count > SYSLOG_LINE_MAX) {
    if (f->trailer != TRAILER_UNKNOWN)
      f->state = STATE_LINE;
    else
      f->skipping = true;
  }
  if (f->state == STATE_LINE)
    hold(f, f->head, f->head_len);
  f->head_len = 0;
  if (f->state == STATE_LINE || f->count <= SYSLOG_COUNT_MAX)
    return SYSLOG_FRAME_LINE;
  f->state = STATE_BEGIN;
  return SYSLOG_FRAME_BROKEN;
}

/* The octets of the input up to the trailer, all if there is none. */
static size_t find_trailer(struct syslog_frame *f,
                           const struct syslog_bytes *input, bool *ret_found) {
  const char *end, *nul;
  size_t len = input->len;

  end = memchr(input->at, f->trailer == '\0' ? '\0' : '\n', len);
  if (end)
    len = (size_t)(end - input->at);
  if (f->trailer == TRAILER_UNKNOWN) {
    nul = memchr(input->at, '\0', len);
    if (nul)
      end = nul;
    if (end)
      f->trailer = (unsigned char)*end;
  }
  *ret_found = end != NULL;
  return end ? (size_t)(end - input->at) : len;
}

/* Take what the input has of the frame. Returns whether that is its end. */
static bool take_piece(struct syslog_frame *f, struct syslog_bytes *input,
                       struct syslog_bytes *ret_piece) {
  bool ended;

  ret_piece->at = input->at;
  if (f->state == STATE_COUNTED) {
    ret_piece->len = f->count < input->len ? f->count : input->len;
    advance(input, ret_piece->len);
    f->count -= ret_piece->len;
    return f->count == 0;
  }
  ret_piece->len = find_trailer(f, input, &ended);
  advance(input, ret_piece->len + ended);
  return ended;
}

enum syslog_frame_result syslog_frame_next(struct syslog_frame *frame,
                                           struct syslog_bytes *input,
                                           struct syslog_bytes *ret_line) {
  struct syslog_bytes line;

  do {
    if (frame->state == STATE_BEGIN) {
      const enum syslog_frame_result result = begin(frame, input);

      if (result != SYSLOG_FRAME_LINE)
        return result;
    }
    if (!take_piece(frame, input, &line)) {
      hold(frame, line.at, line.len);
      return SYSLOG_FRAME_MORE;
    }
    frame->state = STATE_BEGIN;
    if (frame->held_len > 0) {
      hold(frame, line.at, line.len);
      line = (struct syslog_bytes){frame->held, frame->held_len};
    }
    if (frame->skipping || line.len > SYSLOG_LINE_MAX)
      return SYSLOG_FRAME_TOO_LONG;
    syslog_frame_trim(&line);
  } while (line.len == 0);
  *ret_line = line;
  return SYSLOG_FRAME_LINE;
}
