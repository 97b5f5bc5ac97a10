/* An ingest that keeps what sources hand in, and knows of hosts what the test
 * and the reports say. There is room for auth events unless the test says how
 * much. One log may be followed, whose position and events are in the database
 * when the test commits. Included by one file of a program. */
#ifndef PDNA_FAKE_INGEST_H
#define PDNA_FAKE_INGEST_H

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "correlator/auth_queue.h"
#include "correlator/ingest.h"

enum {
  FAKE_REPORTS_MAX = 1024,
  FAKE_AGENTS_MAX = 1024,
  FAKE_EVENTS_MAX = 4096,
};

struct ingest {
  struct report *reports[FAKE_REPORTS_MAX];
  size_t reports_len;
  struct {
    char host[REPORT_NAME_MAX + 1];
    struct ingest_agent agent;
  } agents[FAKE_AGENTS_MAX];
  size_t agents_len;
  struct auth_record *events[FAKE_EVENTS_MAX];
  size_t events_len;
  bool bounded; /* there is room for as many events as `room` says */
  size_t room;
  size_t spooled; /* of the events */
  int64_t auth_us;
  bool away; /* the position is not known */
  uint64_t generation;
  struct auth_position position;
  struct auth_position committed_position;
  size_t committed; /* of the events */
};

/* An eventfd, whatever the ingest. */
static inline int *fake_room_fd(void) {
  static int fd = -1;

  if (fd < 0)
    fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return &fd;
}

static inline void fake_ingest_set_room(struct ingest *ingest, size_t room) {
  uint64_t any = 1;

  ingest->bounded = true;
  ingest->room = room;
  if ((room > 0 ? write(*fake_room_fd(), &any, sizeof(any))
                : read(*fake_room_fd(), &any, sizeof(any))) < 0)
    return; /* it was so before */
}

static inline struct ingest_agent *fake_agent(struct ingest *ingest,
                                              const char *host) {
  for (size_t i = 0; i < ingest->agents_len; i++)
    if (strcmp(ingest->agents[i].host, host) == 0)
      return &ingest->agents[i].agent;
  if (ingest->agents_len == FAKE_AGENTS_MAX)
    abort();
  memcpy(ingest->agents[ingest->agents_len].host, host, strlen(host) + 1);
  return &ingest->agents[ingest->agents_len++].agent;
}

void ingest_report(struct ingest *ingest, struct report **report) {
  struct report *r = *report;
  struct ingest_agent *agent = fake_agent(ingest, r->host);

  *report = NULL;
  if (ingest->reports_len == FAKE_REPORTS_MAX)
    abort();
  ingest->reports[ingest->reports_len++] = r;
  agent->last_observed_us = r->observed_us;
  if (r->identity.id[0] != '\0')
    agent->boot_s = r->identity.boot_s;
  if (!r->relayed)
    memcpy(agent->signer, r->signer, sizeof(agent->signer));
}

bool ingest_agent(struct ingest *ingest, const struct ingest_key *key,
                  struct ingest_agent *ret_agent) {
  for (size_t i = 0; i < ingest->agents_len; i++) {
    if (strcmp(ingest->agents[i].host, key->host) != 0)
      continue;
    *ret_agent = ingest->agents[i].agent;
    return true;
  }
  return false;
}

int64_t ingest_auth_now_us(struct ingest *ingest) { return ++ingest->auth_us; }

int ingest_auth_room_fd(const struct ingest *ingest) {
  (void)ingest;
  return *fake_room_fd();
}

static inline void fake_take_event(struct ingest *ingest,
                                   struct auth_record **record) {
  if (ingest->events_len == FAKE_EVENTS_MAX)
    abort();
  ingest->events[ingest->events_len++] = *record;
  *record = NULL;
}

bool ingest_auth(struct ingest *ingest, struct auth_record **record) {
  if (ingest->bounded && ingest->room == 0)
    return false;
  fake_take_event(ingest, record);
  if (ingest->bounded && --ingest->room == 0)
    fake_ingest_set_room(ingest, 0);
  return true;
}

void ingest_auth_spooled(struct ingest *ingest, struct auth_record **record) {
  if (ingest_auth(ingest, record))
    return;
  ingest->spooled++;
  fake_take_event(ingest, record);
}

bool ingest_auth_position(struct ingest *ingest, size_t file,
                          struct auth_position *ret_position,
                          uint64_t *ret_generation) {
  (void)file;
  *ret_position = ingest->position;
  *ret_generation = ingest->generation;
  return !ingest->away;
}

bool ingest_auth_current(struct ingest *ingest, size_t file,
                         uint64_t generation) {
  (void)file;
  return !ingest->away && generation == ingest->generation;
}

bool ingest_auth_file(struct ingest *ingest, struct auth_item *items,
                      size_t len) {
  if (!ingest_auth_current(ingest, (size_t)items[0].file,
                           items[0].generation) ||
      (ingest->bounded && ingest->room == 0))
    return false;
  for (size_t i = 0; i < len; i++)
    if (items[i].record != NULL)
      fake_take_event(ingest, &items[i].record);
  ingest->position = items[len - 1].position;
  if (ingest->bounded && --ingest->room == 0)
    fake_ingest_set_room(ingest, 0);
  return true;
}

static inline void fake_ingest_commit(struct ingest *ingest) {
  ingest->committed_position = ingest->position;
  ingest->committed = ingest->events_len;
}

/* What was handed in since is lost. */
static inline void fake_ingest_roll_back(struct ingest *ingest) {
  while (ingest->events_len > ingest->committed)
    auth_record_free(ingest->events[--ingest->events_len]);
  ingest->position = ingest->committed_position;
  ingest->generation++;
}

static inline void fake_ingest_clear(struct ingest *ingest) {
  for (size_t i = 0; i < ingest->events_len; i++)
    auth_record_free(ingest->events[i]);
  for (size_t i = 0; i < ingest->reports_len; i++)
    report_free(ingest->reports[i]);
  *ingest = (struct ingest){0};
}

#endif
