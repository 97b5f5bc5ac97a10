#include "correlator/auth_stdin.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "correlator/auth_intake.h"
#include "correlator/auth_lines.h"
#include "correlator/log.h"
#include "lib/record/clock.h"

enum { END_READS = 64 /* at our end, however fast more is written */ };

struct auth_stdin {
  int fd;
  struct ingest *ingest;
  struct auth_lines *lines;
  struct auth_stream *stream;
  struct auth_record *record; /* that is to be handed in */
  bool ended;                 /* all is read */
  bool spooling;              /* what there is no room for goes to the spool */
  bool polled;                /* a file is always readable, and not polled */
  struct event *readable;
  struct event *room;
  struct event *soon;
};

static const struct timeval at_once = {0, 0};

/* Until there is no more room, or no whole line. Gives whether there is room.
 */
static bool take_lines(struct auth_stdin *in) {
  struct auth_text line;

  while (auth_intake_hand_in(in->ingest, &in->record, in->spooling)) {
    const struct auth_arrival arrival = {.arrived_us = clock_wall_us(),
                                         .trust = AUTH_TRUST_STDIN};
    enum auth_lines_found found = in->ended ? auth_lines_rest(in->lines, &line)
                                            : auth_lines_next(in->lines, &line);
    if (found == AUTH_LINES_NONE)
      return true;
    if (found == AUTH_LINES_TOO_LONG)
      auth_intake_too_long(in->stream);
    else
      in->record = auth_intake_line(in->ingest, in->stream, line, &arrival);
  }
  return false;
}

static void read_more(struct auth_stdin *in) {
  size_t len;
  char *room = auth_lines_room(in->lines, &len);
  ssize_t n = read(in->fd, room, len);

  if (n > 0) {
    auth_lines_filled(in->lines, (size_t)n);
    return;
  }
  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return;
  if (n < 0)
    log_error("auth-log -: %s", strerrordesc_np(errno));
  else
    log_info("auth-log -: standard input has ended");
  in->ended = true;
}

/* Go on when there is something to read, or room. */
static void wait(struct auth_stdin *in, bool has_room) {
  if (!has_room)
    (void)event_add(in->room, NULL);
  else if (!in->ended)
    (void)event_add(in->polled ? in->readable : in->soon,
                    in->polled ? NULL : &at_once);
}

static void on_readable(evutil_socket_t fd, short events, void *arg) {
  struct auth_stdin *in = arg;

  (void)fd;
  (void)events;
  bool has_room = take_lines(in);
  if (has_room && !in->ended) {
    read_more(in);
    has_room = take_lines(in);
  }
  wait(in, has_room);
}

int auth_stdin_new(struct event_base *base, int fd, struct ingest *ingest,
                   struct auth_stdin **ret) {
  struct stat st;
  struct auth_stdin *in = calloc(1, sizeof(*in));

  if (in == NULL)
    return -ENOMEM;
  in->fd = fd;
  in->ingest = ingest;
  in->lines = auth_lines_new();
  in->stream = auth_stream_new();
  in->readable = event_new(base, fd, EV_READ, on_readable, in);
  in->soon = evtimer_new(base, on_readable, in);
  in->room =
      event_new(base, ingest_auth_room_fd(ingest), EV_READ, on_readable, in);
  if (in->lines == NULL || in->stream == NULL || in->readable == NULL ||
      in->soon == NULL || in->room == NULL) {
    auth_stdin_free(in);
    return -ENOMEM;
  }
  /* Files and /dev/null are refused by epoll(7). */
  in->polled = fstat(fd, &st) == 0 &&
               (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(fd));
  wait(in, true);
  *ret = in;
  return 0;
}

static void free_event(struct event *event) {
  if (event != NULL)
    event_free(event);
}

/* What was written to the pipe, of which nobody else gets to know. */
static void read_to_end(struct auth_stdin *in) {
  struct pollfd fd = {.fd = in->fd, .events = POLLIN};

  in->spooling = true;
  (void)take_lines(in);
  for (int i = 0; i < END_READS && in->polled && !in->ended; i++) {
    if (poll(&fd, 1, 0) <= 0)
      return;
    read_more(in);
    (void)take_lines(in);
  }
}

void auth_stdin_free(struct auth_stdin *in) {
  if (in == NULL)
    return;
  if (in->lines != NULL && in->stream != NULL)
    read_to_end(in);
  free_event(in->room);
  free_event(in->soon);
  free_event(in->readable);
  auth_record_free(in->record);
  auth_stream_free(in->stream);
  auth_lines_free(in->lines);
  free(in);
}
