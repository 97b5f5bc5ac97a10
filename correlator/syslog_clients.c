#include "correlator/syslog_clients.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "correlator/counters.h"
#include "correlator/log.h"
#include "correlator/syslog_crowd.h"
#include "lib/record/clock.h"

enum {
  HANDSHAKE_MS = 10000, /* to show a certificate */
  LEAVING_MS = 5000,    /* to take note of the end */
  TRIES_MAX = 16,       /* to find one that has nothing to say */
  END_QUIET_MS = 1000,  /* at our end: until nobody says anything more */
  END_MS = 5000,        /* ... and at the latest */
};

struct client {
  struct syslog_clients *clients;
  struct syslog_connection *connection;
  struct syslog_member member; /* kept: waits for room in ingest */
  TAILQ_ENTRY(client) link;    /* in `here` or `leaving` */
  TAILQ_ENTRY(client) in_line; /* in `waiting` */
  struct event *readable;
  struct event *writable;
  int64_t deadline_ms; /* 0: none */
  bool leaving;
};

TAILQ_HEAD(client_list, client);

struct syslog_clients {
  struct event_base *base;
  size_t max;
  struct event *room;
  struct syslog_crowd crowd; /* those who are here */
  struct client_list here, leaving, waiting;
  size_t leaving_len;
};

static struct client *client_of(struct syslog_member *member) {
  return (struct client *)((char *)member - offsetof(struct client, member));
}

static void free_event(struct event *event) {
  if (event)
    event_free(event);
}

static void client_free(struct client *c) {
  struct syslog_clients *s = c->clients;

  syslog_crowd_remove(&s->crowd, &c->member);
  if (c->member.kept)
    TAILQ_REMOVE(&s->waiting, c, in_line);
  TAILQ_REMOVE(c->leaving ? &s->leaving : &s->here, c, link);
  s->leaving_len -= c->leaving;
  free_event(c->readable);
  free_event(c->writable);
  syslog_connection_free(c->connection);
  free(c);
}

/* Wait until more can be read, or until the deadline. */
static void arm(struct client *c) {
  const int64_t left_ms = c->deadline_ms - clock_monotonic_ms();
  const struct timeval left = {.tv_sec = left_ms < 0 ? 0 : left_ms / 1000,
                               .tv_usec = left_ms < 0 ? 0 : 999999};
  const struct timeval *timeout = c->deadline_ms != 0 ? &left : NULL;

  if (syslog_connection_wants_write(c->connection)) {
    (void)event_del(c->readable);
    (void)event_add(c->writable, timeout);
  } else {
    (void)event_add(c->readable, timeout);
  }
}

static void wait_for_room(struct client *c) {
  struct syslog_clients *s = c->clients;

  (void)event_del(c->readable);
  (void)event_del(c->writable);
  TAILQ_INSERT_TAIL(&s->waiting, c, in_line);
  c->member.kept = true;
  (void)event_add(s->room, NULL);
}

static void check_verified(struct client *c) {
  if (c->member.verified || !syslog_connection_is_verified(c->connection))
    return;
  c->member.verified = true;
  if (!c->leaving) {
    c->deadline_ms = 0;
    (void)event_remove_timer(c->readable);
  }
}

/* Read from it. *ret_lines is how many lines there were. False: it has ended,
 * and is freed. */
static bool serve(struct client *c, size_t *ret_lines) {
  const enum syslog_reading reading =
      syslog_connection_read(c->connection, ret_lines);

  if (reading == SYSLOG_READING_ENDED) {
    client_free(c);
    return false;
  }
  if (*ret_lines > 0)
    syslog_crowd_heard(&c->clients->crowd, &c->member);
  check_verified(c);
  if (reading == SYSLOG_READING_NO_ROOM) {
    wait_for_room(c);
    return true;
  }
  arm(c);
  return true;
}

static void on_ready(evutil_socket_t fd, short what, void *context) {
  struct client *c = context;
  size_t lines;

  (void)fd;
  (void)what;
  if (c->deadline_ms == 0 || clock_monotonic_ms() < c->deadline_ms) {
    (void)serve(c, &lines);
    return;
  }
  if (!c->leaving) {
    counters_add(COUNTER_SYSLOG_REFUSED, 1);
    log_limited("syslog-refused", syslog_connection_peer(c->connection)->text,
                "syslog: %s: no TLS connection within %d s",
                syslog_connection_peer(c->connection)->text,
                HANDSHAKE_MS / 1000);
  }
  client_free(c);
}

static void on_room(evutil_socket_t fd, short what, void *context) {
  struct syslog_clients *s = context;
  struct client *c, *last = TAILQ_LAST(&s->waiting, client_list);
  bool more = last != NULL;
  size_t lines;

  (void)fd;
  (void)what;
  while (more && (c = TAILQ_FIRST(&s->waiting)) != NULL) {
    more = c != last; /* who finds no room again is put behind it */
    TAILQ_REMOVE(&s->waiting, c, in_line);
    c->member.kept = false;
    if (c->leaving)
      c->deadline_ms = clock_monotonic_ms() + LEAVING_MS;
    (void)serve(c, &lines);
  }
}

static void leave(struct client *c) {
  struct syslog_clients *s = c->clients;

  syslog_crowd_remove(&s->crowd, &c->member);
  TAILQ_REMOVE(&s->here, c, link);
  TAILQ_INSERT_TAIL(&s->leaving, c, link);
  c->leaving = true;
  c->deadline_ms = clock_monotonic_ms() + LEAVING_MS;
  syslog_connection_say_end(c->connection);
  if (!c->member.kept)
    arm(c);
  if (++s->leaving_len > SYSLOG_LEAVING_MAX)
    client_free(TAILQ_FIRST(&s->leaving));
}

/* What the one who has to go has sent meanwhile shows that it should be
 * another. */
bool syslog_clients_displace(struct syslog_clients *s) {
  struct client *c = NULL;
  size_t lines = 1;

  for (int i = 0; i < TRIES_MAX && lines > 0; i++) {
    struct syslog_member *member = syslog_crowd_choose(&s->crowd);

    if (!member)
      return false;
    c = client_of(member);
    if (!serve(c, &lines))
      return true;
    if (c->member.kept)
      lines = 1;
  }
  if (c->member.kept)
    return false;
  counters_add(COUNTER_SYSLOG_DISPLACED, 1);
  log_limited("syslog-displaced", "",
              "syslog: max-connections: %zu are open and one more came; one of "
              "%s, long quiet, is closed",
              s->crowd.len, syslog_connection_peer(c->connection)->text);
  leave(c);
  return true;
}

bool syslog_clients_are_full(const struct syslog_clients *s) {
  return s->crowd.len >= s->max;
}

int syslog_clients_add(struct syslog_clients *s,
                       struct syslog_connection *connection) {
  const int fd = syslog_connection_fd(connection);
  struct client *c = calloc(1, sizeof(*c));
  size_t lines;

  if (!c) {
    syslog_connection_free(connection);
    return -ENOMEM;
  }
  *c = (struct client){.clients = s, .connection = connection};
  TAILQ_INSERT_TAIL(&s->here, c, link);
  c->readable = event_new(s->base, fd, EV_READ | EV_PERSIST, on_ready, c);
  c->writable = event_new(s->base, fd, EV_WRITE, on_ready, c);
  if (!c->readable || !c->writable ||
      syslog_crowd_add(&s->crowd, &c->member,
                       &syslog_connection_peer(connection)->address) != 0) {
    client_free(c);
    return -ENOMEM;
  }
  if (!syslog_connection_is_up(connection))
    c->deadline_ms = clock_monotonic_ms() + HANDSHAKE_MS;
  (void)serve(c, &lines);
  return 0;
}

int syslog_clients_new(struct event_base *base, struct ingest *ingest,
                       size_t max, struct syslog_clients **ret) {
  struct syslog_clients *s = calloc(1, sizeof(*s));

  if (!s)
    return -ENOMEM;
  *s = (struct syslog_clients){.base = base, .max = max};
  syslog_crowd_init(&s->crowd);
  TAILQ_INIT(&s->here);
  TAILQ_INIT(&s->leaving);
  TAILQ_INIT(&s->waiting);
  s->room = event_new(base, ingest_auth_room_fd(ingest), EV_READ, on_room, s);
  if (!s->room) {
    syslog_clients_free(s);
    return -ENOMEM;
  }
  *ret = s;
  return 0;
}

/* Tell everybody that it ends. *ret_fds, which the caller frees, are their
 * sockets, or NULL. */
static size_t say_end(struct syslog_clients *s, struct pollfd **ret_fds) {
  struct pollfd *fds = calloc(s->crowd.len + 1, sizeof(*fds));
  size_t len = 0;

  for (struct client *c = TAILQ_FIRST(&s->here); c; c = TAILQ_NEXT(c, link)) {
    syslog_connection_spool(c->connection);
    syslog_connection_say_end(c->connection);
    if (fds)
      fds[len++] = (struct pollfd){.fd = syslog_connection_fd(c->connection),
                                   .events = POLLIN};
  }
  *ret_fds = fds;
  return len;
}

/* Read what they had sent. `fds` are those of `here`, in its order. */
static void read_ready(struct syslog_clients *s, struct pollfd *fds) {
  size_t i = 0;

  for (struct client *c = TAILQ_FIRST(&s->here); c; c = TAILQ_NEXT(c, link)) {
    struct pollfd *fd = &fds[i++];
    size_t lines;

    if (fd->revents != 0 &&
        syslog_connection_read(c->connection, &lines) == SYSLOG_READING_ENDED)
      fd->fd = -1; /* freed with the others, or the order would change */
  }
}

/* Who is in the middle of sending notes the end, and sends the rest elsewhere
 * or later; what comes before that is read. */
static void read_to_end(struct syslog_clients *s) {
  const int64_t end_ms = clock_monotonic_ms() + END_MS;
  struct pollfd *fds;
  const size_t len = say_end(s, &fds);
  int n = 1;

  while (len > 0 && n != 0 && clock_monotonic_ms() < end_ms) {
    n = poll(fds, len, END_QUIET_MS);
    if (n > 0)
      read_ready(s, fds);
    else if (n < 0 && errno != EINTR) /* signals do not hasten it */
      break;
  }
  free(fds);
}

static void free_all(struct client_list *list) {
  struct client *next;

  for (struct client *c = TAILQ_FIRST(list); c; c = next) {
    next = TAILQ_NEXT(c, link);
    client_free(c);
  }
}

void syslog_clients_free(struct syslog_clients *s) {
  if (!s)
    return;
  read_to_end(s);
  free_all(&s->here);
  free_all(&s->leaving);
  free_event(s->room);
  free(s);
}
