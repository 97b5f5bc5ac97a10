#include "correlator/udp_receiver.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "correlator/listen.h"
#include "correlator/log.h"
#include "lib/record/clock.h"

enum {
  BATCH = 32,         /* datagrams a recvmmsg(2) */
  ROUNDS_MAX = 16,    /* of them before other events have their turn */
  DRAIN_ROUNDS = 512, /* of them at the end, under a flood */
  SOCKETS_MAX = 64,
};

struct udp_socket {
  struct udp_receiver *receiver;
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
};

struct udp_receiver {
  struct udp_receiver_setup setup;
  struct udp_socket sockets[SOCKETS_MAX];
  size_t sockets_len;
  struct batch batch;
  char data[]; /* BATCH times max_len */
};

static void batch_reset(struct udp_receiver *r) {
  struct batch *b = &r->batch;
  const size_t max_len = r->setup.max_len;

  for (size_t i = 0; i < BATCH; i++) {
    b->parts[i] = (struct iovec){r->data + i * max_len, max_len};
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
    if (lost != s->lost) {
      counters_add(s->receiver->setup.lost, (uint32_t)(lost - s->lost));
      log_limited("udp-lost", s->receiver->setup.who,
                  "%s: more datagrams arrived than were read; the kernel "
                  "dropped %u",
                  s->receiver->setup.who, (uint32_t)(lost - s->lost));
    }
    s->lost = lost;
  }
}

static void take_message(struct udp_socket *s, size_t i,
                         struct udp_datagram *d) {
  struct udp_receiver *r = s->receiver;
  struct msghdr *message = &r->batch.messages[i].msg_hdr;

  count_lost(s, message);
  d->data = r->batch.parts[i].iov_base;
  d->len = r->batch.messages[i].msg_len;
  d->cut = message->msg_flags & MSG_TRUNC;
  d->peer = (const struct sockaddr *)&r->batch.peers[i];
  d->peer_len = message->msg_namelen;
  r->setup.take(r->setup.context, d);
}

static void receive(struct udp_socket *s, int rounds) {
  struct udp_receiver *r = s->receiver;

  for (int round = 0; round < rounds; round++) {
    struct udp_datagram d = {0};
    int n;

    batch_reset(r);
    n = recvmmsg(s->fd, r->batch.messages, BATCH, MSG_DONTWAIT, NULL);
    if (n < 0) {
      if (errno != EAGAIN && errno != EINTR)
        log_limited("udp-receive", r->setup.who, "%s: receiving: %s",
                    r->setup.who, strerrordesc_np(errno));
      return;
    }
    d.arrived_us = clock_wall_us();
    d.now_ms = clock_monotonic_ms();
    for (int i = 0; i < n; i++)
      take_message(s, (size_t)i, &d);
    if (n < BATCH)
      return;
  }
}

static void on_readable(evutil_socket_t fd, short what, void *context) {
  (void)fd;
  (void)what;
  receive(context, ROUNDS_MAX);
}

static int add_socket(struct udp_receiver *r, struct event_base *base, int fd) {
  struct udp_socket *s = &r->sockets[r->sockets_len++];

  *s = (struct udp_socket){.receiver = r, .fd = fd};
  s->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, s);
  return s->readable && event_add(s->readable, NULL) == 0 ? 0 : -ENOMEM;
}

static int add_sockets(struct udp_receiver *r, struct event_base *base,
                       const char *listen) {
  int fds[SOCKETS_MAX];
  const int n = listen_open(r->setup.who, SOCK_DGRAM, listen, fds,
                            SOCKETS_MAX - r->sockets_len);
  int rc = n < 0 ? n : 0;

  for (int i = 0; i < n; i++)
    if (add_socket(r, base, fds[i]) != 0)
      rc = -ENOMEM;
  return rc;
}

int udp_receiver_new(struct event_base *base,
                     const struct udp_receiver_setup *setup, char **listen,
                     size_t listen_len, struct udp_receiver **ret) {
  struct udp_receiver *r = calloc(1, sizeof(*r) + BATCH * setup->max_len);
  int rc = 0;

  if (!r)
    return -ENOMEM;
  r->setup = *setup;
  for (size_t i = 0; i < listen_len && rc == 0; i++)
    rc = add_sockets(r, base, listen[i]);
  if (rc == 0)
    *ret = r;
  else
    udp_receiver_free(r);
  return rc;
}

void udp_receiver_drain(struct udp_receiver *receiver) {
  for (size_t i = 0; receiver && i < receiver->sockets_len; i++)
    receive(&receiver->sockets[i], DRAIN_ROUNDS);
}

void udp_receiver_free(struct udp_receiver *receiver) {
  if (!receiver)
    return;
  for (size_t i = 0; i < receiver->sockets_len; i++) {
    if (receiver->sockets[i].readable)
      event_free(receiver->sockets[i].readable);
    close(receiver->sockets[i].fd);
  }
  free(receiver);
}
