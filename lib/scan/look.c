#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/scan/container.h"
#include "lib/scan/job.h"
#include "lib/scan/scanner.h"

enum {
  TRIES = 3, /* of a process that runs one exec after the other */
  /* Between them, a glance is enough for a process that has not changed; its
   * name and its parent may change unnoticed so long. */
  FULL_LOOK_CYCLES = 8,
};

void seen_clear(struct scanner *s, struct seen *seen) {
  worker_release(s->worker, seen->spoof_job);
  worker_release(s->worker, seen->place_job);
  free(seen->container);
  memset(seen, 0, sizeof(*seen));
}

static bool matches_pattern(const struct scanner *s) {
  size_t bare = exe_bare_len(s->walk.text);
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

static bool is_wanted_unnamed(const struct scanner *s,
                              const struct sight *sight) {
  return sight->rss_kib >= s->options.min_rss_kib ||
         (s->options.always_root && sight->uid == 0);
}

static bool is_wanted(struct scanner *s, const struct sight *sight) {
  if (is_wanted_unnamed(s, sight))
    return true;
  return s->options.executables_len > 0 && walk_read_text(&s->walk, sight) &&
         matches_pattern(s);
}

/* Is it a process's turn to be checked anew, once in so many cycles? */
static bool is_turn(const struct scanner *s, pid_t pid, uint64_t cycles) {
  return (s->cycle + (uint64_t)pid) % cycles == 0;
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
  now->ppid = sight->stat.ppid;
  if (strlen(sight->stat.comm) < sizeof(now->name)) {
    memcpy(now->name, sight->stat.comm, sizeof(now->name));
    now->folder_ino = sight->folder_ino;
  }
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
  if (!is_turn(s, now->pid, s->rehash_cycles))
    now->spoof = before->spoof;
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

    if (walk_stat_exe(&s->walk, sight, &exe) < 0)
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
  seen->spoof_job = scanner_ask(s, JOB_SPOOF, seen, sight);
  return seen->spoof_job != NULL ? 0 : -ENOMEM;
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
    return scanner_set_unreadable(r, s->walk.text,
                                  exe_reason_of(sight->exe_error));
  find_kind(s, seen, before, sight);
  if (seen->kind == MOUNT_REMOTE && !s->options.remote_files)
    return walk_read_text(&s->walk, sight)
               ? scanner_set_unreadable(r, s->walk.text, EXE_REASON_REMOTE)
               : -ESRCH;
  ret = use_running(s, seen, sight);
  if (ret == 0)
    ret = scanner_find_place(s, i, sight);
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

/* Has nothing been left open, and is it too early for a look in full? */
static bool may_glance(const struct scanner *s, const struct seen *before) {
  return before->folder_ino != 0 && before->tid == 0 &&
         before->kind == MOUNT_LOCAL && before->container == NULL &&
         !before->host_file && before->place_job == NULL &&
         before->spoof_job == NULL && before->spoof != SPOOF_UNKNOWN &&
         !is_turn(s, before->pid, s->rehash_cycles) &&
         !is_turn(s, before->pid, FULL_LOOK_CYCLES);
}

/* Is it the process of `before`, and does it run what it ran? */
static bool see_again(struct scanner *s, const struct seen *before,
                      struct sight *ret) {
  if (!walk_glance(&s->walk, before->pid, before->folder_ino, ret))
    return false;
  ret->stat.ppid = before->ppid;
  ret->stat.start_ticks = before->start_ticks;
  memcpy(ret->stat.comm, before->name, sizeof(before->name));
  return before->dev == ret->exe.id.dev && before->ino == ret->exe.id.ino &&
         before->mnt_id == ret->exe.mnt_id && is_wanted_unnamed(s, ret);
}

/* Take the record of such a process, if its file lies where it lay. Returns 0,
 * -EAGAIN if it takes a look in full to tell, or -ENOMEM. */
static int glance(struct scanner *s, size_t i, const struct seen *before) {
  struct record *r = &s->records[i];
  struct seen *seen = &s->now[i];
  struct sight sight;
  int ret;

  if (before == NULL || !may_glance(s, before) || !see_again(s, before, &sight))
    return -EAGAIN;
  *seen = *before;
  seen->disk = NULL;
  ret = use_running(s, seen, &sight);
  if (ret < 0)
    return ret == -ENOMEM ? ret : -EAGAIN;
  if (!scanner_is_where_it_was(s, &sight.exe, seen->running))
    return -EAGAIN;
  fill_record(s, r, &sight);
  r->state = EXE_CURRENT;
  r->exe_path = strdup(seen->running->path);
  return r->exe_path != NULL ? scanner_request(s, seen->running) : -ENOMEM;
}

/* Open the process and take its record. Returns 0, -ENOENT (gone, or no
 * program runs there), -ESRCH (not wanted, or gone since), -EAGAIN (changed
 * meanwhile) or -ENOMEM. */
static int look(struct scanner *s, size_t i, pid_t pid, struct seen *before) {
  struct sight sight;
  int ret = -ESRCH;

  if (!walk_open(&s->walk, pid, &sight))
    return -ENOENT;
  if (is_wanted(s, &sight) && walk_look(&s->walk, &sight))
    ret = examine(s, i, &sight, before);
  walk_close(&sight);
  return ret;
}

static void forget(struct scanner *s, size_t i) {
  record_clear(&s->records[i]);
  seen_clear(s, &s->now[i]);
}

int scanner_look(struct scanner *s, pid_t pid, struct seen *before) {
  int ret = glance(s, s->len, before);

  for (int i = 0; i < TRIES && ret == -EAGAIN; i++) {
    forget(s, s->len);
    ret = look(s, s->len, pid, before);
  }
  s->figures.processes += ret != -ENOENT;
  if (ret == 0)
    s->len++;
  else
    forget(s, s->len);
  return ret == -ENOMEM ? ret : 0;
}
