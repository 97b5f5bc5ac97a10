#include "correlator/fetch_root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "correlator/word.h"

enum {
  LOCK_PAUSE_MS = 20,
  TEXT_MAX = 1 << 21, /* of a file that fetch_root_write compares */
};

/* What programs may know of our environment. */
static const char *const passed_on[] = {
    "http_proxy",  "https_proxy", "no_proxy",  "all_proxy",
    "HTTPS_PROXY", "NO_PROXY",    "ALL_PROXY",
};

enum {
  PASSED_ON_LEN = sizeof(passed_on) / sizeof(passed_on[0]),
  FIXED_LEN = 4
};

bool fetch_reason(char *reason, const char *format, ...) {
  va_list args;

  va_start(args, format);
  /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, above. */
  (void)vsnprintf(reason, FETCH_REASON_MAX, format, args);
  va_end(args);
  for (char *c = reason; *c != '\0'; c++)
    if (*c < ' ' || *c > '~')
      *c = '?';
  return false;
}

static bool out_of_memory(char *reason) {
  return fetch_reason(reason, "out of memory");
}

static char *path_in(const struct fetch_root *root, const char *name) {
  char *path;

  return asprintf(&path, "%s/%s", root->path, name) < 0 ? NULL : path;
}

/* Like mkdir -p, from `from` on, which is the length of what is there. */
static bool make_folders(char *path, size_t from, char *reason) {
  for (char *slash = path + from; slash != NULL && *slash != '\0';) {
    slash = strchr(slash + 1, '/');
    if (slash != NULL)
      *slash = '\0';
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
      return fetch_reason(reason, "%s: %m", path);
    if (slash != NULL)
      *slash = '/';
  }
  return true;
}

bool fetch_root_folder(const struct fetch_root *root, const char *name,
                       char *reason) {
  char *path = path_in(root, name);
  bool made = path == NULL ? out_of_memory(reason)
                           : make_folders(path, strlen(root->path), reason);

  free(path);
  return made;
}

/* Has the file this text? */
static bool has_text(int fd, const char *text, size_t len) {
  struct stat st;
  char *found;

  if (fstat(fd, &st) != 0 || st.st_size != (off_t)len || len > TEXT_MAX)
    return false;
  found = malloc(len + 1);
  bool same = found != NULL && pread(fd, found, len, 0) == (ssize_t)len &&
              memcmp(found, text, len) == 0;
  free(found);
  return same;
}

bool fetch_root_write(const struct fetch_root *root, const char *name,
                      const char *text, bool *ret_changed, char *reason) {
  size_t len = strlen(text);
  char *path = path_in(root, name);
  bool written = false;
  int fd = -1;

  if (path == NULL)
    return out_of_memory(reason);
  fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    goto out;
  if (has_text(fd, text, len)) {
    written = true;
    goto out;
  }
  *ret_changed = true;
  written = ftruncate(fd, 0) == 0 && write(fd, text, len) == (ssize_t)len;

out:
  if (!written)
    (void)fetch_reason(reason, "%s: %m", path);
  if (fd >= 0)
    (void)close(fd);
  free(path);
  return written;
}

void fetch_root_clear(const struct fetch_root *root) {
  DIR *folder = opendir(root->download);
  struct dirent *entry;

  if (folder == NULL)
    return;
  /* NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is our own. */
  while ((entry = readdir(folder)) != NULL)
    if (entry->d_name[0] != '.')
      (void)unlinkat(dirfd(folder), entry->d_name, 0);
  (void)closedir(folder);
}

int64_t fetch_root_updated_us(const struct fetch_root *root) {
  struct stat st;
  char *path = path_in(root, "updated");
  bool there = path != NULL && stat(path, &st) == 0;

  free(path);
  return there
             ? (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000
             : 0;
}

void fetch_root_set_updated(const struct fetch_root *root, int64_t begun_us) {
  const struct timespec begun = {begun_us / 1000000, begun_us % 1000000 * 1000};
  const struct timespec times[] = {begun, begun};
  char *path = path_in(root, "updated");
  int fd;

  if (path == NULL)
    return;
  (void)unlink(path);
  if (begun_us > 0 &&
      (fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) >= 0) {
    if (futimens(fd, times) != 0)
      (void)unlink(path);
    (void)close(fd);
  }
  free(path);
}

static bool add(struct fetch_root *root, size_t *len, const char *name,
                const char *value) {
  if (asprintf(&root->environment[*len], "%s=%s", name, value) < 0) {
    root->environment[*len] = NULL;
    return false;
  }
  ++*len;
  return true;
}

static bool make_environment(struct fetch_root *root) {
  size_t len = 0;

  root->environment =
      calloc(FIXED_LEN + PASSED_ON_LEN + 1, sizeof(*root->environment));
  char *temporary = path_in(root, "tmp");
  bool made = root->environment != NULL && temporary != NULL &&
              add(root, &len, "PATH", "/usr/sbin:/usr/bin:/sbin:/bin") &&
              add(root, &len, "LC_ALL", "C") &&
              add(root, &len, "HOME", root->path) &&
              add(root, &len, "TMPDIR", temporary);
  for (size_t i = 0; made && i < PASSED_ON_LEN; i++) {
    const char *value = secure_getenv(passed_on[i]);
    if (value != NULL)
      made = add(root, &len, passed_on[i], value);
  }
  free(temporary);
  return made;
}

/* The tools' own files take such a path as it is. */
static bool check_path(const char *path, char *reason) {
  return word_is_printable(path, "\"'\\;{}#$`,") ||
         fetch_reason(reason,
                      "state-dir: expected printable ASCII without spaces, "
                      "quotes and \\ ; { } # $ ` , found %s",
                      path);
}

/* What another user made here would be in the way of `run` later, and who can
 * put files here could give any to be believed. */
static bool check_owner(const char *state_dir, char *reason) {
  struct stat st;

  if (stat(state_dir, &st) != 0)
    return fetch_reason(reason, "state-dir %s: %m", state_dir);
  if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fetch_reason(reason,
                        "state-dir %s: expected nobody but its owner to write "
                        "there, found mode %04o",
                        state_dir, (unsigned)st.st_mode & 07777U);
  if (st.st_uid != geteuid())
    return fetch_reason(reason,
                        "state-dir %s: expected its owner (uid %u) to fetch, "
                        "found uid %u",
                        state_dir, (unsigned)st.st_uid, (unsigned)geteuid());
  return true;
}

static bool lock(struct fetch_root *root, char *reason) {
  const struct timespec pause = {0, LOCK_PAUSE_MS * 1000000L};
  int64_t tries = (int64_t)root->config->timeout_s * 1000 / LOCK_PAUSE_MS;
  char *path = path_in(root, "lock");

  if (path == NULL)
    return out_of_memory(reason);
  root->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  while (root->lock_fd >= 0 && flock(root->lock_fd, LOCK_EX | LOCK_NB) != 0 &&
         errno == EWOULDBLOCK && tries-- > 0)
    (void)nanosleep(&pause, NULL);
  bool locked = root->lock_fd >= 0 && tries >= 0;
  if (root->lock_fd < 0)
    (void)fetch_reason(reason, "%s: %m", path);
  else if (!locked)
    (void)fetch_reason(reason, "%s: another fetch is under way", path);
  free(path);
  return locked;
}

bool fetch_root_open(const struct config *config,
                     const struct fetch_config *fetch,
                     struct fetch_root **ret_root, char *reason) {
  struct fetch_root *root = calloc(1, sizeof(*root));
  bool opened = false;

  if (root == NULL)
    return out_of_memory(reason);
  root->config = fetch;
  root->lock_fd = -1;
  (void)out_of_memory(reason);
  if (asprintf(&root->path, "%s/fetch/%s", config->state_dir, fetch->name) < 0)
    root->path = NULL;
  if (root->path == NULL || !check_path(root->path, reason) ||
      !check_owner(config->state_dir, reason) ||
      !make_folders(root->path, strlen(config->state_dir), reason) ||
      !fetch_root_folder(root, "download", reason) ||
      !fetch_root_folder(root, "tmp", reason) || !lock(root, reason))
    goto out;
  (void)out_of_memory(reason);
  root->download = path_in(root, "download");
  if (root->download == NULL || !make_environment(root))
    goto out;
  fetch_root_clear(root);
  *ret_root = root;
  root = NULL;
  opened = true;

out:
  fetch_root_close(root);
  return opened;
}

void fetch_root_close(struct fetch_root *root) {
  if (root == NULL)
    return;
  for (size_t i = 0; root->environment != NULL && root->environment[i] != NULL;
       i++)
    free(root->environment[i]);
  free(root->environment);
  if (root->lock_fd >= 0)
    (void)close(root->lock_fd);
  free(root->download);
  free(root->path);
  free(root);
}

bool fetch_root_run(const struct fetch_root *root, char *const *argv,
                    char *more, uint64_t file_size_max,
                    struct program_result *ret_result, char *reason) {
  char *environment[FIXED_LEN + PASSED_ON_LEN + 2];
  const struct program program = {.argv = argv,
                                  .environment = environment,
                                  .folder = root->download,
                                  .file_size_max = file_size_max};
  size_t len = 0;

  for (; root->environment[len] != NULL; len++)
    environment[len] = root->environment[len];
  environment[len++] = more;
  environment[len] = NULL; /* also where `more` is */
  int rc = program_run(&program, root->config->timeout_s, ret_result);
  if (rc != 0)
    return fetch_reason(reason, "%s: %s", argv[0], strerrordesc_np(-rc));
  if (ret_result->timed_out)
    return fetch_reason(reason, "%s: no answer within %u s", argv[0],
                        root->config->timeout_s);
  return true;
}
