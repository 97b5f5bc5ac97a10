/* A syslog source on loopback, its loop, and what its senders send. Included by
 * one file of a program. */
#ifndef PDNA_SYSLOG_WORLD_H
#define PDNA_SYSLOG_WORLD_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "correlator/counters.h"
#include "correlator/log.h"
#include "correlator/syslog_source.h"
#include "tests/unit/fake_ingest.h"
#include "tests/unit/free_port.h"
#include "tests/unit/unit.h"

static struct {
  struct event_base *base;
  struct ingest ingest;
  struct syslog_source *source;
  char listen[3][32]; /* UDP, TCP, TLS */
  char *listens[3];
  struct sockaddr_in to[3];
  struct syslog_config config;
} world;

enum { WORLD_UDP, WORLD_TCP, WORLD_TLS };

/* The addresses, and a configuration without TLS. */
static inline void world_prepare(void) {
  log_setup(false, LOG_LEVEL_ERROR);
  world.ingest = (struct ingest){.events_len = 0};
  fake_ingest_set_room(&world.ingest, FAKE_EVENTS_MAX);
  for (size_t i = 0; i < 3; i++) {
    const uint16_t port = free_port(i == WORLD_UDP ? SOCK_DGRAM : SOCK_STREAM);

    snprintf(world.listen[i], sizeof(world.listen[i]), "127.0.0.1:%u", port);
    world.listens[i] = world.listen[i];
    world.to[i] =
        (struct sockaddr_in){.sin_family = AF_INET,
                             .sin_port = htons(port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  }
  world.config = (struct syslog_config){.listen_udp = &world.listens[WORLD_UDP],
                                        .listen_udp_len = 1,
                                        .listen_tcp = &world.listens[WORLD_TCP],
                                        .listen_tcp_len = 1,
                                        .max_connections = 8};
  world.base = event_base_new();
}

static inline void world_start(void) {
  assert_int_equal(syslog_source_new(world.base, &world.config, &world.ingest,
                                     &world.source),
                   0);
}

static inline void world_stop_source(void) {
  syslog_source_free(world.source);
  world.source = NULL;
}

static inline void world_end(void) {
  world_stop_source();
  fake_ingest_clear(&world.ingest);
  event_base_free(world.base);
}

/* For tests that need no more. */
static inline int world_set_up(void **state) {
  (void)state;
  world_prepare();
  world_start();
  return 0;
}

static inline int world_tear_down(void **state) {
  (void)state;
  world_end();
  return 0;
}

/* Until nothing happens for some milliseconds. */
static inline void run_loop(void) {
  const struct timespec pause = {.tv_nsec = 1000000};

  for (int i = 0; i < 5; i++) {
    assert_int_not_equal(event_base_loop(world.base, EVLOOP_NONBLOCK), -1);
    (void)nanosleep(&pause, NULL);
  }
}

static inline int socket_to(int way) {
  const int type = way == WORLD_UDP ? SOCK_DGRAM : SOCK_STREAM;
  const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

  assert_int_equal(
      connect(fd, (struct sockaddr *)&world.to[way], sizeof(world.to[way])), 0);
  return fd;
}

static inline void send_all(int fd, const char *at, size_t len) {
  while (len > 0) {
    const ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

    assert_true(n > 0);
    at += n;
    len -= (size_t)n;
  }
}

static inline void send_text(int fd, const char *text) {
  send_all(fd, text, strlen(text));
}

/* Line number `n`, with a user of that number; returns its length. */
static inline size_t login_line(char *at, size_t size, unsigned n) {
  const int len = snprintf(at, size,
                           "<38>Nov 26 10:00:00 web-1 sshd[%u]: Accepted "
                           "password for u%u from 192.0.2.1 port 22 ssh2",
                           n, n);

  assert_true(len > 0 && (size_t)len < size);
  return (size_t)len;
}

static inline void send_login(int fd, unsigned n) {
  char line[256];
  const size_t len = login_line(line, sizeof(line) - 1, n);

  line[len] = '\n';
  send_all(fd, line, len + 1);
}

/* Event `i` is the login of user `n`. */
static inline void assert_login(size_t i, unsigned n) {
  const struct auth_event *e;
  char user[16];

  assert_true(i < world.ingest.events_len);
  e = &world.ingest.events[i]->event;
  snprintf(user, sizeof(user), "u%u", n);
  assert_int_equal(e->outcome, AUTH_ACCEPTED);
  assert_int_equal(e->user.len, strlen(user));
  assert_memory_equal(e->user.at, user, e->user.len);
}

/* Those of the users from `first` on, before `end`. */
static inline void send_logins(int fd, unsigned first, unsigned end) {
  for (unsigned n = first; n < end; n++)
    send_login(fd, n);
}

/* The events are the logins of the users before `end`, in order. */
static inline void assert_logins(unsigned end) {
  assert_int_equal(world.ingest.events_len, end);
  for (unsigned n = 0; n < end; n++)
    assert_login(n, n);
}

/* Has the other end said that it is the end? */
static inline bool is_ended(int fd) {
  char c;
  const ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);

  return n == 0 || (n < 0 && errno != EAGAIN);
}

#endif
