#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/scan/package_read.h"

enum { TRIES = 3 }; /* to read databases that change meanwhile */

struct package_read *package_read_new(int root_fd, size_t len) {
  struct package_read *p = calloc(1, sizeof(*p));

  if (p == NULL)
    return NULL;
  p->root_fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);
  p->paths = calloc(len + 1, sizeof(*p->paths));
  p->owners = calloc(len + 1, sizeof(*p->owners));
  p->len = len;
  if (p->root_fd < 0 || p->paths == NULL || p->owners == NULL) {
    package_read_free(p);
    return NULL;
  }
  return p;
}

void package_read_free(struct package_read *p) {
  if (p == NULL)
    return;
  for (size_t i = 0; p->paths != NULL && i < p->len; i++)
    free(p->paths[i]);
  free(p->paths);
  free(p->owners);
  if (p->root_fd >= 0)
    close(p->root_fd);
  free(p);
}

int package_read_stamp(int root_fd, bool cached, uint64_t *ret_stamp) {
  uint64_t all = 0;

  for (size_t i = 0; package_dbs[i] != NULL; i++) {
    uint64_t stamp = 0;
    int ret = package_dbs[i]->stamp(root_fd, cached, &stamp);

    if (ret == -EAGAIN)
      return ret;
    if (ret < 0)
      stamp = 0;
    all = all * 0x9e3779b97f4a7c15U + stamp;
  }
  *ret_stamp = all;
  return 0;
}

/* Ask one database for what has no owner yet. */
static int ask(struct package_read *p, const struct package_db *db,
               struct package_db_query *query) {
  size_t *numbers = calloc(p->len + 1, sizeof(*numbers));
  const char **paths = calloc(p->len + 1, sizeof(*paths));
  struct package *owners = calloc(p->len + 1, sizeof(*owners));
  int64_t changing_s = PACKAGE_DB_SETTLED;
  size_t len = 0;
  int ret = -ENOMEM;

  if (numbers == NULL || paths == NULL || owners == NULL)
    goto out;
  for (size_t i = 0; i < p->len; i++) {
    if (p->owners[i].manager[0] != '\0')
      continue;
    numbers[len] = i;
    paths[len++] = p->paths[i];
  }
  query->paths = paths;
  query->len = len;
  ret = db->find(query, owners, &changing_s);
  if (ret < 0)
    goto out;
  for (size_t i = 0; i < len; i++)
    p->owners[numbers[i]] = owners[i];
  if (changing_s != PACKAGE_DB_SETTLED &&
      (p->changing_s == PACKAGE_DB_SETTLED || changing_s < p->changing_s))
    p->changing_s = changing_s;

out:
  free(numbers);
  free(paths);
  free(owners);
  return ret;
}

/* One try. */
static int ask_all(struct package_read *p, struct package_db_query *query) {
  p->failed = false;
  p->failure = (struct package_db_failure){0};
  p->changing_s = PACKAGE_DB_SETTLED;
  memset(p->owners, 0, p->len * sizeof(*p->owners));
  for (size_t i = 0; p->len > 0 && package_dbs[i] != NULL; i++) {
    uint64_t stamp;
    int ret = package_dbs[i]->stamp(p->root_fd, false, &stamp);

    if (ret == -ENOENT)
      continue;
    ret = ask(p, package_dbs[i], query);
    if (ret == -ENOMEM || ret == -ECANCELED)
      return ret;
    if (ret < 0 && !p->failed)
      p->failure = (struct package_db_failure){package_dbs[i]->manager, ret};
    if (ret < 0)
      p->failed = true;
  }
  return 0;
}

int package_read_run(struct package_read *p, bool (*progress)(void *arg),
                     void *arg) {
  struct package_db_query query = {
      .root_fd = p->root_fd, .progress = progress, .arg = arg};

  p->stable = false;
  for (int i = 0; i < TRIES && !p->stable; i++) {
    uint64_t after = 0;
    int ret;

    (void)package_read_stamp(p->root_fd, false, &p->stamp);
    ret = ask_all(p, &query);
    if (ret < 0)
      return ret;
    (void)package_read_stamp(p->root_fd, false, &after);
    p->stable = after == p->stamp;
  }
  return 0;
}
