#include "correlator/syslog_server.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "correlator/counters.h"
#include "correlator/descriptors.h"
#include "correlator/listen.h"
#include "correlator/log.h"
#include "correlator/syslog_clients.h"
#include "lib/record/clock.h"

enum {
  LISTENERS_MAX = 64,
  ACCEPTS_MAX = 32, /* before other events have their turn */
};

struct listener {
  struct syslog_server *server;
  int fd;
  bool tls;
  struct event *acceptable;
};

struct syslog_server {
  struct ingest *ingest;
  struct event_base *base;
  struct syslog_tls *tls; /* NULL: no such listener */
  struct listener listeners[LISTENERS_MAX];
  size_t listeners_len;
  struct event *reopen; /* the listeners, after a pause */
  struct syslog_clients *clients;
};

static void on_reopen(evutil_socket_t fd, short what, void *context) {
  struct syslog_server *s = context;

  (void)fd;
  (void)what;
  for (size_t i = 0; i < s->listeners_len; i++)
    (void)event_add(s->listeners[i].acceptable, NULL);
}

/* New connections wait in the kernel's queue for a second. */
static void pause_listening(struct syslog_server *s, const char *why) {
  const struct timeval second = {.tv_sec = 1};

  log_limited("syslog-pause", "", "syslog: new connections have to wait: %s",
              why);
  for (size_t i = 0; i < s->listeners_len; i++)
    (void)event_del(s->listeners[i].acceptable);
  (void)event_add(s->reopen, &second);
}

/* A peer that is gone without a word is found out within two minutes. */
static void keep_alive(int fd) {
  const int on = 1, idle_s = 60, interval_s = 15, probes = 4;

  (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s,
                   sizeof(interval_s));
  (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

/* Takes `fd` over. NULL: out of memory. */
static struct syslog_connection *connect_peer(struct listener *l, int fd,
                                              const struct peer *peer) {
  struct syslog_server *s = l->server;
  struct syslog_tls_session *session = NULL;
  struct syslog_connection *connection = NULL;

  keep_alive(fd);
  if (l->tls)
    session = syslog_tls_session_new(s->tls, fd);
  if (session || !l->tls)
    connection = syslog_connection_new(s->ingest, fd, session, peer);
  if (!connection) {
    syslog_tls_session_free(session);
    close(fd);
  }
  return connection;
}

/* Takes `fd` over. */
static void admit(struct listener *l, int fd, const struct peer *peer) {
  struct syslog_connection *connection = connect_peer(l, fd, peer);

  if (connection && syslog_clients_add(l->server->clients, connection) == 0)
    counters_add(COUNTER_SYSLOG_CONNECTIONS, 1);
  else
    log_limited("syslog-memory", "", "syslog: %s: no memory for its connection",
                peer->text);
}

/* Returns 1, 0 (there is nobody more) or a negative errno. */
static int accept_one(struct listener *l) {
  struct sockaddr_storage address = {0};
  socklen_t len = sizeof(address);
  struct peer peer;
  int fd;

  fd = accept4(l->fd, (struct sockaddr *)&address, &len,
               SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0)
    return errno == EAGAIN ? 0 : -errno;
  peer = peer_of((const struct sockaddr *)&address);
  admit(l, fd, &peer);
  return 1;
}

/* Is it this machine that lacks something, or did a peer go again (accept(2)
 * gives the errors of its connection)? */
static bool is_our_lack(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS ||
         error == ENOMEM;
}

static void on_acceptable(evutil_socket_t fd, short what, void *context) {
  struct listener *l = context;
  struct syslog_server *s = l->server;
  int r = 1;

  (void)fd;
  (void)what;
  if (s->tls)
    syslog_tls_refresh(s->tls, clock_monotonic_ms());
  for (int i = 0; i < ACCEPTS_MAX && r != 0; i++) {
    if (syslog_clients_are_full(s->clients)) {
      if (i > 0) /* it is not sure any more that somebody is there */
        return;
      if (!syslog_clients_displace(s->clients)) {
        pause_listening(s, "all connections wait for the database");
        return;
      }
    }
    r = accept_one(l);
    if (r < 0 && is_our_lack(-r)) {
      (void)syslog_clients_displace(s->clients);
      pause_listening(s, strerrordesc_np(-r));
      return;
    }
  }
}

static int add_listeners(struct syslog_server *s, const char *listen,
                         bool tls) {
  int fds[LISTENERS_MAX];
  const int n = listen_open("syslog", SOCK_STREAM, listen, fds,
                            LISTENERS_MAX - s->listeners_len);
  int r = n < 0 ? n : 0;

  for (int i = 0; i < n; i++) {
    struct listener *l = &s->listeners[s->listeners_len++];

    *l = (struct listener){.server = s, .fd = fds[i], .tls = tls};
    l->acceptable =
        event_new(s->base, l->fd, EV_READ | EV_PERSIST, on_acceptable, l);
    if (!l->acceptable || event_add(l->acceptable, NULL) != 0)
      r = -ENOMEM;
  }
  return r;
}

static int add_all(struct syslog_server *s,
                   const struct syslog_config *config) {
  int r = 0;

  if (config->listen_tls_len > 0)
    r = syslog_tls_new(config, &s->tls);
  for (size_t i = 0; i < config->listen_tcp_len && r == 0; i++)
    r = add_listeners(s, config->listen_tcp[i], false);
  for (size_t i = 0; i < config->listen_tls_len && r == 0; i++)
    r = add_listeners(s, config->listen_tls[i], true);
  return r;
}

/* No more than there are open files for: or peers could take those that the
 * database and followed logs are opened with. */
static size_t connections_max(const struct syslog_config *config) {
  const size_t wanted = config->max_connections + SYSLOG_LEAVING_MAX;
  const size_t got = descriptors_reserve(
      "syslog", wanted, "fewer connections than max-connections are taken");

  if (got == wanted)
    return config->max_connections;
  return got > SYSLOG_LEAVING_MAX ? got - SYSLOG_LEAVING_MAX : 1;
}

int syslog_server_new(struct event_base *base,
                      const struct syslog_config *config, struct ingest *ingest,
                      struct syslog_server **ret) {
  struct syslog_server *s = calloc(1, sizeof(*s));
  int r = -ENOMEM;

  if (!s)
    return -ENOMEM;
  s->ingest = ingest;
  s->base = base;
  s->reopen = evtimer_new(base, on_reopen, s);
  if (s->reopen)
    r = syslog_clients_new(base, ingest, connections_max(config), &s->clients);
  if (r == 0)
    r = add_all(s, config);
  if (r == 0)
    *ret = s;
  else
    syslog_server_free(s);
  return r;
}

/* Who was let in by the kernel may have sent lines already, as who notes that
 * another connection has ended: closing the socket would reset it. */
static void close_listener(struct listener *l) {
  int r = 1;

  while ((r > 0 || r == -ECONNABORTED) &&
         !syslog_clients_are_full(l->server->clients))
    r = accept_one(l);
  if (l->acceptable)
    event_free(l->acceptable);
  close(l->fd);
}

void syslog_server_free(struct syslog_server *server) {
  if (!server)
    return;
  for (size_t i = 0; i < server->listeners_len; i++)
    close_listener(&server->listeners[i]);
  if (server->reopen)
    event_free(server->reopen);
  syslog_clients_free(server->clients);
  syslog_tls_free(server->tls);
  free(server);
}
