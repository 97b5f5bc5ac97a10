/* Does a process run the file that its exe link names? prctl(2) PR_SET_MM_MAP
 * and PR_SET_MM_EXE_FILE make the link name any other. */
#ifndef PDNA_SPOOF_H
#define PDNA_SPOOF_H

#include "lib/scan/exe.h"

/* A mapping of /proc/PID/maps. */
struct spoof_mapping {
  char range[40]; /* its name in map_files */
  bool executable;
  uint64_t ino;     /* 0: no file */
  const char *path; /* into the line, to its end */
};

/* Parse one line without its newline. Returns 0 or -EINVAL. */
int spoof_parse_mapping(const char *line, struct spoof_mapping *ret);

/* Does no executable mapping come from the inode `running`? What can't be
 * looked at counts as not spoofed. May wait for the process (its memory map is
 * locked while it waits for a page). Returns 0 or a negative errno. */
int spoof_check(int pid_fd, const char *text, const struct file_stat *running,
                bool *ret_spoofed);

#endif
