/* What a package manager does for `manifest fetch`: it brings the indexes of a
 * private root up to date, looks a package version up in them, and downloads
 * it. The manager's own tools do it, so that they verify the signature of the
 * release, the index by it, and the package by the index. What is the same for
 * all managers is in manifest_fetch.h. */
#ifndef PDNA_MANIFEST_FETCHER_H
#define PDNA_MANIFEST_FETCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "correlator/config.h"
#include "correlator/fetch_root.h"
#include "correlator/manifest_reader.h"
#include "lib/record/digest.h"
#include "lib/record/record.h"

enum {
  FETCH_ORIGIN_MAX = 1024, /* bytes, with its zero, as the next */
  FETCH_FILE_MAX = 256,
  FETCH_PLACE_MAX = 128,
};

enum fetch_outcome {
  FETCH_FOUND,
  FETCH_NONE,   /* the indexes have no such version */
  FETCH_FAILED, /* no answer */
};

/* A package in an index. */
struct fetch_item {
  char file[FETCH_FILE_MAX];           /* its name in the download folder */
  uint64_t size;                       /* bytes */
  char sha256[DIGEST_HEX_LEN + 1];     /* "": the index has another digest */
  char origin[FETCH_ORIGIN_MAX];       /* printable: the URI and the suite */
  char place[FETCH_PLACE_MAX];         /* for download, if it wants to know */
  enum manifest_provenance provenance; /* what is verified on the way */
};

/* `reason` has FETCH_REASON_MAX bytes and is printable; it is written by what
 * does not succeed. Functions end after the timeout of the section. */
struct fetcher {
  const char *manager;

  /* Are its tools here, and the files of the section there and such that all
   * that they give is verified? If not: what was expected and what found,
   * CONFIG_CHECK_MAX bytes. */
  bool (*check)(const struct fetch_config *config, char *what);

  /* Write what the tools need into the root, checked again: the section's
   * files may have changed. Has what is to be fetched from? */
  bool (*prepare)(const struct fetch_root *root, bool *ret_changed,
                  char *reason);

  /* Bring the indexes up to date. An index that can't be had or that is not
   * signed as it must be is a failure. */
  bool (*update)(const struct fetch_root *root, char *reason);

  /* May there be such a package, of an architecture of the section? `package`
   * is hostile: only what this lets pass comes to the next two. */
  bool (*accepts)(const struct fetch_config *config,
                  const struct package *package, char *reason);

  /* Look a version up in the indexes at hand. What is there for another
   * architecture only is FETCH_NONE. */
  enum fetch_outcome (*find)(const struct fetch_root *root,
                             const struct package *package,
                             struct fetch_item *ret_item, char *reason);

  /* Download and verify what find has found. Its size was looked at. */
  bool (*download)(const struct fetch_root *root, const struct package *package,
                   const struct fetch_item *item, char *reason);
};

/* NULL: there is none for this manager. */
const struct fetcher *manifest_fetcher_find(const char *manager);

/* Their managers, "dpkg, rpm"; static storage. */
const char *manifest_fetcher_names(void);

#endif
