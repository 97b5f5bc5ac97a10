#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/scan/lines.h"

int lines_begin(struct lines *l, int fd, char *buf, uint64_t max) {
  struct file_stat found;
  int ret = file_stat_at(fd, "", FILE_STAT_SYNC, &found);

  if (ret == 0 && found.id.size > max)
    ret = -EFBIG;
  if (ret < 0) {
    close(fd);
    return ret;
  }
  memset(l, 0, sizeof(*l));
  l->fd = fd;
  l->before = found.id;
  l->buf = buf;
  l->left = max;
  return 0;
}

/* Read more behind what is left in the buffer. */
static int fill(struct lines *l) {
  ssize_t n;

  memmove(l->buf, l->buf + l->start, l->end - l->start);
  l->end -= l->start;
  l->start = 0;
  do
    n = read(l->fd, l->buf + l->end, LINES_BUFFER - l->end);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return -errno;
  if ((uint64_t)n > l->left)
    return -EFBIG;
  l->left -= (uint64_t)n;
  l->end += (size_t)n;
  l->eof = n == 0;
  return 0;
}

/* Hand out what the buffer has up to `end` and go on after `next`. */
static int give(struct lines *l, size_t end, size_t next, char **ret_line,
                size_t *ret_len, bool *ret_cut) {
  *ret_cut = l->skipping;
  *ret_line = l->buf + l->start;
  *ret_len = l->skipping ? 0 : end - l->start;
  l->skipping = false;
  l->start = next;
  return 1;
}

int lines_next(struct lines *l, char **ret_line, size_t *ret_len,
               bool *ret_cut) {
  size_t looked = 0;

  for (;;) {
    const char *from = l->buf + l->start + looked;
    const char *newline = memchr(from, '\n', l->end - l->start - looked);
    int ret;

    if (newline != NULL) {
      size_t end = (size_t)(newline - l->buf);

      return give(l, end, end + 1, ret_line, ret_len, ret_cut);
    }
    if (l->eof) {
      if (l->start == l->end && !l->skipping)
        return 0;
      return give(l, l->end, l->end, ret_line, ret_len, ret_cut);
    }
    if (l->end - l->start == LINES_BUFFER) {
      l->skipping = true;
      l->start = l->end;
    }
    looked = l->end - l->start;
    ret = fill(l);
    if (ret < 0)
      return ret;
  }
}

int lines_end(struct lines *l) {
  struct file_stat found;
  int ret = file_stat_at(l->fd, "", FILE_STAT_SYNC, &found);

  close(l->fd);
  l->fd = -1;
  if (ret < 0)
    return ret;
  return file_id_equal(&found.id, &l->before) ? 0 : -EAGAIN;
}
