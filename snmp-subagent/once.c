#include "snmp-subagent/once.h"

#include <errno.h>
#include <inttypes.h>

#include "snmp-subagent/json.h"

enum {
  ROUND_MS = 1000,
  /* Rounds that bring nothing new, before what is pending stays so. */
  IDLE_ROUNDS_MAX = 15,
};

/* How many executables wait for a digest? */
static size_t pending(const struct snapshot *s) {
  size_t count = 0;

  for (size_t i = 0; i < s->executables_len; i++)
    count += s->executables[i].reason == EXE_REASON_PENDING;
  for (size_t i = 0; i < s->records_len; i++)
    count += s->records[i].state == EXE_REPLACED &&
             s->records[i].reason == EXE_REASON_PENDING;
  return count;
}

static void show(FILE *progress, size_t waiting, uint64_t bytes) {
  enum { MIB_SHIFT = 20 };

  if (progress == NULL)
    return;
  (void)fprintf(progress, "\rhashing: %" PRIu64 " MiB read, %zu files to go ",
                bytes >> MIB_SHIFT, waiting);
  (void)fflush(progress);
}

/* Scan again until nothing is pending. */
static int scan(struct scanner *scanner, FILE *progress,
                struct snapshot **ret) {
  struct snapshot *snapshot;
  uint64_t bytes = 0;
  unsigned idle = 0;
  size_t waiting;
  bool shown = false;
  int r;

  for (;;) {
    r = scanner_run(scanner, &snapshot);
    if (r < 0)
      break;
    waiting = pending(snapshot);
    idle = snapshot->figures.bytes_hashed > 0 ? 0 : idle + 1;
    bytes += snapshot->figures.bytes_hashed;
    if (waiting == 0 || idle > IDLE_ROUNDS_MAX) {
      *ret = snapshot;
      break;
    }
    snapshot_free(snapshot);
    show(progress, waiting, bytes);
    shown = true;
  }
  if (shown && progress != NULL)
    (void)fputc('\n', progress);
  return r;
}

int once_run(const struct scan_options *options, FILE *out, FILE *progress) {
  struct scan_options unlimited = *options;
  struct scanner *scanner;
  struct snapshot *snapshot = NULL;
  int r;

  unlimited.hash_budget = SIZE_MAX;
  unlimited.scan_timeout_ms = ROUND_MS;
  r = scanner_new(&unlimited, &scanner);
  if (r < 0)
    return r;
  r = scan(scanner, progress, &snapshot);
  for (size_t i = 0; r == 0 && i < snapshot->records_len; i++) {
    if (record_validate(&snapshot->records[i]) == 0)
      r = json_print_record(out, &snapshot->records[i]);
  }
  if (r == 0 && (fflush(out) != 0 || ferror(out) != 0))
    r = -EIO;
  snapshot_free(snapshot);
  scanner_free(scanner);
  return r;
}
