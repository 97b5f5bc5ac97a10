#include "correlator/auth_lines.h"

#include <stdlib.h>
#include <string.h>

/* Room for a whole line and as much again, so that little is moved. */
enum { CAPACITY = 2 * AUTH_LINE_MAX };

struct auth_lines {
  uint64_t offset;  /* of the line that begins at `begin` */
  uint64_t skipped; /* bytes of it that are not kept, since it is too long */
  size_t begin;
  size_t end;
  char buffer[CAPACITY];
};

struct auth_lines *auth_lines_new(void) {
  return calloc(1, sizeof(struct auth_lines));
}

void auth_lines_free(struct auth_lines *l) { free(l); }

void auth_lines_reset(struct auth_lines *l, uint64_t offset) {
  l->offset = offset;
  l->skipped = 0;
  l->begin = 0;
  l->end = 0;
}

char *auth_lines_room(struct auth_lines *l, size_t *ret_len) {
  if (l->begin > 0) {
    memmove(l->buffer, l->buffer + l->begin, l->end - l->begin);
    l->end -= l->begin;
    l->begin = 0;
  }
  *ret_len = CAPACITY - l->end;
  return l->buffer + l->end;
}

void auth_lines_filled(struct auth_lines *l, size_t len) { l->end += len; }

uint64_t auth_lines_read_offset(const struct auth_lines *l) {
  return l->offset + l->skipped + (l->end - l->begin);
}

uint64_t auth_lines_offset(const struct auth_lines *l) { return l->offset; }

static void skip_hole(struct auth_lines *l) {
  while (l->skipped == 0 && l->begin < l->end && l->buffer[l->begin] == '\0') {
    l->begin++;
    l->offset++;
  }
}

/* A line of `len` bytes, of which `kept` are in the buffer with its end. */
static enum auth_lines_found take(struct auth_lines *l, size_t len, size_t kept,
                                  struct auth_text *ret_line) {
  bool too_long = l->skipped > 0 || len > AUTH_LINE_MAX;

  *ret_line = (struct auth_text){l->buffer + l->begin, too_long ? 0 : len};
  l->offset += l->skipped + kept;
  l->skipped = 0;
  l->begin += kept;
  return too_long ? AUTH_LINES_TOO_LONG : AUTH_LINES_LINE;
}

enum auth_lines_found auth_lines_next(struct auth_lines *l,
                                      struct auth_text *ret_line) {
  skip_hole(l);
  size_t len = l->end - l->begin;
  const char *newline = memchr(l->buffer + l->begin, '\n', len);
  if (newline != NULL) {
    size_t line = (size_t)(newline - l->buffer) - l->begin;
    return take(l, line, line + 1, ret_line);
  }
  if (len > AUTH_LINE_MAX || l->skipped > 0) {
    l->skipped += len;
    l->begin = l->end;
  }
  return AUTH_LINES_NONE;
}

enum auth_lines_found auth_lines_rest(struct auth_lines *l,
                                      struct auth_text *ret_line) {
  size_t len = l->end - l->begin;

  if (len == 0 && l->skipped == 0)
    return AUTH_LINES_NONE;
  return take(l, len, len, ret_line);
}
