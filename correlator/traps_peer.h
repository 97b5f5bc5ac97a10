/* The session with a receiver: opened without ever waiting for an answer.
 * Net-SNMP's own discovery of a v3 engine blocks for timeout times retries, so
 * it is asked for here by a request of its own. */
#ifndef PDNA_TRAPS_PEER_H
#define PDNA_TRAPS_PEER_H

#include <stdbool.h>
#include <stddef.h>

struct traps_peer;

enum traps_peer_state {
  TRAPS_PEER_CLOSED,
  TRAPS_PEER_PROBING, /* has asked the receiver for its engine */
  TRAPS_PEER_PROBED,  /* there is an answer, or there won't be one */
  TRAPS_PEER_OPEN
};

/* Parse a session string; nothing is opened yet. What is wrong goes into
 * message. Returns 0, -EINVAL or -ENOMEM. */
int traps_peer_new(const char *session, char *message, size_t message_size,
                   struct traps_peer **ret_peer);
void traps_peer_free(struct traps_peer *peer); /* NULL does nothing */

/* Open a closed one, or end a probe. Host names are resolved, which may take
 * as long as the resolver does. Returns NULL or what went wrong, and then it
 * is closed. */
const char *traps_peer_open(struct traps_peer *peer);

/* Close and forget the receiver's engine, since it may be another one when it
 * comes back, or the same with its clock set back. The callbacks of requests
 * without an answer are called as timed out. */
void traps_peer_close(struct traps_peer *peer);

enum traps_peer_state traps_peer_state(const struct traps_peer *peer);

/* For Net-SNMP's single-session functions. NULL while it is closed. */
void *traps_peer_handle(const struct traps_peer *peer);

/* -1 while it is closed, or if a stream's other end closed it. */
int traps_peer_socket(const struct traps_peer *peer);

const char *traps_peer_address(const struct traps_peer *peer);
bool traps_peer_informs(const struct traps_peer *peer);

/* The longest that a request may wait for its answer. */
unsigned traps_peer_patience_s(const struct traps_peer *peer);

/* What a message has beside its PDU, at most, in bytes. */
size_t traps_peer_overhead(const struct traps_peer *peer);

/* Would Net-SNMP take the keys of one for the other? It keeps users by
 * (engine, name), and all v3 traps have our engine: two receivers of such
 * traps can't know one user name with different passphrases. */
bool traps_peer_conflict(const struct traps_peer *a,
                         const struct traps_peer *b);

#endif
