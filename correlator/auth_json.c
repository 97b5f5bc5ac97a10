#include "correlator/auth_json.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "correlator/sshd_escape.h"
#include "correlator/text.h"

enum {
  ESCAPED_MAX = 6, /* a byte as a code of UTF-16: \u0000 */
  FIXED_MAX = 768, /* keys, numbers and times of one object */
};

/* Where an object is written. There is room for all of it. */
struct writer {
  char *at;
};

static void put(struct writer *w, const char *text, size_t len) {
  memcpy(w->at, text, len);
  w->at += len;
}
#define PUT(w, literal) put(w, literal, sizeof(literal) - 1)

static void put_number(struct writer *w, uint64_t number) {
  char digits[20];
  size_t i = sizeof(digits);

  do
    digits[--i] = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  put(w, digits + i, sizeof(digits) - i);
}

/* A number of two digits. */
static void put_two(struct writer *w, unsigned number) {
  *w->at++ = (char)('0' + number / 10);
  *w->at++ = (char)('0' + number % 10);
}

static void put_unit(struct writer *w, uint32_t unit) {
  static const char hex[] = "0123456789abcdef";

  PUT(w, "\\u");
  for (unsigned shift = 16; shift > 0; shift -= 4)
    *w->at++ = hex[unit >> (shift - 4) & 0xF];
}

static void put_code(struct writer *w, uint32_t code) {
  if (code < 0x10000) {
    put_unit(w, code);
    return;
  }
  put_unit(w, 0xD800 + ((code - 0x10000) >> 10));
  put_unit(w, 0xDC00 + (code & 0x3FF));
}

/* What stands for itself in a string. */
static const bool plain[UCHAR_MAX + 1] = {
    [' ' ... '!'] = true, ['#' ... '['] = true, [']' ... '~'] = true};

static void put_string(struct writer *w, struct auth_text text) {
  enum { REPLACEMENT = 0xFFFD };
  size_t i = 0;

  *w->at++ = '"';
  while (i < text.len) {
    char *out = w->at;
    while (i < text.len && plain[(unsigned char)text.at[i]])
      *out++ = text.at[i++];
    w->at = out;
    if (i == text.len)
      break;
    char c = text.at[i];
    uint32_t code = REPLACEMENT;
    size_t len = 1;
    if (c == '"' || c == '\\') {
      *w->at++ = '\\';
      *w->at++ = c;
    } else {
      len = text_read_utf8(&text.at[i], text.len - i, &code);
      put_code(w, code);
      len += len == 0;
    }
    i += len;
  }
  *w->at++ = '"';
}

/* One that is none is null. */
static void put_text(struct writer *w, struct auth_text text) {
  if (text.len > 0)
    put_string(w, text);
  else
    PUT(w, "null");
}

/* Has the outcome a user? One without a name is one too. */
static bool has_user(const struct auth_event *e) {
  return e->outcome < AUTH_MALFORMED_ACCEPTED &&
         e->outcome != AUTH_ROOT_REFUSED;
}

/* PAM's lines are not escaped; sshd's own "error: PAM: ..." is. */
static bool has_escapes(const struct auth_event *e) {
  return e->outcome != AUTH_SESSION_OPENED &&
         e->outcome != AUTH_SESSION_CLOSED && e->user.len > 0 &&
         memchr(e->user.at, '\\', e->user.len) != NULL;
}

static void put_user(struct writer *w, const struct auth_event *e) {
  PUT(w, ",\"user\":");
  if (!has_user(e)) {
    PUT(w, "null,\"user_unescaped\":null,\"user_known\":null");
    return;
  }
  put_string(w, e->user);
  PUT(w, ",\"user_unescaped\":");
  if (has_escapes(e)) {
    /* It is unescaped at the end of the room, and gets no longer. */
    struct auth_text bytes = {w->at + ESCAPED_MAX * e->user.len + 2, 0};
    bytes.len = sshd_unescape(e->user, (char *)bytes.at);
    put_string(w, bytes);
  } else {
    put_string(w, e->user);
  }
  if (e->user_known)
    PUT(w, ",\"user_known\":true");
  else
    PUT(w, ",\"user_known\":false");
}

static void put_time(struct writer *w, int64_t us) {
  enum { US = 1000000 };
  time_t seconds = (time_t)(us / US);
  unsigned fraction = (unsigned)(us % US);
  struct tm tm;

  PUT(w, ",\"time\":");
  if (us <= 0 || gmtime_r(&seconds, &tm) == NULL || tm.tm_year > 8099) {
    PUT(w, "null");
    return;
  }
  *w->at++ = '"';
  put_two(w, (unsigned)(tm.tm_year + 1900) / 100);
  put_two(w, (unsigned)tm.tm_year % 100);
  *w->at++ = '-';
  put_two(w, (unsigned)tm.tm_mon + 1);
  *w->at++ = '-';
  put_two(w, (unsigned)tm.tm_mday);
  *w->at++ = 'T';
  put_two(w, (unsigned)tm.tm_hour);
  *w->at++ = ':';
  put_two(w, (unsigned)tm.tm_min);
  *w->at++ = ':';
  put_two(w, (unsigned)tm.tm_sec);
  if (fraction > 0) {
    *w->at++ = '.';
    put_two(w, fraction / 10000);
    put_two(w, fraction / 100 % 100);
    put_two(w, fraction % 100);
  }
  PUT(w, "Z\"");
}

static void put_event(struct writer *w, const struct auth_event *e) {
  const char *outcome = auth_outcome_name(e->outcome);

  PUT(w, ",\"outcome\":\"");
  put(w, outcome, strlen(outcome));
  PUT(w, "\",\"repeat\":");
  put_number(w, e->repeat);
  PUT(w, ",\"method\":");
  put_text(w, e->method);
  put_user(w, e);
  PUT(w, ",\"address\":");
  put_text(w, e->source);
  PUT(w, ",\"port\":");
  if (e->port > 0 || e->protocol.len > 0) /* then a port was told */
    put_number(w, e->port);
  else
    PUT(w, "null");
  PUT(w, ",\"protocol\":");
  put_text(w, e->protocol);
  PUT(w, ",\"key_type\":");
  put_text(w, e->key_type);
  PUT(w, ",\"key_fingerprint\":");
  put_text(w, e->key);
  PUT(w, ",\"cert_id\":");
  put_text(w, e->cert_id);
  PUT(w, ",\"extra\":");
  put_text(w, e->extra);
  put_time(w, e->stamped_us);
  PUT(w, ",\"program\":");
  put_text(w, e->program);
  PUT(w, ",\"pid\":");
  if (e->pid > 0)
    put_number(w, e->pid);
  else
    PUT(w, "null");
  PUT(w, ",\"host\":");
  put_text(w, e->host);
}

/* Bytes that an object can need: the user is there twice, and once more for
 * put_user to unescape it in. */
static size_t room_of(const struct auth_event *e) {
  return FIXED_MAX + ESCAPED_MAX * (auth_event_texts_len(e) + 2 * e->user.len);
}

int auth_json_append(struct auth_json *to, uint64_t number,
                     const struct auth_event *event) {
  size_t needed = to->len + room_of(event);

  if (needed > to->size) {
    char *room = realloc(to->at, needed * 2);
    if (room == NULL)
      return -ENOMEM;
    to->at = room;
    to->size = needed * 2;
  }
  struct writer w = {to->at + to->len};
  PUT(&w, "{\"line\":");
  put_number(&w, number);
  put_event(&w, event);
  PUT(&w, "}\n");
  to->len = (size_t)(w.at - to->at);
  return 0;
}

void auth_json_clear(struct auth_json *to) {
  free(to->at);
  *to = (struct auth_json){NULL, 0, 0};
}
