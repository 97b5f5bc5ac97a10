#include "snmp-subagent/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/mib.h"
#include "lib/record/pathname.h"

/* The SNMP text of a canonical one. Returns 0 or a negative errno. */
static int copy_path(const char *container, const char *text, char **ret_path) {
  char snmp[PATHNAME_SNMP_MAX + 1];
  int r = pathname_to_snmp(container, text, snmp);

  if (r < 0)
    return r;
  *ret_path = strdup(snmp);
  return *ret_path != NULL ? 0 : -ENOMEM;
}

static int add_process(struct view *view, const struct record *record) {
  struct process_row *row = &view->processes[view->processes_len];
  char *text;
  int r;

  if (record_validate(record) < 0)
    return 0;
  r = pathname_encode(record->exe_path, &text);
  if (r < 0)
    return r;
  r = copy_path(record->container, text, &row->path);
  free(text);
  if (r < 0)
    return r;
  row->pid = (oid)record->pid;
  row->index = (netsnmp_index){.oids = &row->pid, .len = 1};
  row->record = record;
  view->processes_len++;
  return 0;
}

static int add_executable(struct view *view, const struct executable *e,
                          uint32_t number) {
  struct executable_row *row = &view->executables[view->executables_len];
  int r = copy_path(e->container, e->path, &row->path);

  if (r < 0)
    return r;
  row->number = number;
  row->index = (netsnmp_index){.oids = &row->number, .len = 1};
  row->executable = e;
  view->executables_len++;
  view->unhashed += e->state == EXE_UNREADABLE;
  return 0;
}

static int fill(struct view *view, struct exe_index *index) {
  const struct snapshot *s = view->snapshot;
  uint32_t *numbers = calloc(s->executables_len + 1, sizeof(*numbers));
  int r;

  view->processes = calloc(s->records_len + 1, sizeof(*view->processes));
  view->executables =
      calloc(s->executables_len + 1, sizeof(*view->executables));
  r = numbers != NULL && view->processes != NULL && view->executables != NULL
          ? 0
          : -ENOMEM;
  if (r == 0)
    r = exe_index_assign(index, s->executables, s->executables_len, numbers);
  for (size_t i = 0; r == 0 && i < s->records_len; i++)
    r = add_process(view, &s->records[i]);
  for (size_t i = 0; r == 0 && i < s->executables_len; i++)
    r = add_executable(view, &s->executables[i], numbers[i]);
  free(numbers);
  return r;
}

int view_new(struct snapshot *snapshot, struct exe_index *index,
             struct view_sums *sums, struct view **ret) {
  struct view *view = calloc(1, sizeof(*view));
  int r;

  if (view == NULL) {
    snapshot_free(snapshot);
    return -ENOMEM;
  }
  view->snapshot = snapshot;
  sums->bytes_hashed += snapshot->figures.bytes_hashed;
  sums->cache_hits += snapshot->figures.cache_hits;
  view->sums = *sums;
  r = fill(view, index);
  if (r < 0) {
    view_free(view);
    return r;
  }
  *ret = view;
  return 0;
}

void view_free(struct view *view) {
  if (view == NULL)
    return;
  for (size_t i = 0; i < view->processes_len; i++)
    free(view->processes[i].path);
  for (size_t i = 0; i < view->executables_len; i++)
    free(view->executables[i].path);
  free(view->processes);
  free(view->executables);
  snapshot_free(view->snapshot);
  free(view);
}

int view_process_column(const struct process_row *row, unsigned column,
                        struct value *ret) {
  const struct record *r = row->record;

  switch ((enum pdna_process_column)column) {
  case PDNA_PROC_NAME:
    value_name(ret, r->name);
    return 0;
  case PDNA_PROC_EXE_PATH:
    value_text(ret, row->path);
    return 0;
  case PDNA_PROC_EXE_SHA256:
    value_digest(ret, r->has_exe_sha256, &r->exe_sha256);
    return 0;
  case PDNA_PROC_RUNNING_SHA256:
    value_digest(ret, r->has_running_sha256, &r->running_sha256);
    return 0;
  case PDNA_PROC_STATE:
    value_integer(ret, r->state);
    return 0;
  case PDNA_PROC_RSS:
    value_kib(ret, r->rss_kib);
    return 0;
  case PDNA_PROC_UID:
    value_unsigned(ret, r->uid);
    return 0;
  case PDNA_PROC_STARTED:
    value_time(ret, r->started_s);
    return 0;
  case PDNA_PROC_CONTAINER:
    value_text(ret, r->container);
    return 0;
  case PDNA_PROC_OBSERVED_AT:
    value_time(ret, r->observed_at_s);
    return 0;
  }
  return -ENOENT;
}

static int package_column(const struct package *p, unsigned column,
                          struct value *ret) {
  /* TruthValue (SNMPv2-TC) */
  enum { TRUE_VALUE = 1, FALSE_VALUE = 2 };

  switch (column) {
  case PDNA_EXE_PACKAGE_MANAGER:
    value_text(ret, p->manager);
    return 0;
  case PDNA_EXE_PACKAGE:
    value_text(ret, p->name);
    return 0;
  case PDNA_EXE_PACKAGE_VERSION:
    value_text(ret, p->version);
    return 0;
  case PDNA_EXE_PACKAGE_ARCH:
    value_text(ret, p->arch);
    return 0;
  case PDNA_EXE_PACKAGE_TRANSACTION:
    value_integer(ret, p->in_transaction ? TRUE_VALUE : FALSE_VALUE);
    return 0;
  default:
    return -ENOENT;
  }
}

int view_executable_column(const struct view *view,
                           const struct executable_row *row, unsigned column,
                           struct value *ret) {
  const struct executable *e = row->executable;

  switch (column) {
  case PDNA_EXE_CONTAINER:
    value_text(ret, e->container);
    return 0;
  case PDNA_EXE_PATH:
    value_text(ret, row->path);
    return 0;
  case PDNA_EXE_SHA256:
    value_digest(ret, e->state != EXE_UNREADABLE, &e->sha256);
    return 0;
  case PDNA_EXE_STATE:
    value_integer(ret, e->state);
    return 0;
  case PDNA_EXE_REASON:
    value_integer(ret, e->reason);
    return 0;
  case PDNA_EXE_PROCESSES:
    value_unsigned(ret, e->processes);
    return 0;
  case PDNA_EXE_RSS:
    value_kib(ret, e->rss_bytes / 1024);
    return 0;
  case PDNA_EXE_PID:
    value_integer(ret, e->pid);
    return 0;
  case PDNA_EXE_UID:
    value_unsigned(ret, e->uid);
    return 0;
  case PDNA_EXE_NAME:
    value_name(ret, e->name);
    return 0;
  case PDNA_EXE_STARTED:
    value_time(ret, e->started_s);
    return 0;
  case PDNA_EXE_OBSERVED_AT:
    value_time(ret, view->snapshot->observed_at_s);
    return 0;
  default:
    return package_column(&e->package, column, ret);
  }
}
