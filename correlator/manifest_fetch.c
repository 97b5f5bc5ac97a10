#include "correlator/manifest_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "correlator/manifest_import.h"
#include "lib/record/clock.h"

enum {
  FRESH_S = 300,   /* for as long indexes are taken as they are */
  SPARE_MIB = 256, /* that a download leaves free on the disk */
};

struct manifest_fetch {
  struct cmd *cmd;
  const char *by;
  /* For each section: why it is not asked again; "": it is. */
  char (*down)[FETCH_REASON_MAX];
};

/* One package in one section. */
struct attempt {
  struct manifest_fetch *fetch;
  const struct fetcher *fetcher;
  const struct fetch_root *root;
  const struct package *package;
  int64_t asked_us;
  bool updated; /* in this attempt */
  struct fetch_item item;
  char *reason; /* FETCH_REASON_MAX bytes */
};

int manifest_fetch_new(struct cmd *cmd, const char *by,
                       struct manifest_fetch **ret_fetch) {
  struct manifest_fetch *fetch = calloc(1, sizeof(*fetch));

  if (fetch == NULL)
    return -ENOMEM;
  fetch->cmd = cmd;
  fetch->by = by;
  fetch->down = calloc(cmd->config->fetches_len + 1, sizeof(*fetch->down));
  if (fetch->down == NULL) {
    free(fetch);
    return -ENOMEM;
  }
  *ret_fetch = fetch;
  return 0;
}

void manifest_fetch_free(struct manifest_fetch *fetch) {
  if (fetch == NULL)
    return;
  free(fetch->down);
  free(fetch);
}

/* Others in the round need not wait for what has just failed. */
static void give_section_up(const struct attempt *a) {
  size_t section = (size_t)(a->root->config - a->fetch->cmd->config->fetches);

  memcpy(a->fetch->down[section], a->reason, FETCH_REASON_MAX);
}

static bool update(struct attempt *a) {
  int64_t begun_us = clock_wall_us();

  a->updated = a->fetcher->update(a->root, a->reason);
  fetch_root_set_updated(a->root, a->updated ? begun_us : 0);
  if (!a->updated)
    give_section_up(a);
  return a->updated;
}

/* Look it up in indexes that are fresh, and in newer ones if it is not in
 * those: it may have been published since. */
static enum fetch_outcome find(struct attempt *a) {
  int64_t now_us = clock_wall_us();
  int64_t updated_us = fetch_root_updated_us(a->root);
  bool fresh = updated_us > 0 && updated_us <= now_us &&
               updated_us > now_us - (int64_t)FRESH_S * 1000000;

  if (!fresh && !update(a))
    return FETCH_FAILED;
  enum fetch_outcome outcome =
      a->fetcher->find(a->root, a->package, &a->item, a->reason);
  if (outcome != FETCH_NONE || !fresh || updated_us > a->asked_us)
    return outcome;
  return update(a) ? a->fetcher->find(a->root, a->package, &a->item, a->reason)
                   : FETCH_FAILED;
}

static bool check_size(const struct attempt *a) {
  uint64_t most = (uint64_t)a->root->config->max_size_mib << 20;
  struct statvfs disk;

  if (a->item.size > most)
    return fetch_reason(
        a->reason, "max-size: expected at most %u MiB, found %" PRIu64 " bytes",
        a->root->config->max_size_mib, a->item.size);
  if (statvfs(a->root->download, &disk) != 0)
    return fetch_reason(a->reason, "%s: %m", a->root->download);
  uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
  if (room < a->item.size + ((uint64_t)SPARE_MIB << 20))
    return fetch_reason(a->reason,
                        "%s: expected room for %" PRIu64
                        " bytes and %d MiB besides, found %" PRIu64 " bytes",
                        a->root->download, a->item.size, SPARE_MIB, room);
  return true;
}

/* False with *ret_late: it took all the time that it has. */
static bool download_found(const struct attempt *a, bool *ret_late) {
  int64_t begun_ms = clock_monotonic_ms();
  bool downloaded =
      a->fetcher->download(a->root, a->package, &a->item, a->reason);

  *ret_late = clock_monotonic_ms() - begun_ms >=
              (int64_t)a->root->config->timeout_s * 1000;
  return downloaded;
}

/* Download what was found. Where that fails the mirror may have changed under
 * the indexes: then once more by new ones. */
static enum fetch_outcome download(struct attempt *a) {
  enum fetch_outcome outcome = FETCH_FOUND;
  bool late;

  for (;;) {
    if (!check_size(a))
      return FETCH_FAILED;
    if (download_found(a, &late))
      return FETCH_FOUND;
    if (late)
      give_section_up(a);
    if (late || a->updated || !update(a))
      return FETCH_FAILED;
    fetch_root_clear(a->root);
    outcome = a->fetcher->find(a->root, a->package, &a->item, a->reason);
    if (outcome != FETCH_FOUND)
      return outcome;
  }
}

/* The file that was downloaded; it was verified on the way. A negative
 * descriptor has a reason. */
static int open_file(const struct attempt *a) {
  struct stat st;
  int folder = open(a->root->download, O_PATH | O_DIRECTORY | O_CLOEXEC);
  int fd = folder < 0 ? -1
                      : openat(folder, a->item.file,
                               O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

  if (fd < 0)
    (void)fetch_reason(a->reason, "%s/%s: %m", a->root->download, a->item.file);
  if (folder >= 0)
    (void)close(folder);
  if (fd < 0)
    return fd;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= 0 &&
      (uint64_t)st.st_size == a->item.size)
    return fd;
  (void)fetch_reason(a->reason, "%s: expected %" PRIu64 " bytes, found others",
                     a->item.file, a->item.size);
  (void)close(fd);
  return -1;
}

static int import(const struct attempt *a, enum fetch_outcome *ret_outcome) {
  const struct manifest_import import = {
      .cmd = a->fetch->cmd,
      .provenance = a->item.provenance,
      .by = a->fetch->by,
      .expected = a->package,
      .content = a->item.sha256[0] == '\0' ? NULL : a->item.sha256,
      .limits = &manifest_limits_default,
  };
  struct manifest_result result = {0};
  int fd = open_file(a);

  *ret_outcome = FETCH_FAILED;
  if (fd < 0)
    return 0;
  int rc = manifest_import_file(&import, fd, a->item.origin, &result);
  if (rc == 0)
    *ret_outcome = FETCH_FOUND;
  else if (rc == -EBADMSG || rc == -ENOMSG)
    (void)fetch_reason(a->reason, "%s: %s", a->item.file, result.why);
  else
    (void)fetch_reason(a->reason, "%s: %s", a->item.file, strerrordesc_np(-rc));
  manifest_result_clear(&result);
  (void)close(fd);
  return rc == -ENOTCONN || rc == -ENOMEM ? rc : 0;
}

/* In a root that is ours now. */
static int fetch_in_root(struct attempt *a, enum fetch_outcome *ret_outcome) {
  bool changed = false;
  int rc = 0;

  *ret_outcome = FETCH_FAILED;
  if (!a->fetcher->prepare(a->root, &changed, a->reason))
    return 0;
  if (changed)
    fetch_root_set_updated(a->root, 0);
  *ret_outcome = find(a);
  if (*ret_outcome == FETCH_FOUND)
    *ret_outcome = download(a);
  if (*ret_outcome == FETCH_FOUND)
    rc = import(a, ret_outcome);
  fetch_root_clear(a->root);
  return rc;
}

/* Ask one section. */
static int fetch_in_section(struct manifest_fetch *fetch, size_t section,
                            struct attempt *a,
                            enum fetch_outcome *ret_outcome) {
  const struct config *config = fetch->cmd->config;
  const struct fetch_config *in = &config->fetches[section];
  struct fetch_root *root = NULL;

  a->fetch = fetch;
  a->fetcher = manifest_fetcher_find(in->manager);
  *ret_outcome = FETCH_NONE;
  if (!a->fetcher->accepts(in, a->package, a->reason))
    return 0;
  *ret_outcome = FETCH_FAILED;
  if (fetch->down[section][0] != '\0') {
    memcpy(a->reason, fetch->down[section], FETCH_REASON_MAX);
    return 0;
  }
  if (!fetch_root_open(config, in, &root, a->reason))
    return 0;
  a->root = root;
  int rc = fetch_in_root(a, ret_outcome);
  fetch_root_close(root);
  return rc;
}

/* Found is best, and not to know is worse than to know that there is none. */
static void take_over(struct manifest_fetch_result *result, const char *section,
                      enum fetch_outcome outcome, const char *text) {
  size_t len = strlen(result->text);

  if (outcome == FETCH_FOUND) {
    (void)snprintf(result->text, sizeof(result->text), "%s", text);
    result->outcome = FETCH_FOUND;
    return;
  }
  if (outcome == FETCH_FAILED)
    result->outcome = FETCH_FAILED;
  (void)snprintf(result->text + len, sizeof(result->text) - len,
                 "%smanifest-fetch %s: %s", len == 0 ? "" : "; ", section,
                 text);
}

const char manifest_fetch_is_short[] =
    "its name or version is too long for hosts to tell, so that it can't be "
    "looked up: manifest import its package";

int manifest_fetch_package(struct manifest_fetch *fetch,
                           const struct package *package, int64_t asked_us,
                           struct manifest_fetch_result *ret_result) {
  const struct config *config = fetch->cmd->config;
  struct manifest_fetch_result result = {.outcome = FETCH_NONE};

  if (package_is_short(package->name, package->version)) {
    (void)snprintf(ret_result->text, sizeof(ret_result->text), "%s",
                   manifest_fetch_is_short);
    ret_result->outcome = FETCH_NONE;
    return 0;
  }
  for (size_t i = 0; i < config->fetches_len && result.outcome != FETCH_FOUND;
       i++) {
    char reason[FETCH_REASON_MAX] = "";
    struct attempt a = {
        .package = package, .asked_us = asked_us, .reason = reason};
    enum fetch_outcome outcome;
    if (strcmp(config->fetches[i].manager, package->manager) != 0)
      continue;
    int rc = fetch_in_section(fetch, i, &a, &outcome);
    if (rc != 0)
      return rc;
    take_over(&result, config->fetches[i].name, outcome,
              outcome == FETCH_FOUND ? a.item.origin : reason);
  }
  if (result.text[0] == '\0')
    (void)snprintf(result.text, sizeof(result.text),
                   "no manifest-fetch section is for %s", package->manager);
  *ret_result = result;
  return 0;
}

void manifest_fetch_managers(const struct config *config,
                             struct db_array *managers) {
  for (size_t i = 0; i < config->fetches_len; i++) {
    bool again = false;
    for (size_t k = 0; k < i; k++)
      again = again || strcmp(config->fetches[k].manager,
                              config->fetches[i].manager) == 0;
    if (!again)
      db_array_add_text(managers, config->fetches[i].manager);
  }
}
