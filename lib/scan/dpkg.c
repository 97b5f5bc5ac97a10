#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/scan/dpkg.h"

int dpkg_progress(const struct dpkg_reader *r) {
  const struct package_db_query *q = r->query;

  return q->progress == NULL || q->progress(q->arg) ? 0 : -ECANCELED;
}

bool dpkg_is_garbage(int error) {
  switch (error) {
  case -ENOENT:
  case -ENOTDIR:
  case -ELOOP:
  case -EINVAL: /* it is no file */
  case -EFBIG:
  case -EAGAIN: /* it goes on changing; a reading that matters is repeated */
    return true;
  default:
    return false;
  }
}

static int stamp(int root_fd, bool cached, uint64_t *ret_stamp) {
  static const char *const others[] = {"/var/lib/dpkg/updates",
                                       "/var/lib/dpkg/info",
                                       "/var/lib/dpkg/diversions"};
  uint64_t value = 0;
  int ret = package_db_stamp(root_fd, "/var/lib/dpkg/status", cached, &value);

  for (size_t i = 0; ret == 0 && i < sizeof(others) / sizeof(others[0]); i++) {
    ret = package_db_stamp(root_fd, others[i], cached, &value);
    if (ret == -ENOENT)
      ret = 0;
  }
  if (ret == 0)
    *ret_stamp = value;
  return ret;
}

/* The package number `i` as the record has it. false: it has no files, or is
 * none that can be told. */
static bool package_of(const struct dpkg_reader *r, size_t i,
                       struct package *ret) {
  const struct dpkg_facts *facts = &r->facts[i];
  char *name;
  int set;

  if (!facts->has_files)
    return false;
  name = strndup(r->packages.texts[i], strcspn(r->packages.texts[i], ":"));
  set = name != NULL ? package_set(ret, dpkg_db.manager, name, facts->version,
                                   facts->arch)
                     : -ENOMEM;
  free(name);
  return set == 0;
}

static bool comes_before(const struct package *a, const struct package *b) {
  int order = strcmp(a->name, b->name);

  return order < 0 || (order == 0 && strcmp(a->arch, b->arch) < 0);
}

/* The owner among those that list the path. false: there is none. */
static bool choose(const struct dpkg_reader *r, const struct dpkg_key *key,
                   struct package *ret) {
  struct package owner = {.manager = ""};
  bool under_way = false;

  for (size_t i = 0; i < key->owners_len; i++) {
    struct package p;

    if (!package_of(r, key->owners[i], &p))
      continue;
    under_way |= r->facts[key->owners[i]].under_way;
    if (owner.manager[0] == '\0' || comes_before(&p, &owner))
      owner = p;
  }
  if (owner.manager[0] == '\0')
    return false;
  owner.in_transaction = under_way;
  *ret = owner;
  return true;
}

static int find(const struct package_db_query *query, struct package *owners,
                int64_t *ret_changing_s) {
  struct dpkg_reader r = {.query = query};
  int ret;

  /* malloc would keep it for this thread. */
  r.buf = mmap(NULL, LINES_BUFFER, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (r.buf == MAP_FAILED)
    return -ENOMEM;
  ret = dpkg_paths_ask(&r);
  if (ret == 0)
    ret = dpkg_diversions_read(&r);
  if (ret == 0)
    ret = dpkg_lists_read(&r);
  if (ret == 0)
    ret = dpkg_status_read(&r);
  if (ret == 0) {
    for (size_t i = 0; i < query->len; i++) {
      const struct dpkg_chain *chain = &r.chains[i];
      bool found = false;

      for (size_t k = 0; k < chain->len && !found; k++)
        found = choose(&r, &r.keys[chain->keys[k]], &owners[i]);
    }
    *ret_changing_s = r.changing_s;
  }
  dpkg_facts_clear(&r);
  dpkg_diversions_clear(&r);
  texts_clear(&r.packages);
  dpkg_paths_clear(&r);
  (void)munmap(r.buf, LINES_BUFFER);
  return ret;
}

const struct package_db dpkg_db = {
    .manager = "dpkg", .stamp = stamp, .find = find};
