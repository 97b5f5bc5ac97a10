#include "correlator/ingest.h"

#include <stdlib.h>

#include "correlator/counters.h"
#include "correlator/ingest_identity.h"
#include "correlator/ingest_memory.h"
#include "correlator/log.h"
#include "correlator/writer.h"

struct ingest {
  struct ingest_memory *memory;
  struct writer *writer;
};

struct ingest *ingest_new(struct ingest_memory *memory, struct writer *writer) {
  struct ingest *ingest = calloc(1, sizeof(*ingest));

  if (ingest == NULL)
    return NULL;
  ingest->memory = memory;
  ingest->writer = writer;
  return ingest;
}

void ingest_free(struct ingest *ingest) { free(ingest); }

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
