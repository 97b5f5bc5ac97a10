/* An authentication event: what one line of a host's log says that sshd did.
 * What such lines look like, and how they are read, is in sshd_message.h. */
#ifndef PDNA_AUTH_EVENT_H
#define PDNA_AUTH_EVENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum auth_outcome {
  AUTH_ACCEPTED, /* the only login */
  AUTH_FAILED,
  AUTH_PARTIAL,   /* accepted, but another method is wanted too */
  AUTH_POSTPONED, /* not decided yet */
  AUTH_INVALID_USER,
  AUTH_NOT_ALLOWED,  /* User U from HOST not allowed because ... */
  AUTH_MAX_ATTEMPTS, /* the connection's attempts are used up */
  AUTH_ROOT_REFUSED,
  AUTH_PAM_FAILURE,        /* error: PAM: TEXT for U from HOST */
  AUTH_SESSION_OPENED,     /* by PAM */
  AUTH_SESSION_CLOSED,     /* by PAM */
  AUTH_STARTING_SESSION,   /* a shell, command or subsystem */
  AUTH_MALFORMED_ACCEPTED, /* begins like a login and is none */
  AUTH_MALFORMED,          /* begins like another event and is none */
  AUTH_OUTCOMES
};

/* What a line is. */
enum auth_line {
  AUTH_LINE_OTHER, /* of no interest */
  AUTH_LINE_EVENT,
  AUTH_LINE_MALFORMED, /* the event has an outcome and the message as extra */
};

/* How far an event is to be trusted: where its line came from. */
enum auth_trust {
  AUTH_TRUST_JOURNAL, /* the journal's own fields say who logged it */
  AUTH_TRUST_TLS,     /* from a peer with a certificate */
  AUTH_TRUST_FILE,
  AUTH_TRUST_STDIN,
  AUTH_TRUST_TCP,
  AUTH_TRUST_UDP, /* even its sender's address can be forged */
  AUTH_TRUSTS
};

/* Not terminated by NUL. len 0: none. */
struct auth_text {
  const char *at;
  size_t len;
};

/* Is a text that word? */
static inline bool auth_text_is(struct auth_text text, const char *word) {
  const size_t len = strlen(word);

  return text.len == len && (len == 0 || memcmp(text.at, word, len) == 0);
}

struct auth_event {
  enum auth_outcome outcome;
  unsigned repeat;  /* how often; 1 but for "message repeated N times" */
  bool user_known;  /* false: the host has no such user */
  bool zoned;       /* the stamp told its zone */
  bool has_address; /* the source is an address */
  bool journal;     /* a line of the journal, whose fields say it was sshd */
  /* Texts of the line, as logged (sshd's escapes are left in them). */
  struct auth_text method;   /* with what follows a '/' */
  struct auth_text user;     /* may be none where there is an event */
  struct auth_text source;   /* what stands behind "from", with its scope */
  struct auth_text protocol; /* ssh2, ssh1 or none */
  struct auth_text extra;    /* what follows the protocol, or the reason */
  struct auth_text key_type; /* as in ED25519-CERT */
  struct auth_text key;      /* its fingerprint: SHA256:..., or MD5's digits */
  struct auth_text cert_id;  /* only where it can be told for sure */
  struct auth_text program;  /* sshd, sshd-session or sshd-auth */
  struct auth_text host;     /* the header's */
  struct in6_addr address;   /* IPv4 is v4-mapped; without a scope */
  uint16_t port;             /* 0: none was told */
  uint32_t pid;              /* 0: none was told */
  int64_t stamped_us;        /* the line's stamp, since the epoch; 0: none */
};

enum { AUTH_TEXTS = 10 };

/* One of its texts, all of which are counted from 0 in the order above. */
struct auth_text auth_event_text(const struct auth_event *event, size_t i);
void auth_event_set_text(struct auth_event *event, size_t i,
                         struct auth_text text);

/* The bytes of all of them. */
size_t auth_event_texts_len(const struct auth_event *event);

/* How an event came. */
struct auth_arrival {
  int64_t arrived_us; /* since the epoch */
  enum auth_trust trust;
  const struct in6_addr *peer; /* who sent it, IPv4 as v4-mapped, or NULL */
};

/* An event that owns its texts. */
struct auth_record {
  struct auth_event event;
  int64_t arrived_us;
  enum auth_trust trust;
  bool has_peer;
  struct in6_addr peer;
};

/* The names of the database, of JSON and of the tests' corpora. Static
 * storage. */
const char *auth_outcome_name(enum auth_outcome outcome);
const char *auth_trust_name(enum auth_trust trust);

/* False: there is none of that name. */
bool auth_outcome_from_name(const char *name, enum auth_outcome *ret_outcome);
bool auth_trust_from_name(const char *name, enum auth_trust *ret_trust);

/* The address of a text, which may have a %scope. False, and *ret_address is
 * untouched: it is none. */
bool auth_address_parse(struct auth_text text, struct in6_addr *ret_address);

/* A copy in one allocation. An event of the journal that came by a file or
 * standard input is trusted as the journal; one from the network is not, since
 * anyone can write such a line. NULL: out of memory. */
struct auth_record *auth_record_new(const struct auth_event *event,
                                    const struct auth_arrival *arrival);
size_t auth_record_size(const struct auth_record *r); /* bytes of memory */
void auth_record_free(struct auth_record *r);         /* NULL does nothing */

#endif
