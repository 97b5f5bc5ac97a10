/* Snapshots made by hand. */
#ifndef PDNA_FAKE_SNAPSHOT_H
#define PDNA_FAKE_SNAPSHOT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/scan/scan.h"

static inline struct executable
fake_executable(const char *path, enum exe_state state, uint8_t digest) {
  struct executable e = {
      .path = (char *)path,
      .state = state,
      .processes = 2,
      .rss_bytes = 4096,
      .pid = 77,
      .uid = 1000,
      .name = "name",
      .started_s = 1779990000,
  };

  memset(e.sha256.bytes, digest, sizeof(e.sha256.bytes));
  if (state == EXE_UNREADABLE)
    e.reason = EXE_REASON_PENDING;
  return e;
}

/* A snapshot over borrowed executables; `rehashed` all false. */
static inline struct snapshot fake_snapshot(struct executable *executables,
                                            size_t len, bool *rehashed) {
  return (struct snapshot){
      .observed_at_s = 1780000000,
      .executables = executables,
      .executables_len = len,
      .rehashed = rehashed,
      .figures = {.sequence = 1, .executables = len},
  };
}

#endif
