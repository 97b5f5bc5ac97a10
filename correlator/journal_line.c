#include "correlator/journal_line.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/sshd_message.h"

struct auth_text journal_line_object(const char *line, size_t len) {
  static const char sse[] = "data: ";
  enum { RECORD_SEPARATOR = 0x1e, SSE_LEN = sizeof(sse) - 1 };
  size_t head = 0;

  if (len > 0 && line[0] == RECORD_SEPARATOR)
    head = 1;
  else if (len > SSE_LEN && memcmp(line, sse, SSE_LEN) == 0)
    head = SSE_LEN;
  if (head == len || line[head] != '{')
    return (struct auth_text){NULL, 0};
  return (struct auth_text){line + head, len - head};
}

/* A field's text. None: there is no such field, or it has several values. */
static struct auth_text text_of(const json_t *object, const char *field) {
  const json_t *value = json_object_get(object, field);

  if (!json_is_string(value))
    return (struct auth_text){NULL, 0};
  return (struct auth_text){json_string_value(value),
                            json_string_length(value)};
}

/* A message that is not all text is an array of its bytes. (An array of texts
 * is several messages.) NULL: it is none, or out of memory. */
static char *bytes_of(const json_t *array, size_t *ret_len) {
  size_t len = json_array_size(array);
  char *bytes = len == 0 ? NULL : malloc(len);

  for (size_t i = 0; bytes != NULL && i < len; i++) {
    const json_t *item = json_array_get(array, i);
    json_int_t byte = json_integer_value(item);
    if (!json_is_integer(item) || byte < 0 || byte > UINT8_MAX) {
      free(bytes);
      return NULL;
    }
    bytes[i] = (char)byte;
  }
  *ret_len = len;
  return bytes;
}

static bool read_message(const json_t *object, struct journal_line *j) {
  const json_t *value = json_object_get(object, "MESSAGE");

  if (json_is_string(value)) {
    j->line.message = text_of(object, "MESSAGE");
  } else {
    j->message = bytes_of(value, &j->line.message.len);
    j->line.message.at = j->message;
  }
  return j->line.message.len > 0;
}

static uint32_t read_pid(const json_t *object) {
  uint32_t pid = 0;

  if (!syslog_number(text_of(object, "_PID"), UINT32_MAX, &pid))
    (void)syslog_number(text_of(object, "SYSLOG_PID"), UINT32_MAX, &pid);
  return pid;
}

/* Microseconds since the epoch. 0: none. */
static int64_t read_time(const json_t *object, const char *field) {
  enum { DIGITS_MAX = 16 }; /* until the year 2286 */
  struct auth_text text = text_of(object, field);
  int64_t us = 0;

  if (text.len > DIGITS_MAX)
    return 0;
  for (size_t i = 0; i < text.len; i++) {
    if (text.at[i] < '0' || text.at[i] > '9')
      return 0;
    us = us * 10 + (text.at[i] - '0');
  }
  return us;
}

static bool read_fields(const json_t *object, struct journal_line *j) {
  j->line.program = text_of(object, "SYSLOG_IDENTIFIER");
  if (!sshd_message_is_from(j->line.program) || !read_message(object, j))
    return false;
  j->line.host = text_of(object, "_HOSTNAME");
  if (!syslog_line_is_host(j->line.host))
    j->line.host.len = 0;
  j->line.pid = read_pid(object);
  j->comm = text_of(object, "_COMM");
  j->uid = text_of(object, "_UID");
  /* When sshd handed it over, or when the journal took it. */
  j->stamped_us = read_time(object, "_SOURCE_REALTIME_TIMESTAMP");
  if (j->stamped_us == 0)
    j->stamped_us = read_time(object, "__REALTIME_TIMESTAMP");
  return true;
}

bool journal_line_parse(struct auth_text object, struct journal_line *ret) {
  static const char sshd[] = "sshd";
  struct journal_line j = {.message = NULL};

  /* The journal never escapes letters: what has not the name is not read. */
  if (memmem(object.at, object.len, sshd, sizeof(sshd) - 1) == NULL)
    return false;
  /* An object with one field twice is none of the journal's. */
  j.object = json_loadb(object.at, object.len,
                        JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
  if (!json_is_object(j.object) || !read_fields(j.object, &j)) {
    journal_line_clear(&j);
    return false;
  }
  *ret = j;
  return true;
}

void journal_line_clear(struct journal_line *j) {
  json_decref(j->object);
  free(j->message);
  *j = (struct journal_line){.message = NULL};
}
