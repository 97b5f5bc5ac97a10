#include "correlator/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "correlator/log.h"
#include "correlator/read_at.h"
#include "lib/record/digest.h"

/* An entry is a mark, the length of what follows the head, its SHA-256, and
 * its bytes. After a damaged entry the next mark is looked for. */
static const uint8_t mark[8] = {0x89, 'P', 'D', 'N', 'A', '1', '\r', '\n'};

enum {
  HEAD_LEN = sizeof(mark) + 8 + DIGEST_LEN,
  ENTRY_MAX = 64 << 20, /* a length beyond is damage */
  SEARCH_CHUNK = 65536,
};

struct spool {
  pthread_mutex_t lock;
  int fd;
  uint64_t max_bytes;
  uint64_t size;
  uint64_t committed;
  uint64_t read_from; /* where the last entry read begins */
  uint64_t read_to;
  bool dirty;
};

static int write_at(int fd, uint64_t at, const void *buffer, size_t len) {
  const uint8_t *from = buffer;

  while (len > 0) {
    ssize_t n = pwrite(fd, from, len, (off_t)at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -errno;
    from += n;
    at += (uint64_t)n;
    len -= (size_t)n;
  }
  return 0;
}

/* The entry that is next. Returns 0, -ENODATA (torn: the file ends within it),
 * -EINVAL (damaged), -ENOMEM or a negative errno. */
static int read_entry(const struct spool *s, spool_decode_fn *decode, void *ret,
                      uint64_t *ret_len) {
  uint64_t at = s->read_to;
  uint8_t head[HEAD_LEN];
  struct digest expected;
  struct digest found;
  uint8_t *body = NULL;

  int rc = read_at(s->fd, at, head, sizeof(head));
  if (rc != 0)
    return rc;
  struct bytes_reader r = {.at = head + sizeof(mark),
                           .left = sizeof(head) - sizeof(mark)};
  uint64_t len = bytes_get_u64(&r);
  if (memcmp(head, mark, sizeof(mark)) != 0 || len == 0 || len > ENTRY_MAX)
    return -EINVAL;
  memcpy(&expected, r.at, sizeof(expected));
  body = malloc(len);
  if (body == NULL)
    return -ENOMEM;
  rc = read_at(s->fd, at + HEAD_LEN, body, len);
  if (rc == 0)
    rc = digest_of(body, len, &found);
  if (rc == 0 && !digest_equal(&expected, &found))
    rc = -EINVAL;
  if (rc == 0)
    rc = decode(body, len, ret);
  if (rc == 0)
    *ret_len = HEAD_LEN + len;
  free(body);
  return rc;
}

/* Where the next mark from `at` on is; the end of the file if there is none. */
static int find_mark(const struct spool *s, uint64_t at, uint64_t *ret_at) {
  uint8_t *chunk = malloc(SEARCH_CHUNK);
  int rc = chunk == NULL ? -ENOMEM : 0;

  while (rc == 0 && at + sizeof(mark) <= s->size) {
    size_t len = s->size - at < SEARCH_CHUNK ? (size_t)(s->size - at)
                                             : (size_t)SEARCH_CHUNK;
    rc = read_at(s->fd, at, chunk, len);
    if (rc != 0)
      break;
    const uint8_t *found = memmem(chunk, len, mark, sizeof(mark));
    if (found != NULL) {
      *ret_at = at + (uint64_t)(found - chunk);
      free(chunk);
      return 0;
    }
    at += len - (sizeof(mark) - 1); /* one may begin at the chunk's end */
  }
  *ret_at = s->size;
  free(chunk);
  return rc;
}

static int open_file(struct spool *s, const char *dir, const char *name) {
  int rc = 0;
  struct stat st;
  int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir_fd < 0)
    return -errno;
  s->fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (s->fd < 0 || flock(s->fd, LOCK_EX | LOCK_NB) != 0 ||
      fstat(s->fd, &st) != 0 || fsync(dir_fd) != 0)
    rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
  else
    s->size = (uint64_t)st.st_size;
  (void)close(dir_fd);
  return rc;
}

int spool_open(const char *dir, const char *name, uint64_t max_bytes,
               struct spool **ret_spool) {
  struct spool *s = calloc(1, sizeof(*s));

  if (s == NULL)
    return -ENOMEM;
  (void)pthread_mutex_init(&s->lock, NULL);
  s->fd = -1;
  s->max_bytes = max_bytes;
  int rc = open_file(s, dir, name);
  if (rc == 0) {
    *ret_spool = s;
    return 0;
  }
  if (rc == -EBUSY)
    log_error("state-dir %s: %s: expected to be ours alone, found another "
              "correlator that has it",
              dir, name);
  else
    log_error("state-dir %s: %s: %s", dir, name, strerrordesc_np(-rc));
  spool_close(s);
  return rc;
}

void spool_close(struct spool *s) {
  if (s == NULL)
    return;
  if (s->fd >= 0) {
    (void)spool_sync(s);
    (void)close(s->fd);
  }
  (void)pthread_mutex_destroy(&s->lock);
  free(s);
}

int spool_append(struct spool *s, const struct bytes *entry) {
  struct bytes head = {0};
  struct digest digest;
  int rc = -ENOMEM;

  if (entry->failed || digest_of(entry->data, entry->len, &digest) != 0)
    goto out;
  bytes_put(&head, mark, sizeof(mark));
  bytes_put_u64(&head, entry->len);
  bytes_put(&head, &digest, sizeof(digest));
  if (head.failed)
    goto out;

  (void)pthread_mutex_lock(&s->lock);
  uint64_t end = s->size + head.len + entry->len;
  rc = end > s->max_bytes || entry->len > ENTRY_MAX ? -ENOSPC : 0;
  if (rc == 0)
    rc = write_at(s->fd, s->size, head.data, head.len);
  if (rc == 0)
    rc = write_at(s->fd, s->size + head.len, entry->data, entry->len);
  if (rc == 0) {
    s->size = end;
    s->dirty = true;
  } else if (rc != -ENOSPC || end <= s->max_bytes) {
    (void)!ftruncate(s->fd, (off_t)s->size); /* the mark makes up for it */
  }
  (void)pthread_mutex_unlock(&s->lock);

out:
  bytes_free(&head);
  return rc;
}

int spool_next(struct spool *s, spool_decode_fn *decode, void *ret,
               uint64_t *ret_skipped) {
  int rc = -ENOENT;
  uint64_t len;

  (void)pthread_mutex_lock(&s->lock);
  while (s->read_to < s->size) {
    rc = read_entry(s, decode, ret, &len);
    if (rc == 0) {
      s->read_from = s->read_to;
      s->read_to += len;
    }
    if (rc == 0 || rc == -ENOMEM)
      break;
    (*ret_skipped)++;
    rc = -ENOENT;
    if (find_mark(s, s->read_to + 1, &s->read_to) != 0)
      s->read_to = s->size; /* the disk fails: what is left is lost */
  }
  (void)pthread_mutex_unlock(&s->lock);
  return rc;
}

void spool_commit(struct spool *s) {
  (void)pthread_mutex_lock(&s->lock);
  s->committed = s->read_to;
  if (s->committed == s->size && s->size > 0 && ftruncate(s->fd, 0) == 0) {
    s->size = 0;
    s->read_from = 0;
    s->read_to = 0;
    s->committed = 0;
    s->dirty = true;
  }
  (void)pthread_mutex_unlock(&s->lock);
}

void spool_rewind(struct spool *s) {
  (void)pthread_mutex_lock(&s->lock);
  s->read_to = s->committed;
  (void)pthread_mutex_unlock(&s->lock);
}

void spool_unread(struct spool *s) {
  (void)pthread_mutex_lock(&s->lock);
  s->read_to = s->read_from;
  (void)pthread_mutex_unlock(&s->lock);
}

bool spool_is_empty(struct spool *s) {
  (void)pthread_mutex_lock(&s->lock);
  bool empty = s->committed == s->size;
  (void)pthread_mutex_unlock(&s->lock);
  return empty;
}

int spool_sync(struct spool *s) {
  (void)pthread_mutex_lock(&s->lock);
  bool dirty = s->dirty;
  s->dirty = false;
  (void)pthread_mutex_unlock(&s->lock);
  /* Outside the lock: the disk may take its time. */
  return !dirty || fdatasync(s->fd) == 0 ? 0 : -errno;
}
