#include "correlator/snmp_agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/library/large_fd_set.h>

#include "correlator/counters.h"
#include "correlator/log.h"
#include "correlator/snmp_engine.h"
#include "correlator/snmp_peer.h"
#include "correlator/snmp_poll.h"
#include "lib/record/clock.h"

enum {
  RESOLVE_MS = 50,   /* between two looks at whether a name is found */
  NARROW_POLLS = 60, /* with fewer rows, before many are asked for again */
};

/* What has come of the request that is out. */
enum answer {
  ANSWER_NONE,
  ANSWER_TAKEN, /* the poll has it; outcome says what it amounts to */
  ANSWER_LOST,  /* none came in time */
  ANSWER_WRONG  /* it can't be sent, or SNMPv3 refuses it: the message */
};

struct snmp_agent {
  const struct snmp_agent_env *env;
  const struct poll_config *config;
  struct snmp_peer *peer;
  struct event *due;
  int64_t due_ms;
  bool failing; /* the last poll failed, and that was said */
  struct snmp_poll_scan last;
  unsigned rows;   /* how many the way to it takes at once */
  unsigned narrow; /* polls since that are fewer than could be */

  /* Of the poll that is under way. */
  struct snmp_poll *poll; /* NULL: none is */
  struct event *io;       /* NULL while there is no socket */
  struct event *tick;
  int64_t deadline_ms;
  bool sending; /* snmp_sess_async_send has not returned */
  enum answer answer;
  enum snmp_poll_outcome outcome;
  struct snmp_message message;
};

/* Net-SNMP's header wants 0 < usec < 1000000 as well. */
static struct timeval to_timeval(int64_t ms) {
  if (ms < 1)
    ms = 1;
  return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static void remove_event(struct event **event) {
  if (*event != NULL)
    event_free(*event);
  *event = NULL;
}

/* Give up what the poll holds; the peer is closed before or after. */
static void end_poll(struct snmp_agent *a) {
  remove_event(&a->io);
  (void)event_del(a->tick);
  snmp_poll_free(a->poll);
  a->poll = NULL;
}

/* How many rows to ask for at once next time: what this poll came to. What had
 * long answers lost may pass, so all again where fewer did not help, and now
 * and then. */
static void learn_rows(struct snmp_agent *a, bool failed) {
  unsigned rows = a->poll == NULL ? a->rows : snmp_poll_rows(a->poll);
  bool again = failed ? rows == a->rows : a->narrow >= NARROW_POLLS;

  a->rows = again ? (unsigned)SNMP_POLL_ROWS : rows;
  a->narrow = a->rows < SNMP_POLL_ROWS ? a->narrow + 1 : 0;
}

static void fail(struct snmp_agent *a, enum counter counter) {
  counters_add(counter, 1);
  log_limited(counters_name(counter), a->config->name, "snmp-poll %s: %s: %s",
              a->config->name, snmp_peer_address(a->peer), a->message.text);
  a->failing = true;
  learn_rows(a, true);
  /* The socket's event goes before the socket does. */
  end_poll(a);
  snmp_peer_close(a->peer);
}

static void fail_with(struct snmp_agent *a, enum counter counter,
                      const char *why) {
  (void)snmp_complain(&a->message, "%s", why);
  fail(a, counter);
}

/* The poll is over, and went well. */
static void succeed(struct snmp_agent *a, struct report *report) {
  if (a->failing)
    log_info("snmp-poll %s: works again", a->config->name);
  a->failing = false;
  learn_rows(a, false);
  end_poll(a);
  snmp_peer_rest(a->peer);
  if (report != NULL)
    ingest_report(a->env->ingest, &report);
}

/* Is the name that an agent gives itself one that the configuration gives to
 * another? */
static bool is_taken(const struct snmp_agent *a, const char *host) {
  const struct config *config = a->env->config;

  for (size_t i = 0; i < config->polls_len && a->config->host == NULL; i++)
    if (config->polls[i].host != NULL &&
        strcmp(config->polls[i].host, host) == 0)
      return true;
  return false;
}

static void take_scan(struct snmp_agent *a) {
  struct snmp_poll_scan scan;

  snmp_poll_scan(a->poll, &scan);
  struct report *report = snmp_poll_take_report(a->poll);
  if (is_taken(a, report->host)) {
    (void)snmp_complain(&a->message,
                        "sysName: found '%s', which the configuration gives to "
                        "another agent",
                        report->host);
    report_free(report);
    fail(a, COUNTER_POLLS_FAILED);
    return;
  }
  a->last = scan;
  counters_add(COUNTER_SCANS, 1);
  if (!report->complete)
    counters_add(COUNTER_SCANS_INCOMPLETE, 1);
  succeed(a, report);
}

/* Within the library: nothing is closed or freed here. A report comes as
 * SEC_ERROR and as RECEIVED_MESSAGE, in an order that differs between releases
 * of Net-SNMP; the first decides. */
static int on_answer(int operation, netsnmp_session *session, int reqid,
                     netsnmp_pdu *pdu, void *arg) {
  struct snmp_agent *a = arg;

  (void)session;
  (void)reqid;
  if (a->sending || a->poll == NULL || a->answer != ANSWER_NONE)
    return 1;
  switch (operation) {
  case NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE:
    if (pdu->command == SNMP_MSG_REPORT)
      return 1;
    a->answer = ANSWER_TAKEN;
    a->outcome = snmp_poll_answer(a->poll, pdu, clock_wall_us(), &a->message);
    return 1;
  case NETSNMP_CALLBACK_OP_TIMED_OUT:
    a->answer = ANSWER_LOST;
    return 1;
  case NETSNMP_CALLBACK_OP_SEND_FAILED:
  case NETSNMP_CALLBACK_OP_SEC_ERROR:
    a->answer = ANSWER_WRONG;
    (void)snmp_complain(&a->message, "%s",
                        pdu != NULL && pdu->command == SNMP_MSG_REPORT
                            ? snmp_api_errstring(snmpv3_get_report_type(pdu))
                            : "can't be sent");
    return 1;
  default:
    return 1;
  }
}

static void on_io(evutil_socket_t fd, short what, void *arg);
static void on_tick(evutil_socket_t fd, short what, void *arg);

/* Look again when the library or the deadline wants it. */
static void wait_for_answer(struct snmp_agent *a) {
  int socket = snmp_peer_socket(a->peer);
  int64_t left_ms = a->deadline_ms - clock_monotonic_ms();
  struct timeval timeout = {0, 0};
  int block = 1;
  int numfds = 0;

  if (a->io == NULL)
    a->io = event_new(a->env->base, socket, EV_READ, on_io, a);
  snmp_engine_lock();
  (void)snmp_sess_select_info2(snmp_peer_handle(a->peer), &numfds, a->env->fds,
                               &timeout, &block);
  snmp_engine_unlock();
  NETSNMP_LARGE_FD_CLR(socket, a->env->fds);
  int64_t wait_ms = timeout.tv_sec * 1000 + timeout.tv_usec / 1000 + 1;
  if (block != 0 || wait_ms > left_ms)
    wait_ms = left_ms;
  timeout = to_timeval(wait_ms);
  if (a->io == NULL || event_add(a->io, &timeout) != 0)
    fail_with(a, COUNTER_POLLS_FAILED, "out of memory");
}

/* Send the poll's next request. Returns NULL or what went wrong. */
static const char *send_request(struct snmp_agent *a) {
  netsnmp_pdu *pdu = snmp_poll_request(a->poll);
  void *handle = snmp_peer_handle(a->peer);
  const char *wrong = NULL;

  if (pdu == NULL)
    return "out of memory";
  a->answer = ANSWER_NONE;
  a->sending = true;
  snmp_engine_lock();
  if (snmp_sess_async_send(handle, pdu, on_answer, a) == 0) {
    wrong = snmp_api_errstring(snmp_sess_session(handle)->s_snmp_errno);
    snmp_free_pdu(pdu);
  }
  snmp_engine_unlock();
  a->sending = false;
  return wrong;
}

/* Go on with a session that is opening, or open. */
static void step(struct snmp_agent *a) {
  const char *wrong = NULL;

  if (snmp_peer_state(a->peer) != SNMP_PEER_PROBING &&
      snmp_peer_state(a->peer) != SNMP_PEER_OPEN) {
    remove_event(&a->io); /* of the probe's socket */
    wrong = snmp_peer_open(a->peer);
    if (wrong == NULL && snmp_peer_state(a->peer) == SNMP_PEER_OPEN)
      wrong = send_request(a);
  }
  if (wrong != NULL) {
    fail_with(a, COUNTER_POLLS_UNANSWERED, wrong);
    return;
  }
  if (snmp_peer_state(a->peer) != SNMP_PEER_RESOLVING) {
    wait_for_answer(a);
    return;
  }
  const struct timeval soon = to_timeval(RESOLVE_MS);
  if (event_add(a->tick, &soon) != 0)
    fail_with(a, COUNTER_POLLS_FAILED, "out of memory");
}

static void ask_again(struct snmp_agent *a) {
  const char *wrong = send_request(a);

  if (wrong != NULL)
    fail_with(a, COUNTER_POLLS_UNANSWERED, wrong);
  else
    wait_for_answer(a);
}

/* An answer was taken. */
static void go_on(struct snmp_agent *a) {
  switch (a->outcome) {
  case SNMP_POLL_GOES_ON:
    ask_again(a);
    break;
  case SNMP_POLL_NEW:
    take_scan(a);
    break;
  case SNMP_POLL_UNCHANGED:
    counters_add(COUNTER_POLLS_UNCHANGED, 1);
    succeed(a, NULL);
    break;
  case SNMP_POLL_MALFORMED:
    fail(a, COUNTER_POLLS_MALFORMED);
    break;
  case SNMP_POLL_REFUSED:
    fail(a, COUNTER_POLLS_FAILED);
    break;
  case SNMP_POLL_STALE:
    fail(a, COUNTER_POLLS_STALE);
    break;
  }
}

/* Something came, or was awaited in vain. */
static void proceed(struct snmp_agent *a) {
  if (clock_monotonic_ms() >= a->deadline_ms)
    fail_with(a, COUNTER_POLLS_UNANSWERED,
              "not done within its interval: too slow, or endless");
  else if (snmp_peer_state(a->peer) != SNMP_PEER_OPEN)
    step(a);
  else if (a->answer == ANSWER_TAKEN)
    go_on(a);
  else if (a->answer == ANSWER_LOST && snmp_poll_shrink(a->poll))
    ask_again(a);
  else if (a->answer == ANSWER_LOST)
    fail_with(a, COUNTER_POLLS_UNANSWERED, "no answer");
  else if (a->answer == ANSWER_WRONG)
    fail(a, COUNTER_POLLS_FAILED);
  else
    wait_for_answer(a);
}

static void on_io(evutil_socket_t fd, short what, void *arg) {
  struct snmp_agent *a = arg;
  void *handle = snmp_peer_handle(a->peer);

  snmp_engine_lock();
  if ((what & EV_READ) != 0) {
    NETSNMP_LARGE_FD_SET(fd, a->env->fds);
    (void)snmp_sess_read2(handle, a->env->fds);
    NETSNMP_LARGE_FD_CLR(fd, a->env->fds);
  }
  snmp_sess_timeout(handle);
  snmp_engine_unlock();
  proceed(a);
}

static void on_tick(evutil_socket_t fd, short what, void *arg) {
  (void)fd;
  (void)what;
  proceed(arg);
}

static void begin(struct snmp_agent *a) {
  unsigned patience_s = a->config->interval_s > SNMP_AGENT_PATIENCE_S
                            ? a->config->interval_s
                            : SNMP_AGENT_PATIENCE_S;
  const struct snmp_poll_setup setup = {.name = a->config->name,
                                        .host = a->config->host,
                                        .interval_s = a->config->interval_s,
                                        .rows = a->rows,
                                        .last = a->last};

  counters_add(COUNTER_POLLS, 1);
  a->deadline_ms = clock_monotonic_ms() + (int64_t)patience_s * 1000;
  a->poll = snmp_poll_new(&setup);
  if (a->poll == NULL)
    fail_with(a, COUNTER_POLLS_FAILED, "out of memory");
  else
    step(a);
}

static void on_due(evutil_socket_t fd, short what, void *arg) {
  struct snmp_agent *a = arg;
  int64_t interval_ms = (int64_t)a->config->interval_s * 1000;
  int64_t now = clock_monotonic_ms();

  (void)fd;
  (void)what;
  do
    a->due_ms += interval_ms;
  while (a->due_ms <= now);
  const struct timeval next = to_timeval(a->due_ms - now);
  (void)event_add(a->due, &next);
  if (a->poll == NULL)
    begin(a);
  else
    counters_add(COUNTER_POLLS_SKIPPED, 1);
}

int snmp_agent_new(const struct snmp_agent_env *env,
                   const struct poll_config *config, int64_t first_ms,
                   struct snmp_agent **ret_agent) {
  const struct timeval first = to_timeval(first_ms);
  struct snmp_message message;
  struct snmp_agent *a = calloc(1, sizeof(*a));

  if (a == NULL)
    return -ENOMEM;
  a->env = env;
  a->config = config;
  a->rows = SNMP_POLL_ROWS;
  int r = snmp_peer_new(config->session, SNMP_USE_POLL, &message, &a->peer);
  if (r < 0) {
    log_error("snmp-poll %s: %s", config->name, message.text);
    free(a);
    return r;
  }
  a->due_ms = clock_monotonic_ms() + first_ms;
  a->due = evtimer_new(env->base, on_due, a);
  a->tick = evtimer_new(env->base, on_tick, a);
  if (a->due == NULL || a->tick == NULL || event_add(a->due, &first) != 0) {
    snmp_agent_free(a);
    return -ENOMEM;
  }
  *ret_agent = a;
  return 0;
}

void snmp_agent_free(struct snmp_agent *a) {
  if (a == NULL)
    return;
  remove_event(&a->due);
  remove_event(&a->io);
  remove_event(&a->tick);
  snmp_poll_free(a->poll);
  a->poll = NULL;
  snmp_peer_free(a->peer);
  free(a);
}
