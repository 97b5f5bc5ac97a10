#include "correlator/auth_event.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/peer.h"

static const char *const outcomes[] = {
    [AUTH_ACCEPTED] = "accepted",
    [AUTH_FAILED] = "failed",
    [AUTH_PARTIAL] = "partial",
    [AUTH_POSTPONED] = "postponed",
    [AUTH_INVALID_USER] = "invalid_user",
    [AUTH_NOT_ALLOWED] = "not_allowed",
    [AUTH_MAX_ATTEMPTS] = "max_attempts",
    [AUTH_ROOT_REFUSED] = "root_refused",
    [AUTH_PAM_FAILURE] = "pam_failure",
    [AUTH_SESSION_OPENED] = "session_opened",
    [AUTH_SESSION_CLOSED] = "session_closed",
    [AUTH_STARTING_SESSION] = "starting_session",
    [AUTH_MALFORMED_ACCEPTED] = "malformed_accepted",
    [AUTH_MALFORMED] = "malformed",
};

static const char *const trusts[] = {
    [AUTH_TRUST_JOURNAL] = "journal", [AUTH_TRUST_TLS] = "tls",
    [AUTH_TRUST_FILE] = "file",       [AUTH_TRUST_STDIN] = "stdin",
    [AUTH_TRUST_TCP] = "tcp",         [AUTH_TRUST_UDP] = "udp",
};

/* Their order is the spool's format (spool_auth.c). */
static const size_t texts[] = {
    offsetof(struct auth_event, method),  offsetof(struct auth_event, user),
    offsetof(struct auth_event, source),  offsetof(struct auth_event, protocol),
    offsetof(struct auth_event, extra),   offsetof(struct auth_event, key_type),
    offsetof(struct auth_event, key),     offsetof(struct auth_event, cert_id),
    offsetof(struct auth_event, program), offsetof(struct auth_event, host),
};
_Static_assert(sizeof(texts) / sizeof(texts[0]) == AUTH_TEXTS, "a text");

const char *auth_outcome_name(enum auth_outcome outcome) {
  return outcomes[outcome];
}

const char *auth_trust_name(enum auth_trust trust) { return trusts[trust]; }

/* The index of a name, or `len`. */
static size_t find(const char *const *names, size_t len, const char *name) {
  size_t i = 0;

  while (i < len && strcmp(names[i], name) != 0)
    i++;
  return i;
}

bool auth_outcome_from_name(const char *name, enum auth_outcome *ret_outcome) {
  size_t i = find(outcomes, AUTH_OUTCOMES, name);

  if (i == AUTH_OUTCOMES)
    return false;
  *ret_outcome = (enum auth_outcome)i;
  return true;
}

bool auth_trust_from_name(const char *name, enum auth_trust *ret_trust) {
  size_t i = find(trusts, AUTH_TRUSTS, name);

  if (i == AUTH_TRUSTS)
    return false;
  *ret_trust = (enum auth_trust)i;
  return true;
}

/* An interface: its name, in which sshd escapes what is not plain, or number.
 */
static bool is_scope(struct auth_text text) {
  enum { ESCAPED_MAX = 4 * (IF_NAMESIZE - 1) };

  for (size_t i = 0; i < text.len; i++)
    if (text.at[i] <= ' ' || text.at[i] > '~' || text.at[i] == '/' ||
        text.at[i] == ':')
      return false;
  return text.len > 0 && text.len <= ESCAPED_MAX;
}

bool auth_address_parse(struct auth_text text, struct in6_addr *ret_address) {
  char address[INET6_ADDRSTRLEN];
  struct in_addr v4;

  if (text.len == 0)
    return false;
  const char *scope = memchr(text.at, '%', text.len);
  size_t len = scope == NULL ? text.len : (size_t)(scope - text.at);
  if (len >= sizeof(address) || memchr(text.at, '\0', len) != NULL ||
      (scope != NULL &&
       !is_scope((struct auth_text){scope + 1, text.len - len - 1})))
    return false;
  memcpy(address, text.at, len);
  address[len] = '\0';
  if (scope == NULL && inet_pton(AF_INET, address, &v4) == 1) {
    *ret_address = peer_mapped(&v4);
    return true;
  }
  return inet_pton(AF_INET6, address, ret_address) == 1;
}

struct auth_text auth_event_text(const struct auth_event *event, size_t i) {
  return *(const struct auth_text *)((const char *)event + texts[i]);
}

void auth_event_set_text(struct auth_event *event, size_t i,
                         struct auth_text text) {
  *(struct auth_text *)((char *)event + texts[i]) = text;
}

size_t auth_event_texts_len(const struct auth_event *event) {
  size_t len = 0;

  for (size_t i = 0; i < AUTH_TEXTS; i++)
    len += auth_event_text(event, i).len;
  return len;
}

struct auth_record *auth_record_new(const struct auth_event *event,
                                    const struct auth_arrival *arrival) {
  struct auth_record *r = calloc(1, sizeof(*r) + auth_event_texts_len(event));

  if (r == NULL)
    return NULL;
  char *to = (char *)(r + 1);
  r->event = *event;
  for (size_t i = 0; i < AUTH_TEXTS; i++) {
    struct auth_text text = auth_event_text(event, i);
    if (text.len > 0)
      memcpy(to, text.at, text.len);
    auth_event_set_text(&r->event, i, (struct auth_text){to, text.len});
    to += text.len;
  }
  r->arrived_us = arrival->arrived_us;
  r->trust = arrival->trust;
  if (event->journal &&
      (r->trust == AUTH_TRUST_FILE || r->trust == AUTH_TRUST_STDIN))
    r->trust = AUTH_TRUST_JOURNAL;
  r->has_peer = arrival->peer != NULL;
  if (r->has_peer)
    r->peer = *arrival->peer;
  return r;
}

size_t auth_record_size(const struct auth_record *r) {
  return sizeof(*r) + auth_event_texts_len(&r->event);
}

void auth_record_free(struct auth_record *r) { free(r); }
