/* Ingest: where every source hands in what it has. It drops what is known
 * already, batches the rest and gives it to the writer. Sources know ingest,
 * never the reverse. */
#ifndef PDNA_INGEST_H
#define PDNA_INGEST_H

#include "correlator/report.h"

struct auth_item;     /* auth_queue.h */
struct auth_position; /* auth_positions.h */
struct auth_record;   /* auth_event.h */
struct ingest;
struct ingest_memory;
struct writer;

/* What a report's host did last by the same way, as the database and the
 * reports since know it: for refusing replays and strangers at arrival. */
struct ingest_agent {
  int64_t last_observed_us;         /* 0: never */
  int64_t boot_s;                   /* 0: unknown */
  char signer[REPORT_NAME_MAX + 1]; /* "": not bound */
};

/* Both must outlive the ingest. Returns NULL if memory ran out. */
struct ingest *ingest_new(struct ingest_memory *memory, struct writer *writer);
void ingest_free(struct ingest *ingest); /* NULL does nothing */

/* Take over a report; *report becomes NULL. Never blocks on the database. */
void ingest_report(struct ingest *ingest, struct report **report);

/* A host as it is seen by one way. */
struct ingest_key {
  const char *host;
  const char *source; /* REPORT_SOURCE_... */
};

/* Returns false if nothing is known of the host by that way. */
bool ingest_agent(struct ingest *ingest, const struct ingest_key *key,
                  struct ingest_agent *ret_agent);

/* Auth events. All of this is thread-safe, and nothing waits. */

/* The time of arrival for the next event, since the epoch: later than each one
 * given before, since it tells a batch that is written again. (Only a clock
 * that is set back far is followed.) */
int64_t ingest_auth_now_us(struct ingest *ingest);

/* Take over an event; *record becomes NULL. False: there is no room (the
 * database is away, or slow), nothing is taken. Whoever hands in then reads no
 * further, and tries again when ingest_auth_room_fd is readable. */
bool ingest_auth(struct ingest *ingest, struct auth_record **record);

/* Readable while there is room, an eventfd(2) for poll alone: nobody who waits
 * reads it. Wait for it only when no room was found, or the loop spins. */
int ingest_auth_room_fd(const struct ingest *ingest);

/* The same for those who can't wait, UDP: where there is no room the event
 * goes to the bounded spool on disk; what that does not take is counted and
 * lost. */
void ingest_auth_spooled(struct ingest *ingest, struct auth_record **record);

/* Followed files, by their number in the configuration. Where to read on, with
 * the generation for what is read from there on; false: not known at present,
 * since the database is away. */
bool ingest_auth_position(struct ingest *ingest, size_t file,
                          struct auth_position *ret_position,
                          uint64_t *ret_generation);
/* Does what was read in this generation still count? Else the position is to
 * be asked for anew. */
bool ingest_auth_current(struct ingest *ingest, size_t file,
                         uint64_t generation);
/* Take over a run of lines of one file, at least one item: their events and
 * the positions behind them, which go to the database together. The records
 * become NULL. False: there is no room, or the generation is over; nothing is
 * taken. */
bool ingest_auth_file(struct ingest *ingest, struct auth_item *items,
                      size_t len);

#endif
