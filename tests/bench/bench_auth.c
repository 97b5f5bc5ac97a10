/* How fast lines of a log become events, on one core: `bench_auth DIR` reads
 * DIR/auth.log into memory, and takes its lines apart. Prints "name value unit"
 * lines, medians of the rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "correlator/auth_stream.h"
#include "lib/record/clock.h"

enum { ROUNDS = 9 };

static void must(bool holds) {
  if (!holds)
    abort();
}

static double seconds(void) {
  struct timespec t;

  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *read_file(const char *path, size_t *ret_len) {
  FILE *f = fopen(path, "re");
  struct stat st;

  must(f != NULL && fstat(fileno(f), &st) == 0 && st.st_size > 0);
  *ret_len = (size_t)st.st_size;
  char *bytes = malloc(*ret_len);
  must(bytes != NULL && fread(bytes, 1, *ret_len, f) == *ret_len);
  (void)fclose(f);
  return bytes;
}

struct counts {
  size_t lines, events;
};

static struct counts run_round(const char *bytes, size_t len, int64_t now_us) {
  struct auth_stream *stream = auth_stream_new();
  struct counts counts = {0, 0};
  struct auth_event event;

  must(stream != NULL);
  for (const char *end = bytes + len; bytes < end; counts.lines++) {
    const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
    must(newline != NULL);
    enum auth_line what = auth_stream_line(
        stream, bytes, (size_t)(newline - bytes), now_us, &event);
    counts.events += what == AUTH_LINE_EVENT;
    bytes = newline + 1;
  }
  auth_stream_free(stream);
  return counts;
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  struct counts counts = {0, 0};
  double took[ROUNDS];
  char path[256];
  size_t len;

  must(argc == 2 && strlen(argv[1]) < sizeof(path) - sizeof("/auth.log"));
  (void)snprintf(path, sizeof(path), "%s/auth.log", argv[1]);
  char *bytes = read_file(path, &len);
  for (int i = 0; i < ROUNDS; i++) {
    const double start = seconds();
    counts = run_round(bytes, len, clock_wall_us());
    took[i] = seconds() - start;
  }
  qsort(took, ROUNDS, sizeof(took[0]), compare);
  printf("auth_lines %.0f lines/s\n", (double)counts.lines / took[ROUNDS / 2]);
  printf("auth_events %zu events\n", counts.events);
  free(bytes);
  return 0;
}
