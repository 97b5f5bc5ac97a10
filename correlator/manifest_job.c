#include "correlator/manifest_job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "correlator/manifest_list.h"
#include "correlator/text.h"

enum { STDIN_MAX = 256 << 20 /* bytes; they are kept in memory */ };

static volatile sig_atomic_t interrupted;

static void on_signal(int number) { interrupted = number; }

static bool on_progress(void *arg, uint64_t bytes) {
  struct manifest_job *job = arg;

  /* It is read twice; the first time is soon over. */
  job->seen += bytes;
  job->progress.done =
      job->begun + (job->seen > job->size ? job->seen - job->size : 0);
  manifest_progress_show(&job->progress);
  return interrupted == 0;
}

__attribute__((format(printf, 3, 4))) static void
complain(struct manifest_job *job, const char *path, const char *format, ...) {
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
  struct manifest_job *job = arg;

  if (error == EINVAL)
    complain(job, path, "neither a file nor a folder");
  else if (error == ELOOP)
    complain(job, path, "folders lie too deep, or symbolic links in a loop");
  else
    complain(job, path, "%s", strerrordesc_np(error));
}

/* "added   dpkg nginx 1.24-1 amd64, 3 executables: PATH" */
static void print_line(struct manifest_job *job, const char *path,
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
  for (size_t i = 0; job->dry_run && i < m->entries_len; i++)
    if (manifest_list_write(stdout, &m->entries[i],
                            isatty(STDOUT_FILENO) != 0) < 0)
      complain(job, m->entries[i].path, "out of memory");
}

static void count(struct manifest_job *job,
                  const struct manifest_result *result) {
  if (result->outcome == MANIFEST_KNOWN) {
    job->known++;
    return;
  }
  job->imported++;
  job->executables += result->manifest.entries_len;
}

/* What is no package is taken only where it was meant: anybody's source
 * tarball lies in a mirror's pool, and would hold for any path that it names.
 */
static bool is_meant(const struct manifest_job *job, int fd, bool named) {
  const struct manifest_format *format;

  return named || manifest_format_of(fd, &format) < 0 ||
         (format != NULL && (format->is_package || job->releases));
}

/* Returns EXIT_DONE to go on. */
static int take(struct manifest_job *job, int fd, const char *path,
                bool named) {
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

static int take_file(struct manifest_job *job,
                     const struct manifest_file *file) {
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

static int take_stdin(struct manifest_job *job) {
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

static int take_all(struct manifest_job *job, bool has_stdin) {
  int status = has_stdin ? take_stdin(job) : EXIT_DONE;

  for (size_t i = 0; i < job->files.len && status == EXIT_DONE; i++) {
    if (interrupted != 0)
      break;
    status = take_file(job, &job->files.files[i]);
  }
  manifest_progress_hide(&job->progress);
  return status;
}

static void print_summary(const struct manifest_job *job) {
  printf("%s%llu %s, %llu executable%s, %llu known already, %llu broken",
         job->dry_run ? "# " : "", (unsigned long long)job->imported,
         job->dry_run ? "read" : "imported",
         (unsigned long long)job->executables, job->executables == 1 ? "" : "s",
         (unsigned long long)job->known, (unsigned long long)job->broken);
  if (job->left_out > 0)
    printf(", %llu other files left out", (unsigned long long)job->left_out);
  printf("%s\n", interrupted != 0 ? "; interrupted" : "");
}

int manifest_job_run(struct manifest_job *job, int paths_len, char **paths) {
  const struct sigaction action = {.sa_handler = on_signal};
  bool has_stdin = false;
  int status;

  job->import.progress = on_progress;
  job->import.arg = job;
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
  manifest_files_clear(&job->files);
  return cmd_finish(status);
}
