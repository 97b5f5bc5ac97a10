#include "correlator/collectd_source.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

#include "correlator/collectd_intake.h"
#include "correlator/counters.h"
#include "correlator/udp_receiver.h"
#include "lib/record/clock.h"

struct collectd_source {
  struct collectd_intake *intake;
  struct udp_receiver *receiver;
  struct event *tick;
};

static void take_packet(void *context, const struct udp_datagram *d) {
  struct collectd_source *source = context;
  char peer[NI_MAXHOST] = "unknown";

  (void)getnameinfo(d->peer, d->peer_len, peer, sizeof(peer), NULL, 0,
                    NI_NUMERICHOST);
  collectd_intake_packet(source->intake, (uint8_t *)d->data,
                         d->cut ? COLLECTD_PACKET_MAX + 1 : d->len,
                         &(struct collectd_arrival){.peer = peer,
                                                    .arrived_us = d->arrived_us,
                                                    .now_ms = d->now_ms});
}

static void on_tick(evutil_socket_t fd, short what, void *context) {
  struct collectd_source *source = context;

  (void)fd;
  (void)what;
  collectd_intake_tick(source->intake, clock_monotonic_ms());
}

int collectd_source_new(struct event_base *base,
                        const struct collectd_config *config,
                        struct ingest *ingest, struct collectd_source **ret) {
  const struct timeval second = {.tv_sec = 1};
  struct collectd_source *source = calloc(1, sizeof(*source));
  const struct udp_receiver_setup setup = {.who = "collectd",
                                           .max_len = COLLECTD_PACKET_MAX,
                                           .lost = COUNTER_PACKETS_LOST,
                                           .take = take_packet,
                                           .context = source};
  int r;

  if (!source)
    return -ENOMEM;
  r = collectd_intake_new(config, ingest, &source->intake);
  if (r == 0)
    r = udp_receiver_new(base, &setup, config->listen, config->listen_len,
                         &source->receiver);
  if (r != 0)
    goto failed;
  source->tick = event_new(base, -1, EV_PERSIST, on_tick, source);
  if (!source->tick || event_add(source->tick, &second) != 0) {
    r = -ENOMEM;
    goto failed;
  }
  *ret = source;
  return 0;
failed:
  collectd_source_free(source);
  return r;
}

void collectd_source_free(struct collectd_source *source) {
  if (!source)
    return;
  if (source->tick)
    event_free(source->tick);
  udp_receiver_free(source->receiver);
  collectd_intake_free(source->intake);
  free(source);
}
