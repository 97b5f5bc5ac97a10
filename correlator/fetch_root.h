/* The folder below the state-dir in which the packages of one manifest-fetch
 * section are looked for: what the package manager's tools keep between runs,
 * and how they are run there. One process at a time works in it. */
#ifndef PDNA_FETCH_ROOT_H
#define PDNA_FETCH_ROOT_H

#include <stdbool.h>
#include <stdint.h>

#include "correlator/config.h"
#include "correlator/program.h"

enum { FETCH_REASON_MAX = 512 }; /* bytes of a reason, with its zero */

struct fetch_root {
  const struct fetch_config *config;
  char *path;     /* absolute, of printable ASCII without spaces, quotes, \ */
  char *download; /* a folder below it, empty: where a package goes */
  char **environment; /* of programs: clean, but for our proxies */
  int lock_fd;
};

/* Make the folder where there is none yet, and wait for it as long as the
 * timeout of the section. Functions that give bool write a `reason`
 * (FETCH_REASON_MAX bytes, printable) when they give false. */
bool fetch_root_open(const struct config *config,
                     const struct fetch_config *fetch,
                     struct fetch_root **ret_root, char *reason);
void fetch_root_close(struct fetch_root *root); /* NULL does nothing */

/* Make a folder below it, and those on the way there. */
bool fetch_root_folder(const struct fetch_root *root, const char *name,
                       char *reason);

/* Write a file below it, unless it has this text; *ret_changed is set if it had
 * another, and left alone otherwise. */
bool fetch_root_write(const struct fetch_root *root, const char *name,
                      const char *text, bool *ret_changed, char *reason);

/* Remove what lies in the download folder. */
void fetch_root_clear(const struct fetch_root *root);

/* When the last update of the indexes that went well began, in microseconds
 * since the epoch; 0: there is none. */
int64_t fetch_root_updated_us(const struct fetch_root *root);
void fetch_root_set_updated(const struct fetch_root *root, int64_t begun_us);

/* Run a program with the root's environment and `more` (a NAME=VALUE, or
 * NULL), in the download folder. False: it could not be run, or took longer
 * than the section's timeout. Free the result in any case. */
bool fetch_root_run(const struct fetch_root *root, char *const *argv,
                    char *more, uint64_t file_size_max,
                    struct program_result *ret_result, char *reason);

/* Write a reason: cut where it is too long, made printable. Gives false. */
bool fetch_reason(char *reason, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
