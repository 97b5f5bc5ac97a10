#include "correlator/auth_stream.h"

#include <stdlib.h>
#include <string.h>

#include "correlator/journal_line.h"
#include "correlator/sshd_message.h"
#include "correlator/syslog_line.h"

enum {
  /* Hosts whose last line is remembered; two that share a place drive each
   * other out, and what is forgotten is not repeated. */
  HOSTS = 16,
  /* A longer one is forgotten. sshd's own are shorter. */
  LINE_KEPT = 2048,
};

/* A host's last line, if it told something. */
struct last {
  char *line;
  size_t len, size; /* len 0: it told nothing */
};

struct auth_stream {
  struct syslog_calendar calendar;
  struct last last[HOSTS];
  size_t kept;
  struct journal_line journal; /* that the last event lies in */
};

struct auth_stream *auth_stream_new(void) {
  return calloc(1, sizeof(struct auth_stream));
}

void auth_stream_free(struct auth_stream *s) {
  if (s == NULL)
    return;
  for (size_t i = 0; i < HOSTS; i++)
    free(s->last[i].line);
  journal_line_clear(&s->journal);
  free(s);
}

static struct last *last_of(struct auth_stream *s, struct auth_text host) {
  uint32_t hash = 2166136261U; /* FNV-1a */

  for (size_t i = 0; i < host.len; i++)
    hash = (hash ^ (unsigned char)host.at[i]) * 16777619U;
  return &s->last[(hash ^ hash >> 16) % HOSTS];
}

static void forget(struct auth_stream *s, struct last *last) {
  s->kept -= last->len > 0;
  last->len = 0;
}

static void forget_all(struct auth_stream *s) {
  for (size_t i = 0; i < HOSTS && s->kept > 0; i++)
    forget(s, &s->last[i]);
}

/* Lines without a host's name may be of several, so none is anybody's last. */
static void remember(struct auth_stream *s, struct auth_text host,
                     const char *line, size_t len) {
  struct last *last = last_of(s, host);

  forget(s, last);
  if (host.len == 0 || len > LINE_KEPT)
    return;
  if (len > last->size) {
    char *room = realloc(last->line, len);
    if (room == NULL)
      return;
    last->line = room;
    last->size = len;
  }
  memcpy(last->line, line, len);
  last->len = len;
  s->kept++;
}

/* What a message with its header says. */
static enum auth_line read_message(struct auth_stream *s,
                                   const struct syslog_line *header,
                                   int64_t arrived_us,
                                   struct auth_event *ret_event) {
  if (!sshd_message_is_from(header->program))
    return AUTH_LINE_OTHER;
  enum auth_line what = sshd_message_parse(header->message, ret_event);
  if (what == AUTH_LINE_OTHER)
    return what;
  ret_event->program = header->program;
  ret_event->host = header->host;
  ret_event->pid = header->pid;
  ret_event->zoned = header->stamp.zoned;
  ret_event->stamped_us =
      syslog_calendar_us(&s->calendar, &header->stamp, arrived_us);
  return what;
}

static bool equals(struct auth_text a, struct auth_text b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/* The same as the host's last line, at another time. */
static enum auth_line repeat(struct auth_stream *s,
                             const struct syslog_line *header, unsigned times,
                             int64_t arrived_us, struct auth_event *ret_event) {
  const struct last *last = last_of(s, header->host);
  struct syslog_line before;

  if (last->len == 0 || !syslog_line_parse(last->line, last->len, &before) ||
      !equals(before.host, header->host))
    return AUTH_LINE_OTHER;
  before.stamp = header->stamp;
  enum auth_line what = read_message(s, &before, arrived_us, ret_event);
  if (what != AUTH_LINE_OTHER)
    ret_event->repeat = times;
  return what;
}

/* Who logged an event, as far as the journal tells it. The process of a session
 * is its user's; all others are root's. */
enum logger { LOGGER_UNKNOWN, LOGGER_SSHD, LOGGER_OTHER };

static enum logger logger_of(const struct journal_line *j,
                             enum auth_outcome outcome) {
  bool is_root = auth_text_is(j->uid, "0") || outcome == AUTH_STARTING_SESSION;

  if ((j->comm.len > 0 && !sshd_message_is_from(j->comm)) ||
      (j->uid.len > 0 && !is_root))
    return LOGGER_OTHER;
  return j->comm.len > 0 && j->uid.len > 0 ? LOGGER_SSHD : LOGGER_UNKNOWN;
}

/* Whoever likes can log by sshd's name; the journal tells who it was. */
static enum auth_line read_journal(struct auth_stream *s,
                                   struct auth_text object, int64_t arrived_us,
                                   struct auth_event *ret_event) {
  struct journal_line *j = &s->journal;

  if (!journal_line_parse(object, j))
    return AUTH_LINE_OTHER;
  enum auth_line what = read_message(s, &j->line, arrived_us, ret_event);
  if (what == AUTH_LINE_OTHER)
    return what;
  ret_event->zoned = j->stamped_us != 0;
  ret_event->stamped_us = j->stamped_us;
  enum logger logger = logger_of(j, ret_event->outcome);
  ret_event->journal = logger == LOGGER_SSHD;
  if (what == AUTH_LINE_EVENT && logger == LOGGER_OTHER)
    return sshd_message_malformed(j->line.message, ret_event);
  return what;
}

enum auth_line auth_stream_line(struct auth_stream *s, const char *line,
                                size_t len, int64_t arrived_us,
                                struct auth_event *ret_event) {
  struct syslog_line header;
  unsigned times;

  if (s->journal.object != NULL)
    journal_line_clear(&s->journal);
  struct auth_text object = journal_line_object(line, len);
  if (object.len > 0)
    return read_journal(s, object, arrived_us, ret_event);
  if (!syslog_line_parse(line, len, &header)) {
    forget_all(s); /* whose it is, is not known */
    return AUTH_LINE_OTHER;
  }
  if (syslog_line_repeats(&header, &times))
    return repeat(s, &header, times, arrived_us, ret_event);
  enum auth_line what = read_message(s, &header, arrived_us, ret_event);
  if (what != AUTH_LINE_OTHER)
    remember(s, header.host, line, len);
  else if (s->kept > 0)
    forget(s, last_of(s, header.host));
  return what;
}
