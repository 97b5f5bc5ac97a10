/* A snapshot as rows of the tables: made whole by the scanning thread, then
 * only read. */
#ifndef PDNA_AGENTX_VIEW_H
#define PDNA_AGENTX_VIEW_H

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "lib/scan/scan.h"
#include "snmp-subagent/exe_index.h"
#include "snmp-subagent/value.h"

/* `index` comes first: Net-SNMP's containers sort by it. */
struct process_row {
  netsnmp_index index;
  oid pid;
  const struct record *record;
  char *path; /* SNMP text (pathname.h); owned */
};

struct executable_row {
  netsnmp_index index;
  oid number;
  const struct executable *executable;
  char *path;
};

/* What is counted since the start. */
struct view_sums {
  uint64_t bytes_hashed;
  uint64_t cache_hits;
};

struct view {
  struct snapshot *snapshot; /* owned */
  struct process_row *processes;
  size_t processes_len;
  struct executable_row *executables; /* in the snapshot's order */
  size_t executables_len;
  size_t unhashed;
  struct view_sums sums; /* up to this scan */
};

/* Takes the snapshot over, also on failure. What no row can carry (see
 * record_validate) is left out. `sums` goes up by what the scan did. Returns 0
 * or -ENOMEM. */
int view_new(struct snapshot *snapshot, struct exe_index *index,
             struct view_sums *sums, struct view **ret);

void view_free(struct view *view);

/* The value of a column. Returns 0, or -ENOENT if there is no such column. */
int view_process_column(const struct process_row *row, unsigned column,
                        struct value *ret);
int view_executable_column(const struct view *view,
                           const struct executable_row *row, unsigned column,
                           struct value *ret);

#endif
