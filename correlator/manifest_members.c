#include "correlator/manifest_members.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

enum { LINKS_MAX = 40 /* as the kernel follows at most */ };

enum kind { ABSENT, FILE_PLAIN, FILE_DIGEST, SYMLINK, OTHER };

struct member {
  char *path;
  enum kind kind;
  bool conffile;
  struct digest digest; /* FILE_DIGEST */
  char *target;         /* SYMLINK: as it stands there */
};

struct manifest_members {
  void *tree; /* tsearch(3), by path */
};

static int compare(const void *a, const void *b) {
  return strcmp(((const struct member *)a)->path,
                ((const struct member *)b)->path);
}

static void member_free(void *arg) {
  struct member *member = arg;

  if (member == NULL)
    return;
  free(member->path);
  free(member->target);
  free(member);
}

struct manifest_members *manifest_members_new(void) {
  return calloc(1, sizeof(struct manifest_members));
}

void manifest_members_free(struct manifest_members *members) {
  if (members == NULL)
    return;
  tdestroy(members->tree, member_free);
  free(members);
}

static struct member *find(const struct manifest_members *members,
                           const char *path) {
  const struct member key = {.path = (char *)path};
  struct member *const *node = tfind(&key, &members->tree, compare);

  return node == NULL ? NULL : *node;
}

/* Take over `path`, for a member that is not there yet. NULL: no memory. */
static struct member *insert(struct manifest_members *members, char **path) {
  struct member *member = calloc(1, sizeof(*member));

  if (member == NULL)
    return NULL;
  member->path = *path;
  if (tsearch(member, &members->tree, compare) == NULL) {
    free(member);
    return NULL;
  }
  *path = NULL;
  return member;
}

/* The member of that name, a new one if there is none. NULL: see r->error. */
static struct member *get(struct manifest_members *members,
                          struct manifest_reading *r, const char *name) {
  struct member *member;
  char *path;

  if (manifest_path(r, name, &path) < 0)
    return NULL;
  member = find(members, path);
  if (member == NULL)
    member = insert(members, &path);
  free(path);
  if (member == NULL)
    (void)manifest_fail(r, -ENOMEM);
  return member;
}

/* Takes over the facts' target, also where it fails. */
static int put(struct manifest_members *members, struct manifest_reading *r,
               const char *name, const struct member *facts) {
  struct member *member = get(members, r, name);

  if (member == NULL) {
    free(facts->target);
    return r->error;
  }
  free(member->target);
  member->target = facts->target;
  member->kind = facts->kind;
  member->digest = facts->digest;
  return 0;
}

int manifest_members_file(struct manifest_members *members,
                          struct manifest_reading *r, const char *name,
                          const struct digest *digest) {
  struct member facts = {.kind = digest != NULL ? FILE_DIGEST : FILE_PLAIN};

  if (digest != NULL)
    facts.digest = *digest;
  return put(members, r, name, &facts);
}

int manifest_members_link(struct manifest_members *members,
                          struct manifest_reading *r, const char *name,
                          const char *target) {
  const struct member *file;
  char *path;
  int error = manifest_path(r, target, &path);

  if (error < 0)
    return error;
  file = find(members, path);
  free(path);
  if (file == NULL || (file->kind != FILE_PLAIN && file->kind != FILE_DIGEST))
    return manifest_broken(r, "%s: a hard link to %s, which is no file in it",
                           name, target);
  return manifest_members_file(
      members, r, name, file->kind == FILE_DIGEST ? &file->digest : NULL);
}

int manifest_members_symlink(struct manifest_members *members,
                             struct manifest_reading *r, const char *name,
                             const char *target) {
  struct member facts = {.kind = SYMLINK};

  if (strlen(target) > r->limits->path_bytes)
    return manifest_broken(r, "%.80s: a link to a name of %zu bytes", name,
                           strlen(target));
  facts.target = strdup(target);
  if (facts.target == NULL)
    return manifest_fail(r, -ENOMEM);
  return put(members, r, name, &facts);
}

int manifest_members_other(struct manifest_members *members,
                           struct manifest_reading *r, const char *name) {
  const struct member facts = {.kind = OTHER};

  return put(members, r, name, &facts);
}

int manifest_members_conffile(struct manifest_members *members,
                              struct manifest_reading *r, const char *name) {
  struct member *member = get(members, r, name);

  if (member != NULL)
    member->conffile = true;
  return r->error;
}

/* The path that `target` leads to for a link in the folder that is the first
 * `folder_len` bytes of `path`, followed by `rest`. ".." climbs, but not over
 * the root. NULL: no memory. */
static char *follow(const char *path, size_t folder_len, const char *target,
                    const char *rest) {
  char *whole = malloc(folder_len + strlen(target) + strlen(rest) + 3);
  size_t out = target[0] == '/' ? 0 : folder_len;

  if (whole == NULL)
    return NULL;
  memcpy(whole, path, out);
  for (const char *part = target; *part != '\0';) {
    size_t n = strcspn(part, "/");

    if (n == 2 && part[0] == '.' && part[1] == '.') {
      while (out > 0 && whole[--out] != '/')
        ;
    } else if (n > 0 && !(n == 1 && part[0] == '.')) {
      whole[out++] = '/';
      memcpy(whole + out, part, n);
      out += n;
    }
    part += n + (part[n] == '/');
  }
  memcpy(whole + out, rest, strlen(rest) + 1);
  return whole;
}

/* Replace *path by where its first folder that is a link leads. Returns 1 if
 * there was one, 0 if not, or -ENOMEM. */
static int follow_first(const struct manifest_members *members, char **path) {
  for (char *slash = strchr(*path + 1, '/'); slash != NULL;
       slash = strchr(slash + 1, '/')) {
    const struct member *folder;
    char *whole;

    *slash = '\0';
    folder = find(members, *path);
    if (folder == NULL || folder->kind != SYMLINK) {
      *slash = '/';
      continue;
    }
    whole = strrchr(*path, '/');
    *slash = '/';
    whole = follow(*path, (size_t)(whole - *path), folder->target, slash);
    if (whole == NULL)
      return -ENOMEM;
    free(*path);
    *path = whole;
    return 1;
  }
  return 0;
}

struct listing {
  const struct manifest_members *members;
  struct manifest_reading *r;
  struct manifest *m;
};

static void list_member(const void *node, VISIT visit, void *arg) {
  struct listing *l = arg;
  const struct member *member = *(struct member *const *)node;
  struct manifest_entry entry = {.digest = member->digest,
                                 .conffile = member->conffile};
  char *path;
  int more = 1;

  if (l->r->error != 0 || (visit != postorder && visit != leaf) ||
      member->kind != FILE_DIGEST || manifest_go_on(l->r) < 0)
    return;
  path = strdup(member->path);
  if (path == NULL)
    more = -ENOMEM;
  for (int i = 0; more > 0 && i < LINKS_MAX; i++)
    more = follow_first(l->members, &path);
  if (more < 0)
    (void)manifest_fail(l->r, more);
  else if (more > 0)
    (void)manifest_broken(l->r, "%s: lies below a loop of symbolic links",
                          member->path);
  else if (strlen(path) > l->r->limits->path_bytes)
    (void)manifest_broken(l->r, "%s: its symbolic links make its path too long",
                          member->path);
  else
    (void)manifest_add(l->r, l->m, path, &entry);
  free(path);
}

int manifest_members_list(struct manifest_members *members,
                          struct manifest_reading *r, struct manifest *m) {
  struct listing l = {members, r, m};

  twalk_r(members->tree, list_member, &l);
  return r->error;
}
