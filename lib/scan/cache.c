#include <errno.h>
#include <stdlib.h>

#include "lib/scan/cache.h"

enum { BUCKETS_MIN = 64 };

struct cache {
  size_t max;
  cache_drop_job *drop_job;
  void *arg;
  size_t len;
  struct cache_entry **buckets;
  size_t buckets_len; /* a power of two */
  struct cache_entry *newest;
  struct cache_entry *oldest;
};

int cache_new(size_t max, cache_drop_job *drop_job, void *arg,
              struct cache **ret) {
  struct cache *c = calloc(1, sizeof(*c));

  if (c == NULL)
    return -ENOMEM;
  c->buckets = calloc(BUCKETS_MIN, sizeof(*c->buckets));
  if (c->buckets == NULL) {
    free(c);
    return -ENOMEM;
  }
  c->buckets_len = BUCKETS_MIN;
  c->max = max;
  c->drop_job = drop_job;
  c->arg = arg;
  *ret = c;
  return 0;
}

void cache_free(struct cache *c) {
  if (c == NULL)
    return;
  cache_clear(c);
  free(c->buckets);
  free(c);
}

static uint64_t mix(uint64_t h) {
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdU;
  h ^= h >> 33;
  return h;
}

/* By inode alone, so that one can be found without its times. */
static struct cache_entry **bucket(struct cache *c, const struct file_id *id) {
  uint64_t h = mix(id->ino + mix(id->dev));

  return &c->buckets[h & (c->buckets_len - 1)];
}

struct cache_entry *cache_find_inode(struct cache *c, const struct file_id *id,
                                     uint64_t cycle) {
  struct cache_entry *e = *bucket(c, id);

  while (e != NULL && (e->used != cycle || !file_same_inode(&e->id, id)))
    e = e->chain;
  return e;
}

static struct cache_entry *find(struct cache *c, const struct file_id *id) {
  struct cache_entry *e = *bucket(c, id);

  while (e != NULL && !file_id_equal(&e->id, id))
    e = e->chain;
  return e;
}

static void chain(struct cache *c, struct cache_entry *e) {
  struct cache_entry **b = bucket(c, &e->id);

  e->chain = *b;
  *b = e;
}

static void unchain(struct cache *c, struct cache_entry *e) {
  struct cache_entry **p = bucket(c, &e->id);

  while (*p != e)
    p = &(*p)->chain;
  *p = e->chain;
}

static void list_remove(struct cache *c, struct cache_entry *e) {
  *(e->newer != NULL ? &e->newer->older : &c->newest) = e->older;
  *(e->older != NULL ? &e->older->newer : &c->oldest) = e->newer;
}

static void list_push(struct cache *c, struct cache_entry *e) {
  e->newer = NULL;
  e->older = c->newest;
  *(c->newest != NULL ? &c->newest->newer : &c->oldest) = e;
  c->newest = e;
}

/* Without memory for more buckets the chains just get longer. */
static void grow(struct cache *c) {
  struct cache_entry **bigger = calloc(c->buckets_len * 2, sizeof(*c->buckets));

  if (bigger == NULL)
    return;
  free(c->buckets);
  c->buckets = bigger;
  c->buckets_len *= 2;
  for (struct cache_entry *e = c->newest; e != NULL; e = e->older)
    chain(c, e);
}

struct cache_entry *cache_get(struct cache *c, const struct file_id *id) {
  struct cache_entry *e = find(c, id);

  if (e != NULL) {
    list_remove(c, e);
    list_push(c, e);
    return e;
  }
  e = calloc(1, sizeof(*e));
  if (e == NULL)
    return NULL;
  e->id = *id;
  e->reason = EXE_REASON_PENDING;
  if (c->len >= c->buckets_len)
    grow(c);
  chain(c, e);
  list_push(c, e);
  c->len++;
  return e;
}

bool cache_rename(struct cache *c, struct cache_entry *e,
                  const struct file_id *id) {
  if (file_id_equal(&e->id, id))
    return true;
  if (find(c, id) != NULL)
    return false;
  unchain(c, e);
  e->id = *id;
  chain(c, e);
  return true;
}

struct cache_entry *cache_newest(struct cache *c) {
  return c->newest;
}

static void drop(struct cache *c, struct cache_entry *e) {
  unchain(c, e);
  list_remove(c, e);
  c->len--;
  if (e->job != NULL)
    c->drop_job(c->arg, e->job);
  free(e->path);
  free(e);
}

void cache_clear(struct cache *c) {
  struct cache_entry *newer;

  for (struct cache_entry *e = c->oldest; e != NULL; e = newer) {
    newer = e->newer;
    drop(c, e);
  }
}

static void trim(struct cache *c, uint64_t used_since, bool hashed_now_too) {
  struct cache_entry *newer;

  /* They are dropped one by one. NOLINTBEGIN(clang-analyzer-unix.Malloc) */
  for (struct cache_entry *e = c->oldest; e != NULL; e = newer) {
    if (c->len <= c->max && e->used >= used_since)
      break;
    newer = e->newer;
    if (hashed_now_too || e->job == NULL)
      drop(c, e);
  }
  /* NOLINTEND(clang-analyzer-unix.Malloc) */
}

/* Those that are being hashed stay as long as there are others to go. */
void cache_trim(struct cache *c, uint64_t used_since) {
  trim(c, used_since, false);
  trim(c, 0, true);
}

size_t cache_len(const struct cache *c) { return c->len; }
