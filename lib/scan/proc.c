#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/scan/proc.h"

enum {
  STAT_SIZE = 2048,        /* bytes, far more than the longest stat */
  READ_SIZE = 16384,       /* bytes, the first guess of proc_read_all */
  PF_KTHREAD = 0x00200000, /* linux/sched.h */
};

/* Fields of stat after the name, which is field 2, as proc(5) numbers them. */
enum {
  FIELD_STATE = 3,
  FIELD_PPID = 4,
  FIELD_FLAGS = 9,
  FIELD_NUM_THREADS = 20,
  FIELD_START = 22,
  FIELD_RSS = 24,
  FIELD_START_CODE = 26,
  FIELDS,
};

/* Read a decimal number that ends at `end` or at a byte that is no digit.
 * Returns where it ends, or NULL. */
static const char *parse_number(const char *p, const char *end,
                                uint64_t *ret_number) {
  uint64_t n = 0;
  const char *start = p;

  for (; p < end && *p >= '0' && *p <= '9'; p++) {
    if (__builtin_mul_overflow(n, 10, &n) ||
        __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
      return NULL;
  }
  if (p == start)
    return NULL;
  *ret_number = n;
  return p;
}

/* Numbers of stat from field 4 on; negative ones (priorities) read as 0. */
static int parse_fields(const char *p, const char *end,
                        uint64_t ret_fields[static FIELDS]) {
  for (int field = FIELD_PPID; field < FIELDS; field++) {
    bool negative;

    if (p >= end || *p != ' ')
      return -EINVAL;
    p++;
    negative = p < end && *p == '-';
    p = parse_number(negative ? p + 1 : p, end, &ret_fields[field]);
    if (p == NULL)
      return -EINVAL;
    if (negative)
      ret_fields[field] = 0;
  }
  return 0;
}

int proc_parse_stat(const char *text, size_t len, struct proc_stat *ret) {
  const char *end = text + len;
  const char *open = memchr(text, '(', len);
  const char *close = memrchr(text, ')', len);
  uint64_t fields[FIELDS];
  size_t comm_len;

  /* The name may hold anything, ')' and newlines too; what follows it
   * doesn't. */
  if (open == NULL || close < open || end - close < 3 || close[1] != ' ')
    return -EINVAL;
  if (parse_fields(close + 3, end, fields) < 0 || fields[FIELD_PPID] > INT_MAX)
    return -EINVAL;
  memset(ret, 0, sizeof(*ret));
  comm_len = (size_t)(close - open) - 1;
  if (comm_len > COMM_MAX)
    comm_len = COMM_MAX;
  memcpy(ret->comm, open + 1, comm_len);
  ret->state = close[2];
  ret->ppid = (pid_t)fields[FIELD_PPID];
  ret->kernel_thread = (fields[FIELD_FLAGS] & PF_KTHREAD) != 0;
  ret->num_threads = fields[FIELD_NUM_THREADS];
  ret->start_ticks = fields[FIELD_START];
  ret->rss_pages = fields[FIELD_RSS];
  ret->start_code = fields[FIELD_START_CODE];
  return 0;
}

int proc_parse_statm(const char *text, size_t len, uint64_t *ret_rss_pages) {
  const char *end = text + len;
  uint64_t size;
  uint64_t rss;
  const char *p = parse_number(text, end, &size);

  if (p == NULL || p == end || *p != ' ' ||
      parse_number(p + 1, end, &rss) == NULL)
    return -EINVAL;
  *ret_rss_pages = rss;
  return 0;
}

bool proc_next_line(const char **text, size_t *len, const char **ret_line,
                    size_t *ret_line_len) {
  const char *newline;

  if (*len == 0)
    return false;
  newline = memchr(*text, '\n', *len);
  *ret_line = *text;
  *ret_line_len = newline != NULL ? (size_t)(newline - *text) : *len;
  *text += *ret_line_len;
  *len -= *ret_line_len;
  if (newline != NULL) {
    (*text)++;
    (*len)--;
  }
  return true;
}

int proc_parse_btime(const char *text, size_t len, int64_t *ret_s) {
  static const char key[] = "btime ";
  const size_t key_len = sizeof(key) - 1;
  const char *line;
  size_t line_len;

  while (proc_next_line(&text, &len, &line, &line_len)) {
    uint64_t s;

    if (line_len < key_len || memcmp(line, key, key_len) != 0)
      continue;
    if (parse_number(line + key_len, line + line_len, &s) == NULL ||
        s > INT64_MAX)
      return -EINVAL;
    *ret_s = (int64_t)s;
    return 0;
  }
  return -EINVAL;
}

bool proc_parse_pid(const char *name, pid_t *ret_pid) {
  const char *end = name + strlen(name);
  uint64_t n;

  if (name[0] == '0' || parse_number(name, end, &n) != end || n > INT_MAX)
    return false;
  *ret_pid = (pid_t)n;
  return true;
}

/* Fill `buf` from `fd` until it is full or the file ends. */
static int read_until_full(int fd, char *buf, size_t size, size_t *ret_len) {
  size_t len = 0;

  while (len < size) {
    ssize_t n = read(fd, buf + len, size - len);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -errno;
    if (n == 0)
      break;
    len += (size_t)n;
  }
  *ret_len = len;
  return 0;
}

int proc_read(int dirfd, const char *path, char *buf, size_t size,
              size_t *ret_len) {
  int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  ssize_t n;
  int ret = 0;

  if (fd < 0)
    return -errno;
  /* One read: a file of proc is made at the first, and short. */
  do {
    n = read(fd, buf, size);
  } while (n < 0 && errno == EINTR);
  if (n < 0)
    ret = -errno;
  else
    *ret_len = (size_t)n;
  close(fd);
  return ret;
}

int proc_read_all(int dirfd, const char *path, size_t max, char **ret_text,
                  size_t *ret_len) {
  int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  char *text = NULL;
  size_t len = 0;
  int ret = 0;

  if (fd < 0)
    return -errno;
  for (size_t size = READ_SIZE;; size *= 2) {
    char *bigger = realloc(text, size + 1);
    size_t n = 0;

    if (bigger == NULL) {
      ret = -ENOMEM;
      goto out;
    }
    text = bigger;
    ret = read_until_full(fd, text + len, size - len, &n);
    if (ret < 0)
      goto out;
    len += n;
    if (len < size)
      break;
    if (size > max) {
      ret = -EFBIG;
      goto out;
    }
  }
  text[len] = '\0';
  *ret_text = text;
  *ret_len = len;
  text = NULL;

out:
  free(text);
  close(fd);
  return ret;
}

int proc_read_stat(int pid_fd, struct proc_stat *ret) {
  char text[STAT_SIZE];
  size_t len = 0;
  int r = proc_read(pid_fd, "stat", text, sizeof(text), &len);

  return r < 0 ? r : proc_parse_stat(text, len, ret);
}

int proc_open(int proc_fd, pid_t pid, pid_t tid, uint64_t start_ticks,
              struct proc_stat *ret_stat) {
  char path[64];
  struct proc_stat stat = {0};
  int fd;
  int ret;

  (void)snprintf(path, sizeof(path), "%d", pid);
  fd = openat(proc_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return errno == ENOENT ? -ESRCH : -errno;
  ret = proc_read_stat(fd, &stat);
  if (ret == 0 && stat.start_ticks != start_ticks)
    ret = -ESRCH;
  if (ret == 0 && tid != 0) {
    int pid_fd = fd;

    (void)snprintf(path, sizeof(path), "task/%d", tid);
    fd = openat(pid_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    ret = fd < 0 ? -errno : proc_read_stat(fd, &stat);
    close(pid_fd);
  }
  if (ret < 0) {
    if (fd >= 0)
      close(fd);
    return ret == -ENOENT ? -ESRCH : ret;
  }
  if (ret_stat != NULL)
    *ret_stat = stat;
  return fd;
}
