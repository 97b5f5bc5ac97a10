#include "correlator/traps_peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "correlator/traps_session.h"
#include "correlator/traps_tcp.h"

enum {
  TIMEOUT_DEFAULT_S = 3,
  /* RFC 3417 and RFC 3412: headers, and for v3 twice an engine id, the
   * longest authentication parameters and padding. */
  V2C_OVERHEAD = 16, /* and the community */
  V3_OVERHEAD = 200, /* and the names of user and context */
};

struct traps_peer {
  struct traps_session *words;
  netsnmp_session plan; /* what the words say; points into them */
  enum traps_peer_state state;
  void *handle; /* NULL exactly when closed */
  /* The authoritative engine: our own for traps, the receiver's for informs.
   * Length 0: to be asked for. */
  u_char engine[USM_MAX_ID_LENGTH];
  size_t engine_len;
};

static void no_option(int argc, char *const *argv, int option) {
  (void)argc;
  (void)argv;
  (void)option; /* -C, which the words were searched for */
}

static bool is_trap_v3(const struct traps_peer *peer) {
  return peer->words->v3 && !peer->words->inform;
}

/* The receiver's engine has to be asked for. */
static bool is_probed_for(const struct traps_peer *peer) {
  return peer->words->v3 && peer->words->inform &&
         peer->plan.securityEngineIDLen == 0;
}

/* RFC 3414, 1.5.1: the sender of a trap is authoritative, with its own boots
 * and time, whatever engine id -e gives it. */
static void set_engine(struct traps_peer *peer) {
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

int traps_peer_new(const char *session, char *message, size_t message_size,
                   struct traps_peer **ret_peer) {
  struct traps_peer *peer = calloc(1, sizeof(*peer));
  if (peer == NULL) {
    (void)snprintf(message, message_size, "out of memory");
    return -ENOMEM;
  }
  int r = traps_session_parse(session, message, message_size, &peer->words);
  if (r < 0) {
    free(peer);
    return r;
  }
  if (snmp_parse_args(peer->words->argc, peer->words->argv, &peer->plan,
                      "C:", no_option) < 0) {
    (void)snprintf(message, message_size, "Net-SNMP refuses the session");
    traps_peer_free(peer);
    return -EINVAL;
  }
  if (!peer->words->has_timeout)
    peer->plan.timeout = TIMEOUT_DEFAULT_S * 1000000L;
  if (!peer->words->has_retries)
    peer->plan.retries = 0; /* the outbox is what tries again */
  set_engine(peer);
  *ret_peer = peer;
  return 0;
}

static void close_handle(struct traps_peer *peer) {
  void *handle = peer->handle;
  peer->handle = NULL;
  peer->state = TRAPS_PEER_CLOSED;
  if (handle != NULL)
    (void)snmp_sess_close(handle);
}

void traps_peer_free(struct traps_peer *peer) {
  if (peer == NULL)
    return;
  close_handle(peer);
  free(peer->plan.community);
  free(peer->plan.securityEngineID);
  free(peer->plan.contextEngineID);
  traps_session_free(peer->words);
  explicit_bzero(peer, sizeof(*peer));
  free(peer);
}

/* Returns NULL or what went wrong. */
static const char *add_session(struct traps_peer *peer,
                               netsnmp_session *session) {
  netsnmp_transport *transport = NULL;
  if (traps_tcp_answers(session->peername))
    transport = netsnmp_transport_open_client("snmptrap", session->peername);
  if (transport == NULL)
    return "the address can't be resolved or reached";
  traps_tcp_limit_sends(transport->sock);

  /* Else the library would ask for the engine itself, and wait for it. */
  session->flags |= SNMP_FLAGS_DONT_PROBE;
  peer->handle = snmp_sess_add(session, transport, NULL, NULL);
  if (peer->handle == NULL)
    return snmp_api_errstring(session->s_snmp_errno);
  /* snmp_sess_add has taken the flag away again. */
  snmp_sess_session(peer->handle)->flags |= SNMP_FLAGS_DONT_PROBE;
  return NULL;
}

/* Releases of Net-SNMP differ in whether they call with SEC_ERROR or with
 * RECEIVED_MESSAGE first for a report. */
static int on_probe(int operation, netsnmp_session *session, int reqid,
                    netsnmp_pdu *pdu, void *arg) {
  struct traps_peer *peer = arg;

  (void)session;
  (void)reqid;
  if (peer->state != TRAPS_PEER_PROBING || /* it is being closed */
      operation == NETSNMP_CALLBACK_OP_RESEND)
    return 1;
  if ((operation == NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE ||
       operation == NETSNMP_CALLBACK_OP_SEC_ERROR) &&
      pdu->command == SNMP_MSG_REPORT && pdu->securityEngineIDLen > 0 &&
      pdu->securityEngineIDLen <= sizeof(peer->engine)) {
    memcpy(peer->engine, pdu->securityEngineID, pdu->securityEngineIDLen);
    peer->engine_len = pdu->securityEngineIDLen;
  }
  peer->state = TRAPS_PEER_PROBED;
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

static const char *start_probe(struct traps_peer *peer) {
  netsnmp_session session;
  snmp_sess_init(&session);
  session.version = SNMP_VERSION_3;
  session.peername = peer->plan.peername;
  session.timeout = peer->plan.timeout;
  session.retries = peer->plan.retries;
  session.securityLevel = SNMP_SEC_LEVEL_NOAUTH;
  const char *wrong = add_session(peer, &session);
  if (wrong != NULL)
    return wrong;

  netsnmp_pdu *pdu = probe_pdu();
  if (pdu == NULL) {
    close_handle(peer);
    return "out of memory";
  }
  peer->state = TRAPS_PEER_PROBING;
  if (snmp_sess_async_send(peer->handle, pdu, on_probe, peer) == 0) {
    snmp_free_pdu(pdu);
    wrong = snmp_api_errstring(snmp_sess_session(peer->handle)->s_snmp_errno);
    close_handle(peer);
  }
  return wrong;
}

const char *traps_peer_open(struct traps_peer *peer) {
  bool asked = peer->state == TRAPS_PEER_PROBED;

  close_handle(peer); /* the probe's */
  if (peer->engine_len == 0 && is_probed_for(peer))
    return asked ? "no answer to the question for its SNMPv3 engine"
                 : start_probe(peer);
  netsnmp_session session = peer->plan;
  if (peer->words->v3) {
    session.securityEngineID = peer->engine;
    session.securityEngineIDLen = peer->engine_len;
  }
  const char *wrong = add_session(peer, &session);
  if (wrong == NULL)
    peer->state = TRAPS_PEER_OPEN;
  return wrong;
}

void traps_peer_close(struct traps_peer *peer) {
  close_handle(peer);
  if (!is_probed_for(peer) || peer->engine_len == 0)
    return;
  free_enginetime(peer->engine, peer->engine_len);
  peer->engine_len = 0;
}

enum traps_peer_state traps_peer_state(const struct traps_peer *peer) {
  return peer->state;
}

void *traps_peer_handle(const struct traps_peer *peer) { return peer->handle; }

int traps_peer_socket(const struct traps_peer *peer) {
  return peer->handle == NULL ? -1 : snmp_sess_transport(peer->handle)->sock;
}

const char *traps_peer_address(const struct traps_peer *peer) {
  return peer->plan.peername;
}

bool traps_peer_informs(const struct traps_peer *peer) {
  return peer->words->inform;
}

unsigned traps_peer_patience_s(const struct traps_peer *peer) {
  /* Once more, since a report may have a request sent anew. */
  return (unsigned)(peer->plan.timeout / 1000000) *
         (unsigned)(peer->plan.retries + 2);
}

size_t traps_peer_overhead(const struct traps_peer *peer) {
  return peer->words->v3 ? V3_OVERHEAD + peer->plan.securityNameLen +
                               peer->plan.contextNameLen
                         : V2C_OVERHEAD + peer->plan.community_len;
}

bool traps_peer_conflict(const struct traps_peer *a,
                         const struct traps_peer *b) {
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
