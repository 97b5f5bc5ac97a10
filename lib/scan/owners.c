#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/record/clock.h"
#include "lib/scan/clock_watch.h"
#include "lib/scan/owners.h"
#include "lib/scan/package_read.h"
#include "lib/scan/texts.h"

enum {
  READ_MAX_MS = 120000,
  UNUSED_MAX = 256,  /* paths, beside as many as are in use */
  CLOCK_GRAIN_S = 1, /* times of files lag behind the clock */
};

struct owner {
  struct package now;     /* as read last */
  struct package settled; /* when the databases were last quiet */
  bool known;
  bool has_settled;
  bool has_stamp; /* what was read was stable */
  uint64_t stamp; /* of the databases then */
  uint64_t used;  /* cycle */
};

struct owners {
  struct worker *worker;
  struct texts paths;
  struct owner *owners; /* one for each path */
  size_t size;
  uint64_t cycle;
  size_t in_use;
  int root_fd; /* the caller's, during a scan */

  bool has_base; /* the databases' stamp, at or before this scan's walk */
  uint64_t base;
  bool has_stamp; /* ... and as looked at last */
  uint64_t stamp;
  int64_t stamp_s; /* when that was */

  int64_t settled_s; /* when all in use was last quiet; 0: never */
  int64_t changing_s;
  bool gave_up;
  struct package_db_failure failure;

  struct job *job;  /* a reading that goes on */
  size_t *numbers;  /* of its paths */
  int64_t since_ms; /* its beginning */
};

int owners_new(int proc_fd, unsigned timeout_ms, struct owners **ret) {
  struct owners *o = calloc(1, sizeof(*o));
  int r;

  if (o == NULL)
    return -ENOMEM;
  r = worker_new(proc_fd, timeout_ms, &o->worker);
  if (r < 0) {
    free(o);
    return r;
  }
  *ret = o;
  return 0;
}

static void forget_job(struct owners *o) {
  worker_release(o->worker, o->job);
  o->job = NULL;
  free(o->numbers);
  o->numbers = NULL;
}

void owners_free(struct owners *o) {
  if (o == NULL)
    return;
  forget_job(o);
  worker_free(o->worker);
  texts_clear(&o->paths);
  free(o->owners);
  free(o);
}

/* --- Reading ---------------------------------------------------------------
 */

static bool is_read(const struct owners *o, const struct owner *w) {
  return w->known && w->has_stamp && o->has_stamp && w->stamp == o->stamp;
}

static bool is_missing(const struct owners *o, size_t number) {
  const struct owner *w = &o->owners[number];

  return w->used == o->cycle && !is_read(o, w);
}

struct sorted {
  const char *path;
  size_t number;
};

static int compare_sorted(const void *a, const void *b) {
  const struct sorted *x = a;
  const struct sorted *y = b;

  return strcmp(x->path, y->path);
}

/* The paths whose owners are missing, sorted. */
static int list_missing(const struct owners *o, struct sorted **ret_sorted,
                        size_t *ret_len) {
  struct sorted *sorted = calloc(o->paths.len + 1, sizeof(*sorted));
  size_t len = 0;

  if (sorted == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < o->paths.len; i++) {
    if (is_missing(o, i))
      sorted[len++] = (struct sorted){o->paths.texts[i], i};
  }
  qsort(sorted, len, sizeof(*sorted), compare_sorted);
  *ret_sorted = sorted;
  *ret_len = len;
  return 0;
}

/* Begin to read the owners of `len` paths; of none, the stamp. */
static int submit(struct owners *o, const struct sorted *sorted, size_t len) {
  struct job *job = job_new(JOB_PACKAGES);
  size_t *numbers = calloc(len + 1, sizeof(*numbers));

  if (job != NULL)
    job->order.packages = package_read_new(o->root_fd, len);
  if (job == NULL || numbers == NULL || job->order.packages == NULL)
    goto err;
  for (size_t i = 0; i < len; i++) {
    job->order.packages->paths[i] = strdup(sorted[i].path);
    if (job->order.packages->paths[i] == NULL)
      goto err;
    numbers[i] = sorted[i].number;
  }
  o->job = job;
  o->numbers = numbers;
  o->since_ms = clock_monotonic_ms();
  worker_submit(o->worker, job);
  return 0;

err:
  job_destroy(job);
  free(numbers);
  return -ENOMEM;
}

/* Begin to read what is missing, unless a reading goes on. */
static int submit_missing(struct owners *o) {
  struct sorted *sorted;
  size_t len;
  int ret;

  if (o->job != NULL)
    return 0;
  ret = list_missing(o, &sorted, &len);
  if (ret < 0)
    return ret;
  if (len > 0)
    ret = submit(o, sorted, len);
  free(sorted);
  return ret;
}

/* The databases can't be read: what is known stays, nothing is waited for. */
static void give_up(struct owners *o, size_t len) {
  o->gave_up = true;
  o->failure = (struct package_db_failure){"the host", -ETIMEDOUT};
  for (size_t i = 0; i < len; i++)
    o->owners[o->numbers[i]].known = true;
}

static void settle(struct owner *w) {
  w->settled = w->now;
  w->has_settled = true;
}

/* Is there nothing to be had of the database as long as this program runs? */
static bool is_for_good(const struct package_db_failure *failure) {
  return failure->error == -ENOSYS || failure->error == -ELIBACC;
}

static void take_owner(struct owners *o, struct owner *w,
                       const struct package_read *p, size_t i) {
  bool lost = p->failed && p->owners[i].manager[0] == '\0';

  if (!(lost && w->known))
    w->now = p->owners[i];
  w->known = true;
  w->has_stamp = p->stable && (!lost || is_for_good(&p->failure));
  w->stamp = p->stamp;
  /* As it was before the walk. */
  if (w->has_stamp && o->has_base && p->stamp == o->base)
    settle(w);
}

/* Take over what a finished reading says. */
static void take(struct owners *o) {
  const struct package_read *p = o->job->order.packages;
  int error = o->job->error;

  if (error == 0) {
    o->gave_up = p->failed;
    o->has_stamp = p->stable;
    o->stamp = p->stamp;
    if (p->len > 0)
      o->changing_s = p->changing_s;
    /* A look alone says no more than that they answer. */
    if (p->len > 0 || o->failure.error == -ETIMEDOUT)
      o->failure = p->failure;
    for (size_t i = 0; i < p->len; i++)
      take_owner(o, &o->owners[o->numbers[i]], p, i);
  } else if (error != -ENOMEM) {
    give_up(o, p->len);
  }
  forget_job(o);
}

/* Wait for the reading until the deadline. false: it still goes on. */
static bool finish(struct owners *o, int64_t deadline_ms) {
  if (o->job == NULL)
    return true;
  /* Without waiting, it sees to a thread that is stuck. */
  if (!worker_finished(o->worker, o->job))
    worker_wait(o->worker, true, deadline_ms);
  if (worker_finished(o->worker, o->job)) {
    take(o);
    return true;
  }
  if (clock_monotonic_ms() - o->since_ms < READ_MAX_MS)
    return false;
  give_up(o, o->job->order.packages->len);
  forget_job(o);
  return true;
}

/* Look at the databases; by the thread, if the kernel's caches can't tell. */
static int look(struct owners *o, int64_t deadline_ms) {
  int ret;

  o->stamp_s = time(NULL);
  ret = package_read_stamp(o->root_fd, true, &o->stamp);
  o->has_stamp = ret == 0;
  if (ret == 0 || o->job != NULL)
    return 0;
  ret = submit(o, NULL, 0);
  if (ret == 0)
    (void)finish(o, o->gave_up ? 0 : deadline_ms);
  return ret;
}

/* --- A scan ----------------------------------------------------------------
 */

void owners_begin(struct owners *o, int root_fd, int64_t deadline_ms) {
  bool had_stamp = o->has_stamp;
  uint64_t last = o->stamp;

  o->root_fd = root_fd;
  o->cycle++;
  o->in_use = 0;
  (void)finish(o, 0);
  (void)look(o, deadline_ms);
  /* What the databases were at the end of the last scan will do too, if they
   * still are that at the end of this one. */
  o->has_base = o->has_stamp || had_stamp;
  o->base = o->has_stamp ? o->stamp : last;
}

static int grow(struct owners *o) {
  size_t size = o->size > 0 ? 2 * o->size : 64;
  struct owner *owners = reallocarray(o->owners, size, sizeof(*owners));

  if (owners == NULL)
    return -ENOMEM;
  memset(owners + o->size, 0, (size - o->size) * sizeof(*owners));
  o->owners = owners;
  o->size = size;
  return 0;
}

int owners_use(struct owners *o, const char *path, size_t *ret_number) {
  int ret = o->paths.len < o->size ? 0 : grow(o);

  if (ret == 0)
    ret = texts_add(&o->paths, path, strlen(path), ret_number);
  if (ret < 0)
    return ret;
  o->in_use += o->owners[*ret_number].used != o->cycle;
  o->owners[*ret_number].used = o->cycle;
  return 0;
}

int owners_ask(struct owners *o) {
  (void)finish(o, 0);
  return submit_missing(o);
}

int owners_settle(struct owners *o, int64_t deadline_ms) {
  bool done = finish(o, o->gave_up ? 0 : deadline_ms);
  int ret = look(o, deadline_ms);

  if (!done)
    return ret;
  if (ret == 0)
    ret = submit_missing(o);
  if (ret == 0)
    (void)finish(o, o->gave_up ? 0 : deadline_ms);
  return ret;
}

static bool is_same(const struct package *a, const struct package *b) {
  return strcmp(a->manager, b->manager) == 0 && strcmp(a->name, b->name) == 0 &&
         strcmp(a->version, b->version) == 0 && strcmp(a->arch, b->arch) == 0;
}

static bool is_quiet(const struct owners *o, const struct owner *w) {
  return is_read(o, w) && o->has_base && o->base == o->stamp;
}

static bool is_changing(const struct owners *o, const struct owner *w,
                        int64_t ctime_s) {
  if (w->now.in_transaction)
    return true;
  if (o->changing_s != PACKAGE_DB_SETTLED && ctime_s >= o->changing_s)
    return true;
  if (is_quiet(o, w))
    return false;
  return !w->has_settled || w->settled.in_transaction ||
         !is_same(&w->settled, &w->now) || ctime_s >= o->settled_s;
}

int owners_get(const struct owners *o, size_t number, int64_t ctime_s,
               struct package *ret) {
  const struct owner *w = &o->owners[number];

  if (!w->known)
    return -EAGAIN;
  *ret = w->now;
  ret->in_transaction = w->now.manager[0] != '\0' && is_changing(o, w, ctime_s);
  return 0;
}

/* Keep only what is in use. No memory: keep it all. */
static void forget_unused(struct owners *o) {
  struct texts paths = {.len = 0};
  size_t kept = 0;
  size_t number;

  for (size_t i = 0; i < o->paths.len; i++) {
    const char *path = o->paths.texts[i];

    if (o->owners[i].used == o->cycle &&
        texts_add(&paths, path, strlen(path), &number) < 0) {
      texts_clear(&paths);
      return;
    }
  }
  for (size_t i = 0; i < o->paths.len; i++) {
    if (o->owners[i].used == o->cycle)
      o->owners[kept++] = o->owners[i];
  }
  memset(o->owners + kept, 0, (o->size - kept) * sizeof(*o->owners));
  texts_clear(&o->paths);
  o->paths = paths;
}

void owners_end(struct owners *o) {
  bool quiet = o->has_stamp && o->changing_s == PACKAGE_DB_SETTLED;

  for (size_t i = 0; i < o->paths.len; i++) {
    struct owner *w = &o->owners[i];

    if (w->used != o->cycle)
      continue;
    if (is_read(o, w))
      settle(w);
    else
      quiet = false;
  }
  if (quiet)
    o->settled_s = o->stamp_s - CLOCK_GRAIN_S;
  /* A reading that goes on knows them by their numbers. */
  if (o->job == NULL && o->paths.len > 2 * o->in_use + UNUSED_MAX)
    forget_unused(o);
}

void owners_clock_was_set(struct owners *o) { o->settled_s = 0; }

struct package_db_failure owners_failure(const struct owners *o) {
  return o->failure;
}

struct worker_figures owners_figures(struct owners *o) {
  return worker_figures(o->worker);
}
