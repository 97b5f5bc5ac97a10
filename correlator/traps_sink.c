#include "correlator/traps_sink.h"

#include <errno.h>
#include <stdlib.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "correlator/counters.h"
#include "correlator/log.h"
#include "correlator/snmp_engine.h"
#include "correlator/snmp_peer.h"
#include "lib/record/clock.h"

enum {
  PAUSE_MAX_S = 60,
  WINDOW = 16,   /* informs that wait for an answer at a time */
  BURST = 50,    /* plain traps at a time: nobody answers them, and the
                    receiver's socket buffer is small */
  BURST_MS = 100 /* from one burst to the next */
};

/* A row that waits for its answer. */
struct flight {
  struct flight *next;
  struct traps_sink *sink;
  int64_t outbox_id;
  unsigned attempts;
  bool sending;  /* snmp_sess_async_send has not returned */
  bool finished; /* freed once the library has returned */
};

struct traps_sink {
  const struct sink_config *config;
  traps_sink_result_fn *result;
  void *result_arg;
  struct snmp_peer *peer;
  bool broken;       /* takes no rows, and is closed when none is in flight */
  bool ending;       /* being freed */
  unsigned failures; /* times broken since it last worked */
  int64_t open_at_ms;
  struct flight *flights;
  size_t in_flight; /* those that are not finished */
  size_t burst;     /* plain traps since burst_at_ms */
  int64_t burst_at_ms;
};

/* 1, 2, 4 ... PAUSE_MAX_S. */
static unsigned pause_s(unsigned times) {
  return times < 6 ? 1U << times : PAUSE_MAX_S;
}

static void sink_works(struct traps_sink *sink) {
  if (sink->failures > 0)
    log_info("trap-sink %s: works again", sink->config->name);
  sink->failures = 0;
  sink->broken = false;
}

static void sink_fails(struct traps_sink *sink, const char *reason) {
  if (sink->broken || sink->ending)
    return;
  unsigned pause = pause_s(sink->failures);
  log_limited("trap-sink", sink->config->name,
              "trap-sink %s: %s: %s; tried again in %u s", sink->config->name,
              snmp_peer_address(sink->peer), reason, pause);
  sink->broken = true;
  sink->failures++;
  sink->open_at_ms = clock_monotonic_ms() + (int64_t)pause * 1000;
}

static void row_done(struct traps_sink *sink, int64_t outbox_id) {
  counters_add(snmp_peer_informs(sink->peer) ? COUNTER_INFORMS_ACKED
                                             : COUNTER_TRAPS_SENT,
               1);
  sink_works(sink);
  sink->result(sink->result_arg, outbox_id, NULL, 0);
}

/* The sink did not get it. */
static void row_undelivered(struct traps_sink *sink, int64_t outbox_id,
                            const char *reason) {
  if (sink->ending) {
    sink->result(sink->result_arg, outbox_id, "the correlator stopped", 0);
    return;
  }
  if (snmp_peer_informs(sink->peer))
    counters_add(COUNTER_INFORMS_FAILED, 1);
  sink_fails(sink, reason);
  sink->result(sink->result_arg, outbox_id, reason,
               pause_s(sink->failures - 1));
}

/* The sink got it and refused it, or it can't be sent to anybody. */
static void row_refused(struct traps_sink *sink, int64_t outbox_id,
                        unsigned attempts, const char *reason) {
  if (snmp_peer_informs(sink->peer))
    counters_add(COUNTER_INFORMS_FAILED, 1);
  log_limited("trap-row", sink->config->name, "trap-sink %s: row %lld: %s",
              sink->config->name, (long long)outbox_id, reason);
  sink->result(sink->result_arg, outbox_id, reason, pause_s(attempts));
}

static const char *failure_of(int operation, const netsnmp_pdu *pdu) {
  if (operation == NETSNMP_CALLBACK_OP_TIMED_OUT)
    return "no answer";
  if (operation == NETSNMP_CALLBACK_OP_SEC_ERROR &&
      pdu->command == SNMP_MSG_REPORT)
    return snmp_api_errstring(snmpv3_get_report_type((netsnmp_pdu *)pdu));
  return "can't be sent";
}

/* A report comes as SEC_ERROR and as RECEIVED_MESSAGE, in an order that
 * differs between releases of Net-SNMP, or as RESEND if it only set the clock.
 * So the first decides, and nothing is freed in here. What fails within
 * snmp_sess_async_send is told by its return value, too. */
static int on_answer(int operation, netsnmp_session *session, int reqid,
                     netsnmp_pdu *pdu, void *arg) {
  struct flight *f = arg;
  struct traps_sink *sink = f->sink;

  (void)session;
  (void)reqid;
  if (f->sending || f->finished)
    return 1;
  switch (operation) {
  case NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE:
    if (pdu->command != SNMP_MSG_RESPONSE)
      return 1;
    f->finished = true;
    sink->in_flight--;
    if (pdu->errstat == SNMP_ERR_NOERROR)
      row_done(sink, f->outbox_id);
    else
      row_refused(sink, f->outbox_id, f->attempts,
                  snmp_errstring((int)pdu->errstat));
    return 1;
  case NETSNMP_CALLBACK_OP_TIMED_OUT:
  case NETSNMP_CALLBACK_OP_SEND_FAILED:
  case NETSNMP_CALLBACK_OP_SEC_ERROR:
    f->finished = true;
    sink->in_flight--;
    row_undelivered(sink, f->outbox_id, failure_of(operation, pdu));
    return 1;
  default:
    return 1;
  }
}

static void free_finished(struct traps_sink *sink) {
  struct flight **link = &sink->flights;
  while (*link != NULL) {
    struct flight *f = *link;
    if (f->finished) {
      *link = f->next;
      free(f);
    } else {
      link = &f->next;
    }
  }
}

static const char *last_error(const struct traps_sink *sink) {
  return snmp_api_errstring(
      snmp_sess_session(snmp_peer_handle(sink->peer))->s_snmp_errno);
}

static void send_inform(struct traps_sink *sink, const struct traps_row *row,
                        netsnmp_pdu *pdu) {
  struct flight *f = calloc(1, sizeof(*f));
  if (f == NULL) {
    snmp_free_pdu(pdu);
    row_undelivered(sink, row->outbox_id, "out of memory");
    return;
  }
  f->sink = sink;
  f->outbox_id = row->outbox_id;
  f->attempts = row->attempts;
  f->sending = true;
  snmp_engine_lock();
  int sent =
      snmp_sess_async_send(snmp_peer_handle(sink->peer), pdu, on_answer, f);
  snmp_engine_unlock();
  f->sending = false;
  if (sent != 0) {
    f->next = sink->flights;
    sink->flights = f;
    sink->in_flight++;
    return;
  }
  snmp_free_pdu(pdu);
  free(f);
  row_undelivered(sink, row->outbox_id, last_error(sink));
}

static void send_trap(struct traps_sink *sink, const struct traps_row *row,
                      netsnmp_pdu *pdu) {
  if (++sink->burst == BURST) {
    sink->burst = 0;
    sink->burst_at_ms = clock_monotonic_ms() + BURST_MS;
  }
  snmp_engine_lock();
  int sent = snmp_sess_send(snmp_peer_handle(sink->peer), pdu);
  snmp_engine_unlock();
  if (sent != 0) {
    row_done(sink, row->outbox_id);
    return;
  }
  snmp_free_pdu(pdu);
  row_undelivered(sink, row->outbox_id, last_error(sink));
}

void traps_sink_send(struct traps_sink *sink, const struct traps_row *row,
                     uint32_t uptime_cs) {
  bool inform = snmp_peer_informs(sink->peer);
  size_t overhead = snmp_peer_overhead(sink->peer);
  size_t room = overhead < TRAPS_MESSAGE_MAX ? TRAPS_MESSAGE_MAX - overhead : 0;
  netsnmp_pdu *pdu = NULL;

  if (traps_sink_room(sink) == 0) { /* broke since the row was leased */
    sink->result(sink->result_arg, row->outbox_id, "the sink is away", 1);
    return;
  }
  int r = traps_pdu_build(&row->payload, inform, uptime_cs, room, &pdu);
  if (r < 0)
    row_refused(sink, row->outbox_id, row->attempts,
                r == -EINVAL ? "expected a type, state and severity of "
                               "PROCESS-DNA-MIB"
                             : "out of memory");
  else if (inform)
    send_inform(sink, row, pdu);
  else
    send_trap(sink, row, pdu);
}

void traps_sink_step(struct traps_sink *sink) {
  const char *wrong = NULL;

  free_finished(sink);
  if (sink->in_flight == 0 &&
      (sink->broken || snmp_peer_socket(sink->peer) < 0))
    snmp_peer_close(sink->peer);
  if (snmp_peer_state(sink->peer) == SNMP_PEER_CLOSED &&
      clock_monotonic_ms() >= sink->open_at_ms) {
    sink->broken = false;
    wrong = snmp_peer_open(sink->peer);
  }
  if (snmp_peer_state(sink->peer) == SNMP_PEER_PROBED)
    wrong = snmp_peer_open(sink->peer);
  if (wrong != NULL)
    sink_fails(sink, wrong);
}

size_t traps_sink_room(const struct traps_sink *sink) {
  if (sink->broken || snmp_peer_state(sink->peer) != SNMP_PEER_OPEN ||
      snmp_peer_socket(sink->peer) < 0)
    return 0;
  if (!snmp_peer_informs(sink->peer))
    return clock_monotonic_ms() < sink->burst_at_ms ? 0 : BURST - sink->burst;
  /* One to see whether it is back. */
  size_t window = sink->failures > 0 ? 1 : WINDOW;
  return sink->in_flight < window ? window - sink->in_flight : 0;
}

size_t traps_sink_in_flight(const struct traps_sink *sink) {
  return sink->in_flight;
}

void traps_sink_prepare(const struct traps_sink *sink, int *numfds,
                        struct netsnmp_large_fd_set_s *fds, int64_t *wake_ms) {
  int64_t wake = *wake_ms;

  if (snmp_peer_socket(sink->peer) < 0) {
    wake = sink->open_at_ms;
  } else { /* the library would free a session without a socket */
    struct timeval timeout = {0, 0};
    int block = 1;
    snmp_engine_lock();
    (void)snmp_sess_select_info2(snmp_peer_handle(sink->peer), numfds, fds,
                                 &timeout, &block);
    snmp_engine_unlock();
    if (block == 0)
      wake = clock_monotonic_ms() + timeout.tv_sec * 1000 +
             timeout.tv_usec / 1000 + 1;
    else if (sink->burst_at_ms > clock_monotonic_ms())
      wake = sink->burst_at_ms;
  }
  if (wake < *wake_ms)
    *wake_ms = wake;
}

void traps_sink_process(struct traps_sink *sink,
                        struct netsnmp_large_fd_set_s *fds) {
  void *handle = snmp_peer_handle(sink->peer);
  if (handle == NULL)
    return;
  snmp_engine_lock();
  if (snmp_peer_socket(sink->peer) >= 0)
    (void)snmp_sess_read2(handle, fds);
  snmp_sess_timeout(handle);
  snmp_engine_unlock();
}

int traps_sink_new(const struct sink_config *config,
                   traps_sink_result_fn *result, void *result_arg,
                   struct traps_sink **ret_sink) {
  struct snmp_message message;
  struct traps_sink *sink = calloc(1, sizeof(*sink));

  if (sink == NULL)
    return -ENOMEM;
  sink->config = config;
  sink->result = result;
  sink->result_arg = result_arg;
  int r = snmp_peer_new(config->session, SNMP_USE_SINK, &message, &sink->peer);
  if (r < 0) {
    log_error("trap-sink %s: %s", config->name, message.text);
    free(sink);
    return r;
  }
  *ret_sink = sink;
  return 0;
}

void traps_sink_free(struct traps_sink *sink) {
  if (sink == NULL)
    return;
  sink->ending = true;
  snmp_peer_close(sink->peer);
  snmp_peer_free(sink->peer);
  free_finished(sink);
  free(sink);
}

const char *traps_sink_name(const struct traps_sink *sink) {
  return sink->config->name;
}

const struct snmp_peer *traps_sink_peer(const struct traps_sink *sink) {
  return sink->peer;
}
