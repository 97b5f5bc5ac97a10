#include "correlator/ingest.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "correlator/counters.h"
#include "correlator/ingest_identity.h"
#include "correlator/ingest_memory.h"
#include "correlator/log.h"
#include "correlator/writer.h"
#include "lib/record/clock.h"

/* A clock that is set back by more is followed, as scans' is. */
#define SET_BACK_US (INT64_C(600) * 1000000)

struct ingest {
  struct ingest_memory *memory;
  struct writer *writer;
  pthread_mutex_t lock; /* of auth_us */
  int64_t auth_us;      /* the time of arrival given last */
  int room_fd;
};

struct ingest *ingest_new(struct ingest_memory *memory, struct writer *writer) {
  struct ingest *ingest = calloc(1, sizeof(*ingest));

  if (ingest == NULL)
    return NULL;
  ingest->memory = memory;
  ingest->writer = writer;
  (void)pthread_mutex_init(&ingest->lock, NULL);
  ingest->room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (ingest->room_fd >= 0)
    return ingest;
  ingest_free(ingest);
  return NULL;
}

void ingest_free(struct ingest *ingest) {
  if (ingest == NULL)
    return;
  if (ingest->room_fd >= 0)
    (void)close(ingest->room_fd);
  (void)pthread_mutex_destroy(&ingest->lock);
  free(ingest);
}

void ingest_report(struct ingest *ingest, struct report **report) {
  struct ingest_ticket ticket;
  struct digest identity;

  if (ingest_identity(*report, &identity) != 0) {
    log_limited("memory", "", "report of %s: out of memory, dropped",
                (*report)->host);
    counters_add(COUNTER_DROP_MEMORY, 1);
    goto drop;
  }
  if (!ingest_memory_take(ingest->memory, *report, &identity, &ticket)) {
    writer_put(ingest->writer, report, &ticket);
    return;
  }
  counters_add(COUNTER_SCANS_UNCHANGED, 1);

drop:
  report_free(*report);
  *report = NULL;
}

bool ingest_agent(struct ingest *ingest, const struct ingest_key *key,
                  struct ingest_agent *ret_agent) {
  return ingest_memory_agent(ingest->memory, key, ret_agent);
}

int64_t ingest_auth_now_us(struct ingest *ingest) {
  int64_t now_us = clock_wall_us();

  (void)pthread_mutex_lock(&ingest->lock);
  if (now_us <= ingest->auth_us && now_us > ingest->auth_us - SET_BACK_US)
    now_us = ingest->auth_us + 1;
  ingest->auth_us = now_us;
  (void)pthread_mutex_unlock(&ingest->lock);
  return now_us;
}

/* No auth event is written yet, so there is never room. */
bool ingest_auth(struct ingest *ingest, struct auth_record **record) {
  (void)ingest;
  (void)record;
  counters_add(COUNTER_AUTH_WAITS, 1);
  return false;
}

int ingest_auth_room_fd(const struct ingest *ingest) { return ingest->room_fd; }

void ingest_auth_spooled(struct ingest *ingest, struct auth_record **record) {
  (void)ingest;
  counters_add(COUNTER_AUTH_SPOOL_LOST, 1);
  free(*record);
  *record = NULL;
}
