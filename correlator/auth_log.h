/* A followed log file: reads its lines from where the database has them up to,
 * through every rotation, and hands its events to ingest with how far it is
 * read then. What is rotated away while nobody reads it is found again and read
 * first: by name and inode, or, where a log is copied and cut, by what it
 * begins with. A file without a position is read from its begin. */
#ifndef PDNA_AUTH_LOG_H
#define PDNA_AUTH_LOG_H

#include "correlator/ingest.h"

struct auth_log;

/* `file` is its number in the configuration; `path` and `ingest` must outlive
 * it. It need not be there yet. NULL: out of memory. */
struct auth_log *auth_log_new(const char *path, size_t file,
                              struct ingest *ingest);
void auth_log_free(struct auth_log *log); /* NULL does nothing */

enum auth_log_state {
  AUTH_LOG_IDLE, /* look again in a second */
  AUTH_LOG_MORE, /* there is more at once */
  AUTH_LOG_FULL, /* wait until ingest has room */
};

/* Read on for a bounded while. Never waits. */
enum auth_log_state auth_log_step(struct auth_log *log);

#endif
