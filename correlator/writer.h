/* The writer: the thread that owns the database connection on which reports
 * are judged and auth events written. */
#ifndef PDNA_WRITER_H
#define PDNA_WRITER_H

#include "correlator/auth_queue.h"
#include "correlator/config.h"
#include "correlator/ingest_memory.h"

struct writer;

/* Open the spool in the state-dir and try to reach the database once: with it
 * away the writer starts all the same, and reports go to the spool. Both
 * arguments must outlive the writer. What fails is logged. Returns 0, -EPROTO
 * (the database refuses: another schema version, missing rights) or a
 * negative errno. */
int writer_start(const struct config *config, struct ingest_memory *memory,
                 struct writer **ret_writer);

/* Judge what waits, for a few seconds at most; what is left then goes to the
 * spool. NULL does nothing. */
void writer_stop(struct writer *w);

/* Takes the report over; never waits for the database. */
void writer_put(struct writer *w, struct report **report,
                const struct ingest_ticket *ticket);

/* Where auth events are put, and how far followed files were read. */
struct auth_queue *writer_auth_events(const struct writer *w);
struct auth_positions *writer_auth_files(const struct writer *w);

/* Readable, an eventfd(2), when manifests were asked for since it was last
 * read; also once a connection is new, since what was asked for before is not
 * known. */
int writer_requests_fd(const struct writer *w);

/* This correlator in the database, "host:pid:start". */
const char *writer_instance(const struct writer *w);

#endif
