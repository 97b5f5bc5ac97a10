#include "correlator/graphviz.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "correlator/program.h"

enum { TIMEOUT_S = 60 };
#define SVG_MAX (64UL << 20)

/* Gives r. */
__attribute__((format(printf, 3, 4))) static int
refuse(char *reason, int r, const char *format, ...) {
  va_list ap;

  va_start(ap, format);
  /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, above. */
  (void)vsnprintf(reason, GRAPHVIZ_REASON_MAX, format, ap);
  va_end(ap);
  return r;
}

/* Where dot is; NULL: nowhere, or no memory. */
static char *find_dot(void) {
  const char *path = secure_getenv("PATH");

  for (; path != NULL && *path != '\0'; path += *path == ':') {
    size_t len = strcspn(path, ":");
    char *program = NULL;

    if (*path == '/' && asprintf(&program, "%.*s/dot", (int)len, path) < 0)
      return NULL;
    if (program != NULL && access(program, X_OK) == 0)
      return program;
    free(program);
    path += len;
  }
  return NULL;
}

static int write_all(int fd, const char *text, size_t len) {
  while (len > 0) {
    ssize_t n = write(fd, text, len);

    if (n < 0 && errno != EINTR)
      return -errno;
    text += n > 0 ? n : 0;
    len -= n > 0 ? (size_t)n : 0;
  }
  return 0;
}

/* All of a file, from its beginning. */
static int copy_all(int to, int from) {
  char chunk[1 << 14];
  ssize_t n;
  int r = lseek(from, 0, SEEK_SET) < 0 ? -errno : 0;

  while (r == 0 && (n = read(from, chunk, sizeof(chunk))) != 0)
    r = n > 0 ? write_all(to, chunk, (size_t)n) : -errno;
  return r;
}

/* Have dot read one file and write another. */
static int run_dot(const char *dot, int graph, int drawing, char *reason) {
  char svg[] = "-Tsvg", locale[] = "LC_ALL=C.UTF-8", name[] = "dot";
  char *argv[] = {name, svg, NULL}, *environment[] = {locale, NULL};
  const struct program program = {.path = dot,
                                  .argv = argv,
                                  .environment = environment,
                                  .folder = "/",
                                  .file_size_max = SVG_MAX,
                                  .input = graph,
                                  .output = drawing};
  struct program_result result;
  int r = program_run(&program, TIMEOUT_S, &result);

  if (r < 0)
    r = refuse(reason, r, "%s: %s", dot, strerror(-r));
  else if (result.timed_out)
    r = refuse(reason, -ETIMEDOUT,
               "%s: not done after %d s; --dot gives the graph for a machine "
               "with more time",
               dot, TIMEOUT_S);
  else if (!WIFEXITED(result.status) || WEXITSTATUS(result.status) != 0 ||
           lseek(drawing, 0, SEEK_END) <= 0)
    r = refuse(reason, -EIO, "%s: no drawing, wait status %d: %.*s", dot,
               result.status, (int)strcspn(result.error, "\n"), result.error);
  program_result_free(&result);
  return r;
}

static int draw(const char *text, int drawing, char *reason) {
  char *dot = find_dot();
  int graph = memfd_create("graph", MFD_CLOEXEC), r;

  if (dot == NULL) {
    r = refuse(reason, -ENOENT,
               "dot: not found in $PATH: drawing needs Graphviz (Debian's "
               "package graphviz); --dot gives the graph without it");
    goto out;
  }
  r = graph < 0 ? -errno : write_all(graph, text, strlen(text));
  if (r == 0 && lseek(graph, 0, SEEK_SET) < 0)
    r = -errno;
  r = r < 0 ? refuse(reason, r, "graph: %s", strerror(-r))
            : run_dot(dot, graph, drawing, reason);
out:
  if (graph >= 0)
    (void)close(graph);
  free(dot);
  return r;
}

/* Fill a new file and give it its place. */
static int replace(const char *target, mode_t mode, int drawing) {
  char *temporary;
  int fd, r;

  if (asprintf(&temporary, "%s.XXXXXX", target) < 0)
    return -ENOMEM;
  fd = mkostemp(temporary, O_CLOEXEC);
  r = fd < 0 ? -errno : copy_all(fd, drawing);
  if (r == 0 && (fchmod(fd, mode) != 0 || fsync(fd) != 0 ||
                 rename(temporary, target) != 0))
    r = -errno;
  if (r < 0 && fd >= 0)
    (void)unlink(temporary);
  if (fd >= 0)
    (void)close(fd);
  free(temporary);
  return r;
}

/* A file that is there keeps its mode and the links to it; a new one has the
 * usual mode. */
static int write_file(const char *file, int drawing, char *reason) {
  struct stat before;
  mode_t mask = umask(0);
  char *target;
  int r;

  (void)umask(mask);
  if (stat(file, &before) != 0) {
    r = replace(file, 0666 & ~mask, drawing);
  } else if (!S_ISREG(before.st_mode)) {
    return refuse(reason, -EINVAL, "%s: expected a regular file", file);
  } else {
    target = realpath(file, NULL);
    r = target == NULL ? -errno
                       : replace(target, before.st_mode & 0777, drawing);
    free(target);
  }
  return r < 0 ? refuse(reason, r, "%s: %s", file, strerror(-r)) : 0;
}

int graphviz_svg(const char *graph, const char *file,
                 char ret_reason[static GRAPHVIZ_REASON_MAX]) {
  int drawing = memfd_create("drawing", MFD_CLOEXEC), r;

  if (drawing < 0)
    return refuse(ret_reason, -errno, "drawing: %m");
  r = draw(graph, drawing, ret_reason);
  if (r == 0 && file != NULL) {
    r = write_file(file, drawing, ret_reason);
  } else if (r == 0) {
    r = copy_all(STDOUT_FILENO, drawing);
    if (r < 0)
      r = refuse(ret_reason, r, "standard output: %s", strerror(-r));
  }
  (void)close(drawing);
  return r;
}
