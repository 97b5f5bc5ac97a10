#include "correlator/syslog_connection.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "correlator/auth_intake.h"
#include "correlator/counters.h"
#include "correlator/log.h"
#include "correlator/syslog_frame.h"
#include "lib/record/clock.h"

enum {
  READ_MAX = SYSLOG_TLS_BUFFER, /* as much may wait here for room */
  ROUNDS_MAX = 4,               /* before others have their turn */
};

struct syslog_connection {
  struct ingest *ingest;
  int fd;
  struct syslog_tls_session *tls; /* NULL: plain TCP */
  struct peer peer;
  struct syslog_frame *frame;
  struct auth_stream *stream;
  struct auth_record *held;  /* there was no room for it */
  char *buffer;              /* NULL: nothing in it */
  struct syslog_bytes input; /* in the buffer, yet to be looked at */
  int64_t arrived_us;        /* when it was read */
  bool spooling;
};

struct syslog_connection *syslog_connection_new(struct ingest *ingest, int fd,
                                                struct syslog_tls_session *tls,
                                                const struct peer *peer) {
  struct syslog_connection *c = calloc(1, sizeof(*c));

  if (!c)
    return NULL;
  *c = (struct syslog_connection){.ingest = ingest,
                                  .fd = -1,
                                  .peer = *peer,
                                  .frame = syslog_frame_new(),
                                  .stream = auth_stream_new()};
  if (!c->frame || !c->stream) {
    syslog_connection_free(c);
    return NULL;
  }
  c->fd = fd;
  c->tls = tls;
  return c;
}

static void take_line(struct syslog_connection *c,
                      const struct syslog_bytes *line) {
  const struct auth_arrival arrival = {.arrived_us = c->arrived_us,
                                       .trust = c->tls ? AUTH_TRUST_TLS
                                                       : AUTH_TRUST_TCP,
                                       .peer = &c->peer.address};

  c->held = auth_intake_line(c->ingest, c->stream,
                             (struct auth_text){line->at, line->len}, &arrival);
}

static void skip_line(struct syslog_connection *c) {
  auth_intake_too_long(c->stream);
  log_limited("syslog-too-long", c->peer.text,
              "syslog: %s: a line over %d KiB, which is skipped", c->peer.text,
              SYSLOG_LINE_MAX / 1024);
}

static void refuse_frame(struct syslog_connection *c) {
  counters_add(COUNTER_SYSLOG_BROKEN, 1);
  log_limited("syslog-broken", c->peer.text,
              "syslog: %s: a message of more than %d MiB is announced; the "
              "connection is closed",
              c->peer.text, SYSLOG_COUNT_MAX / 1024 / 1024);
  c->input.len = 0;
}

/* Take the lines of what was read, as long as there is room. */
static enum syslog_reading take_lines(struct syslog_connection *c,
                                      size_t *lines) {
  struct syslog_bytes line;

  while (auth_intake_hand_in(c->ingest, &c->held, c->spooling))
    switch (syslog_frame_next(c->frame, &c->input, &line)) {
    case SYSLOG_FRAME_LINE:
      take_line(c, &line);
      ++*lines;
      break;
    case SYSLOG_FRAME_TOO_LONG:
      skip_line(c);
      break;
    case SYSLOG_FRAME_BROKEN:
      refuse_frame(c);
      return SYSLOG_READING_ENDED;
    case SYSLOG_FRAME_MORE:
      return SYSLOG_READING_DONE;
    }
  return SYSLOG_READING_NO_ROOM;
}

/* As syslog_tls_read. */
static ssize_t receive(struct syslog_connection *c) {
  ssize_t n;

  if (c->tls)
    return syslog_tls_read(c->tls, c->buffer, READ_MAX);
  do
    n = recv(c->fd, c->buffer, READ_MAX, MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

/* Why nothing more can be read: as receive has it. */
static void tell_end(struct syslog_connection *c, ssize_t why) {
  /* A router's ICMP may have a socket without TLS give EPROTO, too. */
  const bool is_tls = c->tls && why == -EPROTO;
  const char *problem = why == 0 ? "the connection ended"
                        : is_tls ? syslog_tls_problem(c->tls)
                                 : strerrordesc_np((int)-why);

  if (!syslog_connection_is_up(c)) {
    counters_add(COUNTER_SYSLOG_REFUSED, 1);
    log_limited("syslog-refused", c->peer.text,
                "syslog: %s: no TLS connection: %s", c->peer.text, problem);
  } else if (is_tls) {
    log_limited("syslog-tls", c->peer.text, "syslog: %s: TLS: %s", c->peer.text,
                problem);
  } else if (why != 0) {
    log_debug("syslog: %s: %s", c->peer.text, problem);
  }
}

static enum syslog_reading read_on(struct syslog_connection *c, size_t *lines) {
  enum syslog_reading reading = take_lines(c, lines);

  for (int round = 0; reading == SYSLOG_READING_DONE && round < ROUNDS_MAX;
       round++) {
    const ssize_t n = receive(c);

    if (n == -EAGAIN)
      return SYSLOG_READING_DONE;
    if (n <= 0) {
      tell_end(c, n);
      return SYSLOG_READING_ENDED;
    }
    c->input = (struct syslog_bytes){c->buffer, (size_t)n};
    c->arrived_us = clock_wall_us();
    reading = take_lines(c, lines);
  }
  return reading;
}

enum syslog_reading syslog_connection_read(struct syslog_connection *c,
                                           size_t *ret_lines) {
  enum syslog_reading reading;

  *ret_lines = 0;
  if (!c->buffer)
    c->buffer = malloc(READ_MAX);
  if (!c->buffer) {
    log_limited("syslog-memory", "",
                "syslog: %s: no memory; the connection is closed",
                c->peer.text);
    return SYSLOG_READING_ENDED;
  }
  reading = read_on(c, ret_lines);
  if (reading == SYSLOG_READING_DONE) {
    free(c->buffer); /* most connections are idle */
    c->buffer = NULL;
  }
  return reading;
}

void syslog_connection_spool(struct syslog_connection *c) {
  c->spooling = true;
}

void syslog_connection_say_end(struct syslog_connection *c) {
  if (c->tls)
    syslog_tls_say_end(c->tls);
  (void)shutdown(c->fd, SHUT_WR);
}

void syslog_connection_free(struct syslog_connection *c) {
  size_t lines;

  if (!c)
    return;
  if (c->held || c->input.len > 0) {
    c->spooling = true;
    (void)take_lines(c, &lines);
  }
  if (c->frame && syslog_frame_is_open(c->frame)) {
    counters_add(COUNTER_SYSLOG_HALF, 1);
    log_limited("syslog-half", c->peer.text,
                "syslog: %s: the connection ended in a line, which is left out",
                c->peer.text);
  }
  syslog_tls_session_free(c->tls);
  if (c->fd >= 0)
    close(c->fd);
  auth_stream_free(c->stream);
  syslog_frame_free(c->frame);
  free(c->buffer);
  free(c);
}

int syslog_connection_fd(const struct syslog_connection *c) { return c->fd; }

bool syslog_connection_wants_write(const struct syslog_connection *c) {
  return c->tls && syslog_tls_wants_write(c->tls);
}

bool syslog_connection_is_verified(const struct syslog_connection *c) {
  return c->tls && syslog_tls_is_verified(c->tls);
}

bool syslog_connection_is_up(const struct syslog_connection *c) {
  return !c->tls || syslog_tls_is_verified(c->tls);
}

const struct peer *syslog_connection_peer(const struct syslog_connection *c) {
  return &c->peer;
}
