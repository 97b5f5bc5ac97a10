#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/scan/spoof.h"

/* Skip `n` fields and the spaces after them. */
static const char *skip_fields(const char *p, int n) {
  while (n-- > 0) {
    p += strcspn(p, " ");
    p += strspn(p, " ");
  }
  return p;
}

int spoof_parse_mapping(const char *line, struct spoof_mapping *ret) {
  size_t range_len = strspn(line, "0123456789abcdef-");
  const char *perms = line + range_len + 1;
  const char *ino;
  char *end;

  if (range_len == 0 || range_len >= sizeof(ret->range) ||
      line[range_len] != ' ' || strnlen(perms, 5) < 5 || perms[4] != ' ')
    return -EINVAL;
  memcpy(ret->range, line, range_len);
  ret->range[range_len] = '\0';
  ret->executable = perms[2] == 'x';
  /* After the permissions: offset, device, inode, path. */
  ino = skip_fields(perms, 3);
  if (*ino < '0' || *ino > '9')
    return -EINVAL;
  errno = 0;
  ret->ino = strtoull(ino, &end, 10);
  if (errno != 0)
    return -EINVAL;
  ret->path = end + strspn(end, " ");
  return 0;
}

/* Does an executable mapping come from the running inode? -EPERM: can't
 * tell. */
static int mapping_matches(int pid_fd, const struct spoof_mapping *mapping,
                           const char *text, const struct file_stat *running,
                           bool *ret_matches) {
  char path[sizeof("map_files/") + sizeof(mapping->range)];
  struct file_stat file;
  int ret;

  (void)snprintf(path, sizeof(path), "map_files/%s", mapping->range);
  ret = file_stat_at(pid_fd, path, FILE_STAT_LIGHT, &file);
  if (ret == 0) {
    *ret_matches = file_same_inode(&file.id, &running->id);
    return 0;
  }
  if (ret != -ENOENT)
    return ret;
  /* Unmapped since, or a thread's folder, which has no map_files: inode
   * numbers and paths of maps have to do there, its devices are not those of
   * stat on btrfs and overlay. */
  *ret_matches =
      mapping->ino == running->id.ino || strcmp(mapping->path, text) == 0;
  return 0;
}

static int check_lines(FILE *maps, int pid_fd, const char *text,
                       const struct file_stat *running, bool *ret_spoofed) {
  char *line = NULL;
  size_t size = 0;
  bool matches = false;
  bool any = false;
  ssize_t len;
  int ret = 0;

  while (!matches && (len = getline(&line, &size, maps)) > 0) {
    struct spoof_mapping mapping;

    if (line[len - 1] == '\n')
      line[len - 1] = '\0';
    if (spoof_parse_mapping(line, &mapping) < 0)
      continue;
    any = true;
    if (!mapping.executable || mapping.ino == 0)
      continue;
    ret = mapping_matches(pid_fd, &mapping, text, running, &matches);
    if (ret < 0)
      break;
  }
  free(line);
  if (ret == 0)
    *ret_spoofed = any && !matches;
  return ret;
}

int spoof_check(int pid_fd, const char *text, const struct file_stat *running,
                bool *ret_spoofed) {
  int fd = openat(pid_fd, "maps", O_RDONLY | O_CLOEXEC);
  FILE *maps = fd >= 0 ? fdopen(fd, "r") : NULL;
  bool spoofed = false;
  int ret;

  if (maps == NULL) {
    ret = -errno;
    if (fd >= 0)
      close(fd);
  } else {
    ret = check_lines(maps, pid_fd, text, running, &spoofed);
    (void)fclose(maps);
  }
  if (ret == -ENOENT || ret == -EACCES || ret == -EPERM)
    ret = 0;
  if (ret == 0)
    *ret_spoofed = spoofed;
  return ret;
}
