#include "lib/scan/rpm_query.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/scan/rpm_lib.h"

struct rpm_query {
  const struct rpm_lib *lib;
  rpmts ts;
  bool has_macros;
};

/* librpm's macros and its log belong to the process. */
static pthread_mutex_t in_librpm = PTHREAD_MUTEX_INITIALIZER;

int rpm_query_open(int db_fd, const char *backend, struct rpm_query **ret) {
  unsigned errors = rpm_lib_errors();
  char dbpath[32];
  struct rpm_query *q = NULL;
  int r;

  if (pthread_mutex_trylock(&in_librpm) != 0)
    return -EBUSY;
  if ((q = calloc(1, sizeof(*q))) == NULL) {
    pthread_mutex_unlock(&in_librpm);
    return -ENOMEM;
  }
  if ((r = rpm_lib_load(&q->lib)) < 0)
    goto fail;
  if ((q->ts = q->lib->rpmtsCreate()) == NULL) {
    r = -ENOMEM;
    goto fail;
  }
  /* Neither keys nor digests: who can write the database can write those. It
   * also keeps librpm from reading its keyring. */
  q->lib->rpmtsSetVSFlags(q->ts,
                          RPMVSF_MASK_NODIGESTS | RPMVSF_MASK_NOSIGNATURES);
  snprintf(dbpath, sizeof(dbpath), "/proc/self/fd/%d", db_fd);
  q->lib->rpmPushMacro(NULL, "_dbpath", NULL, dbpath, RMIL_CMDLINE);
  q->lib->rpmPushMacro(NULL, "_db_backend", NULL, backend, RMIL_CMDLINE);
  q->has_macros = true;
  /* A backend that it lacks is but a warning, and an empty database. */
  if (q->lib->rpmtsOpenDB(q->ts, O_RDONLY) != 0 || rpm_lib_errors() != errors) {
    r = -EIO;
    goto fail;
  }
  *ret = q;
  return 0;

fail:
  rpm_query_close(q);
  return r;
}

/* What the header says; each NULL where it says nothing. */
struct texts {
  char *name, *evr, *arch;
};

static void texts_clear(struct texts *t) {
  free(t->name);
  free(t->evr);
  free(t->arch);
  *t = (struct texts){0};
}

static bool same(const char *a, const char *b) {
  return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The package added to the database last, of those that have installed
 * `path`. Returns how many there are, 2 standing for any more. */
static int ask(struct rpm_query *q, const char *path, struct texts *ret,
               bool *ret_versions) {
  const struct rpm_lib *lib = q->lib;
  rpmdbMatchIterator it =
      lib->rpmtsInitIterator(q->ts, RPMDBI_INSTFILENAMES, path, 0);
  Header h;
  int found = 0;

  while ((h = lib->rpmdbNextIterator(it)) != NULL) {
    struct texts now = {
        .name = lib->headerGetAsString(h, RPMTAG_NAME),
        .evr = lib->headerGetAsString(h, RPMTAG_EVR),
        .arch = lib->headerGetAsString(h, RPMTAG_ARCH),
    };

    if (found > 0 && same(ret->name, now.name) && same(ret->arch, now.arch) &&
        !same(ret->evr, now.evr))
      *ret_versions = true;
    texts_clear(ret);
    *ret = now;
    found = 1;
  }
  lib->rpmdbFreeIterator(it);
  return found;
}

int rpm_query_owner(struct rpm_query *q, const char *path,
                    struct package *ret) {
  unsigned errors = rpm_lib_errors();
  struct texts texts = {0};
  struct package p;
  bool versions = false;
  int r = ask(q, path, &texts, &versions);

  if (rpm_lib_errors() != errors)
    r = -EIO;
  if (r == 1 &&
      (r = package_set(&p, "rpm", texts.name, texts.evr, texts.arch)) == 0) {
    p.in_transaction = versions;
    *ret = p;
    r = 1;
  }
  texts_clear(&texts);
  return r;
}

void rpm_query_close(struct rpm_query *q) {
  if (q == NULL)
    return;
  if (q->lib != NULL) {
    q->lib->rpmtsFree(q->ts);
    if (q->has_macros) {
      q->lib->rpmPopMacro(NULL, "_db_backend");
      q->lib->rpmPopMacro(NULL, "_dbpath");
    }
    q->lib->rpmlogClose();
  }
  free(q);
  pthread_mutex_unlock(&in_librpm);
}
