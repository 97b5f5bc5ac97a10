/* Goal: whatever lines a log has, the journal's among them, each text of an
 * event can be read and copied while it is good, and an event becomes JSON that
 * a parser takes and that says the same. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/auth_json.h"
#include "correlator/auth_stream.h"
#include "tests/fuzz/fuzz.h"

static void check_json(const struct auth_event *event) {
  struct auth_json json = {.len = 0};

  CHECK(auth_json_append(&json, 1, event) == 0);
  CHECK(json.at[json.len - 1] == '\n' && json.len <= json.size);
  for (size_t i = 0; i + 1 < json.len; i++)
    CHECK(json.at[i] >= ' ' && json.at[i] <= '~');
  json_t *object = json_loadb(json.at, json.len,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
  CHECK(json_is_object(object));
  CHECK(strcmp(json_string_value(json_object_get(object, "outcome")),
               auth_outcome_name(event->outcome)) == 0);
  CHECK(json_integer_value(json_object_get(object, "repeat")) ==
        (json_int_t)event->repeat);
  CHECK((json_string_length(json_object_get(object, "address")) > 0) ==
        (event->source.len > 0));
  json_decref(object);
  auth_json_clear(&json);
}

static void check_record(const struct auth_event *event) {
  const struct auth_arrival arrival = {1, AUTH_TRUST_UDP, NULL};
  struct auth_record *r = auth_record_new(event, &arrival);

  CHECK(r != NULL && r->trust == AUTH_TRUST_UDP);
  CHECK(r->event.user.len == event->user.len &&
        memcmp(r->event.user.at, event->user.len > 0 ? event->user.at : "",
               event->user.len) == 0);
  auth_record_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct auth_stream *stream = auth_stream_new();
  const char *at = (const char *)data, *end = at + size;
  struct auth_event event;

  CHECK(stream != NULL);
  while (at < end) {
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    size_t len = (size_t)((newline != NULL ? newline : end) - at);
    /* A copy of its own size, so that reading on is seen. */
    char *line = malloc(len + (len == 0));
    CHECK(line != NULL);
    memcpy(line, at, len);
    enum auth_line what =
        auth_stream_line(stream, line, len, 1795651200000000, &event);
    if (what != AUTH_LINE_OTHER) {
      CHECK((what == AUTH_LINE_MALFORMED) ==
            (event.outcome >= AUTH_MALFORMED_ACCEPTED));
      check_json(&event);
      check_record(&event);
    }
    free(line);
    at += len + 1;
  }
  auth_stream_free(stream);
  return 0;
}
