/* What it takes to find the packages of a thousand executables in the machine's
 * own database, beside dpkg -S for the same files: `bench_packages DIR`. Prints
 * "name value unit" lines, each a median:
 *   owners_paths  how many files
 *   owners_ms, owners_cpu_ms  elapsed and CPU time of ours
 *   dpkg_ms, dpkg_cpu_ms  the same of dpkg -S */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/scan/package_read.h"

enum { PATHS = 1000, RUNS = 11 };

static void must(bool holds) {
  if (!holds)
    abort();
}

static double seconds(clockid_t clock) {
  struct timespec t;

  (void)clock_gettime(clock, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double children_s(void) {
  struct rusage u;

  must(getrusage(RUSAGE_CHILDREN, &u) == 0);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

static void print_ms(const char *name, double *values_s) {
  qsort(values_s, RUNS, sizeof(*values_s), compare);
  printf("%s %.2f ms\n", name, values_s[RUNS / 2] * 1e3);
}

static int compare_paths(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t list(const char *folder, char **paths, size_t len) {
  DIR *dir = opendir(folder);
  const struct dirent *entry;

  while (dir != NULL && len < PATHS && (entry = readdir(dir)) != NULL) {
    if (entry->d_name[0] != '.')
      must(asprintf(&paths[len++], "%s/%s", folder, entry->d_name) > 0);
  }
  if (dir != NULL)
    (void)closedir(dir);
  return len;
}

static void ours(int root_fd, char **paths, size_t len) {
  struct package_read *p = package_read_new(root_fd, len);

  must(p != NULL);
  for (size_t i = 0; i < len; i++) {
    must(paths[i] != NULL);
    p->paths[i] = strdup(paths[i]);
    must(p->paths[i] != NULL);
  }
  must(package_read_run(p, NULL, NULL) == 0 && !p->failed);
  package_read_free(p);
}

static void theirs(char **argv) {
  pid_t pid = fork();
  int status;

  must(pid >= 0);
  if (pid == 0) {
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)dup2(null, STDOUT_FILENO);
    (void)dup2(null, STDERR_FILENO);
    (void)execvp(argv[0], argv);
    _exit(127);
  }
  /* 1: some of the files are no package's. */
  must(waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
       WEXITSTATUS(status) <= 1);
}

int main(void) {
  static char dpkg[] = "dpkg", search[] = "-S";
  static char *argv[PATHS + 3] = {dpkg, search};
  static double wall[RUNS], cpu[RUNS], dpkg_wall[RUNS], dpkg_cpu[RUNS];
  int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  char **paths = argv + 2;
  size_t len = list("/usr/bin", paths, 0);

  len = list("/usr/sbin", paths, len);
  qsort(paths, len, sizeof(*paths), compare_paths);
  for (int i = 0; i < RUNS; i++) {
    double start_s = seconds(CLOCK_MONOTONIC);
    double cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID);

    ours(root_fd, paths, len);
    cpu[i] = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_s;
    wall[i] = seconds(CLOCK_MONOTONIC) - start_s;
    start_s = seconds(CLOCK_MONOTONIC);
    cpu_s = children_s();
    theirs(argv);
    dpkg_cpu[i] = children_s() - cpu_s;
    dpkg_wall[i] = seconds(CLOCK_MONOTONIC) - start_s;
  }
  printf("owners_paths %zu files\n", len);
  print_ms("owners_ms", wall);
  print_ms("owners_cpu_ms", cpu);
  print_ms("dpkg_ms", dpkg_wall);
  print_ms("dpkg_cpu_ms", dpkg_cpu);
  return 0;
}
