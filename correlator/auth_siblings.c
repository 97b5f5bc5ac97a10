#include "correlator/auth_siblings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIBLINGS_MAX = 10000 /* more are not looked at */ };

static int64_t mtime_of(const struct stat *st) {
  return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static int open_fd(int folder, const char *name, int flags,
                   struct auth_file *ret_file) {
  struct stat st;
  int rc = 0;
  /* Opening a FIFO would wait for its writer. */
  int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);

  if (fd < 0)
    return -errno;
  if (fstat(fd, &st) != 0)
    rc = -errno;
  else if (!S_ISREG(st.st_mode))
    rc = -EINVAL;
  if (rc != 0) {
    (void)close(fd);
    return rc;
  }
  *ret_file = (struct auth_file){.fd = fd,
                                 .place = {.device = st.st_dev,
                                           .inode = st.st_ino,
                                           .offset = (uint64_t)st.st_size,
                                           .mtime_ns = mtime_of(&st)}};
  return 0;
}

/* What stands for a rotation: a number or a date. */
static size_t rotation_len(const char *text) {
  return *text < '0' || *text > '9' ? 0 : strspn(text, "0123456789-_:T");
}

/* Where it begins in a rotated file's name, and 0 in others: NAME.1 and
 * NAME-20261126, and with an extension that is kept, STEM.1.EXT. */
static size_t rotation_of(const char *base, const char *name) {
  const char *extension = strrchr(base, '.');
  size_t whole = strlen(base);
  size_t stem = extension == NULL ? 0 : (size_t)(extension - base);

  if (strncmp(name, base, whole) == 0 &&
      (name[whole] == '.' || name[whole] == '-')) {
    size_t len = rotation_len(name + whole + 1);
    if (len > 0 && name[whole + 1 + len] == '\0')
      return whole + 1;
  }
  if (stem == 0 || strncmp(name, base, stem) != 0 ||
      (name[stem] != '.' && name[stem] != '-'))
    return 0;
  size_t len = rotation_len(name + stem + 1);
  return len > 0 && strcmp(name + stem + 1 + len, extension) == 0 ? stem + 1
                                                                  : 0;
}

static int add(struct auth_siblings *s, const char *name, size_t rotation,
               const struct stat *st) {
  struct auth_sibling *grown = realloc(s->at, (s->len + 1) * sizeof(*s->at));

  if (grown == NULL)
    return -ENOMEM;
  s->at = grown;
  grown[s->len] = (struct auth_sibling){.rotation = rotation,
                                        .device = st->st_dev,
                                        .inode = st->st_ino,
                                        .size = (uint64_t)st->st_size,
                                        .mtime_ns = mtime_of(st)};
  (void)snprintf(grown[s->len].name, sizeof(grown[s->len].name), "%s", name);
  s->len++;
  return 0;
}

static int read_entries(struct auth_siblings *s, DIR *dir) {
  struct stat st;
  const struct dirent *entry;
  int rc = 0;

  while (rc == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
    size_t rotation = rotation_of(s->base, entry->d_name);
    if (rotation > 0 && s->len < SIBLINGS_MAX &&
        fstatat(s->folder_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISREG(st.st_mode))
      rc = add(s, entry->d_name, rotation, &st);
  }
  return rc != 0 ? rc : -errno;
}

/* PATH comes last, and need not be there. */
static int look(struct auth_siblings *s) {
  struct stat st;
  int fd = openat(s->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd < 0 ? NULL : fdopendir(fd);

  s->len = 0;
  int rc = dir == NULL ? -errno : read_entries(s, dir);
  if (dir != NULL)
    (void)closedir(dir);
  else if (fd >= 0)
    (void)close(fd);
  if (rc == 0 && stat(s->path, &st) == 0)
    rc = add(s, "", 0, &st);
  return rc;
}

void auth_siblings_free(struct auth_siblings *s) {
  if (s->folder_fd >= 0)
    (void)close(s->folder_fd);
  free(s->at);
}

static bool is_dated(const struct auth_sibling *a) {
  enum { DATE_MIN = 6 };

  return rotation_len(a->name + a->rotation) >= DATE_MIN;
}

static bool is_mixed(const struct auth_siblings *s) {
  size_t rotated = 0;
  size_t dated = 0;

  for (size_t i = 0; i < s->len; i++) {
    rotated += s->at[i].rotation > 0;
    dated += s->at[i].rotation > 0 && is_dated(&s->at[i]);
  }
  return dated > 0 && dated < rotated;
}

static bool are_the_same(const struct auth_siblings *a,
                         const struct auth_siblings *b) {
  bool same = a->len == b->len;

  for (size_t i = 0; same && i < a->len; i++)
    same = a->at[i].inode == b->at[i].inode &&
           strcmp(a->at[i].name, b->at[i].name) == 0;
  return same;
}

int auth_siblings_list(const char *path, struct auth_siblings *ret_siblings) {
  struct auth_siblings *s = ret_siblings;
  const char *slash = strrchr(path, '/');
  struct auth_siblings again;
  char folder[PATH_MAX];

  *s = (struct auth_siblings){.path = path, .base = slash + 1};
  (void)snprintf(folder, sizeof(folder), "%.*s",
                 slash == path ? 1 : (int)(slash - path), path);
  s->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (s->folder_fd < 0)
    return -errno;
  int rc = look(s);
  again = *s;
  again.at = NULL;
  if (rc == 0)
    rc = look(&again);
  if (rc == 0 && !are_the_same(s, &again))
    rc = -EAGAIN;
  s->mixed = is_mixed(s);
  free(again.at);
  return rc;
}

int auth_siblings_open_path(const char *path, struct auth_file *ret_file) {
  return open_fd(AT_FDCWD, path, O_NOCTTY, ret_file);
}

int auth_siblings_open(const struct auth_siblings *s,
                       const struct auth_sibling *sibling,
                       struct auth_file *ret_file) {
  struct auth_file file = {.fd = -1};
  int rc = sibling->name[0] == '\0'
               ? auth_siblings_open_path(s->path, &file)
               : open_fd(s->folder_fd, sibling->name, O_NOFOLLOW, &file);

  if (rc == -ENOENT)
    return -EAGAIN;
  if (rc == 0 && file.place.inode != sibling->inode) {
    (void)close(file.fd);
    return -EAGAIN;
  }
  if (rc == 0)
    *ret_file = file;
  return rc;
}

/* All by one order, or two files might each follow on the other. */
bool auth_siblings_older(const struct auth_siblings *s,
                         const struct auth_sibling *a,
                         const struct auth_sibling *b) {
  if (s->mixed && a->mtime_ns != b->mtime_ns)
    return a->mtime_ns < b->mtime_ns;
  if (is_dated(a) != is_dated(b))
    return is_dated(b);
  int order = strverscmp(a->name + a->rotation, b->name + b->rotation);
  if (order == 0)
    return strcmp(a->name, b->name) < 0;
  return is_dated(a) ? order < 0 : order > 0;
}
