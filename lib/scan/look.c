#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/scan/container.h"
#include "lib/scan/job.h"
#include "lib/scan/scanner.h"

enum {
  URGENT_MAX = 128, /* jobs in memory at a time, where they are answered */
  TRIES = 3,        /* of a process that runs one exec after the other */
};

static const char deleted_mark[] = " (deleted)";

/* The text without the mark, which the kernel has put there most of the time:
 * for where it can't be found out. */
static size_t bare_len(const char *text) {
  size_t len = strlen(text);
  size_t mark_len = sizeof(deleted_mark) - 1;

  if (len > mark_len && strcmp(text + len - mark_len, deleted_mark) == 0)
    return len - mark_len;
  return len;
}

void seen_clear(struct scanner *s, struct seen *seen) {
  worker_release(s->worker, seen->spoof_job);
  worker_release(s->worker, seen->place_job);
  free(seen->container);
  memset(seen, 0, sizeof(*seen));
}

static bool matches_pattern(const struct scanner *s) {
  size_t bare = bare_len(s->walk.text);
  char path[EXE_TEXT_SIZE];

  memcpy(path, s->walk.text, bare);
  path[bare] = '\0';
  for (size_t i = 0; i < s->options.executables_len; i++) {
    if (fnmatch(s->patterns[i], path, FNM_PATHNAME) == 0 ||
        fnmatch(s->patterns[i], s->walk.text, FNM_PATHNAME) == 0)
      return true;
  }
  return false;
}

static bool is_wanted(struct scanner *s, const struct sight *sight) {
  if (sight->rss_kib >= s->options.min_rss_kib ||
      (s->options.always_root && sight->uid == 0))
    return true;
  return s->options.executables_len > 0 && walk_read_text(&s->walk, sight) &&
         matches_pattern(s);
}

/* Move over what is still true of the process. */
static void remember(struct scanner *s, struct seen *now, struct seen *before,
                     const struct sight *sight) {
  now->pid = sight->pid;
  now->tid = sight->tid;
  now->start_ticks = sight->stat.start_ticks;
  now->dev = sight->exe.id.dev;
  now->ino = sight->exe.id.ino;
  now->mnt_id = sight->exe.mnt_id;
  now->root_dev = sight->root.id.dev;
  now->root_ino = sight->root.id.ino;
  if (before == NULL || before->start_ticks != now->start_ticks)
    return;
  if (before->root_dev == now->root_dev && before->root_ino == now->root_ino) {
    now->container = before->container;
    before->container = NULL;
  }
  if (before->dev != now->dev || before->ino != now->ino)
    return;
  now->host_file = before->host_file;
  now->place_job = before->place_job;
  before->place_job = NULL;
  now->spoof_job = before->spoof_job;
  before->spoof_job = NULL;
  /* In rotation, so that one who waits for the first check gains little. */
  if ((s->cycle + (uint64_t)now->pid) % s->rehash_cycles != 0)
    now->spoof = before->spoof;
}

/* An order for a look-up or a check. */
static struct job *new_job(enum job_kind kind, const struct seen *seen,
                           const struct sight *sight, const char *text) {
  struct job *job = job_new(kind);

  if (job == NULL)
    return NULL;
  job->order.pid = seen->pid;
  job->order.tid = seen->tid;
  job->order.start_ticks = seen->start_ticks;
  job->order.file = sight->exe;
  job->order.lookup = sight->lookup;
  job->order.may_hang = seen->kind != MOUNT_LOCAL;
  job->order.text = strdup(text);
  if (job->order.text == NULL) {
    job_destroy(job);
    return NULL;
  }
  return job;
}

static void submit_urgent(struct scanner *s, struct job *job) {
  worker_submit(s->worker, job);
  if (++s->urgent < URGENT_MAX)
    return;
  s->urgent = 0;
  worker_wait(s->worker, true, s->deadline_ms);
  scanner_take_checks(s);
}

/* The record has a path but no more than that. */
static int set_unreadable(struct record *r, const char *text,
                          enum exe_reason reason) {
  free(r->exe_path);
  r->exe_path = strndup(text, bare_len(text));
  r->state = EXE_UNREADABLE;
  r->reason = reason;
  return r->exe_path != NULL ? 0 : -ENOMEM;
}

/* The path of the file, where it needs no reading of the link: a file with one
 * name whose mount and change time are the same lies where it lay, as long as
 * a look there finds it. */
static bool is_where_it_was(struct scanner *s, const struct sight *sight,
                            struct cache_entry *e) {
  struct file_stat found;
  int fd;
  int ret;

  if (e->path == NULL || e->mnt_id != sight->exe.mnt_id ||
      sight->lookup.root != EXE_ROOT_OWN || sight->lookup.foreign ||
      sight->exe.nlink != 1)
    return false;
  if (e->path_checked == s->cycle)
    return true;
  fd = exe_open_path(&sight->lookup, EXE_ROOT_OWN, e->path);
  if (fd < 0)
    return false;
  ret = file_stat_at(fd, "", false, &found);
  close(fd);
  if (ret < 0 || !file_same_inode(&found.id, &e->id))
    return false;
  e->path_checked = s->cycle;
  return true;
}

static int remember_path(struct scanner *s, const struct sight *sight,
                         struct cache_entry *e, const char *path) {
  if (sight->lookup.root != EXE_ROOT_OWN || sight->lookup.foreign ||
      sight->exe.nlink != 1 || !sight->exe.has_mnt_id)
    return 0;
  free(e->path);
  e->path = strdup(path);
  e->mnt_id = sight->exe.mnt_id;
  e->path_checked = s->cycle;
  return e->path != NULL ? 0 : -ENOMEM;
}

/* Take over where the executable lies; `pid_fd` may be -1. */
static int apply_place(struct scanner *s, int pid_fd, size_t i,
                       const char *text, const struct exe_place *place) {
  struct record *r = &s->records[i];
  struct seen *seen = &s->now[i];

  free(r->exe_path);
  r->exe_path = strndup(text, place->path_len);
  if (r->exe_path == NULL)
    return -ENOMEM;
  r->state = place->state;
  r->reason = EXE_REASON_NONE;
  if (place->host_file)
    seen->host_file = true;
  if (seen->host_file)
    r->container[0] = '\0';
  if (place->state != EXE_REPLACED)
    return 0;
  seen->disk =
      scanner_use(s, seen, &place->disk, r->exe_path, place->disk_root);
  if (seen->disk == NULL)
    return -ENOMEM;
  seen->disk->kind = walk_mount_kind(&s->walk, pid_fd, &place->disk);
  return scanner_request(s, seen->disk);
}

/* Leave the look-up to the worker, or wait on for the one that it has. */
static int defer_place(struct scanner *s, size_t i, const struct sight *sight) {
  struct seen *seen = &s->now[i];
  const char *text = s->walk.text;
  int ret = set_unreadable(&s->records[i], text, EXE_REASON_PENDING);

  if (ret < 0)
    return ret;
  if (seen->place_job != NULL && strcmp(seen->place_job->order.text, text) == 0)
    return 0;
  worker_release(s->worker, seen->place_job);
  seen->place_job = new_job(JOB_PLACE, seen, sight, text);
  if (seen->place_job == NULL)
    return -ENOMEM;
  submit_urgent(s, seen->place_job);
  return 0;
}

/* Find out where the executable lies and so its state. -ESRCH: gone, -EAGAIN:
 * changed meanwhile. */
static int find_place(struct scanner *s, size_t i, const struct sight *sight) {
  struct record *r = &s->records[i];
  struct cache_entry *e = s->now[i].running;
  struct exe_place place;
  int ret;

  if (e != NULL && is_where_it_was(s, sight, e)) {
    r->state = EXE_CURRENT;
    r->exe_path = strdup(e->path);
    return r->exe_path != NULL ? 0 : -ENOMEM;
  }
  if (!walk_read_text(&s->walk, sight))
    return -ESRCH;
  if (e == NULL)
    return defer_place(s, i, sight);
  ret = exe_find_place(&sight->lookup, s->walk.text, &sight->exe, &place);
  if (ret == -EAGAIN)
    return defer_place(s, i, sight);
  if (ret == -ESRCH)
    return ret;
  if (ret < 0)
    return set_unreadable(r, s->walk.text, exe_reason_of(ret));
  if (place.state != EXE_CURRENT &&
      !exe_unchanged(sight->fd, s->walk.text, &sight->exe))
    return -EAGAIN;
  ret = apply_place(s, sight->fd, i, s->walk.text, &place);
  if (ret == 0 && place.state == EXE_CURRENT)
    ret = remember_path(s, sight, e, r->exe_path);
  return ret;
}

/* The file that runs is in use. Where a program may have to answer for its
 * times, that is left to the worker as well. */
static int use_running(struct scanner *s, struct seen *seen,
                       struct sight *sight) {
  const struct cache_entry *known;

  if (seen->kind != MOUNT_LOCAL)
    return 0;
  known = cache_find_inode(s->cache, &sight->exe.id, s->cycle);
  if (known != NULL) {
    sight->exe.id = known->id;
  } else {
    struct file_stat exe;

    if (file_stat_at(sight->fd, "exe", FILE_STAT_KNOWN, &exe) < 0)
      return -ESRCH;
    if (!file_same_inode(&exe.id, &sight->exe.id))
      return -EAGAIN;
    sight->exe = exe;
  }
  seen->running = scanner_use(s, seen, &sight->exe, NULL, EXE_ROOT_OWN);
  return seen->running != NULL ? 0 : -ENOMEM;
}

/* A mount stays what it is as long as a process runs a file of it. */
static void find_kind(struct scanner *s, struct seen *seen,
                      const struct seen *before, const struct sight *sight) {
  if (before != NULL && before->start_ticks == seen->start_ticks &&
      before->dev == seen->dev && before->ino == seen->ino &&
      before->mnt_id == seen->mnt_id)
    seen->kind = before->kind;
  else
    seen->kind = walk_mount_kind(&s->walk, sight->fd, &sight->exe);
}

/* The key of a process whose root is not the host's; kept, so that a process
 * doesn't change containers when the host's files change. */
static int find_container(struct scanner *s, size_t i, struct sight *sight) {
  struct seen *seen = &s->now[i];
  char key[CONTAINER_MAX + 1];
  int ret;

  if (!sight->lookup.foreign)
    return 0;
  if (seen->host_file) {
    sight->lookup.foreign = false;
    sight->lookup.root =
        sight->lookup.host_is_own ? EXE_ROOT_OWN : EXE_ROOT_INIT;
    return 0;
  }
  if (seen->container == NULL) {
    ret = container_read(sight->fd, &sight->root.id, key);
    if (ret < 0)
      return ret;
    seen->container = strdup(key);
    if (seen->container == NULL)
      return -ENOMEM;
  }
  memcpy(s->records[i].container, seen->container, strlen(seen->container) + 1);
  return 0;
}

static int check_spoof(struct scanner *s, size_t i, const struct sight *sight) {
  struct seen *seen = &s->now[i];

  if (seen->spoof != SPOOF_UNKNOWN || seen->spoof_job != NULL)
    return 0;
  if (!walk_read_text(&s->walk, sight))
    return -ESRCH;
  seen->spoof_job = new_job(JOB_SPOOF, seen, sight, s->walk.text);
  if (seen->spoof_job == NULL)
    return -ENOMEM;
  submit_urgent(s, seen->spoof_job);
  return 0;
}

static void fill_record(const struct scanner *s, struct record *r,
                        const struct sight *sight) {
  r->pid = sight->pid;
  r->ppid = sight->stat.ppid;
  r->start_ticks = sight->stat.start_ticks;
  r->started_s =
      s->boot_s + (int64_t)(r->start_ticks / (uint64_t)s->ticks_per_s);
  memcpy(r->name, sight->stat.comm, sizeof(r->name));
  r->uid = sight->uid;
  r->rss_kib = sight->rss_kib;
}

/* All of a process that is wanted and has an executable. */
static int examine(struct scanner *s, size_t i, struct sight *sight,
                   struct seen *before) {
  struct record *r = &s->records[i];
  struct seen *seen = &s->now[i];
  int ret;

  remember(s, seen, before, sight);
  fill_record(s, r, sight);
  ret = find_container(s, i, sight);
  if (ret < 0)
    return ret;
  if (sight->exe_error < 0)
    return set_unreadable(r, s->walk.text, exe_reason_of(sight->exe_error));
  find_kind(s, seen, before, sight);
  if (seen->kind == MOUNT_REMOTE && !s->options.remote_files)
    return walk_read_text(&s->walk, sight)
               ? set_unreadable(r, s->walk.text, EXE_REASON_REMOTE)
               : -ESRCH;
  ret = use_running(s, seen, sight);
  if (ret == 0)
    ret = find_place(s, i, sight);
  if (ret < 0)
    return ret;
  if (r->reason != EXE_REASON_PENDING) {
    worker_release(s->worker, seen->place_job);
    seen->place_job = NULL;
  }
  ret = check_spoof(s, i, sight);
  if (ret < 0 || seen->running == NULL)
    return ret;
  return scanner_request(s, seen->running);
}

int scanner_look(struct scanner *s, pid_t pid, struct seen *before) {
  int ret = -EAGAIN;

  for (int i = 0; i < TRIES && ret == -EAGAIN; i++) {
    struct sight sight;

    if (!walk_open(&s->walk, pid, &sight))
      return 0;
    if (i == 0)
      s->figures.processes++;
    ret = -ESRCH;
    if (is_wanted(s, &sight) && walk_look(&s->walk, &sight))
      ret = examine(s, s->len, &sight, before);
    walk_close(&sight);
    if (ret < 0) {
      record_clear(&s->records[s->len]);
      seen_clear(s, &s->now[s->len]);
    }
  }
  if (ret == 0)
    s->len++;
  return ret == -ENOMEM ? ret : 0;
}

static int apply_answer(struct scanner *s, size_t i, const struct job *job) {
  struct seen *seen = &s->now[i];

  if (seen->running == NULL) {
    seen->running =
        scanner_use(s, seen, &job->result.place.running, NULL, EXE_ROOT_OWN);
    if (seen->running == NULL)
      return -ENOMEM;
    seen->running->kind = seen->kind;
  }
  if (scanner_request(s, seen->running) < 0)
    return -ENOMEM;
  return apply_place(s, -1, i, job->order.text, &job->result.place.place);
}

static int take_place(struct scanner *s, size_t i) {
  struct seen *seen = &s->now[i];
  struct job *job = seen->place_job;
  int ret = 0;

  /* Only a record that still waits has asked in this scan. */
  if (s->records[i].reason != EXE_REASON_PENDING ||
      !worker_finished(s->worker, job))
    return 0;
  if (job->error == 0)
    ret = apply_answer(s, i, job);
  else
    s->records[i].reason = exe_reason_of(job->error);
  worker_release(s->worker, job);
  seen->place_job = NULL;
  return ret;
}

static void take_check(struct scanner *s, struct seen *seen) {
  struct job *job = seen->spoof_job;

  if (!worker_finished(s->worker, job))
    return;
  if (job->error == 0)
    seen->spoof = job->result.spoofed ? SPOOF_YES : SPOOF_NO;
  worker_release(s->worker, job);
  seen->spoof_job = NULL;
}

void scanner_take_checks(struct scanner *s) {
  for (size_t i = 0; i <= s->len; i++) {
    if (s->now[i].spoof_job != NULL)
      take_check(s, &s->now[i]);
  }
}

int scanner_take_urgent(struct scanner *s) {
  int ret = 0;

  scanner_take_checks(s);
  for (size_t i = 0; ret == 0 && i < s->len; i++) {
    if (s->now[i].place_job != NULL)
      ret = take_place(s, i);
  }
  return ret;
}
