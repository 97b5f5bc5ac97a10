#include <errno.h>
#include <string.h>

#include "lib/scan/job.h"
#include "lib/scan/scanner.h"

enum {
  URGENT_MAX = 128
}; /* jobs in memory at a time, where they are
      answered */

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

struct job *scanner_ask(struct scanner *s, enum job_kind kind,
                        const struct seen *seen, const struct sight *sight) {
  struct job *job = new_job(kind, seen, sight, s->walk.text);

  if (job == NULL)
    return NULL;
  worker_submit(s->worker, job);
  if (++s->urgent < URGENT_MAX)
    return job;
  s->urgent = 0;
  worker_wait(s->worker, true, s->deadline_ms);
  scanner_take_checks(s);
  return job;
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
      ret = scanner_take_place(s, i);
  }
  return ret;
}
