#include "correlator/syslog_source.h"

#include <errno.h>
#include <stdlib.h>

#include "correlator/auth_intake.h"
#include "correlator/counters.h"
#include "correlator/peer.h"
#include "correlator/syslog_frame.h"
#include "correlator/syslog_server.h"
#include "correlator/udp_receiver.h"

struct syslog_source {
  struct ingest *ingest;
  struct auth_stream *stream; /* of all datagrams */
  struct udp_receiver *receiver;
  struct syslog_server *server;
};

/* One message is one datagram; there is nobody who could be made to wait. */
static void take_datagram(void *context, const struct udp_datagram *d) {
  struct syslog_source *source = context;
  const struct peer peer = peer_of(d->peer);
  const struct auth_arrival arrival = {.arrived_us = d->arrived_us,
                                       .trust = AUTH_TRUST_UDP,
                                       .peer = &peer.address};
  struct syslog_bytes line = {d->data, d->len};
  struct auth_record *record;

  syslog_frame_trim(&line);
  if (line.len == 0)
    return;
  record = auth_intake_line(source->ingest, source->stream,
                            (struct auth_text){line.at, line.len}, &arrival);
  if (record)
    ingest_auth_spooled(source->ingest, &record);
}

int syslog_source_new(struct event_base *base,
                      const struct syslog_config *config, struct ingest *ingest,
                      struct syslog_source **ret) {
  struct syslog_source *source = calloc(1, sizeof(*source));
  const struct udp_receiver_setup setup = {.who = "syslog",
                                           .max_len = SYSLOG_LINE_MAX,
                                           .lost = COUNTER_SYSLOG_LOST,
                                           .take = take_datagram,
                                           .context = source};
  int r = -ENOMEM;

  if (!source)
    return -ENOMEM;
  source->ingest = ingest;
  source->stream = auth_stream_new();
  if (source->stream)
    r = 0;
  if (r == 0 && config->listen_udp_len > 0)
    r = udp_receiver_new(base, &setup, config->listen_udp,
                         config->listen_udp_len, &source->receiver);
  if (r == 0 && config->listen_tcp_len + config->listen_tls_len > 0)
    r = syslog_server_new(base, config, ingest, &source->server);
  if (r == 0)
    *ret = source;
  else
    syslog_source_free(source);
  return r;
}

void syslog_source_free(struct syslog_source *source) {
  if (!source)
    return;
  syslog_server_free(source->server);
  udp_receiver_drain(source->receiver);
  udp_receiver_free(source->receiver);
  auth_stream_free(source->stream);
  free(source);
}
