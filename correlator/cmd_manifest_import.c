/* process-dna-correlator manifest import */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "correlator/cmd_common.h"
#include "correlator/cmd_manifest.h"
#include "correlator/manifest_import.h"
#include "correlator/manifest_options.h"
#include "correlator/manifest_progress.h"
#include "correlator/manifest_rpm.h"
#include "correlator/manifest_walk.h"
#include "correlator/text.h"

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

enum { STDIN_MAX = 256 << 20 /* bytes; they are kept in memory */ };

struct job {
  struct manifest_import import;
  struct manifest_limits limits;
  struct manifest_files files;
  struct manifest_progress progress;
  bool releases, dry_run, quiet;
  bool lines;     /* one for each file */
  uint64_t begun; /* bytes done before the present file */
  uint64_t seen;  /* of the present file, both readings */
  uint64_t size;  /* of the present file */
  uint64_t added, known, executables, broken, left_out;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number) { interrupted = number; }

static bool on_progress(void *arg, uint64_t bytes) {
  struct job *job = arg;

  /* It is read twice; the first time is soon over. */
  job->seen += bytes;
  job->progress.done =
      job->begun + (job->seen > job->size ? job->seen - job->size : 0);
  manifest_progress_show(&job->progress);
  return interrupted == 0;
}

__attribute__((format(printf, 3, 4))) static void
complain(struct job *job, const char *path, const char *format, ...) {
  va_list ap;
  char *why;

  va_start(ap, format);
  if (vasprintf(&why, format, ap) < 0)
    why = NULL;
  va_end(ap);
  manifest_progress_hide(&job->progress);
  cmd_error("%s: %s", path, why != NULL ? why : "out of memory");
  free(why);
  job->broken++;
}

static void on_trouble(void *arg, const char *path, int error) {
  struct job *job = arg;

  if (error == EINVAL)
    complain(job, path, "neither a file nor a folder");
  else if (error == ELOOP)
    complain(job, path, "folders lie too deep, or symbolic links in a loop");
  else
    complain(job, path, "%s", strerrordesc_np(error));
}

static void print_digests(const struct manifest *m) {
  char hex[DIGEST_HEX_LEN + 1];

  for (size_t i = 0; i < m->entries_len; i++) {
    digest_to_hex(&m->entries[i].digest, hex);
    printf("%s  %s\n", hex, m->entries[i].path);
  }
}

/* "added   dpkg nginx 1.24-1 amd64, 3 executables: PATH" */
static void print_line(const struct job *job, const char *path,
                       const struct manifest_result *result) {
  static const char *const words[] = {
      [MANIFEST_ADDED] = "added",
      [MANIFEST_KNOWN] = "known",
      [MANIFEST_RAISED] = "raised",
      [MANIFEST_READ] = "read",
  };
  const struct manifest *m = &result->manifest;
  const struct package *p = &m->package;
  char *printable;

  if (!job->lines && !job->dry_run)
    return;
  printable = text_printable(path);
  printf("%s%-7s%s", job->dry_run ? "# " : "", words[result->outcome],
         printable != NULL ? printable : "");
  if (p->manager[0] != '\0')
    printf(": %s %s %s %s", p->manager, p->name, p->version, p->arch);
  else if (!result->format->is_package)
    printf(": release");
  if (m->entries_len > 0 || result->outcome != MANIFEST_KNOWN)
    printf(", %zu executable%s", m->entries_len,
           m->entries_len == 1 ? "" : "s");
  putchar('\n');
  free(printable);
  if (job->dry_run)
    print_digests(m);
}

static void count(struct job *job, const struct manifest_result *result) {
  if (result->outcome == MANIFEST_KNOWN) {
    job->known++;
    return;
  }
  job->added++;
  job->executables += result->manifest.entries_len;
}

/* What is no package is taken only where it was meant: anybody's source
 * tarball lies in a mirror's pool, and would hold for any path that it names.
 */
static bool is_meant(const struct job *job, int fd, bool named) {
  const struct manifest_format *format;

  return named || manifest_format_of(fd, &format) < 0 ||
         (format != NULL && (format->is_package || job->releases));
}

/* Returns EXIT_DONE to go on. */
static int take(struct job *job, int fd, const char *path, bool named) {
  struct manifest_result result = {0};
  int error, status = EXIT_DONE;

  if (!is_meant(job, fd, named)) {
    job->left_out++;
    return EXIT_DONE;
  }
  error = manifest_import_file(&job->import, fd, path, &result);
  manifest_progress_hide(&job->progress);
  if (error == 0) {
    count(job, &result);
    print_line(job, path, &result);
  } else if (error == -ENOTCONN) {
    status = EXIT_DATABASE;
  } else if (error == -EBADMSG || error == -ENOMSG) {
    complain(job, path, "%s", result.why);
  } else if (error != -ECANCELED) {
    complain(job, path, "%s", strerrordesc_np(-error));
  }
  manifest_result_clear(&result);
  return status;
}

static int take_file(struct job *job, const struct manifest_file *file) {
  int fd, status;

  job->begun = job->progress.done;
  job->seen = 0;
  job->size = file->size;
  job->progress.what = file->path;
  manifest_progress_show(&job->progress);
  /* What was a file when the folder was read may be a FIFO now. */
  fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    on_trouble(job, file->path, errno);
    return EXIT_DONE;
  }
  status = take(job, fd, file->path, file->named);
  (void)close(fd);
  job->progress.done = job->begun + file->size;
  return status;
}

/* Standard input may be a pipe, and a reader wants to go back: what comes is
 * kept in memory, and nowhere else. Returns a descriptor or a negative errno.
 */
static int keep_stdin(void) {
  int fd = memfd_create("manifest", MFD_CLOEXEC), error = 0;
  size_t len = 0;
  char block[1 << 16];
  ssize_t n = 0;

  if (fd < 0)
    return -errno;
  while (error == 0 && (n = read(STDIN_FILENO, block, sizeof(block))) != 0) {
    if (interrupted != 0)
      error = -ECANCELED;
    else if (n < 0)
      error = errno == EINTR ? 0 : -errno;
    else if ((len += (size_t)n) > STDIN_MAX)
      error = -EFBIG;
    else if (write(fd, block, (size_t)n) != n)
      error = -ENOMEM;
  }
  if (error == 0)
    return fd;
  (void)close(fd);
  return error;
}

static int take_stdin(struct job *job) {
  static const char name[] = "standard input";
  int fd = keep_stdin(), status;

  if (fd < 0) {
    if (fd != -ECANCELED)
      on_trouble(job, name, -fd);
    return EXIT_DONE;
  }
  status = take(job, fd, name, true);
  (void)close(fd);
  return status;
}

static int take_all(struct job *job, bool has_stdin) {
  int status = has_stdin ? take_stdin(job) : EXIT_DONE;

  for (size_t i = 0; i < job->files.len && status == EXIT_DONE; i++) {
    if (interrupted != 0)
      break;
    status = take_file(job, &job->files.files[i]);
  }
  manifest_progress_hide(&job->progress);
  return status;
}

static void print_summary(const struct job *job) {
  printf("%s%llu %s, %llu executable%s, %llu known already, %llu broken",
         job->dry_run ? "# " : "", (unsigned long long)job->added,
         job->dry_run ? "read" : "imported",
         (unsigned long long)job->executables, job->executables == 1 ? "" : "s",
         (unsigned long long)job->known, (unsigned long long)job->broken);
  if (job->left_out > 0)
    printf(", %llu other files left out", (unsigned long long)job->left_out);
  printf("%s\n", interrupted != 0 ? "; interrupted" : "");
}

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

/* What the texts say, into the job and the buffers. -1: go on. */
static int read_texts(const struct texts *t, struct job *job,
                      char glob[static MANIFEST_GLOB_MAX + 1],
                      char expires[static MANIFEST_EXPIRES_MAX]) {
  enum { MIB_MAX = 1 << 24, TIME_MAX = 1 << 20 };
  uint64_t n;
  int error;

  if (t->path != NULL && manifest_glob(t->path, glob) < 0)
    return cmd_usage("manifest import",
                     "--path %s: expected a pattern of absolute paths, of at "
                     "most %d bytes, in whose brackets are plain letters",
                     t->path, MANIFEST_GLOB_MAX);
  job->import.glob = t->path != NULL ? glob : NULL;
  job->import.keyring = t->keyring;
  if (t->keyring != NULL && (error = check_keyring(t->keyring)) >= 0)
    return error;
  if (t->expires != NULL) {
    error = manifest_expires(t->expires, time(NULL), expires);
    if (error < 0)
      return cmd_usage("manifest import",
                       error == -ERANGE
                           ? "--expires %s: that is not in the next 100 years"
                           : "--expires %s: expected a date as 2026-12-31, or "
                             "a time as 12h, 90d or 8w",
                       t->expires);
    job->import.expires = expires;
  }
  if (t->max_size != NULL) {
    if (!read_number(t->max_size, MIB_MAX, &n))
      return cmd_usage("manifest import",
                       "--max-size %s: expected MiB from 1 to %d", t->max_size,
                       MIB_MAX);
    job->limits.unpacked_bytes = n << 20;
  }
  if (t->max_time != NULL) {
    if (!read_number(t->max_time, TIME_MAX, &n))
      return cmd_usage("manifest import",
                       "--max-time %s: expected seconds from 1 to %d",
                       t->max_time, TIME_MAX);
    job->limits.time_s = (unsigned)n;
  }
  return -1;
}

static int run(struct job *job, int paths_len, char **paths) {
  const struct sigaction action = {.sa_handler = on_signal};
  bool has_stdin = false;
  int status;

  (void)sigaction(SIGINT, &action, NULL);
  (void)sigaction(SIGTERM, &action, NULL);
  for (int i = 0; i < paths_len; i++) {
    if (strcmp(paths[i], "-") == 0)
      has_stdin = true;
    else if (manifest_walk(&job->files, paths[i], on_trouble, job) < 0)
      complain(job, paths[i], "out of memory");
  }
  manifest_progress_begin(&job->progress, stderr, !job->quiet && !job->dry_run,
                          job->files.size);
  job->lines =
      !job->quiet && (job->progress.out == NULL || isatty(STDOUT_FILENO) == 0);
  status = take_all(job, has_stdin);
  if (!job->quiet)
    print_summary(job);
  if (status == EXIT_DONE && (job->broken > 0 || interrupted != 0))
    status = EXIT_NO;
  return cmd_finish(status);
}

int command_manifest_import(const struct config *config, int argc,
                            char **argv) {
  struct job job = {.limits = manifest_limits_default};
  struct texts t = {0};
  const struct cmd_syntax syntax = {help,
                                    {{"path", 'p', NULL, &t.path},
                                     {"expires", 'e', NULL, &t.expires},
                                     {"releases", 0, &job.releases, NULL},
                                     {"by", 0, NULL, &t.by},
                                     {"keyring", 'k', NULL, &t.keyring},
                                     {"max-size", 0, NULL, &t.max_size},
                                     {"max-time", 0, NULL, &t.max_time},
                                     {"dry-run", 'n', &job.dry_run, NULL},
                                     {"quiet", 'q', &job.quiet, NULL}}};
  char glob[MANIFEST_GLOB_MAX + 1], expires[MANIFEST_EXPIRES_MAX];
  char who[CMD_WHO_MAX];
  struct cmd cmd = {0};
  int first, status = cmd_options(&syntax, argc, argv, &first);

  if (status >= 0)
    return status;
  if (first == argc)
    return cmd_usage("manifest import", "manifest import: a PATH expected");
  status = read_texts(&t, &job, glob, expires);
  if (status >= 0)
    return status;
  cmd_who(who);
  job.import.by = t.by != NULL ? t.by : who;
  job.import.limits = &job.limits;
  job.import.progress = on_progress;
  job.import.arg = &job;
  status = EXIT_DONE;
  if (!job.dry_run) {
    status = cmd_open(config, &cmd);
    job.import.cmd = &cmd;
  }
  if (status == EXIT_DONE)
    status = run(&job, argc - first, argv + first);
  manifest_files_clear(&job.files);
  cmd_close(&cmd);
  return status;
}
