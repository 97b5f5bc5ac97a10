/* What a scan takes: `bench_scan DIR`, which keeps its files in DIR. Prints
 * "name value unit" lines, each a median:
 *   floor_us, scan_us, scan_walk_us  CPU time a process, of readlinkat and
 *       fstatat on each exe link; of a warm scan; of that without what the
 *       hashing thread does meanwhile (re-hashing, checks in rotation)
 *   scan_wall_us  time a process of a warm scan
 *   scan_alone_us  CPU time a process of one that tells no packages
 *   scan_growth  anonymous memory that 1000 warm scans add
 *   hash_scanner, hash_evp  a large file from the page cache, through the
 *       scanner and by EVP alone, in CPU time
 *   openssl_first_digest  anonymous memory that the first digest takes */
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/scan/scan.h"

enum {
  PROCESSES = 1000,
  EXECUTABLES = 50, /* that they run */
  WARM_UP = 120,    /* scans: every file is read again twice */
  ROUNDS = 300,
  GROWTH_SCANS = 1000,
  HASH_ROUNDS = 5,
  LARGE = 200 << 20, /* bytes */
  CHUNK = 256 << 10,
  PATH_SIZE = 256,
};

static void must(bool holds) {
  if (!holds)
    abort();
}

static double seconds(clockid_t clock) {
  struct timespec t;

  (void)clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static double median(double *values, size_t len) {
  qsort(values, len, sizeof(*values), compare);
  return values[len / 2];
}

/* In KiB; not what malloc only keeps for later. */
static long anonymous(void) {
  FILE *f;
  char line[128];
  long kib = -1;

  (void)malloc_trim(0);
  f = fopen("/proc/self/smaps_rollup", "re");
  must(f != NULL);
  while (kib < 0 && fgets(line, sizeof(line), f) != NULL)
    if (strncmp(line, "Anonymous:", 10) == 0)
      kib = strtol(line + 10, NULL, 10);
  must(fclose(f) == 0 && kib >= 0);
  return kib;
}

static void copy_sleep(const char *to) {
  int in = open("/bin/sleep", O_RDONLY | O_CLOEXEC);
  int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
  ssize_t n;

  must(in >= 0 && out >= 0);
  while ((n = sendfile(out, in, NULL, CHUNK)) > 0)
    ;
  must(n == 0 && close(in) == 0 && close(out) == 0);
}

/* It ends with this program, whatever happens to that. */
static pid_t start_sleeper(const char *file) {
  const pid_t pid = fork();

  must(pid >= 0);
  if (pid == 0) {
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)execl(file, file, "600", (char *)NULL);
    _exit(127);
  }
  return pid;
}

static void stop_sleepers(const pid_t *pids, size_t len) {
  for (size_t i = 0; i < len; i++)
    (void)kill(pids[i], SIGKILL);
  for (size_t i = 0; i < len; i++)
    (void)waitpid(pids[i], NULL, 0);
}

static void sleeper_file(const char *dir, int n, char ret[static PATH_SIZE]) {
  (void)snprintf(ret, PATH_SIZE, "%s/sleeper-%d", dir, n);
}

static void start_sleepers(const char *dir, pid_t pids[static PROCESSES]) {
  char file[PATH_SIZE];

  for (int i = 0; i < EXECUTABLES; i++) {
    sleeper_file(dir, i, file);
    copy_sleep(file);
  }
  for (int i = 0; i < PROCESSES; i++) {
    sleeper_file(dir, i % EXECUTABLES, file);
    pids[i] = start_sleeper(file);
  }
  sleep(1); /* until each has got to its exec */
}

/* One look at each process, no more than its link and its file. */
static void floor_loop(int proc_fd) {
  const int fd = openat(proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = fdopendir(fd);
  struct dirent *entry;
  char path[sizeof(entry->d_name) + sizeof("/exe")], text[4097];
  struct stat st;

  must(dir != NULL);
  while ((entry = readdir(dir)) != NULL) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
      continue;
    (void)snprintf(path, sizeof(path), "%s/exe", entry->d_name);
    if (readlinkat(proc_fd, path, text, sizeof(text)) > 0)
      (void)fstatat(proc_fd, path, &st, 0);
  }
  (void)closedir(dir);
}

/* Returns how many processes there are. */
static size_t scan(struct scanner *s, double *ret_walk_s) {
  const double start_s = seconds(CLOCK_THREAD_CPUTIME_ID);
  struct snapshot *snapshot;
  size_t len;

  must(scanner_run(s, &snapshot) == 0);
  len = snapshot->records_len;
  snapshot_free(snapshot);
  *ret_walk_s = seconds(CLOCK_THREAD_CPUTIME_ID) - start_s;
  return len;
}

static void print_us(const char *name, double *values_s, size_t processes) {
  printf("%s %.3f us\n", name,
         median(values_s, ROUNDS) * 1e6 / (double)processes);
}

/* The scans and the floor take turns, so that all see the same noise. */
static void bench_warm(struct scanner *s, struct scanner *alone) {
  const int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  static double base[ROUNDS], cpu[ROUNDS], walk[ROUNDS], wall[ROUNDS];
  static double without[ROUNDS];
  size_t len = 0;
  double walk_s;

  must(proc_fd >= 0);
  for (size_t i = 0; i < ROUNDS; i++) {
    double start_s = seconds(CLOCK_PROCESS_CPUTIME_ID), wall_s;

    floor_loop(proc_fd);
    base[i] = seconds(CLOCK_PROCESS_CPUTIME_ID) - start_s;
    wall_s = seconds(CLOCK_MONOTONIC);
    start_s = seconds(CLOCK_PROCESS_CPUTIME_ID);
    len = scan(s, &walk[i]);
    cpu[i] = seconds(CLOCK_PROCESS_CPUTIME_ID) - start_s;
    wall[i] = seconds(CLOCK_MONOTONIC) - wall_s;
    start_s = seconds(CLOCK_PROCESS_CPUTIME_ID);
    (void)scan(alone, &walk_s);
    without[i] = seconds(CLOCK_PROCESS_CPUTIME_ID) - start_s;
  }
  (void)close(proc_fd);
  printf("scan_processes %zu processes\n", len);
  print_us("floor_us", base, len);
  print_us("scan_us", cpu, len);
  print_us("scan_walk_us", walk, len);
  print_us("scan_wall_us", wall, len);
  print_us("scan_alone_us", without, len);
}

static void bench_scan(const char *dir) {
  struct scan_options options = scan_options_default;
  static pid_t pids[PROCESSES];
  struct scanner *s, *alone;
  double walk_s;
  long before;

  options.min_rss_kib = 0;
  start_sleepers(dir, pids);
  must(scanner_new(&options, &s) == 0);
  options.packages = false;
  must(scanner_new(&options, &alone) == 0);
  for (int i = 0; i < WARM_UP; i++) {
    (void)scan(s, &walk_s);
    (void)scan(alone, &walk_s);
  }
  bench_warm(s, alone);
  scanner_free(alone);
  before = anonymous();
  for (int i = 0; i < GROWTH_SCANS; i++)
    (void)scan(s, &walk_s);
  printf("scan_growth %ld KiB\n", anonymous() - before);
  scanner_free(s);
  stop_sleepers(pids, PROCESSES);
}

/* An executable with a long tail that is no part of the program. */
static void make_large(const char *file) {
  static uint64_t chunk[CHUNK / sizeof(uint64_t)];
  uint64_t x = 1;
  int fd;

  copy_sleep(file);
  fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
  must(fd >= 0);
  for (int done = 0; done < LARGE; done += CHUNK) {
    for (size_t i = 0; i < CHUNK / sizeof(*chunk); i++)
      chunk[i] = x = x * 6364136223846793005u + 1442695040888963407u;
    must(write(fd, chunk, CHUNK) == CHUNK);
  }
  must(close(fd) == 0);
}

static double evp_s(const char *file, struct digest *ret_digest) {
  static char chunk[CHUNK];
  const double start_s = seconds(CLOCK_PROCESS_CPUTIME_ID);
  const int fd = open(file, O_RDONLY | O_CLOEXEC);
  EVP_MD_CTX *md = EVP_MD_CTX_new();
  ssize_t n;

  must(fd >= 0 && md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL));
  while ((n = read(fd, chunk, sizeof(chunk))) > 0)
    must(EVP_DigestUpdate(md, chunk, (size_t)n));
  must(n == 0 && EVP_DigestFinal_ex(md, ret_digest->bytes, NULL));
  EVP_MD_CTX_free(md);
  (void)close(fd);
  return seconds(CLOCK_PROCESS_CPUTIME_ID) - start_s;
}

/* A new scanner that takes no process but that of the file. */
static double scanner_s(const char *file, const struct digest *expected) {
  struct scan_options options = scan_options_default;
  struct snapshot *snapshot;
  struct scanner *s;
  double start_s, took_s;

  options.packages = false; /* reading them is no hashing */
  options.min_rss_kib = UINT64_MAX;
  options.always_root = false;
  options.executables = &file;
  options.executables_len = 1;
  options.hash_budget = (uint64_t)LARGE * 2;
  options.scan_timeout_ms = 60 * 1000;
  must(scanner_new(&options, &s) == 0);
  start_s = seconds(CLOCK_PROCESS_CPUTIME_ID);
  must(scanner_run(s, &snapshot) == 0);
  took_s = seconds(CLOCK_PROCESS_CPUTIME_ID) - start_s;
  must(snapshot->executables_len == 1 &&
       digest_equal(&snapshot->executables[0].sha256, expected));
  snapshot_free(snapshot);
  scanner_free(s);
  return took_s;
}

static void bench_hash(const char *dir) {
  double evp[HASH_ROUNDS], scanner[HASH_ROUNDS];
  char file[PATH_SIZE];
  struct digest digest;
  struct stat st;
  double mb;
  pid_t pid;

  (void)snprintf(file, sizeof(file), "%s/large", dir);
  make_large(file);
  must(stat(file, &st) == 0);
  mb = (double)st.st_size / 1e6;
  pid = start_sleeper(file);
  (void)evp_s(file, &digest); /* the page cache is warm from here on */
  for (size_t i = 0; i < HASH_ROUNDS; i++) {
    evp[i] = evp_s(file, &digest);
    scanner[i] = scanner_s(file, &digest);
  }
  stop_sleepers(&pid, 1);
  (void)unlink(file);
  printf("hash_evp %.1f MB/s\n", mb / median(evp, HASH_ROUNDS));
  printf("hash_scanner %.1f MB/s\n", mb / median(scanner, HASH_ROUNDS));
}

static void bench_openssl(void) {
  const long before = anonymous();
  struct digest digest;

  must(digest_of("", 0, &digest) == 0);
  printf("openssl_first_digest %ld KiB\n", anonymous() - before);
}

int main(int argc, char **argv) {
  /* Absolute, as exe links are. */
  if (argc != 2 || argv[1][0] != '/' || strlen(argv[1]) > PATH_SIZE - 32) {
    (void)fprintf(stderr, "usage: bench_scan DIR (absolute)\n");
    return 2;
  }
  bench_openssl();
  bench_hash(argv[1]);
  bench_scan(argv[1]);
  return 0;
}
