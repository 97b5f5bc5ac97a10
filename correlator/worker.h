/* What is done every few seconds on the writer's connection: the database's
 * periodic work, the search for lateral movement, the partitions of auth
 * events, the report of what this correlator counts, and the reload of
 * what the database knows of agents. */
#ifndef PDNA_WORKER_H
#define PDNA_WORKER_H

#include <stdint.h>

#include "correlator/config.h"
#include "correlator/db.h"
#include "correlator/ingest_memory.h"

enum { WORKER_INSTANCE_MAX = 128 };

/* Where the database says that manifests are asked for: the tenant's number. */
#define WORKER_REQUESTS_CHANNEL "process_dna_requests"

struct worker {
  const struct config *config;
  struct ingest_memory *memory;
  char instance[WORKER_INSTANCE_MAX]; /* "host:pid:start" */
  char host[65];
  int64_t started_us;   /* since the epoch */
  int64_t connected_us; /* the same: of the connection at hand */
  int tenant;           /* valid after worker_begin */
  int64_t next_work_ms; /* monotonic */
  int64_t next_load_ms;
  int64_t next_register_ms;
  int64_t next_partitions_ms;
  int64_t next_lateral_ms;
};

/* Both must outlive the worker. */
void worker_init(struct worker *w, const struct config *config,
                 struct ingest_memory *memory);

/* On a new connection: check the schema, set up the tenant and the sinks,
 * listen, and load the agents. DB_REFUSED (a schema of another version, among
 * others) is logged. */
enum db_error worker_begin(struct worker *w, struct db *db);

/* Do what is due. */
enum db_error worker_tick(struct worker *w, struct db *db);

/* Is there more to do at once, after what waits to be written? */
bool worker_has_more(const struct worker *w);

/* Load the agents at the next tick. */
void worker_reload(struct worker *w);

#endif
