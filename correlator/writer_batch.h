/* Whole reports to the database in one call. */
#ifndef PDNA_WRITER_BATCH_H
#define PDNA_WRITER_BATCH_H

#include "correlator/db.h"
#include "correlator/ingest_memory.h"

/* A report on its way. */
struct writer_item {
  struct report *report;
  struct ingest_ticket ticket;
  bool spooled; /* was in the spool, perhaps judged before a crash */
};

struct batch;

struct batch *batch_new(void); /* NULL: out of memory */
void batch_free(struct batch *b);

/* Call process_dna.ingest for items in the order of their arrival. On DB_OK
 * the memory knows what was judged, and what was not is logged and counted. */
enum db_error batch_ingest(struct batch *b, struct db *db, int tenant,
                           struct ingest_memory *memory,
                           const struct writer_item *items, size_t len);

/* Call process_dna.touch for what waits in the memory. */
enum db_error batch_touch(struct batch *b, struct db *db, int tenant,
                          struct ingest_memory *memory);

#endif
