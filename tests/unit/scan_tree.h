/* Made-up proc trees for the tests of the scanner. */
#ifndef PDNA_SCAN_TREE_H
#define PDNA_SCAN_TREE_H

#include "tests/unit/scan_processes.h"

enum { START_TICKS = 100 };

/* A process of the tree. Zero is what most tests want. */
struct made_up {
  const char *comm;
  const char *exe; /* NULL: none */
  char state;      /* 'S' */
  unsigned flags;
  unsigned threads; /* 1 */
  unsigned rss_pages;
  pid_t tid; /* of a living thread */
};

static struct scan_options options;
static char proc_root[128];

/* A test's empty tree, with options that take all of it. */
static inline int set_up_tree(void **state) {
  int ret = make_dir(state);

  snprintf(proc_root, sizeof(proc_root), "%s/proc", test_dir);
  options = scan_options_default;
  options.proc_root = proc_root;
  options.min_rss_kib = 0;
  options.scan_timeout_ms = 20000;
  options.file_timeout_ms = 20000;
  return ret != 0 ? ret : mkdir(proc_root, 0755);
}

static inline void write_text(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
}

static inline void add_folder(const char *dir, const struct made_up *p,
                              char state, unsigned rss_pages) {
  char path[512];
  char text[512];

  assert_int_equal(mkdir(dir, 0755), 0);
  snprintf(path, sizeof(path), "%s/stat", dir);
  snprintf(
      text, sizeof(text),
      "1 (%s) %c 1 1 1 0 -1 %u 0 0 0 0 0 0 0 0 20 0 %u 0 %d 0 %u 0 %d 1 0\n",
      p->comm != NULL ? p->comm : "made-up", state, p->flags,
      p->threads > 0 ? p->threads : 1, START_TICKS, rss_pages, state != 'Z');
  write_text(path, text);
  snprintf(path, sizeof(path), "%s/exe", dir);
  if (p->exe != NULL && state != 'Z')
    assert_int_equal(symlink(p->exe, path), 0);
}

static inline void add(pid_t pid, struct made_up p) {
  char dir[256];
  char state = p.state != '\0' ? p.state : 'S';

  snprintf(dir, sizeof(dir), "%s/%d", proc_root, pid);
  add_folder(dir, &p, state, state == 'Z' ? 0 : p.rss_pages);
  if (p.tid == 0)
    return;
  snprintf(dir, sizeof(dir), "%s/%d/task", proc_root, pid);
  assert_int_equal(mkdir(dir, 0755), 0);
  snprintf(dir, sizeof(dir), "%s/%d/task/%d", proc_root, pid, p.tid);
  add_folder(dir, &p, 'S', p.rss_pages);
}

/* A file of `size` bytes that are all `byte`. */
static inline const char *make_file(const char *name, size_t size, char byte) {
  char *path = in_dir(name);
  char buf[4096];
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

  assert_true(fd >= 0);
  memset(buf, byte, sizeof(buf));
  for (size_t n; size > 0; size -= n) {
    n = size < sizeof(buf) ? size : sizeof(buf);
    assert_int_equal(write(fd, buf, n), (ssize_t)n);
  }
  close(fd);
  return path;
}

/* Say in the tree's mountinfo that the mount of `path` is of that type. */
static inline void call_mount(const char *path, const char *type) {
  char text[256];
  char file[256];
  struct statx sx;

  assert_int_equal(statx(AT_FDCWD, path, 0, STATX_MNT_ID, &sx), 0);
  if ((sx.stx_mask & STATX_MNT_ID) == 0)
    skip();
  snprintf(file, sizeof(file), "%s/self", proc_root);
  assert_int_equal(mkdir(file, 0755), 0);
  snprintf(file, sizeof(file), "%s/self/mountinfo", proc_root);
  snprintf(text, sizeof(text), "%llu 1 0:1 / / rw - %s server:/x rw\n",
           (unsigned long long)sx.stx_mnt_id, type);
  write_text(file, text);
}

#endif
