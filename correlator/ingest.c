#include "correlator/ingest.h"

#include <pthread.h>
#include <stdlib.h>

#include "correlator/auth_queue.h"
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
};

struct ingest *ingest_new(struct ingest_memory *memory, struct writer *writer) {
  struct ingest *ingest = calloc(1, sizeof(*ingest));

  if (ingest == NULL)
    return NULL;
  ingest->memory = memory;
  ingest->writer = writer;
  (void)pthread_mutex_init(&ingest->lock, NULL);
  return ingest;
}

void ingest_free(struct ingest *ingest) {
  if (ingest == NULL)
    return;
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

bool ingest_auth(struct ingest *ingest, struct auth_record **record) {
  return auth_queue_put(writer_auth_events(ingest->writer), record);
}

int ingest_auth_room_fd(const struct ingest *ingest) {
  return auth_queue_room_fd(writer_auth_events(ingest->writer));
}

void ingest_auth_spooled(struct ingest *ingest, struct auth_record **record) {
  auth_queue_put_spooled(writer_auth_events(ingest->writer), record);
}

bool ingest_auth_position(struct ingest *ingest, size_t file,
                          struct auth_position *ret_position,
                          uint64_t *ret_generation) {
  return auth_positions_get(writer_auth_files(ingest->writer), file,
                            ret_position, ret_generation);
}

bool ingest_auth_current(struct ingest *ingest, size_t file,
                         uint64_t generation) {
  return auth_positions_current(writer_auth_files(ingest->writer), file,
                                generation);
}

bool ingest_auth_file(struct ingest *ingest, struct auth_item *items,
                      size_t len) {
  return auth_queue_put_file(writer_auth_events(ingest->writer), items, len);
}
