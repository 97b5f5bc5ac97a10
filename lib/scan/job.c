#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/scan/job.h"
#include "lib/scan/proc.h"
#include "lib/scan/spoof.h"

struct job *job_new(enum job_kind kind) {
  struct job *job = calloc(1, sizeof(*job));

  if (job == NULL)
    return NULL;
  job->order.kind = kind;
  job->references = 1;
  hash_init(&job->hash);
  return job;
}

void job_destroy(struct job *job) {
  if (job == NULL)
    return;
  hash_clear(&job->hash);
  package_read_free(job->order.packages);
  free(job->order.text);
  free(job);
}

static int step_place(struct job *job, int pid_fd, uint64_t start_code) {
  struct job_order *o = &job->order;
  struct exe_place *place = &job->result.place.place;
  struct file_stat *running = &job->result.place.running;
  int ret;

  ret = file_stat_at(pid_fd, "exe", FILE_STAT_SYNC, running);
  if (ret < 0)
    return ret;
  if (!file_same_inode(&running->id, &o->file.id))
    return -EAGAIN;
  o->lookup.pid_fd = pid_fd;
  o->lookup.cached = false;
  ret = exe_find_place(&o->lookup, o->text, running, place);
  if (ret == 0 && place->state != EXE_CURRENT &&
      !exe_unchanged(pid_fd, o->text, running, start_code))
    return -EAGAIN;
  return ret;
}

static int step_spoof(struct job *job, int pid_fd, uint64_t start_code) {
  struct job_order *o = &job->order;
  bool spoofed;
  int ret;

  ret = spoof_check(pid_fd, o->text, &o->file, &spoofed);
  if (ret < 0 || !spoofed) {
    job->result.spoofed = false;
    return ret;
  }
  /* During an exec the link names the new file before any of it is mapped. */
  if (!exe_unchanged(pid_fd, o->text, &o->file, start_code))
    return -EAGAIN;
  job->result.spoofed = true;
  return 0;
}

/* Open what O_PATH found, now that it is known to be a regular file: opening
 * a device does things. */
static int reopen(int path_fd, const struct file_id *expected) {
  char path[64];
  struct file_stat found;
  int fd;
  int ret = file_stat_at(path_fd, "", FILE_STAT_LIGHT, &found);

  if (ret < 0)
    return ret;
  if (!file_same_inode(&found.id, expected) || !S_ISREG(found.facts.mode))
    return -ESRCH;
  (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
  fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

static int open_file(struct job *job, int pid_fd) {
  struct job_order *o = &job->order;
  int path_fd;
  int fd;

  if (o->text == NULL) {
    fd = openat(pid_fd, "exe", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
  }
  o->lookup.pid_fd = pid_fd;
  o->lookup.cached = false;
  path_fd = exe_open_path(&o->lookup, o->root, o->text);
  if (path_fd < 0)
    return path_fd;
  fd = reopen(path_fd, &o->file.id);
  close(path_fd);
  return fd;
}

static int step_hash(struct job *job, void *buf, size_t max, size_t *ret_read) {
  int ret = hash_step(&job->hash, buf, max, ret_read, &job->result.hash.digest);

  if (ret == 0)
    job->result.hash.file = job->hash.before;
  return ret;
}

int job_step(struct job *job, int proc_fd, void *buf, size_t max,
             size_t *ret_read) {
  struct job_order *o = &job->order;
  struct proc_stat stat;
  int pid_fd;
  int ret;

  *ret_read = 0;
  if (job->hash.fd >= 0)
    return step_hash(job, buf, max, ret_read);
  if (o->kind == JOB_PACKAGES)
    return package_read_run(o->packages, job->progress, job->progress_arg);
  pid_fd = proc_open(proc_fd, o->pid, o->tid, o->start_ticks, &stat);
  if (pid_fd < 0)
    return pid_fd;
  o->lookup.proc_fd = proc_fd;
  switch (o->kind) {
  case JOB_PLACE:
    ret = step_place(job, pid_fd, stat.start_code);
    break;
  case JOB_SPOOF:
    ret = step_spoof(job, pid_fd, stat.start_code);
    break;
  default:
    ret = open_file(job, pid_fd);
    if (ret >= 0)
      ret = hash_begin(&job->hash, ret, &o->file.id);
    if (ret == 0)
      ret = step_hash(job, buf, max, ret_read);
    if (ret == -ENOENT)
      ret = -ESRCH;
  }
  close(pid_fd);
  return ret;
}

static uint64_t hash_text(const char *text) {
  uint64_t h = 14695981039346656037U; /* FNV-1a */

  for (; *text != '\0'; text++)
    h = (h ^ (unsigned char)*text) * 1099511628211U;
  return h;
}

struct job_key job_key(const struct job *job) {
  const struct job_order *o = &job->order;

  if (o->kind == JOB_PACKAGES)
    return (struct job_key){KEY_PACKAGES, 0};
  if (o->kind == JOB_SPOOF)
    return (struct job_key){KEY_PROCESS, (uint64_t)o->pid ^ o->start_ticks};
  /* A look-up that hangs says nothing of the device of the file that runs,
   * unless that is one that may hang. */
  if (o->kind == JOB_PLACE && !o->may_hang)
    return (struct job_key){KEY_PATH, hash_text(o->text)};
  return (struct job_key){KEY_DEVICE, o->file.id.dev};
}
