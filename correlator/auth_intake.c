#include "correlator/auth_intake.h"

#include "correlator/counters.h"
#include "correlator/log.h"

/* Does an outcome say more than another one that follows or went before? */
static bool is_kept(enum auth_outcome outcome) {
  return outcome != AUTH_POSTPONED && outcome != AUTH_SESSION_CLOSED;
}

struct auth_record *auth_intake_line(struct ingest *ingest,
                                     struct auth_stream *stream,
                                     struct auth_text line,
                                     const struct auth_arrival *arrival) {
  struct auth_arrival event_arrival = *arrival;
  struct auth_record *record;
  struct auth_event event;
  const enum auth_line kind =
      auth_stream_line(stream, line.at, line.len, arrival->arrived_us, &event);

  counters_add(COUNTER_AUTH_LINES, 1);
  if (kind == AUTH_LINE_MALFORMED)
    counters_add(COUNTER_AUTH_MALFORMED, 1);
  if (kind != AUTH_LINE_EVENT || !is_kept(event.outcome))
    return NULL;
  event_arrival.arrived_us = ingest_auth_now_us(ingest);
  record = auth_record_new(&event, &event_arrival);
  if (!record)
    log_limited("auth-memory", "",
                "auth: no memory for an event, which is lost");
  return record;
}

bool auth_intake_hand_in(struct ingest *ingest, struct auth_record **record,
                         bool spooling) {
  if (*record == NULL || ingest_auth(ingest, record))
    return true;
  if (!spooling)
    return false;
  ingest_auth_spooled(ingest, record);
  return true;
}

void auth_intake_too_long(struct auth_stream *stream) {
  struct auth_event event;

  counters_add(COUNTER_AUTH_LINES, 1);
  counters_add(COUNTER_AUTH_CUT, 1);
  /* "last message repeated" would else tell of the line before it. */
  (void)auth_stream_line(stream, "", 0, 0, &event);
}
