#include "correlator/auth_rotation.h"

#include <errno.h>
#include <unistd.h>

/* Fewer bytes that are alike don't make a copy. */
enum { ALIKE_MIN = 32 };

/* To read a file from its begin; it is closed if that is not possible. What it
 * begins with is told at once, so that it is noticed if it is cut before it is
 * read. */
static int give_whole(struct auth_file *file, struct auth_file *ret_file) {
  int rc = auth_head_read(file->fd, file->place.offset, &file->place.head);

  if (rc != 0) {
    (void)close(file->fd);
    return rc == -ENODATA ? -EAGAIN : rc;
  }
  file->place.offset = 0;
  *ret_file = *file;
  return 0;
}

int auth_rotation_path(const char *path, struct auth_file *ret_file) {
  struct auth_file file;
  int rc = auth_siblings_open_path(path, &file);

  return rc != 0 ? rc : give_whole(&file, ret_file);
}

/* How well a file fits a place: more is better, -1 is not at all. */
static int fitness(const struct auth_file *file,
                   const struct auth_place *place) {
  struct auth_head head = place->head;

  if (auth_head_check(file->fd, head.len, &head) != 0)
    return -1;
  return (file->place.offset >= place->offset ? 2 : 0) +
         (file->place.inode == place->inode ? 1 : 0);
}

/* Is it this machine that lacks something, whichever file it is? */
static bool is_our_lack(int rc) {
  return rc == -EMFILE || rc == -ENFILE || rc == -ENOMEM;
}

static int find(const struct auth_siblings *s, const struct auth_place *place,
                struct auth_file *ret_file) {
  struct auth_file best = {.fd = -1};
  int best_fits = -1;
  int rc = -ENOENT;

  for (size_t i = 0; i < s->len; i++) {
    struct auth_file file;
    int error = auth_siblings_open(s, &s->at[i], &file);
    if (error == -EAGAIN ||
        (error == -EACCES && s->at[i].inode == place->inode))
      rc = error;
    if (is_our_lack(error)) {
      if (best.fd >= 0)
        (void)close(best.fd);
      return error;
    }
    if (error != 0)
      continue;
    int fits = fitness(&file, place);
    struct auth_file worse = fits > best_fits ? best : file;
    if (fits > best_fits) {
      best = file;
      best_fits = fits;
    }
    if (worse.fd >= 0)
      (void)close(worse.fd);
  }
  if (best.fd < 0)
    return rc;
  best.place.head = place->head;
  if (best.place.offset > place->offset)
    best.place.offset = place->offset;
  *ret_file = best;
  return 0;
}

int auth_rotation_find(const char *path, const struct auth_place *place,
                       struct auth_file *ret_file) {
  struct auth_siblings s;
  int rc = auth_siblings_list(path, &s);

  if (rc == 0)
    rc = find(&s, place, ret_file);
  auth_siblings_free(&s);
  return rc;
}

/* Do two files begin with the same bytes, as far as both reach? */
static bool are_alike(const struct auth_file *a, const struct auth_file *b) {
  struct auth_head head_of_a;
  struct auth_head head_of_b;
  uint64_t len =
      a->place.offset < b->place.offset ? a->place.offset : b->place.offset;

  if (len < ALIKE_MIN)
    return false;
  return auth_head_read(a->fd, len, &head_of_a) == 0 &&
         auth_head_read(b->fd, len, &head_of_b) == 0 &&
         digest_equal(&head_of_a.digest, &head_of_b.digest);
}

static bool is_copy(const struct auth_file *file,
                    const struct auth_place *place,
                    const struct auth_file *newest) {
  struct auth_head head = place->head;

  return (head.len > 0 && auth_head_check(file->fd, head.len, &head) == 0) ||
         (newest->fd >= 0 && are_alike(file, newest));
}

static bool is_at(const struct auth_sibling *a,
                  const struct auth_place *place) {
  return a->inode == place->inode && a->device == place->device;
}

static const struct auth_sibling *at_place(const struct auth_siblings *s,
                                           const struct auth_place *place) {
  for (size_t i = 0; i < s->len; i++)
    if (is_at(&s->at[i], place))
      return &s->at[i];
  return NULL;
}

/* The oldest rotated file after the place's, which may have no name any more,
 * that is not PATH by another name; NULL: none. */
static struct auth_sibling *oldest_after(struct auth_siblings *s,
                                         const struct auth_place *place,
                                         const struct auth_file *newest) {
  const struct auth_sibling *current = at_place(s, place);
  struct auth_sibling *oldest = NULL;

  for (size_t i = 0; i < s->len; i++) {
    struct auth_sibling *a = &s->at[i];
    if (a->name[0] == '\0' || a->size == 0 || a == current ||
        (newest->fd >= 0 && is_at(a, &newest->place)))
      continue;
    bool after = current == NULL ? a->mtime_ns > place->mtime_ns
                                 : auth_siblings_older(s, current, a);
    if (after && (oldest == NULL || auth_siblings_older(s, a, oldest)))
      oldest = a;
  }
  return oldest;
}

/* -ENOENT: there is none. */
static int next_rotated(struct auth_siblings *s, const struct auth_place *place,
                        const struct auth_file *newest,
                        struct auth_file *ret_file) {
  struct auth_sibling *oldest;

  while ((oldest = oldest_after(s, place, newest)) != NULL) {
    struct auth_file file;
    int rc = auth_siblings_open(s, oldest, &file);
    if (rc != 0)
      return rc;
    if (!is_copy(&file, place, newest)) {
      *ret_file = file;
      return 0;
    }
    (void)close(file.fd);
    oldest->size = 0; /* passed over */
  }
  return -ENOENT;
}

/* PATH as it was listed; fd -1: it was not there. */
static int open_newest(const struct auth_siblings *s,
                       struct auth_file *ret_file) {
  ret_file->fd = -1;
  return s->len == 0 || s->at[s->len - 1].name[0] != '\0'
             ? 0
             : auth_siblings_open(s, &s->at[s->len - 1], ret_file);
}

static int find_next(struct auth_siblings *s, const struct auth_place *place,
                     struct auth_file *ret_file) {
  struct auth_file newest;
  int rc = open_newest(s, &newest);

  if (rc != 0)
    return rc;
  rc = next_rotated(s, place, &newest, ret_file);
  if (rc == -ENOENT && newest.fd >= 0 && newest.place.offset > 0 &&
      !is_at(&s->at[s->len - 1], place)) {
    *ret_file = newest;
    return 0;
  }
  if (newest.fd >= 0)
    (void)close(newest.fd);
  return rc;
}

int auth_rotation_next(const char *path, const struct auth_place *place,
                       struct auth_file *ret_file) {
  struct auth_file file;
  struct auth_siblings s;
  int rc = auth_siblings_list(path, &s);

  if (rc == 0)
    rc = find_next(&s, place, &file);
  auth_siblings_free(&s);
  return rc != 0 ? rc : give_whole(&file, ret_file);
}
