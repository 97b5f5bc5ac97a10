/* The text files of proc(5). Parsers take a buffer that need not end in a NUL
 * and believe nothing of it: names of processes, cgroups and mount points are
 * chosen by whoever runs there. */
#ifndef PDNA_PROC_H
#define PDNA_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/record/record.h"

/* The fields of /proc/PID/stat and /proc/PID/task/TID/stat that are used. */
struct proc_stat {
  char comm[COMM_MAX + 1];
  char state; /* 'R', 'S', 'Z', ... */
  pid_t ppid;
  bool kernel_thread;
  uint64_t num_threads;
  uint64_t start_ticks; /* clock ticks after boot */
  uint64_t rss_pages;
  uint64_t start_code; /* 0 while an exec is under way */
};

/* Returns 0 or -EINVAL. */
int proc_parse_stat(const char *text, size_t len, struct proc_stat *ret);

/* The resident pages of /proc/PID/statm. Returns 0 or -EINVAL. */
int proc_parse_statm(const char *text, size_t len, uint64_t *ret_rss_pages);

/* The boot time of /proc/stat, in seconds since the epoch. Returns 0 or
 * -EINVAL. */
int proc_parse_btime(const char *text, size_t len, int64_t *ret_s);

/* Is `name` a process's folder? */
bool proc_parse_pid(const char *name, pid_t *ret_pid);

/* Take the next line, without its newline, off `len` bytes at `text`; false at
 * the end. */
bool proc_next_line(const char **text, size_t *len, const char **ret_line,
                    size_t *ret_line_len);

/* Read at most `size` bytes of a file below `dirfd`. Returns 0 or a negative
 * errno. */
int proc_read(int dirfd, const char *path, char *buf, size_t size,
              size_t *ret_len);

/* Read a file below `dirfd` whole, -EFBIG if it is longer than `max` bytes.
 * The caller frees *ret_text, which ends in a NUL that is not counted. Returns
 * 0 or a negative errno. */
int proc_read_all(int dirfd, const char *path, size_t max, char **ret_text,
                  size_t *ret_len);

/* Read the stat of a process or thread in its folder. Returns 0 or a negative
 * errno. */
int proc_read_stat(int pid_fd, struct proc_stat *ret);

/* Open the folder of a process, or of its thread `tid` where that is not 0, if
 * it still is the one that started at `start_ticks`. *ret_stat is that of what
 * is opened, and may be NULL. Returns a descriptor (O_PATH), -ESRCH, or another
 * negative errno. */
int proc_open(int proc_fd, pid_t pid, pid_t tid, uint64_t start_ticks,
              struct proc_stat *ret_stat);

#endif
