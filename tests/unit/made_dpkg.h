/* Made-up dpkg databases below a root of the test's own. */
#ifndef PDNA_MADE_DPKG_H
#define PDNA_MADE_DPKG_H

#include "lib/scan/dpkg.h"
#include "tests/unit/scan_processes.h"

static int root_fd = -1;

#define DPKG "var/lib/dpkg/"
#define STANZA(name, status, version, arch)                                    \
  "Package: " name "\nStatus: " status "\nArchitecture: " arch                 \
  "\nVersion: " version "\nDescription: made up\n more of it\n\n"
#define INSTALLED(name, version)                                               \
  STANZA(name, "install ok installed", version, "amd64")

/* Write `len` bytes to a file below the root, whose folders are made. */
static inline void put_bytes(const char *name, const char *data, size_t len) {
  char *path = in_dir(name);
  int fd;

  for (char *slash = path + strlen(test_dir) + 1;
       (slash = strchr(slash, '/')) != NULL; slash++) {
    *slash = '\0';
    assert_true(mkdir(path, 0755) == 0 || errno == EEXIST);
    *slash = '/';
  }
  fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, data, len), (ssize_t)len);
  close(fd);
}

static inline void put(const char *name, const char *text) {
  put_bytes(name, text, strlen(text));
}

static inline void put_link(const char *name, const char *target) {
  assert_int_equal(symlink(target, in_dir(name)), 0);
}

static inline int make_root(void **state) {
  int ret = make_dir(state);

  if (ret != 0)
    return ret;
  root_fd = open(test_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
  put(DPKG "info/.empty", "");
  put(DPKG "updates/.empty", "");
  return root_fd < 0;
}

static inline int remove_root(void **state) {
  close(root_fd);
  return remove_dir(state);
}

/* bindfs over a folder of the database, to be stopped. */
static inline pid_t hang_folder(const char *folder) {
  char *from = in_dir("real");
  char *to = in_dir(folder);
  struct stat before, now;
  pid_t pid;

  if (access("/usr/bin/bindfs", X_OK) != 0 || access("/dev/fuse", F_OK) != 0 ||
      geteuid() != 0)
    skip();
  assert_int_equal(rename(to, from), 0);
  assert_int_equal(mkdir(to, 0755), 0);
  assert_int_equal(stat(to, &before), 0);
  pid = spawn();
  if (pid == 0) {
    execl("/usr/bin/bindfs", "bindfs", "-f", from, to, (char *)NULL);
    _exit(127);
  }
  for (int i = 0; i < 500; i++) {
    usleep(10000);
    if (stat(to, &now) == 0 && now.st_dev != before.st_dev)
      return pid;
  }
  skip();
  return pid;
}

static int64_t changing_s; /* of the last one asked */

/* Ask for one path; "": no package. */
static inline struct package ask_package(const char *path) {
  struct package_db_query query = {
      .root_fd = root_fd, .paths = &path, .len = 1};
  struct package owner = {.manager = ""};

  assert_int_equal(dpkg_db.find(&query, &owner, &changing_s), 0);
  return owner;
}

static inline void expect_package(const char *path, const char *name,
                                  const char *version) {
  struct package owner = ask_package(path);

  assert_string_equal(owner.name, name);
  assert_string_equal(owner.version, version);
  assert_string_equal(owner.manager, name[0] != '\0' ? "dpkg" : "");
}

#endif
