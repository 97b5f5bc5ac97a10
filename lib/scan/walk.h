/* One look at one process: what can be read of it without waiting for any file
 * system. The process's folder is open meanwhile: it stands for that process
 * and for none that gets the same pid later. */
#ifndef PDNA_WALK_H
#define PDNA_WALK_H

#include "lib/scan/exe.h"
#include "lib/scan/mounts.h"
#include "lib/scan/proc.h"

struct walk {
  int proc_fd;
  uint64_t shm_dev;
  long page_kib;

  /* Read by walk_begin. */
  struct file_stat own_root;
  struct file_stat host_root;
  bool has_init_root; /* process 1 can be looked into */
  char own_ns[64];    /* "mnt:[4026531840]"; "" unknown */
  char host_ns[64];
  size_t denied;         /* processes that may not be looked at */
  struct mounts *mounts; /* own; read when first needed */
  char text[EXE_TEXT_SIZE];
};

/* Returns 0 or a negative errno. */
int walk_init(struct walk *w, int proc_fd);
void walk_begin(struct walk *w);
void walk_end(struct walk *w);

struct sight {
  int fd; /* the folder of the process or of its thread `tid`, O_PATH; -1
             after a glance */
  uint64_t folder_ino; /* of the process's folder */
  pid_t pid;
  pid_t tid; /* 0, or a living thread where the first one has exited */
  struct proc_stat stat;
  uid_t uid;
  uint64_t rss_kib;
  int exe_error;            /* why `exe` is not there, or 0 */
  struct file_stat exe;     /* the file that runs, FILE_STAT_LIGHT */
  struct exe_lookup lookup; /* where its path is to be looked up */
  struct file_stat root;    /* the process's root, if it is foreign */
};

/* Open a process and read its stat and owner. Returns 1, with *ret to be
 * closed by walk_close, or 0: it is gone or has no executable. */
int walk_open(struct walk *w, pid_t pid, struct sight *ret);
void walk_close(struct sight *sight);

/* A look at a process that was seen before, for less: it is still the one whose
 * folder has that inode number, and its root is this program's and the host's.
 * Fills in pid, folder_ino, uid, rss_kib, exe and root. False: that is not so,
 * or can't be told. Needs no walk_close. */
bool walk_glance(struct walk *w, pid_t pid, uint64_t folder_ino,
                 struct sight *ret);

/* All that the kernel knows of the file that runs. Returns 0 or a negative
 * errno. */
int walk_stat_exe(const struct walk *w, const struct sight *sight,
                  struct file_stat *ret);

/* Read the exe link into walk.text. False: it is gone. */
bool walk_read_text(struct walk *w, const struct sight *sight);

/* Fill in the rest of a sight. Returns 1, or 0: it is gone. */
int walk_look(struct walk *w, struct sight *sight);

/* On what kind of file system does a file lie that the process of `pid_fd`
 * (-1: none) sees? */
enum mount_kind walk_mount_kind(struct walk *w, int pid_fd,
                                const struct file_stat *file);

#endif
