#include "lib/scan/rpm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/record/pathname.h"
#include "lib/scan/exe.h"
#include "lib/scan/rpm_query.h"

static const char *const folders[] = {"/var/lib/rpm", "/usr/lib/sysimage/rpm"};

/* A database of each format: the file that it is told by, another one that
 * changes with it, and rpm's name of a backend that only reads it. The shared
 * memory of sqlite (-shm) is left out: each reader writes to it. */
static const struct format {
  const char *file;
  const char *other;
  const char *backend;
} formats[] = {
    {"rpmdb.sqlite", "rpmdb.sqlite-wal", "sqlite"},
    {"Packages.db", "Index.db", "ndb"},
    {"Packages", "Basenames", "bdb_ro"},
};

enum {
  FOLDERS_LEN = sizeof(folders) / sizeof(folders[0]),
  FORMATS_LEN = sizeof(formats) / sizeof(formats[0]),
  NAME_LEN = 64, /* of a folder with a file */
  NS_PER_S = 1000000000,
};

/* Fowler, Noll and Vo's hash, by whole numbers. */
static const uint64_t FNV_BASIS = 0xcbf29ce484222325, FNV_PRIME = 0x100000001b3;

/* The stamp of a database that librpm could not open. It loses some memory
 * each time, and the database is asked again with each scan. */
static _Atomic uint64_t unreadable;

struct place {
  const char *folder;
  const struct format *format;
  uint64_t stamp;    /* of its files */
  int64_t changed_s; /* when the last of them did */
};

static const char *name_of(char name[static NAME_LEN], const char *folder,
                           const char *file) {
  (void)snprintf(name, NAME_LEN, "%s/%s", folder, file);
  return name;
}

/* Facts of what lies at `folder`/`file`. Returns 0 or a negative errno; nothing
 * is there: -ENOENT. */
static int look_at(int root_fd, bool cached, const char *folder,
                   const char *file, struct file_stat *ret) {
  char name[NAME_LEN];
  int fd = package_db_open_path(root_fd, name_of(name, folder, file), cached);
  int r;

  if (fd < 0)
    return fd == -ENOTDIR ? -ENOENT : fd;
  r = file_stat_at(fd, "", cached ? FILE_STAT_KNOWN : FILE_STAT_SYNC, ret);
  (void)close(fd);
  return r;
}

/* The time of change (ctime) is no part of it: as root, sqlite sets the owner
 * of a -wal that it only reads. */
static void note(struct place *place, const struct file_stat *file) {
  const uint64_t values[] = {file->id.dev, file->id.ino, file->id.size,
                             (uint64_t)file->id.mtime_ns};
  int64_t changed = file->id.mtime_ns / NS_PER_S;

  for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
    place->stamp = (place->stamp ^ values[i]) * FNV_PRIME;
  if (place->changed_s < changed)
    place->changed_s = changed;
}

static int look_for(int root_fd, bool cached, const char *folder,
                    const struct format *format, struct place *ret) {
  struct place place = {folder, format, FNV_BASIS, 0};
  struct file_stat file;
  int r = look_at(root_fd, cached, folder, format->file, &file);

  if (r < 0)
    return r;
  if (!S_ISREG(file.facts.mode))
    return -ENOENT;
  note(&place, &file);
  r = look_at(root_fd, cached, folder, format->other, &file);
  if (r == 0)
    note(&place, &file);
  else if (r != -ENOENT)
    return r;
  *ret = place;
  return 0;
}

/* Returns 0, -ENOENT (there is no database) or another negative errno. */
static int find_place(int root_fd, bool cached, struct place *ret) {
  int r = -ENOENT;

  for (size_t i = 0; i < FOLDERS_LEN && r == -ENOENT; i++)
    for (size_t j = 0; j < FORMATS_LEN && r == -ENOENT; j++)
      r = look_for(root_fd, cached, folders[i], &formats[j], ret);
  return r;
}

/* Does another process hold the file's lock for writing? That of a reader,
 * which anyone may be, is none. Returns 1, 0 or a negative errno. Opening may
 * wait where a program or a server answers; that a disk has the file is told by
 * its device number. */
static int is_locked(int root_fd, bool cached, const char *name) {
  struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
  struct file_stat file;
  char again[32];
  int path_fd = package_db_open_path(root_fd, name, cached);
  int fd = -1;
  int r;

  if (path_fd < 0)
    return path_fd == -ENOENT || path_fd == -ENOTDIR ? 0 : path_fd;
  if ((r = file_stat_at(path_fd, "", FILE_STAT_LIGHT, &file)) < 0 ||
      !S_ISREG(file.facts.mode))
    goto out;
  r = -EAGAIN;
  if (cached && major(file.id.dev) == 0)
    goto out;
  (void)snprintf(again, sizeof(again), "/proc/self/fd/%d", path_fd);
  if ((fd = open(again, O_RDONLY | O_CLOEXEC)) < 0 ||
      fcntl(fd, F_OFD_GETLK, &lock) < 0)
    r = -errno;
  else
    r = lock.l_type != F_UNLCK;
out:
  if (fd >= 0)
    (void)close(fd);
  (void)close(path_fd);
  return r;
}

/* rpm's lock lies beside the database; without its configuration librpm takes
 * the one in the first folder. Returns 1, 0 or a negative errno. */
static int is_at_work(int root_fd, bool cached, const char *folder) {
  char name[NAME_LEN];
  int r = is_locked(root_fd, cached, name_of(name, folder, ".rpm.lock"));

  if (r == 0 && folder != folders[0])
    r = is_locked(root_fd, cached, name_of(name, folders[0], ".rpm.lock"));
  return r;
}

static int stamp(int root_fd, bool cached, uint64_t *ret_stamp) {
  struct place place;
  int r;

  if ((r = find_place(root_fd, cached, &place)) < 0 ||
      (r = is_at_work(root_fd, cached, place.folder)) < 0)
    return r;
  *ret_stamp = place.stamp + (uint64_t)r;
  return 0;
}

/* The other name of a path of merged /usr: "/usr/bin/x" of "/bin/x", and the
 * other way round. Returns 1, 0 (there is none) or -ENOMEM. */
static int other_name(const char *path, char **ret) {
  static const char usr[] = "/usr";
  char *merged = NULL;
  char *back = NULL;
  int r = pathname_merge_usr(path, &merged);

  if (r < 0)
    return r;
  if (strcmp(merged, path) != 0) {
    *ret = merged;
    return 1;
  }
  if (strncmp(path, usr, sizeof(usr) - 1) == 0 &&
      (r = pathname_merge_usr(path + sizeof(usr) - 1, &back)) == 0 &&
      strcmp(back, path) == 0) {
    free(merged);
    merged = NULL;
    *ret = strdup(path + sizeof(usr) - 1);
    r = *ret != NULL ? 1 : -ENOMEM;
  }
  free(merged);
  free(back);
  return r;
}

/* librpm takes two folders for one if they are on this host, and follows links.
 * A file does not lie where a link of anyone's leads. */
static int ask(struct rpm_query *q, const char *path, struct package *ret) {
  return package_db_has_link(path) ? 0 : rpm_query_owner(q, path, ret);
}

static int find_owner(struct rpm_query *q, const char *path,
                      struct package *ret) {
  char *other = NULL;
  int r = ask(q, path, ret);

  if (r != 0 || (r = other_name(path, &other)) <= 0)
    return r;
  r = ask(q, other, ret);
  free(other);
  return r;
}

static int find(const struct package_db_query *query, struct package *owners,
                int64_t *ret_changing_s) {
  struct rpm_query *q = NULL;
  struct place place;
  int folder_fd = -1;
  int at_work;
  int r;

  if ((r = find_place(query->root_fd, false, &place)) != 0)
    return r;
  if (place.stamp == unreadable)
    return -EIO;
  if ((at_work = is_at_work(query->root_fd, false, place.folder)) < 0)
    return at_work;
  if ((folder_fd = package_db_open_folder(query->root_fd, place.folder)) < 0)
    return folder_fd;
  if ((r = rpm_query_open(folder_fd, place.format->backend, &q)) < 0) {
    if (r == -EIO)
      unreadable = place.stamp;
    goto out;
  }
  for (size_t i = 0; i < query->len; i++) {
    r = -ECANCELED;
    if (query->progress != NULL && !query->progress(query->arg))
      goto out;
    r = find_owner(q, query->paths[i], &owners[i]);
    /* A name that no package has: as good as no owner. */
    if (r < 0 && r != -EINVAL)
      goto out;
  }
  *ret_changing_s = at_work ? place.changed_s : PACKAGE_DB_SETTLED;
  r = 0;
out:
  rpm_query_close(q);
  (void)close(folder_fd);
  return r;
}

const struct package_db rpm_db = {
    .manager = "rpm",
    .stamp = stamp,
    .find = find,
};
