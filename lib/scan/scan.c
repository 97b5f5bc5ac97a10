#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/record/clock.h"
#include "lib/scan/clock_watch.h"
#include "lib/scan/pages.h"
#include "lib/scan/scanner.h"

enum { PROC_STAT_MAX = 4 << 20 }; /* bytes; a line for each CPU */

const struct scan_options scan_options_default = {
    .proc_root = "/proc",
    .min_rss_kib = (uint64_t)50 * 1024,
    .packages = true,
    .always_root = true,
    .rehash_interval_s = 3600,
    .scan_interval_s = 60,
    .hash_budget = (uint64_t)256 << 20,
    .file_timeout_ms = 5000,
    .scan_timeout_ms = 2000,
    .cache_max = 8192,
};

static void drop_job(void *arg, struct job *job) {
  struct scanner *s = arg;

  worker_release(s->worker, job);
}

static int copy_options(struct scanner *s, const struct scan_options *options) {
  s->options = *options;
  s->options.proc_root = NULL; /* the caller's */
  s->options.package_root = NULL;
  s->options.executables = NULL;
  s->patterns = calloc(options->executables_len + 1, sizeof(char *));
  if (s->patterns == NULL)
    return -ENOMEM;
  for (size_t i = 0; i < options->executables_len; i++) {
    s->patterns[i] = strdup(options->executables[i]);
    if (s->patterns[i] == NULL)
      return -ENOMEM;
  }
  s->rehash_cycles = options->scan_interval_s > 0
                         ? options->rehash_interval_s / options->scan_interval_s
                         : 0;
  if (s->rehash_cycles == 0)
    s->rehash_cycles = 1;
  return 0;
}

/* The wall clock at boot; it moves when the clock is set. */
static void read_boot_time(struct scanner *s) {
  struct timespec real;
  struct timespec up;
  char *text;
  size_t len;

  if (proc_read_all(s->proc_fd, "stat", PROC_STAT_MAX, &text, &len) == 0) {
    int ret = proc_parse_btime(text, len, &s->boot_s);

    free(text);
    if (ret == 0)
      return;
  }
  (void)clock_gettime(CLOCK_REALTIME, &real);
  (void)clock_gettime(CLOCK_BOOTTIME, &up);
  s->boot_s = real.tv_sec - up.tv_sec;
}

int scanner_new(const struct scan_options *options, struct scanner **ret) {
  struct scanner *s = calloc(1, sizeof(*s));
  int r;

  if (s == NULL)
    return -ENOMEM;
  s->clock_fd = -1;
  s->root_fd = -1;
  s->packages_fd = -1;
  s->ticks_per_s = sysconf(_SC_CLK_TCK);
  s->proc_fd = open(options->proc_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  r = s->proc_fd < 0 ? -errno : copy_options(s, options);
  if (r < 0)
    goto err;
  s->clock_fd = clock_watch();
  r = s->clock_fd < 0 ? s->clock_fd : walk_init(&s->walk, s->proc_fd);
  if (r < 0)
    goto err;
  r = cache_new(options->cache_max, drop_job, s, &s->cache);
  if (r < 0)
    goto err;
  r = worker_new(s->proc_fd, options->file_timeout_ms, &s->worker);
  if (r == 0 && options->packages)
    r = scanner_open_packages(s, options);
  if (r < 0)
    goto err;
  read_boot_time(s);
  *ret = s;
  return 0;

err:
  scanner_free(s);
  return r;
}

static void free_seen(struct scanner *s, struct seen *seen, size_t len) {
  for (size_t i = 0; i < len; i++)
    seen_clear(s, &seen[i]);
  pages_free(seen);
}

void scanner_free(struct scanner *s) {
  if (s == NULL)
    return;
  free_seen(s, s->seen, s->seen_len);
  cache_free(s->cache);
  worker_free(s->worker);
  owners_free(s->owners);
  for (char **pattern = s->patterns; pattern != NULL && *pattern != NULL;
       pattern++)
    free(*pattern);
  free(s->patterns);
  if (s->clock_fd >= 0)
    close(s->clock_fd);
  if (s->proc_fd >= 0)
    close(s->proc_fd);
  if (s->root_fd >= 0)
    close(s->root_fd);
  free(s);
}

static int compare_pids(const void *a, const void *b) {
  const pid_t *x = a;
  const pid_t *y = b;

  return (*x > *y) - (*x < *y);
}

static int add_pid(struct scanner *s, size_t *size, pid_t pid) {
  if (s->pids_len == *size) {
    size_t bigger = *size > 0 ? *size * 2 : 256;
    pid_t *pids = realloc(s->pids, bigger * sizeof(*pids));

    if (pids == NULL)
      return -ENOMEM;
    s->pids = pids;
    *size = bigger;
  }
  s->pids[s->pids_len++] = pid;
  return 0;
}

/* All pids at once, since records are sorted by them. */
static int list_pids(struct scanner *s) {
  int fd = openat(s->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
  size_t size = 0;
  int ret = 0;

  if (dir == NULL) {
    ret = -errno;
    if (fd >= 0)
      close(fd);
    return ret;
  }
  while (ret == 0) {
    struct dirent *entry;
    pid_t pid;

    errno = 0;
    entry = readdir(dir);
    if (entry == NULL) {
      ret = -errno;
      break;
    }
    if (proc_parse_pid(entry->d_name, &pid))
      ret = add_pid(s, &size, pid);
  }
  (void)closedir(dir);
  if (ret == 0 && s->pids_len > 0)
    qsort(s->pids, s->pids_len, sizeof(pid_t), compare_pids);
  return ret;
}

/* Look at every process. Both lists are sorted by pid. */
static int look_at_all(struct scanner *s) {
  size_t old = 0;
  int ret = 0;

  walk_begin(&s->walk);
  scanner_begin_packages(s);
  for (size_t i = 0; ret == 0 && i < s->pids_len; i++) {
    pid_t pid = s->pids[i];

    while (old < s->seen_len && s->seen[old].pid < pid)
      old++;
    ret = scanner_look(
        s, pid,
        old < s->seen_len && s->seen[old].pid == pid ? &s->seen[old] : NULL);
  }
  return ret;
}

static int compare_digests(const void *a, const void *b) {
  return memcmp(a, b, sizeof(struct digest));
}

/* Which executables have a digest that came in with this scan? */
static int mark_rehashed(struct scanner *s, struct snapshot *snapshot) {
  struct cache_entry *e;
  struct digest *fresh;
  size_t len = 0;

  for (e = cache_newest(s->cache); e != NULL; e = e->older)
    len += e->used == s->cycle && e->hashed == s->cycle;
  snapshot->rehashed =
      calloc(snapshot->executables_len + 1, sizeof(*snapshot->rehashed));
  fresh = calloc(len + 1, sizeof(*fresh));
  if (snapshot->rehashed == NULL || fresh == NULL) {
    free(fresh);
    return -ENOMEM;
  }
  len = 0;
  for (e = cache_newest(s->cache); e != NULL; e = e->older) {
    if (e->used == s->cycle && e->hashed == s->cycle)
      fresh[len++] = e->digest;
  }
  qsort(fresh, len, sizeof(*fresh), compare_digests);
  for (size_t i = 0; i < snapshot->executables_len; i++) {
    const struct executable *x = &snapshot->executables[i];

    snapshot->rehashed[i] =
        x->state != EXE_UNREADABLE &&
        bsearch(&x->sha256, fresh, len, sizeof(*fresh), compare_digests);
  }
  free(fresh);
  return 0;
}

/* Give back what an array has too much; it stays where it is if that fails. */
static void *shrink(void *array, size_t len, size_t size) {
  void *smaller = realloc(array, (len > 0 ? len : 1) * size);

  /* cppcheck-suppress memleak ; one of both is handed back */
  return smaller != NULL ? smaller : array;
}

/* Hand the records over and make executables of them. */
static int fill_snapshot(struct scanner *s, struct snapshot *snapshot) {
  int ret;

  pages_trim(s->records, s->len, sizeof(*s->records));
  snapshot->records = s->records;
  snapshot->records_len = s->len;
  snapshot->denied = s->walk.denied;
  if (s->owners != NULL)
    snapshot->packages = owners_failure(s->owners);
  s->records = NULL;
  for (size_t i = 0; i < s->len; i++)
    snapshot->records[i].observed_at_s = snapshot->observed_at_s;
  ret = executables_from_records(snapshot->records, snapshot->records_len,
                                 &snapshot->executables,
                                 &snapshot->executables_len, NULL);
  if (ret < 0)
    return ret;
  snapshot->executables =
      shrink(snapshot->executables, snapshot->executables_len,
             sizeof(*snapshot->executables));
  s->figures.executables = snapshot->executables_len;
  for (size_t i = 0; i < snapshot->executables_len; i++)
    s->figures.unhashed += snapshot->executables[i].state == EXE_UNREADABLE;
  return mark_rehashed(s, snapshot);
}

/* All that a scan does up to the records. */
static int scan(struct scanner *s) {
  int ret;

  if (clock_was_set(s->clock_fd)) {
    cache_clear(s->cache);
    read_boot_time(s);
    if (s->owners != NULL)
      owners_clock_was_set(s->owners);
  }
  worker_begin(s->worker, s->options.hash_budget);
  scanner_take_digests(s);
  ret = list_pids(s);
  if (ret < 0)
    return ret;
  /* One more of each, for the process that is being looked at. */
  s->records = pages_alloc(s->pids_len + 1, sizeof(*s->records));
  s->now = pages_alloc(s->pids_len + 1, sizeof(*s->now));
  if (s->records == NULL || s->now == NULL)
    return -ENOMEM;
  ret = look_at_all(s);
  if (ret < 0)
    return ret;
  worker_wait(s->worker, true, s->deadline_ms);
  ret = scanner_take_urgent(s);
  if (ret == 0)
    ret = scanner_ask_packages(s);
  if (ret == 0)
    ret = scanner_rehash(s);
  if (ret < 0)
    return ret;
  worker_wait(s->worker, false, s->deadline_ms);
  scanner_take_digests(s);
  scanner_finish_records(s);
  return scanner_take_packages(s);
}

/* Remember what was seen and free the rest. After a failure the last scan's is
 * lost too, as parts of it have moved. */
static void end_scan(struct scanner *s, bool done) {
  free_seen(s, s->seen, s->seen_len);
  s->seen = NULL;
  s->seen_len = 0;
  if (done) {
    pages_trim(s->now, s->len, sizeof(*s->now));
    s->seen = s->now;
    s->seen_len = s->len;
  } else if (s->now != NULL) {
    free_seen(s, s->now, s->len);
  }
  s->now = NULL;
  for (size_t i = 0; s->records != NULL && i < s->len; i++)
    record_clear(&s->records[i]);
  pages_free(s->records);
  s->records = NULL;
  free(s->pids);
  s->pids = NULL;
  s->pids_len = 0;
  s->len = 0;
  s->urgent = 0;
  walk_end(&s->walk);
  scanner_end_packages(s);
  /* What no process has run for a whole interval is not worth its memory. */
  cache_trim(s->cache,
             s->cycle > s->rehash_cycles ? s->cycle - s->rehash_cycles : 0);
}

static double seconds(clockid_t clock) {
  struct timespec t;

  (void)clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int scanner_run(struct scanner *s, struct snapshot **ret_snapshot) {
  double start_s = seconds(CLOCK_MONOTONIC);
  double cpu_s = seconds(CLOCK_THREAD_CPUTIME_ID);
  struct snapshot *snapshot = calloc(1, sizeof(*snapshot));
  struct worker_figures after;
  int ret;

  if (snapshot == NULL)
    return -ENOMEM;
  snapshot->observed_at_s = time(NULL);
  s->deadline_ms = clock_monotonic_ms() + s->options.scan_timeout_ms;
  memset(&s->figures, 0, sizeof(s->figures));
  s->figures.sequence = ++s->cycle;
  ret = scan(s);
  if (ret == 0)
    ret = fill_snapshot(s, snapshot);
  end_scan(s, ret == 0);
  if (ret < 0) {
    snapshot_free(snapshot);
    return ret;
  }
  after = worker_figures(s->worker);
  if (s->owners != NULL)
    after.cpu_ns += owners_figures(s->owners).cpu_ns;
  /* What was read between two scans belongs to the later one. */
  s->figures.bytes_hashed = after.bytes_read - s->reported.bytes_read;
  s->figures.duration_s = seconds(CLOCK_MONOTONIC) - start_s;
  s->figures.cpu_s = seconds(CLOCK_THREAD_CPUTIME_ID) - cpu_s +
                     (double)(after.cpu_ns - s->reported.cpu_ns) / 1e9;
  s->reported = after;
  snapshot->figures = s->figures;
  *ret_snapshot = snapshot;
  return 0;
}

void snapshot_free(struct snapshot *snapshot) {
  if (snapshot == NULL)
    return;
  for (size_t i = 0; i < snapshot->records_len; i++)
    record_clear(&snapshot->records[i]);
  pages_free(snapshot->records);
  executables_free(snapshot->executables, snapshot->executables_len);
  free(snapshot->rehashed);
  free(snapshot);
}
