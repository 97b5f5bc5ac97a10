/* spoof DISGUISE: a process without any privilege whose /proc/PID/exe names
 * DISGUISE, although nothing of that file is mapped. In a user namespace of
 * its own it may call prctl(PR_SET_MM, PR_SET_MM_MAP) with a file that then
 * becomes the exe link, provided that its real executable is not mapped any
 * more: so its mappings are first moved into anonymous memory. */
#include <fcntl.h>
#include <limits.h>
#include <linux/prctl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MAPPINGS_MAX = 64 };

struct mapping {
  unsigned long start;
  unsigned long end;
  int prot;
};

static void fail(const char *what) {
  perror(what);
  exit(EXIT_FAILURE);
}

/* The mappings of our own executable. */
static size_t own_mappings(struct mapping ret[static MAPPINGS_MAX]) {
  char self[PATH_MAX], line[PATH_MAX + 128];
  size_t len = 0;
  ssize_t self_len = readlink("/proc/self/exe", self, sizeof(self) - 1);
  FILE *maps = fopen("/proc/self/maps", "re");

  if (self_len < 0 || maps == NULL)
    fail("/proc/self");
  self[self_len] = '\0';
  while (fgets(line, sizeof(line), maps) != NULL && len < MAPPINGS_MAX) {
    struct mapping *m = &ret[len];
    char r, w, x;
    line[strcspn(line, "\n")] = '\0';
    const char *path = strchr(line, '/');
    if (path == NULL || strcmp(path, self) != 0 ||
        sscanf(line, "%lx-%lx %c%c%c", &m->start, &m->end, &r, &w, &x) != 5)
      continue;
    m->prot = (r == 'r' ? PROT_READ : 0) | (w == 'w' ? PROT_WRITE : 0) |
              (x == 'x' ? PROT_EXEC : 0);
    len++;
  }
  fclose(maps);
  return len;
}

/* Put an anonymous copy in the place of a mapping. The code that runs here is
 * itself in one of them: it goes on at the same address, in the copy. */
static void make_anonymous(const struct mapping *m) {
  size_t size = m->end - m->start;
  void *original = (void *)m->start; /* NOLINT: an address from maps */
  void *copy = mmap(NULL, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (copy == MAP_FAILED)
    fail("mmap");
  memcpy(copy, original, size);
  if (mprotect(copy, size, m->prot) < 0)
    fail("mprotect");
  if (mremap(copy, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, original) ==
      MAP_FAILED)
    fail("mremap");
}

/* Field `number` (from 1) of /proc/self/stat. */
static unsigned long stat_field(int number) {
  char text[4096];
  int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

  if (len < 0)
    fail("/proc/self/stat");
  close(fd);
  text[len] = '\0';
  const char *field = strrchr(text, ')') + 1; /* the end of field 2 */
  for (int i = 2; i < number - 1; i++)
    field = strchr(field + 1, ' ');
  return strtoul(field, NULL, 10);
}

int main(int argc, char **argv) {
  struct mapping mappings[MAPPINGS_MAX];

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (argc != 2) {
    fputs("usage: spoof DISGUISE\n", stderr);
    return EXIT_FAILURE;
  }
  int fd = open(argv[1], O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    fail(argv[1]);
  if (unshare(CLONE_NEWUSER) < 0)
    fail("unshare");

  struct prctl_mm_map map = {
      .start_code = stat_field(26),
      .end_code = stat_field(27),
      .start_stack = stat_field(28),
      .start_data = stat_field(45),
      .end_data = stat_field(46),
      .start_brk = stat_field(47),
      .brk = (unsigned long)sbrk(0),
      .arg_start = stat_field(48),
      .arg_end = stat_field(49),
      .env_start = stat_field(50),
      .env_end = stat_field(51),
      .exe_fd = (unsigned)fd,
  };
  size_t len = own_mappings(mappings);
  for (size_t i = 0; i < len; i++)
    make_anonymous(&mappings[i]);
  if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) < 0)
    fail("prctl(PR_SET_MM, PR_SET_MM_MAP)");
  puts("spoofed");
  fflush(stdout);
  for (;;)
    pause();
}
