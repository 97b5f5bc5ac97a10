/* Fetching the manifest of one package version: the sections of the
 * configuration are tried in their order, the package is downloaded, imported
 * and removed. */
#ifndef PDNA_MANIFEST_FETCH_H
#define PDNA_MANIFEST_FETCH_H

#include <stdint.h>

#include "correlator/cmd_common.h"
#include "correlator/manifest_fetcher.h"

/* A round of fetches. A section whose mirror did not answer in time, or whose
 * indexes can't be had, is not asked again in it. */
struct manifest_fetch;

/* `cmd` and `by`, who fetches, must outlive it. Returns 0 or -ENOMEM. */
int manifest_fetch_new(struct cmd *cmd, const char *by,
                       struct manifest_fetch **ret_fetch);
void manifest_fetch_free(struct manifest_fetch *fetch); /* NULL: nothing */

struct manifest_fetch_result {
  enum fetch_outcome outcome;
  char text[FETCH_ORIGIN_MAX]; /* where it came from, or why not; printable */
};

/* Why a package_is_short can't be fetched. */
extern const char manifest_fetch_is_short[];

/* Fetch one. `asked_us` is when it was asked for, in microseconds since the
 * epoch: what is not in indexes from before that is looked for in newer ones.
 * Returns 0, -ENOTCONN (the database did not take it: said to standard error)
 * or -ENOMEM. */
int manifest_fetch_package(struct manifest_fetch *fetch,
                           const struct package *package, int64_t asked_us,
                           struct manifest_fetch_result *ret_result);

/* The managers that sections of the configuration are for, each once, as an
 * array of the database. */
void manifest_fetch_managers(const struct config *config,
                             struct db_array *managers);

#endif
