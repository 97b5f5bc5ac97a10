#include "correlator/traps.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/library/large_fd_set.h>

#include "correlator/log.h"
#include "correlator/snmp_peer.h"
#include "correlator/traps_outbox.h"
#include "correlator/traps_sink.h"
#include "lib/record/clock.h"

enum {
  POLL_MS = 2000,     /* for rows whose pause or lease has ended */
  FAREWELL_MS = 2000, /* waited for answers at the end */
  LEASE_SPARE_S = 60  /* of a lease, beyond the longest wait for an answer */
};

struct lane {
  struct traps_sink *sink;
  bool hungry; /* there may be rows for it */
};

struct traps {
  const struct config *config;
  struct lane *lanes;
  size_t lanes_len;
  struct traps_outbox *outbox;
  int wake[2]; /* a byte in it ends the thread */
  pthread_t thread;
  bool running; /* the thread */
  bool ending;
  int64_t started_ms;
  int64_t poll_at_ms;
};

static void on_result(void *arg, int64_t outbox_id, const char *error,
                      unsigned wait_s) {
  struct traps *t = arg;
  traps_outbox_result(t->outbox, outbox_id, error, wait_s);
}

static void feed(struct traps *t, struct lane *lane) {
  size_t room = traps_sink_room(lane->sink);
  PGresult *rows = NULL;

  if (room == 0 || !lane->hungry)
    return;
  lane->hungry = false;
  if (!traps_outbox_lease(t->outbox, traps_sink_name(lane->sink), room, &rows))
    return;
  /* RFC 3418, sysUpTime: hundredths of a second, modulo 2^32. */
  uint32_t uptime_cs = (uint32_t)((clock_monotonic_ms() - t->started_ms) / 10);
  for (int i = 0; i < PQntuples(rows); i++) {
    struct traps_row row;
    if (traps_outbox_row(rows, i, &row) < 0)
      log_limited("traps-row", "",
                  "traps: outbox row: expected every column, "
                  "found one missing or null");
    else
      traps_sink_send(lane->sink, &row, uptime_cs);
  }
  lane->hungry = (size_t)PQntuples(rows) == room;
  PQclear(rows);
}

static void work(struct traps *t) {
  bool look = traps_outbox_notified(t->outbox);
  if (clock_monotonic_ms() >= t->poll_at_ms) {
    look = true;
    t->poll_at_ms = clock_monotonic_ms() + POLL_MS;
  }
  /* The next row of an alert is given out when the one before is done. */
  look = traps_outbox_report(t->outbox) || look;
  for (size_t i = 0; i < t->lanes_len; i++) {
    t->lanes[i].hungry = t->lanes[i].hungry || look;
    if (!t->ending && traps_outbox_connect(t->outbox))
      feed(t, &t->lanes[i]);
  }
  if (traps_outbox_report(t->outbox))
    for (size_t i = 0; i < t->lanes_len; i++)
      t->lanes[i].hungry = true;
}

/* Wait until something may be done. */
static void wait_for_work(struct traps *t, netsnmp_large_fd_set *fds) {
  int numfds = t->wake[0] + 1;
  int64_t wake_ms = t->poll_at_ms;
  int database = traps_outbox_socket(t->outbox);

  NETSNMP_LARGE_FD_ZERO(fds);
  NETSNMP_LARGE_FD_SET(t->wake[0], fds);
  if (database >= 0) {
    NETSNMP_LARGE_FD_SET(database, fds);
    numfds = database >= numfds ? database + 1 : numfds;
  } else if (traps_outbox_connect_at_ms(t->outbox) < wake_ms) {
    wake_ms = traps_outbox_connect_at_ms(t->outbox);
  }
  for (size_t i = 0; i < t->lanes_len; i++) {
    traps_sink_prepare(t->lanes[i].sink, &numfds, fds, &wake_ms);
    if (t->lanes[i].hungry && database >= 0 &&
        traps_sink_room(t->lanes[i].sink) > 0)
      wake_ms = 0;
  }
  int64_t ms = wake_ms - clock_monotonic_ms();
  struct timeval timeout = {0, 0};
  if (ms > 0) {
    timeout.tv_sec = ms / 1000;
    timeout.tv_usec = ms % 1000 * 1000;
  }
  if (netsnmp_large_fd_set_select(numfds, fds, NULL, NULL, &timeout) <= 0)
    NETSNMP_LARGE_FD_ZERO(fds);
}

static size_t in_flight(const struct traps *t) {
  size_t n = 0;
  for (size_t i = 0; i < t->lanes_len; i++)
    n += traps_sink_in_flight(t->lanes[i].sink);
  return n;
}

static void *run(void *arg) {
  struct traps *t = arg;
  netsnmp_large_fd_set fds;
  int64_t end_ms = INT64_MAX;

  netsnmp_large_fd_set_init(&fds, FD_SETSIZE);
  while (!t->ending || (in_flight(t) > 0 && clock_monotonic_ms() < end_ms)) {
    for (size_t i = 0; i < t->lanes_len; i++)
      traps_sink_step(t->lanes[i].sink);
    work(t);
    wait_for_work(t, &fds);
    for (size_t i = 0; i < t->lanes_len; i++)
      traps_sink_process(t->lanes[i].sink, &fds);
    if (!t->ending && NETSNMP_LARGE_FD_ISSET(t->wake[0], &fds)) {
      char byte = 0;
      t->ending = read(t->wake[0], &byte, 1) == 1;
      end_ms = clock_monotonic_ms() + FAREWELL_MS;
    }
  }
  for (size_t i = 0; i < t->lanes_len; i++) {
    traps_sink_free(t->lanes[i].sink);
    t->lanes[i].sink = NULL;
  }
  (void)traps_outbox_report(t->outbox);
  netsnmp_large_fd_set_cleanup(&fds);
  return NULL;
}

/* Returns 0, -EINVAL (logged) or -ENOMEM. */
static int make_lanes(struct traps *t) {
  const struct config *config = t->config;

  t->lanes = calloc(config->sinks_len + 1, sizeof(*t->lanes));
  if (t->lanes == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < config->sinks_len; i++) {
    struct lane *lane = &t->lanes[i];
    int r = traps_sink_new(&config->sinks[i], on_result, t, &lane->sink);
    if (r < 0)
      return r;
    lane->hungry = true;
    t->lanes_len++;
    for (size_t j = 0; j < i; j++)
      if (snmp_peer_conflict(traps_sink_peer(t->lanes[j].sink),
                             traps_sink_peer(lane->sink))) {
        log_error("trap-sink %s: its user is that of trap-sink %s with other "
                  "protocols or passphrases: SNMPv3 traps have one user of a "
                  "name for all receivers",
                  config->sinks[i].name, config->sinks[j].name);
        return -EINVAL;
      }
  }
  return 0;
}

static unsigned longest_wait_s(const struct traps *t) {
  unsigned longest = 0;
  for (size_t i = 0; i < t->lanes_len; i++) {
    unsigned s = snmp_peer_patience_s(traps_sink_peer(t->lanes[i].sink));
    longest = s > longest ? s : longest;
  }
  return longest;
}

/* Signals are for the main thread. */
static int start_thread(struct traps *t) {
  sigset_t all;
  sigset_t before;
  (void)sigfillset(&all);
  (void)pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&t->thread, NULL, run, t);
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  t->running = error == 0;
  return -error;
}

int traps_new(const struct config *config, struct traps **ret_traps) {
  struct traps *t = calloc(1, sizeof(*t));
  if (t == NULL)
    return -ENOMEM;
  t->config = config;
  t->wake[0] = t->wake[1] = -1;
  t->started_ms = clock_monotonic_ms();
  int r = make_lanes(t);
  if (r < 0) {
    traps_stop(t);
    return r;
  }
  *ret_traps = t;
  return 0;
}

int traps_start(struct traps *traps, const char *instance) {
  int r =
      traps_outbox_new(traps->config, instance,
                       longest_wait_s(traps) + LEASE_SPARE_S, &traps->outbox);
  if (r == 0 && pipe2(traps->wake, O_CLOEXEC) < 0)
    r = -errno;
  return r == 0 ? start_thread(traps) : r;
}

void traps_stop(struct traps *traps) {
  if (traps == NULL)
    return;
  if (traps->running) {
    while (write(traps->wake[1], "", 1) < 0 && errno == EINTR)
      ;
    (void)pthread_join(traps->thread, NULL);
  }
  for (size_t i = 0; i < traps->lanes_len; i++)
    traps_sink_free(traps->lanes[i].sink);
  free(traps->lanes);
  traps_outbox_free(traps->outbox);
  if (traps->wake[0] >= 0) {
    (void)close(traps->wake[0]);
    (void)close(traps->wake[1]);
  }
  free(traps);
}
