#include <assert.h>
#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/scan/hash.h"

/* The kernel stamps files with a clock that ticks every 1 to 10 ms: within
 * one tick of its last change, a file can change again unseen. */
enum { TICK_NS = 20 * 1000 * 1000 };

void hash_init(struct hash *h) { *h = (struct hash){.fd = -1}; }

/* Read the file's state, but not before its last change is a tick old. */
static int stat_settled(int fd, struct file_stat *ret) {
  struct timespec now;
  int64_t age_ns;
  int r = file_stat_at(fd, "", FILE_STAT_SYNC, ret);

  if (r < 0)
    return r;
  (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
  age_ns = (int64_t)((uint64_t)now.tv_sec * 1000000000U +
                     (uint64_t)now.tv_nsec - (uint64_t)ret->id.ctime_ns);
  if (age_ns < 0 || age_ns >= TICK_NS)
    return 0;
  (void)nanosleep(&(struct timespec){.tv_nsec = TICK_NS}, NULL);
  return file_stat_at(fd, "", FILE_STAT_SYNC, ret);
}

static int restart(struct hash *h) {
  h->done = 0;
  return EVP_DigestInit_ex2(h->md, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

int hash_begin(struct hash *h, int fd, const struct file_id *expected) {
  int ret;

  assert(h->fd < 0);
  h->fd = fd;
  ret = stat_settled(fd, &h->before);
  if (ret < 0)
    return ret;
  if (!file_same_inode(&h->before.id, expected) ||
      !S_ISREG(h->before.facts.mode))
    return -ESRCH;
  h->md = EVP_MD_CTX_new();
  if (h->md == NULL)
    return -ENOMEM;
  return restart(h);
}

/* All is read: is it still the file that it was? */
static int end(struct hash *h, struct digest *ret_digest) {
  struct file_stat after;
  int ret = file_stat_at(h->fd, "", FILE_STAT_SYNC, &after);

  if (ret < 0)
    return ret;
  if (file_id_equal(&after.id, &h->before.id) && h->done == after.id.size)
    return EVP_DigestFinal_ex(h->md, ret_digest->bytes, NULL) == 1 ? 0
                                                                   : -ENOMEM;
  if (h->again)
    return -ESTALE;
  h->again = true;
  ret = stat_settled(h->fd, &h->before);
  if (ret == 0)
    ret = restart(h);
  return ret < 0 ? ret : 1;
}

int hash_step(struct hash *h, void *buf, size_t max, size_t *ret_read,
              struct digest *ret_digest) {
  uint64_t left = h->before.id.size - h->done;
  ssize_t n = 0;

  assert(max > 0);
  if (max > HASH_CHUNK)
    max = HASH_CHUNK;
  if (max > left)
    max = left;
  *ret_read = 0;
  if (max > 0) {
    do {
      n = pread(h->fd, buf, max, (off_t)h->done);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
      return -errno;
    if (EVP_DigestUpdate(h->md, buf, (size_t)n) != 1)
      return -ENOMEM;
    *ret_read = (size_t)n;
    h->done += (size_t)n;
  }
  /* No more, or less than there was to be. */
  if (n == 0 || h->done == h->before.id.size)
    return end(h, ret_digest);
  return 1;
}

void hash_clear(struct hash *h) {
  EVP_MD_CTX_free(h->md);
  if (h->fd >= 0)
    close(h->fd);
  hash_init(h);
}
