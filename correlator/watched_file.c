#include "correlator/watched_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "correlator/log.h"
#include "correlator/read_at.h"

enum { LOOK_AGAIN_MS = 1000 };

static bool same_file(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
         a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
         a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
         a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
         a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static int check_stat(const struct watched_file *file) {
  const struct stat *st = &file->seen;

  if (!S_ISREG(st->st_mode)) {
    log_error("%s %s: not a regular file", file->what, file->path);
    return -EINVAL;
  }
  if (file->secret && (st->st_mode & 077)) {
    log_error("%s %s: mode is %04o, others may use it; expected 0600",
              file->what, file->path, (unsigned)(st->st_mode & 07777));
    return -EACCES;
  }
  if (st->st_size > WATCHED_FILE_MAX) {
    log_error("%s %s: %lld bytes, at most %d are taken", file->what, file->path,
              (long long)st->st_size, WATCHED_FILE_MAX);
    return -EFBIG;
  }
  return 0;
}

int watched_file_read(struct watched_file *file, char **ret_text,
                      size_t *ret_len) {
  struct stat after;
  char *text = NULL;
  size_t len = 0;
  int fd, r;

  fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0 || fstat(fd, &file->seen) != 0) {
    r = -errno;
    log_error("%s %s: cannot be opened: %s", file->what, file->path,
              strerrordesc_np(-r));
    goto out;
  }
  r = check_stat(file);
  if (r != 0)
    goto out;
  len = (size_t)file->seen.st_size;
  text = calloc(1, len + 1);
  if (!text) {
    r = -ENOMEM;
    goto out;
  }
  r = read_at(fd, 0, text, len);
  if (r == -ENODATA ||
      (r == 0 && (fstat(fd, &after) != 0 || !same_file(&file->seen, &after))))
    r = -EAGAIN; /* someone is writing it */
  if (r != 0) {
    log_error("%s %s: cannot be read: %s", file->what, file->path,
              strerrordesc_np(-r));
    goto out;
  }
  *ret_text = text;
  *ret_len = len;
  text = NULL;
out:
  watched_file_free(text, len);
  if (fd >= 0)
    close(fd);
  return r;
}

bool watched_file_changed(struct watched_file *file, int64_t now_ms) {
  struct stat now;

  if (file->looked_ms != 0 && now_ms - file->looked_ms < LOOK_AGAIN_MS)
    return false;
  file->looked_ms = now_ms;
  if (stat(file->path, &now) != 0 || same_file(&now, &file->seen))
    return false;
  file->seen = now;
  return true;
}

void watched_file_free(char *text, size_t len) {
  if (text)
    OPENSSL_cleanse(text, len);
  free(text);
}
