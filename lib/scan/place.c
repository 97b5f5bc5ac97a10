#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/scan/job.h"
#include "lib/scan/scanner.h"

int scanner_set_unreadable(struct record *r, const char *text,
                           enum exe_reason reason) {
  free(r->exe_path);
  r->exe_path = strndup(text, exe_bare_len(text));
  r->state = EXE_UNREADABLE;
  r->reason = reason;
  return r->exe_path != NULL ? 0 : -ENOMEM;
}

bool scanner_is_where_it_was(struct scanner *s, const struct file_stat *exe,
                             struct cache_entry *e) {
  static const struct exe_lookup how = {.cached = true};
  struct file_stat found;
  int fd;
  int ret;

  if (e->path == NULL || !exe->has_mnt_id || e->mnt_id != exe->mnt_id ||
      exe->nlink != 1)
    return false;
  if (e->path_checked == s->cycle)
    return true;
  fd = exe_open_path(&how, EXE_ROOT_OWN, e->path);
  if (fd < 0)
    return false;
  ret = file_stat_at(fd, "", FILE_STAT_LIGHT, &found);
  close(fd);
  if (ret < 0 || !file_same_inode(&found.id, &e->id))
    return false;
  e->path_checked = s->cycle;
  return true;
}

/* Do its paths lead where this program's do, and to the host's files? */
static bool shares_our_files(const struct sight *sight) {
  return sight->lookup.root == EXE_ROOT_OWN && !sight->lookup.foreign;
}

static int remember_path(struct scanner *s, const struct sight *sight,
                         struct cache_entry *e, const char *path) {
  if (!shares_our_files(sight) || sight->exe.nlink != 1 ||
      !sight->exe.has_mnt_id)
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
  int ret = scanner_set_unreadable(&s->records[i], text, EXE_REASON_PENDING);

  if (ret < 0)
    return ret;
  if (seen->place_job != NULL && strcmp(seen->place_job->order.text, text) == 0)
    return 0;
  worker_release(s->worker, seen->place_job);
  seen->place_job = scanner_ask(s, JOB_PLACE, seen, sight);
  return seen->place_job != NULL ? 0 : -ENOMEM;
}

int scanner_find_place(struct scanner *s, size_t i, const struct sight *sight) {
  struct record *r = &s->records[i];
  struct cache_entry *e = s->now[i].running;
  struct exe_place place;
  int ret;

  if (e != NULL && shares_our_files(sight) &&
      scanner_is_where_it_was(s, &sight->exe, e)) {
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
    return scanner_set_unreadable(r, s->walk.text, exe_reason_of(ret));
  if (place.state != EXE_CURRENT &&
      !exe_unchanged(sight->fd, s->walk.text, &sight->exe,
                     sight->stat.start_code))
    return -EAGAIN;
  ret = apply_place(s, sight->fd, i, s->walk.text, &place);
  if (ret == 0 && place.state == EXE_CURRENT)
    ret = remember_path(s, sight, e, r->exe_path);
  return ret;
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

int scanner_take_place(struct scanner *s, size_t i) {
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
