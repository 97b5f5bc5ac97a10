/* How far each followed file was read, as the database has it: the writer sets
 * it, who follows the files asks. A position that turns out to be another
 * correlator's business, or whose outcome is not known, is forgotten until it
 * is loaded again; what was read on its ground then counts for nothing, which
 * its generation tells. Files are numbered as in the configuration.
 * Thread-safe. */
#ifndef PDNA_AUTH_POSITIONS_H
#define PDNA_AUTH_POSITIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AUTH_HEAD_MAX = 127 };

/* A place in a file: all lines before it are in the database. */
struct auth_position {
  uint64_t device;
  uint64_t inode;
  uint64_t offset;
  char head[AUTH_HEAD_MAX + 1]; /* see auth_head.h; "": nothing was read yet */
};

struct auth_positions;

/* None is known at first. NULL: out of memory. */
struct auth_positions *auth_positions_new(size_t files_len);
void auth_positions_free(struct auth_positions *p); /* NULL does nothing */

/* What the database has of a file, with the generation for all that is read
 * from there on. False: it is not known at present. */
bool auth_positions_get(struct auth_positions *p, size_t file,
                        struct auth_position *ret_position,
                        uint64_t *ret_generation);

/* Does what was read in this generation still count? */
bool auth_positions_current(struct auth_positions *p, size_t file,
                            uint64_t generation);

/* The writer's side. The version is that of the database's row, 0: no row. A
 * position that is known stays: what was read since counts on it. */
void auth_positions_load(struct auth_positions *p, size_t file,
                         const struct auth_position *position, int64_t version);
int64_t auth_positions_version(struct auth_positions *p, size_t file);
/* A row was written, which raised its version by one. */
void auth_positions_written(struct auth_positions *p, size_t file,
                            const struct auth_position *position);
void auth_positions_forget(struct auth_positions *p, size_t file);
void auth_positions_forget_all(struct auth_positions *p);
/* Is one not known? */
bool auth_positions_wanted(struct auth_positions *p);

#endif
