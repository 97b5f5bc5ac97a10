/* Ingest: where every source hands in what it has. It drops what is known
 * already, batches the rest and gives it to the writer. Sources know ingest,
 * never the reverse. */
#ifndef PDNA_INGEST_H
#define PDNA_INGEST_H

#include "correlator/report.h"

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

#endif
