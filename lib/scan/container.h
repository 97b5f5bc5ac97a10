/* Which container a process belongs to. A key stays the same over restarts of
 * one image; record.h says how keys look. */
#ifndef PDNA_CONTAINER_H
#define PDNA_CONTAINER_H

#include "lib/record/record.h"
#include "lib/scan/exe.h"

/* From mountinfo: 12 hex digits of the SHA-256 of the lower layers of the
 * overlay that is the root. `docker` says that docker runs it: then the
 * topmost layer is the one that it makes for each container, and is left out.
 * Returns 0, -ENOENT (no overlay) or -ENOMEM. */
int container_from_mountinfo(const char *text, size_t len, bool docker,
                             char ret_key[static CONTAINER_MAX + 1]);

/* From cgroup (cgroups(7)): the first 12 digits of the id of a container, else
 * the name of the outermost service or scope. *ret_docker says whether docker
 * made the group. Returns 0, or -ENOENT if the text has neither. */
int container_from_cgroup(const char *text, size_t len, bool *ret_docker,
                          char ret_key[static CONTAINER_MAX + 1]);

void container_from_root(const struct file_id *root,
                         char ret_key[static CONTAINER_MAX + 1]);

/* The key of a process that is in a container. Returns 0, or a negative errno
 * if it vanished or memory is short. */
int container_read(int pid_fd, const struct file_id *root,
                   char ret_key[static CONTAINER_MAX + 1]);

#endif
