/* The session with a receiver of traps or with an agent: opened without ever
 * waiting for an answer. Net-SNMP's own discovery of a v3 engine blocks for
 * timeout times retries, so it is asked for here by a request of its own.
 *
 * These functions take the library's lock (snmp_engine.h); whoever uses the
 * handle takes it too.
 *
 * Net-SNMP keeps users by (engine, name) for all sessions. So that no agent can
 * pass for another by naming its engine, an engine with which a poll went well
 * is that agent's until the program ends. */
#ifndef PDNA_SNMP_PEER_H
#define PDNA_SNMP_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "correlator/snmp_words.h"

struct snmp_peer;

enum snmp_peer_state {
  SNMP_PEER_CLOSED,
  SNMP_PEER_RESOLVING, /* its name is being looked up */
  SNMP_PEER_PROBING,   /* has asked the receiver for its engine */
  SNMP_PEER_PROBED,    /* there is an answer, or there won't be one */
  SNMP_PEER_OPEN
};

/* Parse a session string; nothing is opened yet. What is wrong goes into
 * message. Returns 0, -EINVAL or -ENOMEM. */
int snmp_peer_new(const char *session, enum snmp_use use,
                  struct snmp_message *message, struct snmp_peer **ret_peer);
void snmp_peer_free(struct snmp_peer *peer); /* NULL does nothing */

/* Open a closed one, or go on with one that resolves or has probed. A sink's
 * name is looked up here, which may take as long as the resolver does; an
 * agent's never waits: call again while it is SNMP_PEER_RESOLVING. Returns NULL
 * or what went wrong, and then it is closed. */
const char *snmp_peer_open(struct snmp_peer *peer);

/* Close and forget the other's engine, since it may be another one when it
 * comes back, or the same with its clock set back, also where -e names it. The
 * callbacks of requests without an answer are called as timed out. */
void snmp_peer_close(struct snmp_peer *peer);

/* Close, but keep the engine for the next time: all went well. */
void snmp_peer_rest(struct snmp_peer *peer);

enum snmp_peer_state snmp_peer_state(const struct snmp_peer *peer);

/* For Net-SNMP's single-session functions. NULL while it is closed. */
void *snmp_peer_handle(const struct snmp_peer *peer);

/* -1 while it is closed, or if a stream's other end closed it. */
int snmp_peer_socket(const struct snmp_peer *peer);

const char *snmp_peer_address(const struct snmp_peer *peer);
bool snmp_peer_informs(const struct snmp_peer *peer);

/* The longest that a request may wait for its answer. */
unsigned snmp_peer_patience_s(const struct snmp_peer *peer);

/* What a message has beside its PDU, at most, in bytes. */
size_t snmp_peer_overhead(const struct snmp_peer *peer);

/* Would Net-SNMP take the keys of one for the other? It keeps users by
 * (engine, name), and all v3 traps have our engine: two receivers of such
 * traps can't know one user name with different passphrases. */
bool snmp_peer_conflict(const struct snmp_peer *a, const struct snmp_peer *b);

#endif
