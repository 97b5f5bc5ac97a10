/* What messages of sshd's tell, for tests that go through many of them. */
#ifndef PDNA_TESTS_SSHD_EXPECTED_H
#define PDNA_TESTS_SSHD_EXPECTED_H

#include <stdlib.h>
#include <string.h>

#include "correlator/sshd_message.h"
#include "tests/unit/auth_texts.h"

#define FP "SHA256:ZxDiJ7UaW6FryRwzgEVm2jPDAZlNDq79Yits8U9U1ew"
#define CA "SHA256:j+YprQEIFTUJ1nYBhs4vPxu1nQZb9j18qPOy5RemVzc"
#define MD5 "16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48"

/* What a message tells. Of texts, NULL is none. */
struct expected {
  const char *message;
  const char *outcome; /* NULL: nothing */
  const char *method, *user, *source, *protocol, *extra;
  const char *key_type, *key, *cert_id;
  unsigned port, repeat; /* repeat 0 is 1 */
  bool unknown;          /* the user is not known */
  bool no_address;
};

static inline void assert_part(const struct expected *e, const char *what,
                               struct auth_text text, const char *expected) {
  if (!text_is(text, expected))
    fail_msg("'%s': %s is '%.*s', not '%s'", e->message, what, (int)text.len,
             text.len > 0 ? text.at : "", expected != NULL ? expected : "");
}

static inline void assert_event(const struct expected *e,
                                const struct auth_event *event) {
  if (strcmp(auth_outcome_name(event->outcome), e->outcome) != 0)
    fail_msg("'%s': is %s, not %s", e->message,
             auth_outcome_name(event->outcome), e->outcome);
  assert_part(e, "method", event->method, e->method);
  assert_part(e, "user", event->user, e->user);
  assert_part(e, "source", event->source, e->source);
  assert_part(e, "protocol", event->protocol, e->protocol);
  assert_part(e, "extra", event->extra, e->extra);
  assert_part(e, "key_type", event->key_type, e->key_type);
  assert_part(e, "key", event->key, e->key);
  assert_part(e, "cert_id", event->cert_id, e->cert_id);
  if (event->port != e->port || event->user_known == e->unknown ||
      event->repeat != (e->repeat == 0 ? 1 : e->repeat) ||
      event->has_address != (e->source != NULL && !e->no_address))
    fail_msg("'%s': port %u, user_known %d, repeat %u, has_address %d",
             e->message, event->port, event->user_known, event->repeat,
             event->has_address);
}

static inline enum auth_line parse(const char *message,
                                   struct auth_event *ret) {
  /* A copy of its own size, so that a sanitizer sees what reads on. */
  static char *copy;
  size_t len = strlen(message);

  free(copy);
  copy = malloc(len + (len == 0));
  assert_non_null(copy);
  memcpy(copy, message, len);
  return sshd_message_parse((struct auth_text){copy, len}, ret);
}

static inline void expect(const struct expected *e) {
  struct auth_event event;
  enum auth_line what = parse(e->message, &event);

  if (e->outcome == NULL) {
    if (what != AUTH_LINE_OTHER)
      fail_msg("'%s' tells something", e->message);
    return;
  }
  if (what != AUTH_LINE_EVENT)
    fail_msg("'%s' is no event", e->message);
  assert_event(e, &event);
}

/* A login by key, and what its message tells whatever follows. */
#define HEAD(user) "Accepted publickey for " user " from 192.0.2.1 port 22 ssh2"
#define ROOT                                                                   \
  .outcome = "accepted", .method = "publickey", .user = "root",                \
  .source = "192.0.2.1", .protocol = "ssh2", .port = 22

#define EXPECT_ALL(events)                                                     \
  for (size_t i = 0; i < sizeof(events) / sizeof((events)[0]); i++)            \
  expect(&(events)[i])

#endif
