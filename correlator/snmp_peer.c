#include "correlator/snmp_peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "correlator/snmp_engine.h"
#include "correlator/snmp_target.h"
#include "correlator/traps_tcp.h"

enum {
  SINK_TIMEOUT_S = 3,
  SINK_RETRIES = 0,   /* the outbox is what tries again */
  POLL_TIMEOUT_S = 1, /* both as Net-SNMP's tools have them */
  POLL_RETRIES = 5,
  /* RFC 3417 and RFC 3412: headers, and for v3 twice an engine id, the
   * longest authentication parameters and padding. */
  V2C_OVERHEAD = 16, /* and the community */
  V3_OVERHEAD = 200, /* and the names of user and context */
};

struct snmp_peer {
  struct snmp_words *words;
  netsnmp_session plan; /* what the words say; points into them */
  enum snmp_peer_state state;
  void *handle; /* NULL exactly when closed */
  /* The authoritative engine: our own for traps, the receiver's for informs.
   * Length 0: to be asked for. */
  u_char engine[USM_MAX_ID_LENGTH];
  size_t engine_len;
  struct snmp_target *target;
  struct snmp_address address; /* valid once it is resolved */
  /* Of agents: all of them, and the engine that is theirs. */
  struct snmp_peer *next;
  u_char own[USM_MAX_ID_LENGTH];
  size_t own_len;
};

/* Guarded by the library's lock. */
static struct snmp_peer *agents;

static void no_option(int argc, char *const *argv, int option) {
  (void)argc;
  (void)argv;
  (void)option; /* -C, which the words were searched for */
}

static bool is_trap_v3(const struct snmp_peer *peer) {
  return peer->words->v3 && peer->words->use == SNMP_USE_SINK &&
         !peer->words->inform;
}

static bool is_agent(const struct snmp_peer *peer) {
  return peer->words->use == SNMP_USE_POLL;
}

/* The other's engine has to be asked for. */
static bool is_probed_for(const struct snmp_peer *peer) {
  return peer->words->v3 && !is_trap_v3(peer) &&
         peer->plan.securityEngineIDLen == 0;
}

/* RFC 3414, 1.5.1: the sender of a trap is authoritative, with its own boots
 * and time, whatever engine id -e gives it. */
static void set_engine(struct snmp_peer *peer) {
  if (peer->plan.securityEngineIDLen == 0) {
    if (is_trap_v3(peer))
      peer->engine_len =
          snmpv3_get_engineID(peer->engine, sizeof(peer->engine));
    return;
  }
  memcpy(peer->engine, peer->plan.securityEngineID,
         peer->plan.securityEngineIDLen);
  peer->engine_len = peer->plan.securityEngineIDLen;
  if (is_trap_v3(peer))
    (void)set_enginetime(peer->engine, (u_int)peer->engine_len,
                         (u_int)snmpv3_local_snmpEngineBoots(),
                         (u_int)snmpv3_local_snmpEngineTime(), TRUE);
}

/* What the words leave open. */
static void set_defaults(struct snmp_peer *peer) {
  if (!peer->words->has_timeout)
    peer->plan.timeout =
        (is_agent(peer) ? POLL_TIMEOUT_S : SINK_TIMEOUT_S) * 1000000L;
  if (!peer->words->has_retries)
    peer->plan.retries = is_agent(peer) ? POLL_RETRIES : SINK_RETRIES;
  set_engine(peer);
}

static void enter(struct snmp_peer *peer) {
  snmp_engine_lock();
  peer->next = agents;
  agents = peer;
  snmp_engine_unlock();
}

static void leave(struct snmp_peer *peer) {
  snmp_engine_lock();
  for (struct snmp_peer **link = &agents; *link != NULL; link = &(*link)->next)
    if (*link == peer) {
      *link = peer->next;
      break;
    }
  snmp_engine_unlock();
}

int snmp_peer_new(const char *session, enum snmp_use use,
                  struct snmp_message *message, struct snmp_peer **ret_peer) {
  struct snmp_peer *peer = calloc(1, sizeof(*peer));
  if (peer == NULL) {
    (void)snmp_complain(message, "out of memory");
    return -ENOMEM;
  }
  int r = snmp_words_parse(session, use, message, &peer->words);
  if (r < 0) {
    free(peer);
    return r;
  }
  if (snmp_parse_args(peer->words->argc, peer->words->argv, &peer->plan,
                      "C:", no_option) < 0) {
    snmp_peer_free(peer);
    return snmp_complain(message, "Net-SNMP refuses the session");
  }
  r = snmp_target_new(peer->plan.peername, use, &peer->target);
  if (r < 0) {
    snmp_peer_free(peer);
    (void)snmp_complain(message, "host: %s",
                        r == -EINVAL ? "too long" : "out of memory");
    return r;
  }
  set_defaults(peer);
  if (is_agent(peer))
    enter(peer);
  *ret_peer = peer;
  return 0;
}

static void close_handle(struct snmp_peer *peer) {
  void *handle = peer->handle;
  peer->handle = NULL;
  peer->state = SNMP_PEER_CLOSED;
  if (handle == NULL)
    return;
  snmp_engine_lock();
  (void)snmp_sess_close(handle);
  snmp_engine_unlock();
}

void snmp_peer_free(struct snmp_peer *peer) {
  if (peer == NULL)
    return;
  close_handle(peer);
  leave(peer);
  snmp_target_free(peer->target);
  free(peer->plan.community);
  free(peer->plan.securityEngineID);
  free(peer->plan.contextEngineID);
  snmp_words_free(peer->words);
  explicit_bzero(peer, sizeof(*peer));
  free(peer);
}

/* With the lock held. Answers of anybody else are none: they stay in the
 * kernel. */
static netsnmp_transport *open_transport(const struct snmp_peer *peer) {
  netsnmp_transport *transport =
      netsnmp_transport_open_client("snmp", peer->address.text);
  if (transport == NULL)
    return NULL;
  if (is_agent(peer))
    (void)connect(transport->sock,
                  (const struct sockaddr *)&peer->address.address,
                  peer->address.address_len);
  traps_tcp_limit_sends(transport->sock);
  return transport;
}

/* Returns NULL or what went wrong. */
static const char *add_session(struct snmp_peer *peer,
                               netsnmp_session *session) {
  const char *wrong = NULL;

  if (!traps_tcp_answers(peer->address.text))
    return "the address can't be reached";
  snmp_engine_lock();
  netsnmp_transport *transport = open_transport(peer);
  if (transport == NULL) {
    wrong = "no socket for the address";
    goto out;
  }
  session->peername = peer->address.text;
  /* Else the library would ask for the engine itself, and wait for it. */
  session->flags |= SNMP_FLAGS_DONT_PROBE;
  peer->handle = snmp_sess_add(session, transport, NULL, NULL);
  if (peer->handle == NULL)
    wrong = snmp_api_errstring(session->s_snmp_errno);
  else /* snmp_sess_add has taken the flag away again. */
    snmp_sess_session(peer->handle)->flags |= SNMP_FLAGS_DONT_PROBE;

out:
  snmp_engine_unlock();
  return wrong;
}

/* Releases of Net-SNMP differ in whether they call with SEC_ERROR or with
 * RECEIVED_MESSAGE first for a report. */
static int on_probe(int operation, netsnmp_session *session, int reqid,
                    netsnmp_pdu *pdu, void *arg) {
  struct snmp_peer *peer = arg;

  (void)session;
  (void)reqid;
  if (peer->state != SNMP_PEER_PROBING || /* it is being closed */
      operation == NETSNMP_CALLBACK_OP_RESEND)
    return 1;
  if ((operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE ||
       operation == NETSNMP_CALLBACK_OP_SEC_ERROR) &&
      pdu->command == SNMP_MSG_REPORT && pdu->securityEngineIDLen > 0 &&
      pdu->securityEngineIDLen <= sizeof(peer->engine)) {
    memcpy(peer->engine, pdu->securityEngineID, pdu->securityEngineIDLen);
    peer->engine_len = pdu->securityEngineIDLen;
  }
  peer->state = SNMP_PEER_PROBED;
  return 1;
}

/* An empty request of nobody, which the receiver answers with a report that
 * has its engine (RFC 3414, 4). */
static netsnmp_pdu *probe_pdu(void) {
  netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GET);
  if (pdu == NULL)
    return NULL;
  pdu->version = SNMP_VERSION_3;
  pdu->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
  pdu->securityModel = SNMP_SEC_MODEL_USM;
  pdu->securityName = strdup("");
  if (pdu->securityName == NULL) {
    snmp_free_pdu(pdu);
    return NULL;
  }
  return pdu;
}

/* Returns NULL or what went wrong. */
static const char *send_probe(struct snmp_peer *peer, netsnmp_pdu *pdu) {
  const char *wrong = NULL;

  snmp_engine_lock();
  peer->state = SNMP_PEER_PROBING;
  if (snmp_sess_async_send(peer->handle, pdu, on_probe, peer) == 0) {
    snmp_free_pdu(pdu);
    wrong = snmp_api_errstring(snmp_sess_session(peer->handle)->s_snmp_errno);
  }
  snmp_engine_unlock();
  return wrong;
}

static const char *start_probe(struct snmp_peer *peer) {
  netsnmp_session session;
  snmp_sess_init(&session);
  session.version = SNMP_VERSION_3;
  session.timeout = peer->plan.timeout;
  session.retries = peer->plan.retries;
  session.securityLevel = SNMP_SEC_LEVEL_NOAUTH;
  const char *wrong = add_session(peer, &session);
  if (wrong != NULL)
    return wrong;

  netsnmp_pdu *pdu = probe_pdu();
  wrong = pdu == NULL ? "out of memory" : send_probe(peer, pdu);
  if (wrong != NULL)
    close_handle(peer);
  return wrong;
}

static bool same_engine(const struct snmp_peer *peer, const u_char *id,
                        size_t len) {
  return peer->engine_len == len && memcmp(peer->engine, id, len) == 0;
}

/* May an agent have the engine that it says it has? */
static bool is_free(const struct snmp_peer *peer) {
  u_char ours[USM_MAX_ID_LENGTH];
  bool free_for_it = true;

  snmp_engine_lock();
  size_t len = snmpv3_get_engineID(ours, sizeof(ours));
  if (same_engine(peer, ours, len))
    free_for_it = false;
  for (const struct snmp_peer *p = agents; p != NULL; p = p->next)
    if (p != peer && p->own_len > 0 && same_engine(peer, p->own, p->own_len))
      free_for_it = false;
  snmp_engine_unlock();
  return free_for_it;
}

/* Returns 0, -ENOENT or -EAGAIN. */
static int resolve(struct snmp_peer *peer) {
  return is_agent(peer) ? snmp_target_poll(peer->target, &peer->address)
                        : snmp_target_find(peer->target, &peer->address);
}

/* With an engine, if one is needed. */
static const char *open_session(struct snmp_peer *peer) {
  netsnmp_session session = peer->plan;

  if (peer->words->v3) {
    session.securityEngineID = peer->engine;
    session.securityEngineIDLen = peer->engine_len;
  }
  const char *wrong = add_session(peer, &session);
  if (wrong == NULL)
    peer->state = SNMP_PEER_OPEN;
  return wrong;
}

const char *snmp_peer_open(struct snmp_peer *peer) {
  bool asked = peer->state == SNMP_PEER_PROBED;

  close_handle(peer); /* the probe's */
  if (!asked) {
    int r = resolve(peer);
    if (r == -EAGAIN) {
      peer->state = SNMP_PEER_RESOLVING;
      return NULL;
    }
    if (r < 0)
      return "the host's name can't be resolved";
  }
  if (peer->engine_len == 0 && is_probed_for(peer))
    return asked ? "no answer to the question for its SNMPv3 engine"
                 : start_probe(peer);
  if (asked && is_agent(peer) && !is_free(peer)) {
    peer->engine_len = 0;
    return "expected an SNMPv3 engine of its own, found the one of another "
           "agent or of this correlator";
  }
  return open_session(peer);
}

/* With the lock held. Sinks may share a receiver, and its users. */
static void forget_user(const struct snmp_peer *peer) {
  struct usmUser *user =
      usm_get_user((u_char *)(uintptr_t)peer->engine, peer->engine_len,
                   peer->plan.securityName);
  if (user == NULL)
    return;
  (void)usm_remove_user(user);
  (void)usm_free_user(user);
}

void snmp_peer_close(struct snmp_peer *peer) {
  close_handle(peer);
  if (!peer->words->v3 || is_trap_v3(peer) || peer->engine_len == 0)
    return;
  snmp_engine_lock();
  free_enginetime(peer->engine, peer->engine_len);
  if (is_agent(peer))
    forget_user(peer);
  snmp_engine_unlock();
  if (is_probed_for(peer))
    peer->engine_len = 0;
}

void snmp_peer_rest(struct snmp_peer *peer) {
  close_handle(peer);
  if (!is_agent(peer) || !peer->words->v3)
    return;
  snmp_engine_lock();
  memcpy(peer->own, peer->engine, peer->engine_len);
  peer->own_len = peer->engine_len;
  snmp_engine_unlock();
}

enum snmp_peer_state snmp_peer_state(const struct snmp_peer *peer) {
  return peer->state;
}

void *snmp_peer_handle(const struct snmp_peer *peer) { return peer->handle; }

int snmp_peer_socket(const struct snmp_peer *peer) {
  return peer->handle == NULL ? -1 : snmp_sess_transport(peer->handle)->sock;
}

const char *snmp_peer_address(const struct snmp_peer *peer) {
  return peer->plan.peername;
}

bool snmp_peer_informs(const struct snmp_peer *peer) {
  return peer->words->inform;
}

unsigned snmp_peer_patience_s(const struct snmp_peer *peer) {
  /* Once more, since a report may have a request sent anew. */
  return (unsigned)(peer->plan.timeout / 1000000) *
         (unsigned)(peer->plan.retries + 2);
}

size_t snmp_peer_overhead(const struct snmp_peer *peer) {
  return peer->words->v3 ? V3_OVERHEAD + peer->plan.securityNameLen +
                               peer->plan.contextNameLen
                         : V2C_OVERHEAD + peer->plan.community_len;
}

bool snmp_peer_conflict(const struct snmp_peer *a, const struct snmp_peer *b) {
  const netsnmp_session *x = &a->plan;
  const netsnmp_session *y = &b->plan;

  if (!is_trap_v3(a) || !is_trap_v3(b) || a->engine_len != b->engine_len ||
      memcmp(a->engine, b->engine, a->engine_len) != 0 ||
      strcmp(x->securityName, y->securityName) != 0)
    return false;
  return x->securityAuthProto != y->securityAuthProto ||
         x->securityPrivProto != y->securityPrivProto ||
         x->securityAuthKeyLen != y->securityAuthKeyLen ||
         memcmp(x->securityAuthKey, y->securityAuthKey,
                x->securityAuthKeyLen) != 0 ||
         x->securityPrivKeyLen != y->securityPrivKeyLen ||
         memcmp(x->securityPrivKey, y->securityPrivKey,
                x->securityPrivKeyLen) != 0;
}
