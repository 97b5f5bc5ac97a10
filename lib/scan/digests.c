#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/scan/job.h"
#include "lib/scan/scanner.h"

struct cache_entry *scanner_use(struct scanner *s, const struct seen *seen,
                                const struct file_stat *file, const char *path,
                                enum exe_root root) {
  struct cache_entry *e = cache_get(s->cache, &file->id);

  if (e == NULL)
    return NULL;
  if (e->used != s->cycle && e->has_digest)
    s->figures.cache_hits++;
  /* An exe link leads to the file whatever happens to its path. */
  if (e->used != s->cycle || path == NULL) {
    e->pid = seen->pid;
    e->tid = seen->tid;
    e->start_ticks = seen->start_ticks;
    e->source_path = path;
    e->source_root = root;
  }
  e->used = s->cycle;
  return e;
}

static int submit(struct scanner *s, struct cache_entry *e, bool rehash) {
  struct job *job = job_new(JOB_HASH);
  struct job_order *o;

  if (job == NULL)
    return -ENOMEM;
  o = &job->order;
  o->rehash = rehash;
  o->pid = e->pid;
  o->tid = e->tid;
  o->start_ticks = e->start_ticks;
  o->file.id = e->id;
  o->root = e->source_root;
  if (e->source_path != NULL) {
    o->text = strdup(e->source_path);
    if (o->text == NULL) {
      job_destroy(job);
      return -ENOMEM;
    }
  }
  e->job = job;
  worker_submit(s->worker, job);
  return 0;
}

int scanner_request(struct scanner *s, struct cache_entry *e) {
  if (e->has_digest || e->job != NULL)
    return 0;
  if (e->kind == MOUNT_REMOTE && !s->options.remote_files) {
    e->reason = EXE_REASON_REMOTE;
    return 0;
  }
  return submit(s, e, false);
}

/* The first re-reads of files that came in together are spread over a whole
 * interval (multiples of the golden ratio), later ones follow at intervals. */
static uint64_t next_due(struct scanner *s, const struct cache_entry *e) {
  static const uint64_t golden = 0x9e3779b97f4a7c15U;

  if (e->due + s->rehash_cycles > s->cycle && e->due != 0)
    return e->due + s->rehash_cycles;
  s->phase += golden;
  return s->cycle + 1 + (s->phase >> 32) * s->rehash_cycles / (1ULL << 32);
}

static void take_digest(struct scanner *s, struct cache_entry *e) {
  const struct job *job = e->job;

  switch (job->error) {
  case 0:
    (void)cache_rename(s->cache, e, &job->result.hash.file.id);
    e->digest = job->result.hash.digest;
    e->facts = job->result.hash.file.facts;
    e->has_digest = true;
    e->reason = EXE_REASON_NONE;
    e->hashed = s->cycle;
    e->due = next_due(s, e);
    break;
  case -ESRCH: /* who could open it is gone; perhaps another process can */
  case -EAGAIN:
  case -ENOMEM:
    if (!e->has_digest)
      e->reason = EXE_REASON_PENDING;
    break;
  default:
    e->has_digest = false;
    e->reason = exe_reason_of(job->error);
  }
  worker_release(s->worker, e->job);
  e->job = NULL;
}

void scanner_take_digests(struct scanner *s) {
  for (struct cache_entry *e = cache_newest(s->cache); e != NULL;
       e = e->older) {
    if (e->job != NULL && worker_finished(s->worker, e->job))
      take_digest(s, e);
  }
}

static bool is_due(const struct scanner *s, const struct cache_entry *e) {
  return e->used == s->cycle && e->has_digest && e->job == NULL &&
         e->due <= s->cycle;
}

static int compare_due(const void *a, const void *b) {
  const struct cache_entry *const *x = a;
  const struct cache_entry *const *y = b;

  return ((*x)->due > (*y)->due) - ((*x)->due < (*y)->due);
}

int scanner_rehash(struct scanner *s) {
  struct cache_entry **due;
  struct cache_entry *e;
  size_t len = 0;
  int ret = 0;

  for (e = cache_newest(s->cache); e != NULL; e = e->older)
    len += is_due(s, e);
  if (len == 0)
    return 0;
  due = calloc(len, sizeof(struct cache_entry *));
  if (due == NULL)
    return -ENOMEM;
  len = 0;
  for (e = cache_newest(s->cache); e != NULL; e = e->older) {
    if (is_due(s, e))
      due[len++] = e;
  }
  qsort(due, len, sizeof(struct cache_entry *), compare_due);
  for (size_t i = 0; ret == 0 && i < len; i++)
    ret = submit(s, due[i], true);
  free(due);
  return ret;
}

static void fill_running(struct record *r, const struct cache_entry *e) {
  if (!e->has_digest) {
    if (r->reason == EXE_REASON_NONE)
      r->reason = e->reason;
    return;
  }
  r->has_running_sha256 = true;
  r->running_sha256 = e->digest;
  r->running_file = e->facts;
}

static void fill_disk(struct record *r, const struct cache_entry *e) {
  if (!e->has_digest) {
    if (r->reason == EXE_REASON_NONE)
      r->reason = e->reason;
    return;
  }
  r->has_exe_sha256 = true;
  r->exe_sha256 = e->digest;
  r->exe_file = e->facts;
}

static void finish_record(struct record *r, const struct seen *seen) {
  if (r->state == EXE_UNREADABLE)
    return;
  fill_running(r, seen->running);
  if (r->state == EXE_REPLACED)
    fill_disk(r, seen->disk);
  else if (r->state == EXE_CURRENT)
    fill_disk(r, seen->running);
  if (seen->spoof == SPOOF_YES && r->has_running_sha256) {
    r->state = EXE_SPOOFED;
    r->reason = EXE_REASON_NONE;
  }
  if (r->state != EXE_REPLACED && !r->has_running_sha256)
    r->state = EXE_UNREADABLE;
}

/* Could the file not be opened because its process has gone? */
static bool is_gone(const struct scanner *s, const struct record *r) {
  int fd;

  if (r->reason != EXE_REASON_PENDING)
    return false;
  fd = proc_open(s->proc_fd, r->pid, 0, r->start_ticks, NULL);
  if (fd >= 0)
    close(fd);
  return fd == -ESRCH;
}

void scanner_finish_records(struct scanner *s) {
  size_t kept = 0;

  for (size_t i = 0; i < s->len; i++) {
    finish_record(&s->records[i], &s->now[i]);
    if (is_gone(s, &s->records[i])) {
      record_clear(&s->records[i]);
      seen_clear(s, &s->now[i]);
      continue;
    }
    if (kept != i) {
      s->records[kept] = s->records[i];
      s->now[kept] = s->now[i];
      memset(&s->records[i], 0, sizeof(s->records[i]));
      memset(&s->now[i], 0, sizeof(s->now[i]));
    }
    kept++;
  }
  s->len = kept;
}
