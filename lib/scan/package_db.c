#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/scan/dpkg.h"
#include "lib/scan/exe.h"
#include "lib/scan/package_db.h"
#include "lib/scan/rpm.h"

const struct package_db *const package_dbs[] = {
    &dpkg_db,
    &rpm_db,
    NULL,
};

const char *package_db_error(const struct package_db_failure *failure) {
  switch (failure->error) {
  case -ENOSYS:
    return "this build has no librpm";
  case -ELIBACC:
    return "librpm can't be loaded: it has to be installed, in the version "
           "that this was built with";
  case -ETIMEDOUT:
    return "their databases do not answer; those that are known stay";
  default:
    return strerrordesc_np(-failure->error);
  }
}

static int open_below(int root_fd, const char *path, uint64_t flags,
                      uint64_t resolve) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC | flags,
                         .resolve =
                             RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve};
  long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));

  return fd < 0 ? -errno : (int)fd;
}

/* Is it what kernels before 5.6 say, and those before 5.12 of RESOLVE_CACHED?
 */
static bool is_old_kernel(int error) {
  return error == -ENOSYS || error == -EPERM || error == -EINVAL ||
         error == -E2BIG;
}

int package_db_open_path(int root_fd, const char *path, bool cached) {
  const char *relative = path + strspn(path, "/");
  int fd = open_below(root_fd, path, 0, cached ? RESOLVE_CACHED : 0);

  if (!is_old_kernel(fd))
    return fd;
  if (cached)
    return -EAGAIN;
  fd = openat(root_fd, relative[0] != '\0' ? relative : ".",
              O_PATH | O_CLOEXEC | O_NOFOLLOW);
  return fd < 0 ? -errno : fd;
}

static bool has_roots_owner(int root_fd, int fd) {
  struct file_stat root;
  struct file_stat file;

  return file_stat_at(root_fd, "", FILE_STAT_LIGHT, &root) == 0 &&
         file_stat_at(fd, "", FILE_STAT_LIGHT, &file) == 0 &&
         file.facts.uid == root.facts.uid;
}

int package_db_read_link(int root_fd, const char *path,
                         char ret_target[static PATH_MAX]) {
  int fd = open_below(root_fd, path, O_NOFOLLOW,
                      RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS);
  ssize_t len;

  if (fd < 0)
    return fd;
  len = readlinkat(fd, "", ret_target, PATH_MAX);
  if (len < 0)
    len = errno == ENOENT ? -EINVAL : -errno; /* it is no link */
  else if (len == 0 || len >= PATH_MAX)
    len = -EINVAL;
  else if (!has_roots_owner(root_fd, fd))
    len = -EPERM;
  close(fd);
  if (len < 0)
    return (int)len;
  ret_target[len] = '\0';
  return 0;
}

bool package_db_has_link(const char *path) {
  const char *slash = strrchr(path, '/');
  size_t len = slash != NULL ? (size_t)(slash - path) : 0;
  char folder[PATH_MAX];
  int root_fd;
  int fd;

  if (len == 0 || len >= sizeof(folder))
    return false;
  memcpy(folder, path, len);
  folder[len] = '\0';
  root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  fd = root_fd < 0 ? -errno
                   : open_below(root_fd, folder, 0, RESOLVE_NO_SYMLINKS);
  if (fd >= 0)
    close(fd);
  if (root_fd >= 0)
    close(root_fd);
  return fd == -ELOOP;
}

/* Open what O_PATH found, now that its type is known: opening a device does
 * things, and a FIFO waits. */
static int open_type(int root_fd, const char *path, mode_t type, int flags) {
  int path_fd = package_db_open_path(root_fd, path, false);
  struct file_stat found;
  char link[64];
  int fd;
  int ret;

  if (path_fd < 0)
    return path_fd;
  ret = file_stat_at(path_fd, "", FILE_STAT_LIGHT, &found);
  if (ret == 0 && (found.facts.mode & S_IFMT) != type)
    ret = -EINVAL;
  if (ret == 0) {
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
    fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);
    ret = fd < 0 ? -errno : fd;
  }
  close(path_fd);
  return ret;
}

int package_db_open_file(int root_fd, const char *path) {
  return open_type(root_fd, path, S_IFREG, 0);
}

int package_db_open_folder(int root_fd, const char *path) {
  return open_type(root_fd, path, S_IFDIR, O_DIRECTORY);
}

static void mix(uint64_t *stamp, uint64_t value) {
  uint64_t h = *stamp ^ (value + 0x9e3779b97f4a7c15U);

  h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9U; /* the finalizer of splitmix64 */
  h = (h ^ (h >> 27)) * 0x94d049bb133111ebU;
  *stamp = h ^ (h >> 31);
}

/* May the kernel have to ask a program for the times of the file? It asks where
 * FUSE has called them stale, whatever flags say, and can't tell FUSE without
 * asking. The root's own file system is taken for one that answers. */
static bool may_ask(int root_fd, const struct file_stat *file) {
  struct file_stat root;

  if (major(file->id.dev) != 0)
    return false;
  return file_stat_at(root_fd, "", FILE_STAT_LIGHT, &root) < 0 ||
         root.id.dev != file->id.dev;
}

static int stamp_stat(int root_fd, int fd, bool cached, struct file_stat *ret) {
  int r = file_stat_at(fd, "", cached ? FILE_STAT_LIGHT : FILE_STAT_SYNC, ret);

  if (r < 0 || !cached)
    return r;
  if (may_ask(root_fd, ret))
    return -EAGAIN;
  return file_stat_at(fd, "", FILE_STAT_KNOWN, ret);
}

int package_db_stamp(int root_fd, const char *path, bool cached,
                     uint64_t *stamp) {
  int fd = package_db_open_path(root_fd, path, cached);
  struct file_stat found;
  int ret = fd < 0 ? fd : 0;

  if (ret == 0)
    ret = stamp_stat(root_fd, fd, cached, &found);
  if (fd >= 0)
    close(fd);
  if (ret == -ENOTDIR)
    ret = -ENOENT;
  if (ret < 0 && ret != -ENOENT)
    return ret;
  if (ret < 0) {
    mix(stamp, 0);
    return ret;
  }
  mix(stamp, found.id.dev);
  mix(stamp, found.id.ino);
  mix(stamp, found.id.size);
  mix(stamp, (uint64_t)found.id.mtime_ns);
  mix(stamp, (uint64_t)found.id.ctime_ns);
  return 0;
}
