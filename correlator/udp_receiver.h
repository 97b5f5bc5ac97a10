/* Receives datagrams on any number of sockets, many with one system call, and
 * counts those that the kernel had no room for. */
#ifndef PDNA_UDP_RECEIVER_H
#define PDNA_UDP_RECEIVER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "correlator/counters.h"

struct udp_datagram {
  char *data; /* the callback may change it, until it returns */
  size_t len;
  bool cut; /* it was longer than max_len */
  const struct sockaddr *peer;
  socklen_t peer_len;
  int64_t arrived_us; /* wall clock */
  int64_t now_ms;     /* monotonic clock */
};

struct udp_receiver_setup {
  const char *who;   /* for the log */
  size_t max_len;    /* of a datagram */
  enum counter lost; /* counts what the kernel dropped */
  void (*take)(void *context, const struct udp_datagram *datagram);
  void *context;
};

struct udp_receiver;

/* Bind sockets as listen_open does for each of `listen`. What fails is logged.
 * Returns 0 or a negative errno. */
int udp_receiver_new(struct event_base *base,
                     const struct udp_receiver_setup *setup, char **listen,
                     size_t listen_len, struct udp_receiver **ret);

/* Take what has arrived so far, as at the end: it would be lost with the
 * sockets. NULL does nothing. */
void udp_receiver_drain(struct udp_receiver *receiver);

void udp_receiver_free(struct udp_receiver *receiver); /* NULL does nothing */

#endif
