#include "correlator/auth_positions.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct entry {
  struct auth_position position;
  int64_t version;
  uint64_t generation;
  bool known;
};

struct auth_positions {
  pthread_mutex_t lock;
  size_t len;
  struct entry entries[];
};

struct auth_positions *auth_positions_new(size_t files_len) {
  struct auth_positions *p =
      calloc(1, sizeof(*p) + files_len * sizeof(p->entries[0]));

  if (p == NULL)
    return NULL;
  (void)pthread_mutex_init(&p->lock, NULL);
  p->len = files_len;
  return p;
}

void auth_positions_free(struct auth_positions *p) {
  if (p == NULL)
    return;
  (void)pthread_mutex_destroy(&p->lock);
  free(p);
}

static struct entry *lock(struct auth_positions *p, size_t file) {
  assert(file < p->len);
  (void)pthread_mutex_lock(&p->lock);
  return &p->entries[file];
}

static void unlock(struct auth_positions *p) {
  (void)pthread_mutex_unlock(&p->lock);
}

bool auth_positions_get(struct auth_positions *p, size_t file,
                        struct auth_position *ret_position,
                        uint64_t *ret_generation) {
  const struct entry *e = lock(p, file);
  bool known = e->known;

  if (known) {
    *ret_position = e->position;
    *ret_generation = e->generation;
  }
  unlock(p);
  return known;
}

bool auth_positions_current(struct auth_positions *p, size_t file,
                            uint64_t generation) {
  const struct entry *e = lock(p, file);
  bool current = e->known && e->generation == generation;

  unlock(p);
  return current;
}

void auth_positions_load(struct auth_positions *p, size_t file,
                         const struct auth_position *position,
                         int64_t version) {
  struct entry *e = lock(p, file);

  if (!e->known) {
    e->position = *position;
    e->version = version;
    e->known = true;
  }
  unlock(p);
}

int64_t auth_positions_version(struct auth_positions *p, size_t file) {
  int64_t version = lock(p, file)->version;

  unlock(p);
  return version;
}

void auth_positions_written(struct auth_positions *p, size_t file,
                            const struct auth_position *position) {
  struct entry *e = lock(p, file);

  e->position = *position;
  e->version++;
  unlock(p);
}

static void forget(struct entry *e) {
  if (e->known)
    e->generation++;
  e->known = false;
}

void auth_positions_forget(struct auth_positions *p, size_t file) {
  forget(lock(p, file));
  unlock(p);
}

void auth_positions_forget_all(struct auth_positions *p) {
  (void)pthread_mutex_lock(&p->lock);
  for (size_t i = 0; i < p->len; i++)
    forget(&p->entries[i]);
  unlock(p);
}

bool auth_positions_wanted(struct auth_positions *p) {
  bool wanted = false;

  (void)pthread_mutex_lock(&p->lock);
  for (size_t i = 0; i < p->len; i++)
    if (!p->entries[i].known)
      wanted = true;
  unlock(p);
  return wanted;
}
