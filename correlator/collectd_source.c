#include "correlator/collectd_source.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "correlator/collectd_intake.h"
#include "correlator/collectd_listen.h"
#include "correlator/counters.h"
#include "correlator/log.h"
#include "lib/record/clock.h"

enum {
  BATCH = 32,      /* packets a recvmmsg(2) */
  ROUNDS_MAX = 16, /* of them before other events have their turn */
  SOCKETS_MAX = 64,
};

struct udp_socket {
  struct collectd_source *source;
  int fd;
  struct event *readable;
  uint32_t lost; /* SO_RXQ_OVFL, as last seen */
};

/* What a recvmmsg(2) fills. */
struct batch {
  struct mmsghdr messages[BATCH];
  struct iovec parts[BATCH];
  struct sockaddr_storage peers[BATCH];
  union {
    char bytes[CMSG_SPACE(sizeof(uint32_t))];
    struct cmsghdr align;
  } control[BATCH];
  uint8_t packets[BATCH][COLLECTD_PACKET_MAX];
};

struct collectd_source {
  struct collectd_intake *intake;
  struct event *tick;
  struct udp_socket sockets[SOCKETS_MAX];
  size_t sockets_len;
  struct batch batch;
};

static void batch_reset(struct batch *b) {
  for (size_t i = 0; i < BATCH; i++) {
    b->parts[i] = (struct iovec){b->packets[i], sizeof(b->packets[i])};
    b->messages[i].msg_hdr =
        (struct msghdr){.msg_name = &b->peers[i],
                        .msg_namelen = sizeof(b->peers[i]),
                        .msg_iov = &b->parts[i],
                        .msg_iovlen = 1,
                        .msg_control = b->control[i].bytes,
                        .msg_controllen = sizeof(b->control[i].bytes)};
  }
}

/* The kernel counts what it dropped since the socket was made. */
static void count_lost(struct udp_socket *s, struct msghdr *message) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c;
       c = CMSG_NXTHDR(message, c)) {
    uint32_t lost;

    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
      continue;
    memcpy(&lost, CMSG_DATA(c), sizeof(lost));
    if (lost != s->lost)
      counters_add(COUNTER_PACKETS_LOST, (uint32_t)(lost - s->lost));
    s->lost = lost;
  }
}

static void take_message(struct udp_socket *s, size_t i, int64_t arrived_us,
                         int64_t now_ms) {
  struct batch *b = &s->source->batch;
  struct msghdr *message = &b->messages[i].msg_hdr;
  char peer[NI_MAXHOST] = "unknown";
  size_t len = b->messages[i].msg_len;

  count_lost(s, message);
  (void)getnameinfo((struct sockaddr *)&b->peers[i], message->msg_namelen, peer,
                    sizeof(peer), NULL, 0, NI_NUMERICHOST);
  if (message->msg_flags & MSG_TRUNC)
    len = COLLECTD_PACKET_MAX + 1;
  collectd_intake_packet(s->source->intake, b->packets[i], len,
                         &(struct collectd_arrival){.peer = peer,
                                                    .arrived_us = arrived_us,
                                                    .now_ms = now_ms});
}

static void on_readable(evutil_socket_t fd, short what, void *context) {
  struct udp_socket *s = context;
  struct batch *b = &s->source->batch;

  (void)what;
  for (int round = 0; round < ROUNDS_MAX; round++) {
    int64_t arrived_us, now_ms;
    int n;

    batch_reset(b);
    n = recvmmsg(fd, b->messages, BATCH, MSG_DONTWAIT, NULL);
    if (n < 0) {
      if (errno != EAGAIN && errno != EINTR)
        log_limited("collectd-receive", "", "collectd: receiving: %s",
                    strerrordesc_np(errno));
      return;
    }
    arrived_us = clock_wall_us();
    now_ms = clock_monotonic_ms();
    for (int i = 0; i < n; i++)
      take_message(s, (size_t)i, arrived_us, now_ms);
    if (n < BATCH)
      return;
  }
}

static void on_tick(evutil_socket_t fd, short what, void *context) {
  struct collectd_source *source = context;

  (void)fd;
  (void)what;
  collectd_intake_tick(source->intake, clock_monotonic_ms());
}

static int add_socket(struct collectd_source *source, struct event_base *base,
                      int fd) {
  struct udp_socket *s = &source->sockets[source->sockets_len++];

  *s = (struct udp_socket){.source = source, .fd = fd};
  s->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, s);
  return s->readable && event_add(s->readable, NULL) == 0 ? 0 : -ENOMEM;
}

static int add_sockets(struct collectd_source *source, struct event_base *base,
                       const char *listen) {
  int fds[SOCKETS_MAX];
  const int n = collectd_listen(listen, fds, SOCKETS_MAX - source->sockets_len);
  int r = n < 0 ? n : 0;

  for (int i = 0; i < n; i++)
    if (add_socket(source, base, fds[i]) != 0)
      r = -ENOMEM;
  return r;
}

int collectd_source_new(struct event_base *base,
                        const struct collectd_config *config,
                        struct ingest *ingest, struct collectd_source **ret) {
  const struct timeval second = {.tv_sec = 1};
  struct collectd_source *source = calloc(1, sizeof(*source));
  int r;

  if (!source)
    return -ENOMEM;
  r = collectd_intake_new(config, ingest, &source->intake);
  for (size_t i = 0; i < config->listen_len && r == 0; i++)
    r = add_sockets(source, base, config->listen[i]);
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
  for (size_t i = 0; i < source->sockets_len; i++) {
    if (source->sockets[i].readable)
      event_free(source->sockets[i].readable);
    close(source->sockets[i].fd);
  }
  collectd_intake_free(source->intake);
  free(source);
}
