/* How long a warm scan of 1000 processes takes beside the floor (readlink and
 * fstatat of each exe link), how fast files are hashed beside plain EVP, and
 * what memory a scanner takes. Prints "name value unit" lines, medians of the
 * rounds; the two sides of a comparison take turns. */
#include <dirent.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/scan/proc.h"
#include "lib/scan/scan.h"

enum {
  PROCESSES = 1000,
  ROUNDS = 9,
  SCANS = 1000, /* for the growth of memory */
  FILE_MIB = 256,
  CHUNK = 256 * 1024,
};

static pid_t children[PROCESSES];

static void must(bool holds) {
  if (!holds) {
    perror("bench_scan");
    exit(EXIT_FAILURE);
  }
}

static double now_s(void) {
  struct timespec t;

  must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b) {
  const double *x = a;
  const double *y = b;

  return (*x > *y) - (*x < *y);
}

static double median(double values[static ROUNDS]) {
  qsort(values, ROUNDS, sizeof(double), compare);
  return values[ROUNDS / 2];
}

static void start_processes(void) {
  for (size_t i = 0; i < PROCESSES; i++) {
    children[i] = fork();
    must(children[i] >= 0);
    if (children[i] > 0)
      continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
      pause();
  }
}

static void end_processes(void) {
  for (size_t i = 0; i < PROCESSES; i++)
    kill(children[i], SIGKILL);
  for (size_t i = 0; i < PROCESSES; i++)
    waitpid(children[i], NULL, 0);
}

/* Bytes of anonymous memory of this process, from smaps_rollup(proc(5)). */
static double anonymous_kib(void) {
  char line[256];
  double kib = -1;
  FILE *file = fopen("/proc/self/smaps_rollup", "re");

  must(file != NULL);
  while (fgets(line, sizeof(line), file) != NULL) {
    if (strncmp(line, "Anonymous:", 10) == 0)
      kib = strtod(line + 10, NULL);
  }
  (void)fclose(file);
  return kib;
}

static struct snapshot *scan(struct scanner *s) {
  struct snapshot *snapshot;

  must(scanner_run(s, &snapshot) == 0);
  return snapshot;
}

/* Seconds a process of the floor: list proc, read each exe link, stat it. */
static double floor_s(void) {
  double start = now_s();
  DIR *dir = opendir("/proc");
  struct dirent *entry;
  size_t n = 0;

  must(dir != NULL);
  while ((entry = readdir(dir)) != NULL) {
    char path[300];
    char text[4096];
    struct stat st;
    pid_t pid;

    if (!proc_parse_pid(entry->d_name, &pid))
      continue;
    (void)snprintf(path, sizeof(path), "%s/exe", entry->d_name);
    if (readlinkat(dirfd(dir), path, text, sizeof(text)) > 0)
      n += fstatat(dirfd(dir), path, &st, 0) == 0;
  }
  (void)closedir(dir);
  return (now_s() - start) / (double)n;
}

static double scan_s(struct scanner *s) {
  double start = now_s();
  struct snapshot *snapshot = scan(s);
  double took = (now_s() - start) / (double)snapshot->figures.processes;

  snapshot_free(snapshot);
  return took;
}

static struct scanner *new_scanner(void) {
  struct scan_options options = scan_options_default;
  struct scanner *s;

  options.min_rss_kib = 0;
  options.hash_budget = UINT64_MAX;
  options.scan_timeout_ms = 60000;
  must(scanner_new(&options, &s) == 0);
  return s;
}

static void bench_warm(void) {
  double warm[ROUNDS];
  double floors[ROUNDS];
  struct scanner *s;

  start_processes();
  s = new_scanner();
  snapshot_free(scan(s));
  snapshot_free(scan(s));
  for (size_t i = 0; i < ROUNDS; i++) {
    floors[i] = floor_s();
    warm[i] = scan_s(s);
  }
  printf("scan_warm %.2f us/process\n", median(warm) * 1e6);
  printf("scan_floor %.2f us/process\n", median(floors) * 1e6);
  printf("scan_warm_to_floor %.2f ratio\n", median(warm) / median(floors));
  scanner_free(s);
  end_processes();
}

/* Memory with 1000 processes over what the program itself has, then how much
 * more it is after 1000 scans. OpenSSL's own comes with the first digest. */
static void bench_memory(void) {
  struct digest d;
  struct scanner *s;
  struct snapshot *snapshot;
  double before;
  double warm;

  start_processes();
  must(digest_of("", 0, &d) == 0);
  before = anonymous_kib();
  s = new_scanner();
  for (int i = 0; i < 5; i++) {
    snapshot = scan(s);
    if (i == 4)
      printf("scan_memory_with_snapshot %.0f KiB\n", anonymous_kib() - before);
    snapshot_free(snapshot);
  }
  warm = anonymous_kib();
  printf("scan_memory %.0f KiB\n", warm - before);
  for (int i = 0; i < SCANS; i++)
    snapshot_free(scan(s));
  printf("scan_memory_growth_1000_scans %.0f KiB\n", anonymous_kib() - warm);
  scanner_free(s);
  end_processes();
}

/* A proc tree with one process, whose executable is a file of FILE_MIB. */
static void make_tree(char dir[static 64]) {
  static const char stat[] = "1 (a) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 "
                             "0 9 0 1 1 0\n";
  static char buf[CHUNK];
  char path[128];
  char exe[128];
  int fd;

  must(mkdtemp(dir) != NULL);
  (void)snprintf(exe, sizeof(exe), "%s/file", dir);
  fd = open(exe, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  must(fd >= 0);
  for (size_t i = 0; i < (size_t)FILE_MIB * (1024 * 1024 / CHUNK); i++) {
    memset(buf, (int)i, sizeof(buf));
    must(write(fd, buf, sizeof(buf)) == sizeof(buf));
  }
  close(fd);
  (void)snprintf(path, sizeof(path), "%s/1", dir);
  must(mkdir(path, 0755) == 0);
  (void)snprintf(path, sizeof(path), "%s/1/exe", dir);
  must(symlink(exe, path) == 0);
  (void)snprintf(path, sizeof(path), "%s/1/stat", dir);
  fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  must(fd >= 0 && write(fd, stat, sizeof(stat) - 1) == sizeof(stat) - 1);
  close(fd);
}

static void remove_tree(const char *dir) {
  static const char *const names[] = {"1/stat", "1/exe", "file"};
  char path[128];

  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    (void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
    (void)unlink(path);
  }
  (void)snprintf(path, sizeof(path), "%s/1", dir);
  (void)rmdir(path);
  (void)rmdir(dir);
}

static double hash_scanner_s(const char *dir) {
  struct scan_options options = scan_options_default;
  struct snapshot *snapshot;
  struct scanner *s;
  double start;
  double took;

  options.proc_root = dir;
  options.min_rss_kib = 0;
  options.hash_budget = UINT64_MAX;
  options.scan_timeout_ms = 60000;
  must(scanner_new(&options, &s) == 0);
  start = now_s();
  snapshot = scan(s);
  took = now_s() - start;
  must(snapshot->figures.bytes_hashed == (uint64_t)FILE_MIB << 20);
  snapshot_free(snapshot);
  scanner_free(s);
  return took;
}

/* What openssl speed does, but of the bytes of the file. */
static double hash_evp_s(const char *dir) {
  static char buf[CHUNK];
  unsigned char digest[EVP_MAX_MD_SIZE];
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  char path[128];
  double start;
  ssize_t n;
  int fd;

  (void)snprintf(path, sizeof(path), "%s/file", dir);
  fd = open(path, O_RDONLY | O_CLOEXEC);
  must(fd >= 0 && md != NULL);
  start = now_s();
  must(EVP_DigestInit_ex2(md, EVP_sha256(), NULL) == 1);
  while ((n = read(fd, buf, sizeof(buf))) > 0)
    must(EVP_DigestUpdate(md, buf, (size_t)n) == 1);
  must(EVP_DigestFinal_ex(md, digest, NULL) == 1);
  start = now_s() - start;
  EVP_MD_CTX_free(md);
  close(fd);
  return start;
}

static void bench_hash(void) {
  char dir[64] = "/tmp/pdna-bench-XXXXXX";
  double scanner[ROUNDS];
  double evp[ROUNDS];

  make_tree(dir);
  (void)hash_evp_s(dir);
  for (size_t i = 0; i < ROUNDS; i++) {
    evp[i] = hash_evp_s(dir);
    scanner[i] = hash_scanner_s(dir);
  }
  remove_tree(dir);
  printf("hash_scanner %.0f MB/s\n", FILE_MIB * 1.048576 / median(scanner));
  printf("hash_evp %.0f MB/s\n", FILE_MIB * 1.048576 / median(evp));
  printf("hash_scanner_to_evp %.3f ratio\n", median(evp) / median(scanner));
}

int main(void) {
  /* First, while nothing else has touched the heap. */
  bench_memory();
  bench_warm();
  bench_hash();
  return EXIT_SUCCESS;
}
