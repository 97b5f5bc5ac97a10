/* The executable of a process: the file that runs, the file that lies at its
 * path now, and what the two say together. */
#ifndef PDNA_EXE_H
#define PDNA_EXE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/record/record.h"

/* A file's content has not changed as long as all of these have not. */
struct file_id {
  uint64_t dev;
  uint64_t ino;
  uint64_t size;
  int64_t mtime_ns;
  int64_t ctime_ns;
};

struct file_stat {
  struct file_id id;
  struct file_facts facts;
  uint32_t nlink;
  bool has_mnt_id; /* Linux 5.8 has it first */
  uint64_t mnt_id;
};

bool file_id_equal(const struct file_id *a, const struct file_id *b);
bool file_same_inode(const struct file_id *a, const struct file_id *b);

/* How much is asked for. A server that is hung hangs no FILE_STAT_LIGHT whose
 * path leads through none of its folders (a link of /proc doesn't), a FUSE
 * program may hang the others. */
enum file_stat_how {
  FILE_STAT_LIGHT, /* device, inode, links, type and owner; no times */
  FILE_STAT_KNOWN, /* all, as the kernel has it */
  FILE_STAT_SYNC,  /* all, and the server is asked */
};

/* statx(2) of `path` below `dirfd`, or of `dirfd` itself where path is "".
 * Returns 0 or a negative errno. */
int file_stat_at(int dirfd, const char *path, enum file_stat_how how,
                 struct file_stat *ret);

enum { EXE_TEXT_SIZE = 4096 + 1 }; /* PATH_MAX; the kernel tells no more */

/* Read the link's text. A path that is longer than the kernel tells is
 * "/(path too long)", where nothing lies. Returns 0 or a negative errno:
 * -ENOENT for what has no executable. */
int exe_read_link(int pid_fd, char ret_text[static EXE_TEXT_SIZE]);

/* The length of the text without the mark ` (deleted)`, which the kernel has
 * put there most of the time: for where it can't be found out. */
size_t exe_bare_len(const char *text);

/* Does the process still run the file with the same text, by the same exec? One
 * between reading text and file makes a current executable look replaced. The
 * start of its code was read before both; the kernel sets it last in an exec,
 * mostly to a random address, and it is 0 until then. */
bool exe_unchanged(int pid_fd, const char *text,
                   const struct file_stat *running, uint64_t start_code);

/* Where a path is looked up. */
enum exe_root {
  EXE_ROOT_OWN,  /* as this program sees it */
  EXE_ROOT_INIT, /* as process 1 sees it: the host, where this program has a
                    mount namespace of its own */
  EXE_ROOT_PROC, /* as the process sees it */
  EXE_ROOT_TOP,  /* the top of the process's mount namespace, for a chroot */
};

struct exe_lookup {
  int proc_fd;
  int pid_fd; /* the process's folder, or its thread's */
  enum exe_root root;
  bool foreign;     /* in a container, as far as its root tells: see
                       exe_place.host_file */
  bool host_is_own; /* the host's files are EXE_ROOT_OWN, not _INIT */
  bool cached;      /* only what the kernel has in its cache: never waits for a
                       file system. What that doesn't tell, and whatever lies
                       there that is not the file that runs, is -EAGAIN */
  uint64_t shm_dev; /* where the kernel keeps files without a name; 0: not
                       known */
};

/* Open what lies at `path` below a root as O_PATH. Symbolic links stay inside
 * the root. Returns a descriptor or a negative errno (-EAGAIN: see cached). */
int exe_open_path(const struct exe_lookup *how, enum exe_root root,
                  const char *path);

struct exe_place {
  enum exe_state state;  /* current, replaced, deleted or anonymous */
  size_t path_len;       /* of the link's text, what is path */
  bool host_file;        /* foreign, but the host's file at that path runs */
  struct file_stat disk; /* the other file at the path, with EXE_REPLACED */
  enum exe_root disk_root;
};

/* Find the state from the text of the exe link and the file that runs.
 * Returns 0 or the negative errno with which a look-up failed otherwise than
 * by finding nothing. */
int exe_find_place(const struct exe_lookup *how, const char *text,
                   const struct file_stat *running, struct exe_place *ret);

/* What is missing because of a negative errno. */
enum exe_reason exe_reason_of(int error);

/* The device of files that have no name (memfd_create(2) and its like), or 0
 * if it can't be found out. */
uint64_t exe_shm_dev(void);

#endif
