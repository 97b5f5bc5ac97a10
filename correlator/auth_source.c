#include "correlator/auth_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "correlator/auth_log.h"
#include "correlator/auth_stdin.h"

/* A file with what it waits for: the next second, its turn, or room. */
struct follower {
  struct auth_log *log;
  struct event *timer;
  struct event *room;
};

struct auth_source {
  struct event_base *base;
  struct auth_stdin *in; /* NULL: not asked for */
  size_t len;
  struct follower followers[];
};

static const struct timeval next_second = {1, 0};
static const struct timeval at_once = {0, 0};

static void on_turn(evutil_socket_t fd, short events, void *arg) {
  struct follower *f = arg;

  (void)fd;
  (void)events;
  switch (auth_log_step(f->log)) {
  case AUTH_LOG_IDLE:
    (void)event_add(f->timer, &next_second);
    break;
  case AUTH_LOG_MORE:
    (void)event_add(f->timer, &at_once);
    break;
  case AUTH_LOG_FULL:
    (void)event_add(f->room, NULL);
    break;
  }
}

static int follow(struct auth_source *s, const struct config *config,
                  size_t file, struct ingest *ingest) {
  struct follower *f = &s->followers[s->len++];

  f->log = auth_log_new(config->auth_logs[file].path, file, ingest);
  f->timer = evtimer_new(s->base, on_turn, f);
  f->room =
      event_new(s->base, ingest_auth_room_fd(ingest), EV_READ, on_turn, f);
  return f->log == NULL || f->timer == NULL || f->room == NULL ||
                 event_add(f->timer, &at_once) != 0
             ? -ENOMEM
             : 0;
}

int auth_source_new(struct event_base *base, const struct config *config,
                    struct ingest *ingest, struct auth_source **ret) {
  struct auth_source *s =
      calloc(1, sizeof(*s) + config->auth_logs_len * sizeof(s->followers[0]));
  int rc = 0;

  if (s == NULL)
    return -ENOMEM;
  s->base = base;
  for (size_t i = 0; rc == 0 && i < config->auth_logs_len; i++)
    rc = strcmp(config->auth_logs[i].path, "-") == 0
             ? auth_stdin_new(base, STDIN_FILENO, ingest, &s->in)
             : follow(s, config, i, ingest);
  if (rc == 0)
    *ret = s;
  else
    auth_source_free(s);
  return rc;
}

void auth_source_free(struct auth_source *source) {
  if (source == NULL)
    return;
  for (size_t i = 0; i < source->len; i++) {
    struct follower *f = &source->followers[i];
    if (f->timer != NULL)
      event_free(f->timer);
    if (f->room != NULL)
      event_free(f->room);
    auth_log_free(f->log);
  }
  auth_stdin_free(source->in);
  free(source);
}
