#include "correlator/manifest_import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "correlator/text.h"

enum { ORIGIN_MAX = 1024, BY_MAX = 255 }; /* bytes */

void manifest_result_clear(struct manifest_result *result) {
  manifest_clear(&result->manifest);
}

static int refuse(struct manifest_result *result, int error, const char *why) {
  (void)snprintf(result->why, sizeof(result->why), "%s", why);
  return error;
}

/* Ask, or write; *ret_answer is the one value's first letter. */
static int ask(const struct manifest_import *import, const char *sql,
               size_t params_len, const char *const *params, char *ret_answer) {
  PGresult *answer;

  if (cmd_query(import->cmd, sql, params_len, params, &answer) != EXIT_DONE)
    return -ENOTCONN;
  *ret_answer = PQgetvalue(answer, 0, 0)[0];
  PQclear(answer);
  return 0;
}

/* Is this very file imported already, with as much to vouch for it? */
static int is_known(const struct manifest_import *import,
                    const struct manifest *m, bool *ret_known) {
  char content[DIGEST_HEX_LEN + 1], answer;
  const char *params[] = {import->cmd->tenant, content,
                          manifest_provenance_name(m->provenance)};
  int error;

  digest_to_hex(&m->content, content);
  error = ask(import, "SELECT process_dna.manifest_known($1, $2, $3)", 3,
              params, &answer);
  if (error == 0)
    *ret_known = answer == 't';
  return error;
}

/* The entries as three arrays. */
struct columns {
  struct db_array paths, digests, conffiles;
};

static void columns_fill(struct columns *c, const struct manifest *m) {
  char hex[DIGEST_HEX_LEN + 1];

  for (size_t i = 0; i < m->entries_len; i++) {
    digest_to_hex(&m->entries[i].digest, hex);
    db_array_add_text(&c->paths, m->entries[i].path);
    db_array_add_text(&c->digests, hex);
    db_array_add_bool(&c->conffiles, m->entries[i].conffile);
  }
}

static void columns_free(struct columns *c) {
  db_array_free(&c->paths);
  db_array_free(&c->digests);
  db_array_free(&c->conffiles);
}

/* A copy that is fit to be shown and stored, and not too long. NULL: out of
 * memory. */
static char *short_text(const char *origin, size_t max) {
  char *text = text_printable(origin);

  if (text != NULL && strlen(text) > max) {
    while (max > 0 && ((unsigned char)text[max] & 0xC0U) == 0x80)
      max--; /* not within a character */
    text[max] = '\0';
  }
  return text;
}

static int write_manifest(const struct manifest_import *import,
                          const struct manifest *m,
                          enum manifest_outcome *ret_outcome) {
  char content[DIGEST_HEX_LEN + 1], answer;
  char *origin = short_text(m->origin, ORIGIN_MAX);
  char *by = short_text(import->by, BY_MAX);
  struct columns c = {0};
  int error = -ENOMEM;

  columns_fill(&c, m);
  digest_to_hex(&m->content, content);
  const char *params[] = {import->cmd->tenant,
                          m->package.manager,
                          m->package.name,
                          m->package.version,
                          m->package.arch,
                          content,
                          manifest_provenance_name(m->provenance),
                          origin,
                          by,
                          m->glob,
                          m->expires,
                          db_array_text(&c.paths),
                          db_array_text(&c.digests),
                          db_array_text(&c.conffiles)};
  enum { PARAMS_LEN = sizeof(params) / sizeof(*params) };
  if (origin != NULL && by != NULL && params[PARAMS_LEN - 3] != NULL &&
      params[PARAMS_LEN - 2] != NULL && params[PARAMS_LEN - 1] != NULL)
    error = ask(import,
                "SELECT process_dna.manifest_add($1, $2, $3, $4, $5, $6, $7, "
                "$8, $9, $10, $11, $12, $13, $14)",
                PARAMS_LEN, params, &answer);
  if (error == 0)
    *ret_outcome = answer == 'a'   ? MANIFEST_ADDED
                   : answer == 'r' ? MANIFEST_RAISED
                                   : MANIFEST_KNOWN;
  columns_free(&c);
  free(by);
  free(origin);
  return error;
}

/* Without a glob a release needs names, and a list of standard input's digest
 * has none. */
static int check_names(const struct manifest_import *import,
                       struct manifest_result *result) {
  const struct manifest *m = &result->manifest;

  for (size_t i = 0; import->glob == NULL && i < m->entries_len; i++)
    if (strcmp(m->entries[i].path, "/-") == 0)
      return refuse(result, -EBADMSG,
                    "has the name \"-\", which is none: say where it holds "
                    "with --path");
  return 0;
}

/* A file is what its content says, not what an index calls it. */
static int check_package(const struct manifest_import *import,
                         struct manifest_result *result) {
  const struct package *wanted = import->expected;
  const struct package *found = &result->manifest.package;

  if (wanted == NULL || (strcmp(wanted->manager, found->manager) == 0 &&
                         strcmp(wanted->name, found->name) == 0 &&
                         strcmp(wanted->version, found->version) == 0 &&
                         strcmp(wanted->arch, found->arch) == 0))
    return 0;
  (void)snprintf(result->why, sizeof(result->why),
                 "calls itself %s:%s=%s:%s, not %s:%s=%s:%s", found->manager,
                 found->name, found->version, found->arch, wanted->manager,
                 wanted->name, wanted->version, wanted->arch);
  return -EBADMSG;
}

/* It was verified, but where it lies others may write. */
static int check_content(const struct manifest_import *import,
                         struct manifest_result *result) {
  char hex[DIGEST_HEX_LEN + 1];

  digest_to_hex(&result->manifest.content, hex);
  if (import->content == NULL || strcmp(import->content, hex) == 0)
    return 0;
  (void)snprintf(result->why, sizeof(result->why),
                 "expected the digest that its index has, %s, found %s",
                 import->content, hex);
  return -EBADMSG;
}

/* The manifest, but for what its file's digest is. */
static int read_all(const struct manifest_import *import,
                    struct manifest_reading *r, const char *origin,
                    struct manifest_result *ret) {
  const struct manifest head = ret->manifest;
  int error = manifest_read(r, ret->format, &ret->manifest);

  if (error < 0)
    return error;
  ret->manifest.content = head.content;
  ret->manifest.provenance = head.provenance;
  ret->manifest.origin = origin;
  if (!ret->format->is_package) {
    ret->manifest.glob = import->glob;
    ret->manifest.expires = import->expires;
    error = check_names(import, ret);
  }
  return error < 0 ? error : check_package(import, ret);
}

static bool same_file(const struct stat *a, const struct stat *b) {
  return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
         a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
         a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
         a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Find the format, and whether the options go with it. */
static int find_format(const struct manifest_import *import, int fd,
                       struct manifest_result *ret) {
  int error = manifest_format_of(fd, &ret->format);

  if (error < 0)
    return error;
  if (ret->format == NULL)
    return refuse(ret, -ENOMSG,
                  "neither a package nor a list of sha256sum nor a tarball");
  if (ret->format->is_package &&
      (import->glob != NULL || import->expires != NULL))
    return refuse(ret, -EBADMSG,
                  "is a package: --path and --expires are for lists and "
                  "tarballs");
  return 0;
}

/* All but the last look at the file. */
static int import_reading(const struct manifest_import *import,
                          struct manifest_reading *r, const char *origin,
                          struct manifest_result *ret) {
  struct manifest *m = &ret->manifest;
  enum manifest_provenance vouched = import->provenance;
  bool known = false;
  int error = manifest_content(r, &m->content);

  if (error == 0)
    error = check_content(import, ret);
  if (error == 0 && ret->format->vouch != NULL)
    error = ret->format->vouch(r, &vouched);
  m->provenance = vouched > import->provenance ? vouched : import->provenance;
  if (error == 0 && import->cmd != NULL && import->expected == NULL &&
      ret->format->is_package)
    error = is_known(import, m, &known);
  if (error < 0)
    return error;
  if (known) {
    ret->outcome = MANIFEST_KNOWN;
    return 0;
  }
  return read_all(import, r, origin, ret);
}

/* A file may say that unpacking it needs gigabytes, and libarchive would take
 * them. A sanitizer takes terabytes for itself. */
#ifdef PDNA_SANITIZED
static const bool memory_is_bounded = false;
#else
static const bool memory_is_bounded = true;
#endif

/* The soft limit is changed: it can be put back. What is asked of the database
 * afterwards is not in its way. */
static int import_bounded(const struct manifest_import *import,
                          struct manifest_reading *r, const char *origin,
                          struct manifest_result *ret) {
  rlim_t most = import->limits->memory_bytes;
  struct rlimit before, bounded;
  int error;

  if (!memory_is_bounded)
    return import_reading(import, r, origin, ret);
  if (getrlimit(RLIMIT_DATA, &before) != 0)
    return -errno;
  bounded = before;
  if (most < bounded.rlim_cur)
    bounded.rlim_cur = most;
  if (setrlimit(RLIMIT_DATA, &bounded) != 0)
    return -errno;
  error = import_reading(import, r, origin, ret);
  (void)setrlimit(RLIMIT_DATA, &before);
  if (error != -ENOMEM)
    return error;
  (void)snprintf(ret->why, sizeof(ret->why),
                 "needs more memory than %llu MiB to be read",
                 (unsigned long long)(bounded.rlim_cur >> 20));
  return -EBADMSG;
}

int manifest_import_file(const struct manifest_import *import, int fd,
                         const char *origin, struct manifest_result *ret) {
  struct manifest_reading r = {.fd = fd,
                               .limits = import->limits,
                               .keyring = import->keyring,
                               .progress = import->progress,
                               .arg = import->arg};
  struct stat before, after;
  int error;

  *ret = (struct manifest_result){.outcome = MANIFEST_READ};
  if (fstat(fd, &before) != 0)
    return -errno;
  error = find_format(import, fd, ret);
  if (error < 0)
    return error;
  error = import_bounded(import, &r, origin, ret);
  if (error == -EBADMSG && r.error == -EBADMSG)
    (void)refuse(ret, error, r.why);
  if (error < 0)
    return error;
  if (fstat(fd, &after) != 0)
    return -errno;
  if (!same_file(&before, &after))
    return refuse(ret, -EBADMSG, "changed while it was read");
  if (import->cmd == NULL || ret->outcome == MANIFEST_KNOWN)
    return 0;
  return write_manifest(import, &ret->manifest, &ret->outcome);
}
