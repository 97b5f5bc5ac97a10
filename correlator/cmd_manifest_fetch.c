/* process-dna-correlator manifest fetch */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "correlator/cmd_common.h"
#include "correlator/cmd_manifest.h"
#include "correlator/manifest_fetch.h"
#include "lib/record/clock.h"

static const char help[] =
    "Usage: process-dna-correlator manifest fetch [PACKAGE=VERSION[:ARCH]...]\n"
    "\n"
    "Download packages through the manifest-fetch sections of the\n"
    "configuration, verified by what signs their index, and import what they\n"
    "ship. Without arguments: the versions that hosts were updated to and "
    "that\n"
    "wait for their manifest, which `run` does by itself.\n"
    "\n"
    "PACKAGE is of the first section's manager, or MANAGER:PACKAGE; ARCH is "
    "the\n"
    "first of that section's architectures. A line for each says found and "
    "from\n"
    "where, none (there is no such version), or failed and why.\n"
    "\n"
    "Options:\n"
    "  -h, --help  this text\n"
    "\n"
    "Exit status: 0 all were found, 1 some were not, 2 wrong usage,\n"
    "3 no database.\n";

enum {
  LEASE_S = 120, /* then another correlator may try as well */
  BATCH = 16,    /* versions that are taken at once, and share an update */
  ROUND_S = 600, /* after that nothing more is taken */
};

static const char *const outcome_names[] = {
    [FETCH_FOUND] = "found",
    [FETCH_NONE] = "none",
    [FETCH_FAILED] = "failed",
};

/* What a fetch under way has. */
struct fetching {
  struct cmd cmd;
  struct manifest_fetch *fetch;
  char who[CMD_WHO_MAX];
  bool all_found;
};

static const struct fetch_config *first_of(const struct config *config,
                                           const char *manager) {
  for (size_t i = 0; i < config->fetches_len; i++)
    if (manager == NULL || strcmp(config->fetches[i].manager, manager) == 0)
      return &config->fetches[i];
  return NULL;
}

/* Behind the last ':' stands an architecture, which begins with a letter, or
 * the rest of a version behind its epoch, which begins with a figure. */
static char *split_arch(char *version) {
  char *colon = strrchr(version, ':');

  if (colon == NULL || !((colon[1] >= 'a' && colon[1] <= 'z') ||
                         (colon[1] >= 'A' && colon[1] <= 'Z')))
    return NULL;
  *colon = '\0';
  return colon + 1;
}

/* [MANAGER:]PACKAGE=VERSION[:ARCH]. Gives an exit status. */
static int parse_package(const struct config *config, const char *argument,
                         struct package *ret) {
  char *copy = strdup(argument);
  int status = EXIT_NO;

  if (copy == NULL) {
    cmd_error("out of memory");
    return EXIT_NO;
  }
  char *version = strchr(copy, '=');
  if (version != NULL)
    *version++ = '\0';
  char *colon = strchr(copy, ':');
  if (colon != NULL)
    *colon = '\0';
  const struct fetch_config *section =
      first_of(config, colon == NULL ? NULL : copy);
  char *arch = version == NULL ? NULL : split_arch(version);
  if (section == NULL)
    cmd_error("%s: no manifest-fetch section in %s is for it", argument,
              config->file);
  else if (version == NULL ||
           package_set(ret, section->manager, colon == NULL ? copy : colon + 1,
                       version,
                       arch == NULL ? section->architectures[0] : arch) != 0)
    status = cmd_usage("manifest fetch",
                       "%s: expected PACKAGE=VERSION or PACKAGE=VERSION:ARCH",
                       argument);
  else
    status = EXIT_DONE;
  free(copy);
  return status;
}

/* Fetch one, and say how it went in a line. Gives an exit status. */
static int fetch_one(struct fetching *f, const struct package *p,
                     int64_t asked_us, struct manifest_fetch_result *result) {
  int rc = manifest_fetch_package(f->fetch, p, asked_us, result);

  if (rc == -ENOTCONN)
    return EXIT_DATABASE;
  if (rc != 0) {
    cmd_error("%s", strerrordesc_np(-rc));
    return EXIT_NO;
  }
  f->all_found = f->all_found && result->outcome == FETCH_FOUND;
  printf("%s %s:%s=%s:%s: %s\n", outcome_names[result->outcome], p->manager,
         p->name, p->version, p->arch, result->text);
  (void)fflush(stdout); /* `run` follows */
  return EXIT_DONE;
}

/* Give the answer to a request of the queue. */
static int answer(struct fetching *f, const PGresult *row_of, int row,
                  const struct manifest_fetch_result *result) {
  const char *params[] = {f->cmd.tenant,
                          db_value(row_of, row, "manager"),
                          db_value(row_of, row, "package"),
                          db_value(row_of, row, "version"),
                          db_value(row_of, row, "arch"),
                          outcome_names[result->outcome],
                          result->outcome == FETCH_FOUND ? NULL : result->text};

  PGresult *nothing = NULL;
  int status = cmd_query(&f->cmd,
                         "SELECT process_dna.manifest_request_done"
                         "($1, $2, $3, $4, $5, $6, $7)",
                         sizeof(params) / sizeof(*params), params, &nothing);
  PQclear(nothing);
  return status;
}

/* `taken_us`: when it was taken from the queue. */
static int fetch_row(struct fetching *f, const PGresult *rows, int row,
                     int64_t taken_us) {
  int64_t asked_us =
      taken_us - strtoll(db_value(rows, row, "waited_us"), NULL, 10);
  /* So that whoever waits for the folder gets it in between. */
  const struct timespec pause = {0, 50 * 1000000L};
  struct manifest_fetch_result result = {.outcome = FETCH_NONE};
  struct package package;
  int status = EXIT_DONE;

  if (package_set(&package, db_value(rows, row, "manager"),
                  db_value(rows, row, "package"),
                  db_value(rows, row, "version"),
                  db_value(rows, row, "arch")) == 0)
    status = fetch_one(f, &package, asked_us, &result);
  else
    (void)snprintf(result.text, sizeof(result.text), "%s",
                   package_is_short(db_value(rows, row, "package"),
                                    db_value(rows, row, "version"))
                       ? manifest_fetch_is_short
                       : "no package is called so");
  if (status == EXIT_DONE)
    status = answer(f, rows, row, &result);
  (void)nanosleep(&pause, NULL);
  return status;
}

/* Take some of what is queued, and fetch it. */
static int fetch_batch(struct fetching *f, const char *managers, int *ret_len) {
  char limit[16];
  char lease[16];
  const char *params[] = {f->cmd.tenant, managers, limit, lease, f->who};
  PGresult *rows = NULL;

  (void)snprintf(limit, sizeof(limit), "%d", BATCH);
  (void)snprintf(lease, sizeof(lease), "%d", LEASE_S);
  int status =
      cmd_query(&f->cmd,
                "SELECT manager, package, version, arch, waited_us"
                " FROM process_dna.manifest_requests_take($1, $2, $3, $4, $5)",
                sizeof(params) / sizeof(*params), params, &rows);
  int64_t taken_us = clock_wall_us();
  *ret_len = status == EXIT_DONE ? PQntuples(rows) : 0;
  for (int row = 0; row < *ret_len && status == EXIT_DONE; row++)
    status = fetch_row(f, rows, row, taken_us);
  PQclear(rows);
  return status;
}

/* One at a time goes through the queue for one state-dir: a second would only
 * wait for the first. Gives a descriptor, -EWOULDBLOCK or an errno. */
static int lock_queue(const struct config *config) {
  char *path;

  if (asprintf(&path, "%s/fetch.lock", config->state_dir) < 0)
    return -ENOMEM;
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int rc = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 ? -errno : 0;
  if (rc != 0 && rc != -EWOULDBLOCK)
    cmd_error("%s: %m", path);
  free(path);
  if (rc == 0)
    return fd;
  if (fd >= 0)
    (void)close(fd);
  return rc;
}

static int fetch_queue(struct fetching *f) {
  struct db_array managers = {0};
  int64_t until_ms = clock_monotonic_ms() + (int64_t)ROUND_S * 1000;
  int lock = lock_queue(f->cmd.config);
  int status = EXIT_DONE;
  int len = 1;

  if (lock == -EWOULDBLOCK) {
    cmd_error("another `manifest fetch` is under way");
    return EXIT_DONE;
  }
  if (lock < 0)
    return EXIT_NO;
  manifest_fetch_managers(f->cmd.config, &managers);
  const char *text = db_array_text(&managers);
  while (status == EXIT_DONE && text != NULL && len > 0 &&
         clock_monotonic_ms() < until_ms)
    status = fetch_batch(f, text, &len);
  db_array_free(&managers);
  (void)close(lock);
  return status;
}

static int fetch_arguments(struct fetching *f, int argc, char **argv) {
  struct package *packages = calloc((size_t)argc, sizeof(*packages));
  int status = packages == NULL ? EXIT_NO : EXIT_DONE;

  for (int i = 0; i < argc && status == EXIT_DONE; i++)
    status = parse_package(f->cmd.config, argv[i], &packages[i]);
  for (int i = 0; i < argc && status == EXIT_DONE; i++) {
    struct manifest_fetch_result result;
    status = fetch_one(f, &packages[i], clock_wall_us(), &result);
  }
  free(packages);
  return status;
}

int command_manifest_fetch(const struct config *config, int argc, char **argv) {
  struct fetching f = {.all_found = true};
  const struct cmd_syntax syntax = {"manifest fetch", help, {{0}}};
  int first;
  int status = cmd_options(&syntax, argc, argv, &first);

  if (status >= 0)
    return status;
  if (config->fetches_len == 0) {
    cmd_error("%s: has no manifest-fetch section to fetch through",
              config->file);
    return EXIT_USAGE;
  }
  status = cmd_open(config, &f.cmd);
  if (status != EXIT_DONE)
    goto out;
  cmd_who(f.who);
  if (manifest_fetch_new(&f.cmd, f.who, &f.fetch) != 0) {
    cmd_error("out of memory");
    status = EXIT_NO;
    goto out;
  }
  status = argc > first ? fetch_arguments(&f, argc - first, argv + first)
                        : fetch_queue(&f);
  if (status == EXIT_DONE && !f.all_found)
    status = EXIT_NO;
  status = cmd_finish(status);

out:
  manifest_fetch_free(f.fetch);
  cmd_close(&f.cmd);
  return status;
}
