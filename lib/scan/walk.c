#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/scan/walk.h"

enum { STATM_SIZE = 256 }; /* bytes; seven numbers */

static void read_ns(int dirfd, const char *path, char *ret_ns, size_t size) {
  ssize_t len = readlinkat(dirfd, path, ret_ns, size - 1);

  ret_ns[len > 0 ? len : 0] = '\0';
}

int walk_init(struct walk *w, int proc_fd) {
  memset(w, 0, sizeof(*w));
  w->proc_fd = proc_fd;
  w->shm_dev = exe_shm_dev();
  w->page_kib = sysconf(_SC_PAGESIZE) / 1024;
  return file_stat_at(AT_FDCWD, "/", FILE_STAT_LIGHT, &w->own_root);
}

void walk_begin(struct walk *w) {
  w->denied = 0;
  (void)file_stat_at(AT_FDCWD, "/", FILE_STAT_LIGHT, &w->own_root);
  read_ns(AT_FDCWD, "/proc/self/ns/mnt", w->own_ns, sizeof(w->own_ns));
  read_ns(w->proc_fd, "1/ns/mnt", w->host_ns, sizeof(w->host_ns));
  w->has_init_root =
      file_stat_at(w->proc_fd, "1/root", FILE_STAT_LIGHT, &w->host_root) == 0;
  /* Without the right to look at process 1, this program's view is the
   * host's. */
  if (w->host_ns[0] == '\0')
    memcpy(w->host_ns, w->own_ns, sizeof(w->host_ns));
  if (!w->has_init_root)
    w->host_root = w->own_root;
}

void walk_end(struct walk *w) {
  mounts_free(w->mounts);
  w->mounts = NULL;
}

static bool is_dead(const struct proc_stat *stat) {
  return stat->state == 'Z' || stat->state == 'X' || stat->state == 'x';
}

/* Try one thread; its stat has what the process's own has lost with its
 * memory. */
static bool try_thread(struct sight *sight, int task_fd, const char *name) {
  struct proc_stat stat;
  char text[EXE_TEXT_SIZE];
  pid_t tid;
  int fd;

  if (!proc_parse_pid(name, &tid) || tid == sight->pid)
    return false;
  fd = openat(task_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return false;
  if (proc_read_stat(fd, &stat) < 0 || is_dead(&stat) ||
      exe_read_link(fd, text) < 0) {
    close(fd);
    return false;
  }
  close(sight->fd);
  sight->fd = fd;
  sight->tid = tid;
  sight->stat.rss_pages = stat.rss_pages;
  sight->stat.start_code = stat.start_code;
  return true;
}

/* The first thread has exited: let another one stand for the process. */
static bool use_living_thread(struct sight *sight) {
  int fd = openat(sight->fd, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
  bool found = false;
  struct dirent *entry;

  if (dir == NULL) {
    if (fd >= 0)
      close(fd);
    return false;
  }
  while (!found && (entry = readdir(dir)) != NULL)
    found = try_thread(sight, fd, entry->d_name);
  (void)closedir(dir);
  return found;
}

int walk_open(struct walk *w, pid_t pid, struct sight *ret) {
  struct file_stat folder;
  char name[16];

  memset(ret, 0, sizeof(*ret));
  (void)snprintf(name, sizeof(name), "%d", pid);
  ret->pid = pid;
  ret->fd = openat(w->proc_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (ret->fd < 0)
    return 0;
  if (proc_read_stat(ret->fd, &ret->stat) < 0 || ret->stat.kernel_thread)
    goto gone;
  /* Of all that a process shows in proc, the folder itself belongs to its
   * effective uid even if it may not be dumped. */
  if (file_stat_at(ret->fd, "", FILE_STAT_LIGHT, &folder) < 0)
    goto gone;
  ret->uid = folder.facts.uid;
  ret->folder_ino = folder.id.ino;
  if (is_dead(&ret->stat) &&
      (ret->stat.num_threads <= 1 || !use_living_thread(ret)))
    goto gone;
  ret->rss_kib = ret->stat.rss_pages * (uint64_t)w->page_kib;
  return 1;

gone:
  walk_close(ret);
  return 0;
}

void walk_close(struct sight *sight) {
  if (sight->fd >= 0)
    close(sight->fd);
  sight->fd = -1;
}

/* Has the process this program's root, which is the host's, in the same mount
 * namespace? Each namespace has mounts, and so a root mount, of its own. */
static bool has_own_root(const struct walk *w, const struct file_stat *root) {
  return root->has_mnt_id && root->mnt_id == w->own_root.mnt_id &&
         file_same_inode(&root->id, &w->own_root.id);
}

static bool read_rss(const struct walk *w, const char *path,
                     uint64_t *ret_rss_kib) {
  char text[STATM_SIZE];
  uint64_t pages;
  size_t len;

  if (proc_read(w->proc_fd, path, text, sizeof(text), &len) < 0 ||
      proc_parse_statm(text, len, &pages) < 0)
    return false;
  *ret_rss_kib = pages * (uint64_t)w->page_kib;
  return true;
}

bool walk_glance(struct walk *w, pid_t pid, uint64_t folder_ino,
                 struct sight *ret) {
  struct file_stat folder;
  char path[32];
  char *end = path + snprintf(path, sizeof(path) - sizeof("/statm"), "%d", pid);

  memset(ret, 0, sizeof(*ret));
  ret->fd = -1;
  ret->pid = pid;
  memcpy(end, "/exe", sizeof("/exe"));
  if (file_stat_at(w->proc_fd, path, FILE_STAT_LIGHT, &ret->exe) < 0)
    return false;
  memcpy(end, "/root", sizeof("/root"));
  if (file_stat_at(w->proc_fd, path, FILE_STAT_LIGHT, &ret->root) < 0 ||
      !has_own_root(w, &ret->root) ||
      !file_same_inode(&ret->root.id, &w->host_root.id))
    return false;
  memcpy(end, "/statm", sizeof("/statm"));
  if (!read_rss(w, path, &ret->rss_kib))
    return false;
  /* Last, as it says whose all this was: the kernel gives each new process's
   * folder a number of its own. */
  *end = '\0';
  if (file_stat_at(w->proc_fd, path, FILE_STAT_LIGHT, &folder) < 0 ||
      folder.id.ino != folder_ino)
    return false;
  ret->folder_ino = folder_ino;
  ret->uid = folder.facts.uid;
  return true;
}

int walk_stat_exe(const struct walk *w, const struct sight *sight,
                  struct file_stat *ret) {
  char path[32];

  if (sight->fd >= 0)
    return file_stat_at(sight->fd, "exe", FILE_STAT_KNOWN, ret);
  (void)snprintf(path, sizeof(path), "%d/exe", sight->pid);
  return file_stat_at(w->proc_fd, path, FILE_STAT_KNOWN, ret);
}

bool walk_read_text(struct walk *w, const struct sight *sight) {
  return exe_read_link(sight->fd, w->text) == 0;
}

static bool same_ns(const struct sight *sight, const char *ns) {
  char text[64];

  read_ns(sight->fd, "ns/mnt", text, sizeof(text));
  /* Made-up trees have none. */
  return text[0] == '\0' || strcmp(text, ns) == 0;
}

/* Where is the process, and where do its paths lead? exe links of processes in
 * a chroot are told from the top of their mount namespace. */
static void find_root(struct walk *w, struct sight *sight) {
  struct file_stat *root = &sight->root;
  struct exe_lookup *how = &sight->lookup;
  bool is_own;

  how->proc_fd = w->proc_fd;
  how->pid_fd = sight->fd;
  how->shm_dev = w->shm_dev;
  how->cached = true;
  how->host_is_own = !w->has_init_root || strcmp(w->host_ns, w->own_ns) == 0;
  how->root = EXE_ROOT_OWN;
  if (file_stat_at(sight->fd, "root", FILE_STAT_LIGHT, root) < 0)
    return;
  if (has_own_root(w, root)) {
    how->foreign = !file_same_inode(&root->id, &w->host_root.id);
    return;
  }
  is_own = file_same_inode(&root->id, &w->own_root.id);
  if (same_ns(sight, w->own_ns)) {
    how->foreign = !is_own && strcmp(w->own_ns, w->host_ns) != 0;
    return;
  }
  how->root = EXE_ROOT_PROC;
  if (file_same_inode(&root->id, &w->host_root.id))
    return;
  if (!w->has_init_root || !same_ns(sight, w->host_ns))
    how->foreign = true;
  else
    how->root = EXE_ROOT_INIT;
}

int walk_look(struct walk *w, struct sight *sight) {
  sight->exe_error =
      file_stat_at(sight->fd, "exe", FILE_STAT_LIGHT, &sight->exe);
  /* A file system may keep its files from being looked at (FUSE does), but not
   * its link. */
  if (sight->exe_error == -ENOENT || sight->exe_error == -ESRCH)
    return 0;
  if (sight->exe_error < 0 && !walk_read_text(w, sight)) {
    w->denied += sight->exe_error == -EACCES || sight->exe_error == -EPERM;
    return 0;
  }
  find_root(w, sight);
  return 1;
}

enum mount_kind walk_mount_kind(struct walk *w, int pid_fd,
                                const struct file_stat *file) {
  enum mount_kind kind = MOUNT_LOCAL;
  struct mounts *theirs;

  if (!file->has_mnt_id)
    return MOUNT_LOCAL;
  if (w->mounts == NULL &&
      mounts_read(w->proc_fd, "self/mountinfo", &w->mounts) < 0 &&
      mounts_read(AT_FDCWD, "/proc/self/mountinfo", &w->mounts) < 0)
    return MOUNT_LOCAL;
  if (mounts_find(w->mounts, file->mnt_id, &kind) || pid_fd < 0 ||
      mounts_read(pid_fd, "mountinfo", &theirs) < 0)
    return kind;
  (void)mounts_find(theirs, file->mnt_id, &kind);
  mounts_free(theirs);
  return kind;
}
