/* process-dna-correlator manifest import */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "correlator/cmd_common.h"
#include "correlator/cmd_manifest.h"
#include "correlator/manifest_job.h"
#include "correlator/manifest_options.h"
#include "correlator/manifest_rpm.h"

static const char help[] =
    "Usage: process-dna-correlator manifest import [OPTION...] PATH...\n"
    "\n"
    "Read which executables packages and releases ship, and their digests:\n"
    "packages of Debian and of rpm, lists that sha256sum wrote, and tarballs,\n"
    "told by what is in them and not by their names. PATH is one of these, "
    "'-'\n"
    "for standard input, or a folder, as a mirror's pool, below which all\n"
    "packages are taken. A file that is known already costs its own digest\n"
    "only. One that is broken is named, skipped and counted.\n"
    "\n"
    "Lists and tarballs are releases of your own, without a package: their\n"
    "digests hold on every host, at the path that each has there.\n"
    "\n"
    "Options:\n"
    "  -p, --path GLOB      a release's digests hold at every path that "
    "matches\n"
    "                       ('*' and '?' match no '/'), not at its own paths\n"
    "  -e, --expires WHEN   a release holds until the end of a day "
    "(2026-12-31)\n"
    "                       or for some time (12h, 90d, 8w)\n"
    "      --releases       take lists and tarballs below folders too\n"
    "      --by NAME        who imports it, instead of you\n"
    "  -k, --keyring FILE   OpenPGP keys: a package of rpm that one of them "
    "has\n"
    "                       signed is a signed package\n"
    "      --max-size MIB   what one file may unpack to (default 16384)\n"
    "      --max-time S     how long one may take (default 1800)\n"
    "  -n, --dry-run        print what would be imported, as sha256sum would;\n"
    "                       needs no database\n"
    "  -q, --quiet          tell of what is broken only\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 done, 1 something was broken or could not be read, 2 "
    "wrong\n"
    "usage, 3 no database.\n";

/* The options' values as texts. */
struct texts {
  const char *path, *expires, *by, *keyring, *max_size, *max_time;
};

/* A number from 1 up. */
static bool read_number(const char *text, uint64_t most, uint64_t *ret) {
  char *end;
  unsigned long long n;

  if (*text < '0' || *text > '9')
    return false;
  errno = 0;
  n = strtoull(text, &end, 10);
  if (*end != '\0' || errno != 0 || n == 0 || n > most)
    return false;
  *ret = n;
  return true;
}

/* Say at once what each package would be broken for. -1: go on. */
static int check_keyring(const char *file) {
  int error = manifest_rpm_check_keyring(file);

  if (error == 0)
    return -1;
  return cmd_usage("manifest import", "--keyring %s: %s", file,
                   error == -EINVAL
                       ? "expected OpenPGP public keys that rpm can use"
                   : error == -ENOSYS ? "this build has no librpm"
                                      : strerrordesc_np(-error));
}

/* What the texts come to. */
struct values {
  char expires[MANIFEST_EXPIRES_MAX];
  struct manifest_limits limits;
};

/* Each gives -1 to go on, or an exit status. */
static int read_release(const struct texts *t, struct values *v) {
  int error;

  if (t->path != NULL && manifest_glob_check(t->path) < 0)
    return cmd_usage("manifest import",
                     "--path %s: expected a pattern of absolute paths, at most "
                     "%d bytes of printable text",
                     t->path, MANIFEST_GLOB_MAX);
  if (t->expires == NULL)
    return -1;
  error = manifest_expires(t->expires, time(NULL), v->expires);
  if (error == -ERANGE)
    return cmd_usage("manifest import",
                     "--expires %s: that is not in the next 100 years",
                     t->expires);
  if (error < 0)
    return cmd_usage("manifest import",
                     "--expires %s: expected a date as 2026-12-31, or a time "
                     "as 12h, 90d or 8w",
                     t->expires);
  return -1;
}

static int read_limits(const struct texts *t, struct values *v) {
  enum { MIB_MAX = 1 << 24, TIME_MAX = 1 << 20 };
  uint64_t n;

  if (t->max_size != NULL) {
    if (!read_number(t->max_size, MIB_MAX, &n))
      return cmd_usage("manifest import",
                       "--max-size %s: expected MiB from 1 to %d", t->max_size,
                       MIB_MAX);
    v->limits.unpacked_bytes = n << 20;
  }
  if (t->max_time != NULL) {
    if (!read_number(t->max_time, TIME_MAX, &n))
      return cmd_usage("manifest import",
                       "--max-time %s: expected seconds from 1 to %d",
                       t->max_time, TIME_MAX);
    v->limits.time_s = (unsigned)n;
  }
  return -1;
}

static int read_texts(const struct texts *t, struct values *v) {
  int status = read_release(t, v);

  if (status < 0)
    status = read_limits(t, v);
  if (status < 0 && t->keyring != NULL)
    status = check_keyring(t->keyring);
  return status;
}

/* A pattern that can match nothing would be taken, and explain nothing. */
static int check_glob(struct cmd *cmd, const char *glob) {
  PGresult *result;
  int status;

  if (glob == NULL)
    return EXIT_DONE;
  status = cmd_query(cmd, "SELECT process_dna.glob_regex($1) IS NOT NULL", 1,
                     &glob, &result);
  if (status != EXIT_DONE)
    return status;
  if (PQgetvalue(result, 0, 0)[0] != 't')
    status = cmd_usage("manifest import",
                       "--path %s: expected in its brackets characters, ranges "
                       "and classes as [:digit:]",
                       glob);
  PQclear(result);
  return status;
}

int command_manifest_import(const struct config *config, int argc,
                            char **argv) {
  struct values values = {.limits = manifest_limits_default};
  struct manifest_job job = {.import.limits = &values.limits};
  struct texts t = {0};
  const struct cmd_syntax syntax = {"manifest import",
                                    help,
                                    {{"path", 'p', NULL, &t.path},
                                     {"expires", 'e', NULL, &t.expires},
                                     {"releases", 0, &job.releases, NULL},
                                     {"by", 0, NULL, &t.by},
                                     {"keyring", 'k', NULL, &t.keyring},
                                     {"max-size", 0, NULL, &t.max_size},
                                     {"max-time", 0, NULL, &t.max_time},
                                     {"dry-run", 'n', &job.dry_run, NULL},
                                     {"quiet", 'q', &job.quiet, NULL}}};
  char who[CMD_WHO_MAX];
  struct cmd cmd = {0};
  int first, status = cmd_options(&syntax, argc, argv, &first);

  if (status >= 0)
    return status;
  if (first == argc)
    return cmd_usage("manifest import", "manifest import: a PATH expected");
  status = read_texts(&t, &values);
  if (status >= 0)
    return status;
  cmd_who(who);
  job.import.by = t.by != NULL ? t.by : who;
  job.import.glob = t.path;
  job.import.expires = t.expires != NULL ? values.expires : NULL;
  job.import.keyring = t.keyring;
  status = EXIT_DONE;
  if (!job.dry_run) {
    status = cmd_open(config, &cmd);
    job.import.cmd = &cmd;
    if (status == EXIT_DONE)
      status = check_glob(&cmd, t.path);
  }
  if (status == EXIT_DONE)
    status = manifest_job_run(&job, argc - first, argv + first);
  cmd_close(&cmd);
  return status;
}
