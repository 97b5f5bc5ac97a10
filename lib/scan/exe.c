#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/scan/exe.h"
#include "lib/scan/proc.h"

static const char deleted_mark[] = " (deleted)";

enum { DELETED_MARK_LEN = sizeof(deleted_mark) - 1 };

bool file_same_inode(const struct file_id *a, const struct file_id *b) {
  return a->dev == b->dev && a->ino == b->ino;
}

bool file_id_equal(const struct file_id *a, const struct file_id *b) {
  return file_same_inode(a, b) && a->size == b->size &&
         a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

static int64_t to_ns(const struct statx_timestamp *t) {
  return (int64_t)((uint64_t)t->tv_sec * 1000000000U + t->tv_nsec);
}

int file_stat_at(int dirfd, const char *path, enum file_stat_how how,
                 struct file_stat *ret) {
  /* Asked for basic fields, FUSE fetches what its program has called stale,
   * even with DONT_SYNC. Unasked, all but the times come as the kernel has
   * them. */
  unsigned mask =
      STATX_MNT_ID | (how == FILE_STAT_LIGHT ? 0 : STATX_BASIC_STATS);
  int flags =
      AT_EMPTY_PATH | AT_NO_AUTOMOUNT |
      (how == FILE_STAT_SYNC ? AT_STATX_SYNC_AS_STAT : AT_STATX_DONT_SYNC);
  struct statx s;

  if (statx(dirfd, path, flags, mask, &s) < 0)
    return -errno;
  memset(ret, 0, sizeof(*ret));
  ret->id.dev = makedev(s.stx_dev_major, s.stx_dev_minor);
  ret->id.ino = s.stx_ino;
  ret->id.size = s.stx_size;
  ret->id.mtime_ns = to_ns(&s.stx_mtime);
  ret->id.ctime_ns = to_ns(&s.stx_ctime);
  ret->facts.size = s.stx_size;
  ret->facts.mode = s.stx_mode;
  ret->facts.uid = s.stx_uid;
  ret->facts.gid = s.stx_gid;
  ret->facts.mtime_s = s.stx_mtime.tv_sec;
  ret->facts.ctime_s = s.stx_ctime.tv_sec;
  ret->nlink = s.stx_nlink;
  ret->has_mnt_id = (s.stx_mask & STATX_MNT_ID) != 0;
  ret->mnt_id = ret->has_mnt_id ? s.stx_mnt_id : 0;
  return 0;
}

static int open_how(int dirfd, const char *path, uint64_t resolve) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = resolve};
  long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

  return fd < 0 ? -errno : (int)fd;
}

/* The folder that stands for a root; AT_FDCWD for this program's own. */
static int open_root(const struct exe_lookup *how, enum exe_root root) {
  /* d_path(9) tells paths from the top of the mount namespace; climbing from
   * a chroot stops there. Deeper chroots than this are not looked into. */
  static const char top[] = "root/../../../../../../../../../../../../../..";
  int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  int fd;

  switch (root) {
  case EXE_ROOT_INIT:
    fd = openat(how->proc_fd, "1/root", flags);
    break;
  case EXE_ROOT_PROC:
    fd = openat(how->pid_fd, "root", flags);
    break;
  case EXE_ROOT_TOP:
    fd = openat(how->pid_fd, top, flags);
    break;
  default:
    return AT_FDCWD;
  }
  return fd < 0 ? -errno : fd;
}

int exe_open_path(const struct exe_lookup *how, enum exe_root root,
                  const char *path) {
  int dirfd = open_root(how, root);
  uint64_t resolve = how->cached ? RESOLVE_CACHED : 0;
  int fd;

  /* The root was there when the process was looked at. */
  if (dirfd < 0 && dirfd != AT_FDCWD)
    return dirfd == -ENOENT ? -ESRCH : dirfd;
  if (dirfd != AT_FDCWD)
    resolve |= RESOLVE_IN_ROOT;
  fd = open_how(dirfd, path, resolve);
  if (fd == -ENOSYS || fd == -EPERM || fd == -EINVAL || fd == -E2BIG) {
    /* Kernels before 5.6, and before 5.12 with RESOLVE_CACHED. */
    const char *relative = path + strspn(path, "/");

    if (how->cached)
      fd = -EAGAIN;
    else if (dirfd == AT_FDCWD)
      fd = openat(dirfd, path, O_PATH | O_CLOEXEC);
    else
      fd = openat(dirfd, relative, O_PATH | O_CLOEXEC | O_NOFOLLOW);
    if (fd == -1)
      fd = -errno;
  }
  if (dirfd != AT_FDCWD)
    close(dirfd);
  return fd;
}

size_t exe_bare_len(const char *text) {
  size_t len = strlen(text);

  return len > DELETED_MARK_LEN && memcmp(text + len - DELETED_MARK_LEN,
                                          deleted_mark, DELETED_MARK_LEN) == 0
             ? len - DELETED_MARK_LEN
             : len;
}

int exe_read_link(int pid_fd, char ret_text[static EXE_TEXT_SIZE]) {
  static const char too_long[] = "/(path too long)";
  ssize_t len = readlinkat(pid_fd, "exe", ret_text, EXE_TEXT_SIZE - 1);

  if (len < 0 && errno == ENAMETOOLONG) {
    memcpy(ret_text, too_long, sizeof(too_long));
    return 0;
  }
  if (len < 0)
    return -errno;
  ret_text[len] = '\0';
  return 0;
}

bool exe_unchanged(int pid_fd, const char *text,
                   const struct file_stat *running, uint64_t start_code) {
  char text_now[EXE_TEXT_SIZE];
  struct proc_stat stat;
  struct file_stat now = {0};

  return file_stat_at(pid_fd, "exe", FILE_STAT_LIGHT, &now) == 0 &&
         file_same_inode(&now.id, &running->id) &&
         exe_read_link(pid_fd, text_now) == 0 && strcmp(text_now, text) == 0 &&
         start_code != 0 && proc_read_stat(pid_fd, &stat) == 0 &&
         stat.start_code == start_code;
}

/* What a look-up found. */
enum found { FOUND_NONE, FOUND_SAME, FOUND_OTHER };

/* Is the running file what lies at the first `len` bytes of `text`? What is no
 * regular file can't run, and counts as nothing. */
static int look(const struct exe_lookup *how, enum exe_root root,
                const char *text, size_t len, const struct file_stat *running,
                struct file_stat *ret_disk, enum found *ret_found) {
  char path[PATH_MAX];
  struct file_stat disk = {0};
  int fd;
  int ret;

  *ret_found = FOUND_NONE;
  if (len >= sizeof(path))
    return 0;
  memcpy(path, text, len);
  path[len] = '\0';
  fd = exe_open_path(how, root, path);
  if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -ENAMETOOLONG)
    return 0;
  if (fd < 0)
    return fd;
  ret = file_stat_at(fd, "", FILE_STAT_LIGHT, &disk);
  if (ret == 0 && file_same_inode(&disk.id, &running->id)) {
    *ret_found = FOUND_SAME;
  } else if (ret == 0 && S_ISREG(disk.facts.mode)) {
    *ret_found = FOUND_OTHER;
    ret =
        how->cached ? -EAGAIN : file_stat_at(fd, "", FILE_STAT_SYNC, ret_disk);
  }
  close(fd);
  return ret;
}

static bool is_anonymous(const struct exe_lookup *how, const char *text,
                         size_t len, const struct file_stat *running) {
  const char *name = memrchr(text, '/', len);
  size_t digits;

  if (running->nlink > 0)
    return false;
  if (how->shm_dev != 0 && running->id.dev == how->shm_dev)
    return true;
  if (how->shm_dev == 0 && strncmp(text, "/memfd:", 7) == 0)
    return true;
  /* O_TMPFILE: the kernel calls the file "#" and its inode number. */
  if (name == NULL || name[1] != '#')
    return false;
  digits = strspn(name + 2, "0123456789");
  return digits > 0 && name + 2 + digits == text + len;
}

static int look_everywhere(const struct exe_lookup *how, const char *text,
                           size_t len, const struct file_stat *running,
                           struct exe_place *ret, enum found *ret_found) {
  int r;

  if (how->foreign) {
    r = look(how, how->host_is_own ? EXE_ROOT_OWN : EXE_ROOT_INIT, text, len,
             running, &ret->disk, ret_found);
    if (r < 0)
      return r;
    ret->host_file = *ret_found == FOUND_SAME;
    if (ret->host_file)
      return 0;
  }
  ret->disk_root = how->root;
  return look(how, how->root, text, len, running, &ret->disk, ret_found);
}

/* Nothing lies at a path that the kernel does not call deleted: a mount
 * covers it, or the process is in a chroot of its mount namespace. */
static int look_at_top(const struct exe_lookup *how, const char *text,
                       size_t len, const struct file_stat *running,
                       struct exe_place *ret, enum found *ret_found) {
  if (how->root != EXE_ROOT_PROC)
    return 0;
  ret->disk_root = EXE_ROOT_TOP;
  return look(how, EXE_ROOT_TOP, text, len, running, &ret->disk, ret_found);
}

int exe_find_place(const struct exe_lookup *how, const char *text,
                   const struct file_stat *running, struct exe_place *ret) {
  size_t len = strlen(text);
  size_t bare = exe_bare_len(text);
  bool marked = bare < len;
  enum found found = FOUND_NONE;
  int r = 0;

  memset(ret, 0, sizeof(*ret));
  ret->path_len = bare;
  ret->state = EXE_ANONYMOUS;
  if (is_anonymous(how, text, bare, running))
    return 0;
  /* A name may really end in the mark. */
  if (marked && running->nlink > 0) {
    r = look_everywhere(how, text, len, running, ret, &found);
    if (r < 0)
      return r;
  }
  if (found == FOUND_SAME)
    ret->path_len = len;
  else
    r = look_everywhere(how, text, bare, running, ret, &found);
  if (r == 0 && found == FOUND_NONE && !marked)
    r = look_at_top(how, text, bare, running, ret, &found);
  if (r < 0)
    return r;
  if (found == FOUND_SAME)
    ret->state = EXE_CURRENT;
  else
    ret->state = found == FOUND_OTHER ? EXE_REPLACED : EXE_DELETED;
  return 0;
}

enum exe_reason exe_reason_of(int error) {
  switch (error) {
  case -EAGAIN: /* asked for, not answered yet; or a lease is being broken */
    return EXE_REASON_PENDING;
  case -EACCES:
  case -EPERM:
    return EXE_REASON_DENIED;
  case -ETIMEDOUT:
    return EXE_REASON_TIMEOUT;
  case -EREMOTE:
    return EXE_REASON_REMOTE;
  case -ESTALE:
    return EXE_REASON_CHANGING;
  default:
    return EXE_REASON_IO;
  }
}

uint64_t exe_shm_dev(void) {
  struct file_stat s = {0};
  int fd = memfd_create("process-dna", MFD_CLOEXEC);
  int ret;

  if (fd < 0)
    return 0;
  ret = file_stat_at(fd, "", FILE_STAT_LIGHT, &s);
  close(fd);
  return ret == 0 ? s.id.dev : 0;
}
