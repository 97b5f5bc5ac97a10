/* Goal: no message makes its reader read beyond it, and what is told is a part
 * of it that stands where sshd puts it: an accepted login has an address that
 * inet_pton(3) takes, or a name, and what follows " ssh2: " has no part in it.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/sshd_escape.h"
#include "correlator/sshd_message.h"
#include "correlator/syslog_line.h"
#include "tests/fuzz/fuzz.h"

static void check_address(const struct auth_event *e) {
  char text[INET6_ADDRSTRLEN];
  struct in6_addr v6;
  struct in_addr v4;

  if (!e->has_address) {
    CHECK(syslog_line_is_host(e->source));
    return;
  }
  const char *scope = memchr(e->source.at, '%', e->source.len);
  size_t len = scope == NULL ? e->source.len : (size_t)(scope - e->source.at);
  CHECK(len < sizeof(text));
  memcpy(text, e->source.at, len);
  text[len] = '\0';
  if (inet_pton(AF_INET6, text, &v6) == 1)
    CHECK(memcmp(&v6, &e->address, sizeof(v6)) == 0);
  else
    CHECK(inet_pton(AF_INET, text, &v4) == 1 &&
          memcmp(&v4, &e->address.s6_addr[12], sizeof(v4)) == 0);
}

/* Before it there is all that a login tells of itself. */
static void check_result(const struct auth_event *e) {
  CHECK(e->method.len > 0 && e->protocol.len == 4 && e->source.len > 0);
  CHECK(e->method.at < e->user.at && e->user.at < e->source.at &&
        e->source.at < e->protocol.at);
  CHECK(memchr(e->method.at, ' ', e->method.len) == NULL);
  CHECK(memchr(e->source.at, ' ', e->source.len) == NULL);
  CHECK(e->extra.len == 0 || e->extra.at == e->protocol.at + 6);
}

static void check_event(const struct auth_event *e, struct auth_text message) {
  char room[4096];

  CHECK(e->repeat > 0 && e->outcome < AUTH_MALFORMED_ACCEPTED);
  CHECK(is_in(e->user, message) && is_in(e->source, message) &&
        is_in(e->protocol, message) && is_in(e->extra, message));
  CHECK(is_in(e->key_type, e->extra) && is_in(e->key, e->extra) &&
        is_in(e->cert_id, e->extra));
  if (e->outcome != AUTH_SESSION_OPENED && e->outcome != AUTH_SESSION_CLOSED)
    CHECK(is_in(e->method, message));
  for (size_t i = 0; i < message.len; i++)
    CHECK((unsigned char)message.at[i] >= ' ' && message.at[i] != 0x7f);
  CHECK(e->user.len == 0 || memchr(e->user.at, ':', e->user.len) == NULL);
  check_address(e);
  if (e->outcome <= AUTH_POSTPONED)
    check_result(e);
  if (e->user.len <= sizeof(room))
    CHECK(sshd_unescape(e->user, room) <= e->user.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct auth_text message = {(const char *)data, size};
  struct auth_event event;

  (void)sshd_message_is_from(message);
  switch (sshd_message_parse(message, &event)) {
  case AUTH_LINE_EVENT:
    check_event(&event, message);
    break;
  case AUTH_LINE_MALFORMED:
    CHECK(event.outcome >= AUTH_MALFORMED_ACCEPTED && event.repeat > 0);
    CHECK(is_in(event.extra, message) && event.source.len == 0);
    break;
  case AUTH_LINE_OTHER:
    break;
  }
  return 0;
}
