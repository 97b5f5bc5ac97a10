#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/record/clock.h"
#include "lib/scan/scanner.h"

enum {
  BEGIN_SHARE = 4
}; /* a part of the scan's time that may be waited for
      the first look; the walk needs the rest */

int scanner_open_packages(struct scanner *s,
                          const struct scan_options *options) {
  if (options->package_root != NULL) {
    s->root_fd = open(options->package_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (s->root_fd < 0)
      return -errno;
  }
  return owners_new(s->proc_fd, options->file_timeout_ms, &s->owners);
}

/* The folder with the databases, for this scan. */
static int open_root(const struct scanner *s) {
  const int flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  const struct walk *w = &s->walk;

  if (s->root_fd >= 0)
    return fcntl(s->root_fd, F_DUPFD_CLOEXEC, 0);
  /* The host's files, where this program has a mount namespace of its own. */
  if (w->has_init_root && strcmp(w->host_ns, w->own_ns) != 0)
    return openat(s->proc_fd, "1/root", flags);
  return open("/", flags);
}

void scanner_begin_packages(struct scanner *s) {
  int64_t now_ms = clock_monotonic_ms();

  s->packages_fd = -1;
  if (s->owners == NULL)
    return;
  s->packages_fd = open_root(s);
  if (s->packages_fd >= 0)
    owners_begin(s->owners, s->packages_fd,
                 now_ms + (s->deadline_ms - now_ms) / BEGIN_SHARE);
}

/* Has record `i` a path on the host that a package may own? No package has
 * files where a program answers, whoever's it is, and a database that looks at
 * a path would wait for it (librpm does). */
static bool may_be_owned(const struct scanner *s, size_t i) {
  const struct record *r = &s->records[i];
  const struct seen *seen = &s->now[i];

  return r->container[0] == '\0' && r->exe_path != NULL &&
         r->state != EXE_ANONYMOUS && r->state != EXE_SPOOFED &&
         r->reason != EXE_REASON_TIMEOUT && seen->kind != MOUNT_FUSE &&
         (seen->disk == NULL || seen->disk->kind != MOUNT_FUSE);
}

int scanner_ask_packages(struct scanner *s) {
  int ret = 0;

  if (s->packages_fd < 0)
    return 0;
  for (size_t i = 0; ret == 0 && i < s->len; i++) {
    s->now[i].owner = OWNERS_NONE;
    if (may_be_owned(s, i))
      ret = owners_use(s->owners, s->records[i].exe_path, &s->now[i].owner);
  }
  return ret == 0 ? owners_ask(s->owners) : ret;
}

/* When the file changed that the record's digest is of. */
static int64_t ctime_of(const struct record *r) {
  if (r->has_exe_sha256)
    return r->exe_file.ctime_s;
  return r->has_running_sha256 ? r->running_file.ctime_s : 0;
}

/* No verdict is to be made of it before its package is known. */
static void set_pending(struct record *r) {
  r->state = EXE_UNREADABLE;
  r->reason = EXE_REASON_PENDING;
  r->has_exe_sha256 = false;
  r->has_running_sha256 = false;
}

int scanner_take_packages(struct scanner *s) {
  int ret;

  if (s->packages_fd < 0)
    return 0;
  ret = owners_settle(s->owners, s->deadline_ms);
  if (ret < 0)
    return ret;
  for (size_t i = 0; i < s->len; i++) {
    struct record *r = &s->records[i];

    /* A check may have found out meanwhile that it is spoofed. */
    if (s->now[i].owner != OWNERS_NONE && may_be_owned(s, i) &&
        owners_get(s->owners, s->now[i].owner, ctime_of(r), &r->package) < 0 &&
        r->state != EXE_UNREADABLE)
      set_pending(r);
  }
  return 0;
}

void scanner_end_packages(struct scanner *s) {
  if (s->packages_fd < 0)
    return;
  owners_end(s->owners);
  close(s->packages_fd);
  s->packages_fd = -1;
}
