/* What is remembered of each agent and way by which it is seen: whom its scans
 * may come from, when the last was, and the identity of the last one that was
 * judged and settled, by which equal scans are dropped. Thread-safe: sources
 * ask and hand in, the writer reports what the database said. */
#ifndef PDNA_INGEST_MEMORY_H
#define PDNA_INGEST_MEMORY_H

#include "correlator/ingest.h"

struct ingest_memory;

/* Travels with a report to the database and back. */
struct ingest_ticket {
  struct digest identity;
  uint64_t serial; /* of this host's reports by this way handed on */
};

/* An equal scan of which the database only has to know that it was. */
struct ingest_touch {
  int64_t agent_id;
  const char *source; /* static storage */
  int64_t observed_us;
  int64_t arrived_us;
  uint64_t sequence;
};

/* Hosts beyond `agents_max`, each once for a way, are not remembered: all of
 * their reports go to the database, which checks as well. Returns NULL if
 * memory ran out. */
struct ingest_memory *ingest_memory_new(size_t agents_max);
void ingest_memory_free(struct ingest_memory *m); /* NULL does nothing */

/* See ingest_agent in ingest.h. */
bool ingest_memory_agent(struct ingest_memory *m, const struct ingest_key *key,
                         struct ingest_agent *ret_agent);

/* A report came in. True: it equals what was settled and may be dropped, a
 * touch is noted. False: it has to be judged; hand *ret_ticket on with it. */
bool ingest_memory_take(struct ingest_memory *m, const struct report *report,
                        const struct digest *identity,
                        struct ingest_ticket *ret_ticket);

/* The database judged a report. Counts only if none of that host and way was
 * handed on after it. */
void ingest_memory_judged(struct ingest_memory *m, const struct ingest_key *key,
                          const struct ingest_ticket *ticket, int64_t agent_id,
                          bool settled);

/* Verdicts may have changed: for one agent, or (0) for all. */
void ingest_memory_invalidate(struct ingest_memory *m, int64_t agent_id);

/* What the database knows of a host. It wins over what came in here, but for
 * scans that are newer; where it knows of none, after a reset, they are
 * forgotten. */
void ingest_memory_load(struct ingest_memory *m, const struct ingest_key *key,
                        int64_t agent_id, const struct ingest_agent *agent);

/* Touches that wait; the caller frees *ret_touches. They are there until
 * ingest_memory_touched. Returns 0 or -ENOMEM. */
int ingest_memory_touches(struct ingest_memory *m,
                          struct ingest_touch **ret_touches, size_t *ret_len);
void ingest_memory_touched(struct ingest_memory *m,
                           const struct ingest_touch *touches, size_t len);

#endif
