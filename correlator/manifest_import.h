/* One file into the database: what `manifest import` and `manifest fetch` both
 * do. Nothing of a file that is broken is kept. */
#ifndef PDNA_MANIFEST_IMPORT_H
#define PDNA_MANIFEST_IMPORT_H

#include "correlator/cmd_common.h"
#include "correlator/manifest_reader.h"

struct manifest_import {
  struct cmd *cmd; /* NULL: nothing is asked, and nothing written */
  enum manifest_provenance provenance; /* what the caller knows of the file */
  const char *by;                      /* who imports it */
  const struct package *expected;      /* what it must be; NULL: whatever */
  const char *content; /* SHA-256 that the file must have; NULL: whatever */
  const char *glob;    /* of releases; NULL: their own names are the paths */
  const char *expires; /* of releases: a timestamptz; NULL: never */
  const struct manifest_limits *limits;
  const char *keyring; /* as in struct manifest_reading */
  /* As in struct manifest_reading. The file is read twice: once for its own
   * digest, then, unless it is known, once more. */
  bool (*progress)(void *arg, uint64_t bytes);
  void *arg;
};

enum manifest_outcome {
  MANIFEST_ADDED,
  MANIFEST_KNOWN,  /* it was there already */
  MANIFEST_RAISED, /* it was; who vouches, or how long it holds, is new */
  MANIFEST_READ,   /* without a database: nothing was written */
};

struct manifest_result {
  enum manifest_outcome outcome;
  const struct manifest_format *format; /* NULL: none */
  struct manifest manifest; /* without entries if it was known by its digest */
  char why[MANIFEST_WHY_MAX]; /* on -EBADMSG and -ENOMSG; raw text */
};

/* Import the file, from its beginning. `origin` says where it comes from (a
 * path, a URI), for `manifest list`. The caller clears *ret in any case.
 * Returns 0, or
 * -ENOMSG    it is of no format that is known here
 * -EBADMSG   it is broken, over a limit, changed while it was read, not what
 *            is expected, or no release while a glob or an expiry is given
 * -ENOTCONN  the database did not take it: said to standard error
 * -ECANCELED progress said so
 * -ENOMEM (not for what the file needs: that is over a limit), or what read(2)
 *            says. */
int manifest_import_file(const struct manifest_import *import, int fd,
                         const char *origin, struct manifest_result *ret);
void manifest_result_clear(struct manifest_result *result);

#endif
