#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/scan/dpkg.h"

static const char *const alias_names[DPKG_ALIASES] = {
    "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/libo32"};

/* Take the folders at the top of the root that are links to others. */
static int read_aliases(struct dpkg_reader *r) {
  char target[PATH_MAX];

  for (size_t i = 0; i < DPKG_ALIASES; i++) {
    const char *relative;
    char *alias;

    if (package_db_read_link(r->query->root_fd, alias_names[i], target) < 0)
      continue;
    relative = target + strspn(target, "/");
    if (relative[0] == '\0' || strstr(relative, "..") != NULL)
      continue;
    alias = malloc(strlen(relative) + 2);
    if (alias == NULL)
      return -ENOMEM;
    alias[0] = '/';
    memcpy(alias + 1, relative, strlen(relative) + 1);
    r->aliases[i] = alias;
  }
  return 0;
}

bool dpkg_paths_resolve(const struct dpkg_reader *r, const char *path,
                        size_t len, char *buf, const char **ret_path,
                        size_t *ret_len) {
  if (len == 0 || path[0] != '/' || len >= PATH_MAX)
    return false;
  *ret_path = path;
  *ret_len = len;
  if (len < 4 || memcmp(path, "/usr", 4) == 0)
    return true;
  for (size_t i = 0; i < DPKG_ALIASES; i++) {
    size_t name_len = strlen(alias_names[i]);
    size_t target_len;

    if (r->aliases[i] == NULL || len <= name_len || path[name_len] != '/' ||
        memcmp(path, alias_names[i], name_len) != 0)
      continue;
    target_len = strlen(r->aliases[i]);
    if (target_len + len - name_len >= PATH_MAX)
      return false;
    memcpy(buf, r->aliases[i], target_len);
    memcpy(buf + target_len, path + name_len, len - name_len);
    *ret_path = buf;
    *ret_len = target_len + len - name_len;
    return true;
  }
  return true;
}

int dpkg_paths_key(struct dpkg_reader *r, const char *path, size_t len,
                   size_t *ret_key) {
  if (r->keys_size <= r->paths.len) {
    size_t size = r->keys_size > 0 ? 2 * r->keys_size : r->query->len + 16;
    struct dpkg_key *keys = reallocarray(r->keys, size, sizeof(*keys));

    if (keys == NULL)
      return -ENOMEM;
    memset(keys + r->keys_size, 0, (size - r->keys_size) * sizeof(*keys));
    r->keys = keys;
    r->keys_size = size;
  }
  return texts_add(&r->paths, path, len, ret_key);
}

/* Put the path that a link at `path` leads to into `next`, by its text alone.
 * false: it leads nowhere. */
static bool follow(const char *path, const char *target,
                   char next[static PATH_MAX]) {
  const char *slash = strrchr(path, '/');
  size_t len = target[0] == '/' ? 0 : (size_t)(slash - path);

  memmove(next, path, len);
  while (*target != '\0') {
    size_t part;

    target += strspn(target, "/");
    part = strcspn(target, "/");
    if (part == 2 && memcmp(target, "..", 2) == 0) {
      while (len > 0 && next[len - 1] != '/')
        len--;
      len -= len > 0;
    } else if (part > 0 && !(part == 1 && *target == '.')) {
      if (len + 1 + part >= PATH_MAX)
        return false;
      next[len++] = '/';
      memcpy(next + len, target, part);
      len += part;
    }
    target += part;
  }
  next[len] = '\0';
  return len > 0;
}

/* Add the path to the chain, and write it as it is without aliases. Returns 1,
 * 0 (it is too long, or no path) or -ENOMEM. */
static int chain_add(struct dpkg_reader *r, struct dpkg_chain *chain,
                     char path[static PATH_MAX]) {
  char buf[PATH_MAX];
  const char *resolved;
  size_t len;
  size_t key;
  int ret;

  if (!dpkg_paths_resolve(r, path, strlen(path), buf, &resolved, &len))
    return 0;
  ret = dpkg_paths_key(r, resolved, len, &key);
  if (ret < 0)
    return ret;
  chain->keys[chain->len++] = key;
  memmove(path, resolved, len);
  path[len] = '\0';
  return 1;
}

static int chain_make(struct dpkg_reader *r, struct dpkg_chain *chain,
                      const char *asked) {
  char path[PATH_MAX], target[PATH_MAX];
  size_t len = strlen(asked);
  int ret;

  if (len >= sizeof(path))
    return 0;
  memcpy(path, asked, len + 1);
  ret = chain_add(r, chain, path);
  for (int i = 0; ret > 0 && i < DPKG_LINKS_MAX; i++) {
    if (package_db_read_link(r->query->root_fd, path, target) < 0 ||
        !follow(path, target, path))
      break;
    ret = chain_add(r, chain, path);
  }
  return ret < 0 ? ret : 0;
}

int dpkg_paths_ask(struct dpkg_reader *r) {
  int ret = read_aliases(r);

  r->chains = calloc(r->query->len + 1, sizeof(*r->chains));
  if (r->chains == NULL)
    return -ENOMEM;
  for (size_t i = 0; ret == 0 && i < r->query->len; i++)
    ret = chain_make(r, &r->chains[i], r->query->paths[i]);
  return ret;
}

void dpkg_paths_clear(struct dpkg_reader *r) {
  for (size_t i = 0; i < DPKG_ALIASES; i++)
    free(r->aliases[i]);
  texts_clear(&r->paths);
  free(r->keys);
  free(r->chains);
}
