#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/scan/dpkg.h"

enum {
  LISTS_MAX = 200000,
  LIST_MAX = 64 << 20,            /* bytes */
  DIVERSIONS_FILE_MAX = 16 << 20, /* bytes */
  TRIES = 3,                      /* to read a file that changes meanwhile */
};

static const char diversions_path[] = "/var/lib/dpkg/diversions";
static const char info_path[] = "/var/lib/dpkg/info";
static const char list_end[] = ".list";

/* Is it a path that a list may hold? */
static bool is_path(const char *line, size_t len) {
  return len > 0 && len < PATH_MAX && line[0] == '/' &&
         memchr(line, '\0', len) == NULL;
}

static int diversion_add(struct dpkg_reader *r, const char *from,
                         const char *package, size_t from_key, size_t to_key) {
  struct dpkg_diversion d = {.to = to_key, .next = r->keys[from_key].diversion};

  if (r->diversions_len == r->diversions_size) {
    size_t size = r->diversions_size > 0 ? 2 * r->diversions_size : 16;
    struct dpkg_diversion *bigger =
        reallocarray(r->diversions, size, sizeof(*bigger));

    if (bigger == NULL)
      return -ENOMEM;
    r->diversions = bigger;
    r->diversions_size = size;
  }
  d.from = strdup(from);
  d.package = strdup(strcmp(package, ":") == 0 ? "" : package);
  if (d.from == NULL || d.package == NULL) {
    free(d.from);
    free(d.package);
    return -ENOMEM;
  }
  r->diversions[r->diversions_len++] = d;
  r->keys[from_key].diversion = r->diversions_len;
  return 0;
}

/* Keep a diversion if it has to do with what is looked for. */
static int diversion_take(struct dpkg_reader *r, const char *from,
                          const char *to, const char *package) {
  char from_buf[PATH_MAX], to_buf[PATH_MAX];
  const char *from_path, *to_path;
  size_t from_len, to_len, from_key = 0, to_key = 0;
  int ret;

  if (!dpkg_paths_resolve(r, from, strlen(from), from_buf, &from_path,
                          &from_len) ||
      !dpkg_paths_resolve(r, to, strlen(to), to_buf, &to_path, &to_len))
    return 0;
  if (!texts_find(&r->paths, from_path, from_len, &from_key) &&
      !texts_find(&r->paths, to_path, to_len, &to_key))
    return 0;
  ret = dpkg_paths_key(r, from_path, from_len, &from_key);
  if (ret == 0)
    ret = dpkg_paths_key(r, to_path, to_len, &to_key);
  return ret < 0 ? ret : diversion_add(r, from, package, from_key, to_key);
}

/* The three lines of an entry: from, to, package. false: no entry any more. */
static int read_entry(struct lines *l, char entry[static 3][PATH_MAX],
                      bool *ret_valid) {
  *ret_valid = true;
  for (size_t i = 0; i < 3; i++) {
    char *line;
    size_t len;
    bool cut;
    int ret = lines_next(l, &line, &len, &cut);

    if (ret <= 0)
      return ret;
    if (cut || len >= PATH_MAX || memchr(line, '\0', len) != NULL ||
        (i < 2 && !is_path(line, len))) {
      *ret_valid = false;
      continue;
    }
    memcpy(entry[i], line, len);
    entry[i][len] = '\0';
  }
  return 1;
}

int dpkg_diversions_parse(struct dpkg_reader *r, int fd) {
  char entry[3][PATH_MAX];
  struct lines l;
  bool valid;
  int ret = lines_begin(&l, fd, r->buf, DIVERSIONS_FILE_MAX);
  int end;

  if (ret < 0)
    return ret;
  while ((ret = read_entry(&l, entry, &valid)) > 0) {
    if (valid)
      ret = diversion_take(r, entry[0], entry[1], entry[2]);
    if (ret < 0)
      break;
  }
  end = lines_end(&l);
  return ret < 0 ? ret : end;
}

int dpkg_diversions_read(struct dpkg_reader *r) {
  int ret = -EAGAIN;

  for (int i = 0; i < TRIES && ret == -EAGAIN; i++) {
    int fd = package_db_open_file(r->query->root_fd, diversions_path);

    dpkg_diversions_clear(r);
    ret = fd < 0 ? fd : dpkg_diversions_parse(r, fd);
  }
  return dpkg_is_garbage(ret) ? 0 : ret;
}

void dpkg_diversions_clear(struct dpkg_reader *r) {
  for (size_t i = 0; i < r->diversions_len; i++) {
    free(r->diversions[i].from);
    free(r->diversions[i].package);
  }
  free(r->diversions);
  r->diversions = NULL;
  r->diversions_len = 0;
  r->diversions_size = 0;
  for (size_t i = 0; i < r->paths.len; i++)
    r->keys[i].diversion = 0;
}

/* Where the package's file lies that it lists as `line`, which has `key`. */
static size_t divert(const struct dpkg_reader *r, const char *package,
                     const char *line, size_t len, size_t key) {
  size_t name_len = strcspn(package, ":");

  for (size_t i = r->keys[key].diversion; i > 0;
       i = r->diversions[i - 1].next) {
    const struct dpkg_diversion *d = &r->diversions[i - 1];
    bool own = strlen(d->package) == name_len &&
               memcmp(d->package, package, name_len) == 0;

    if (!own && strlen(d->from) == len && memcmp(d->from, line, len) == 0)
      return d->to;
  }
  return key;
}

/* The package lists a path that is looked for. */
static int list_take(struct dpkg_reader *r, const char *package,
                     const char *line, size_t len, size_t key) {
  struct dpkg_key *k = &r->keys[divert(r, package, line, len, key)];
  size_t number;
  int ret = texts_add(&r->packages, package, strlen(package), &number);

  if (ret < 0)
    return ret;
  for (size_t i = 0; i < k->owners_len; i++) {
    if (k->owners[i] == number)
      return 0;
  }
  if (k->owners_len < DPKG_OWNERS_MAX)
    k->owners[k->owners_len++] = number;
  return 0;
}

int dpkg_list_parse(struct dpkg_reader *r, int fd, const char *package) {
  char buf[PATH_MAX];
  struct lines l;
  char *line;
  size_t len;
  bool cut;
  int ret = lines_begin(&l, fd, r->buf, LIST_MAX);
  int end;

  if (ret < 0)
    return ret;
  while ((ret = lines_next(&l, &line, &len, &cut)) > 0) {
    const char *path;
    size_t path_len, key;

    if (!dpkg_paths_resolve(r, line, len, buf, &path, &path_len) ||
        !texts_find(&r->paths, path, path_len, &key))
      continue;
    ret = list_take(r, package, line, len, key);
    if (ret < 0)
      break;
  }
  end = lines_end(&l);
  return ret < 0 ? ret : end;
}

/* Read one list, if the folder's entry is one. */
static int list_read(struct dpkg_reader *r, const char *entry) {
  char path[sizeof(info_path) + 1 + NAME_MAX], package[NAME_MAX + 1];
  size_t len = strlen(entry);
  int ret = -EAGAIN;

  if (len < sizeof(list_end) || len > NAME_MAX || entry[0] == '.' ||
      strcmp(entry + len - (sizeof(list_end) - 1), list_end) != 0)
    return 0;
  len -= sizeof(list_end) - 1;
  memcpy(package, entry, len);
  package[len] = '\0';
  (void)snprintf(path, sizeof(path), "%s/%s", info_path, entry);
  for (int i = 0; i < TRIES && ret == -EAGAIN; i++) {
    int fd = package_db_open_file(r->query->root_fd, path);

    ret = fd < 0 ? fd : dpkg_list_parse(r, fd, package);
  }
  return dpkg_is_garbage(ret) ? 0 : ret;
}

int dpkg_lists_read(struct dpkg_reader *r) {
  int fd = package_db_open_folder(r->query->root_fd, info_path);
  DIR *dir;
  int ret = 0;

  if (fd < 0)
    return dpkg_is_garbage(fd) ? 0 : fd;
  dir = fdopendir(fd);
  if (dir == NULL) {
    close(fd);
    return -ENOMEM;
  }
  for (size_t i = 0; ret == 0 && i < 16 * (size_t)LISTS_MAX; i++) {
    const struct dirent *entry;

    errno = 0;
    entry = readdir(dir);
    if (entry == NULL) {
      ret = -errno;
      break;
    }
    ret = dpkg_progress(r);
    if (ret == 0)
      ret = list_read(r, entry->d_name);
  }
  (void)closedir(dir);
  return ret;
}
