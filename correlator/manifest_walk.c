#include "correlator/manifest_walk.h"

#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { DEPTH_MAX = 64 };

struct folder {
  dev_t dev;
  ino_t ino;
};

struct walk {
  struct manifest_files *files;
  manifest_trouble_fn *trouble;
  void *arg;
};

static int compare_folders(const void *a, const void *b) {
  const struct folder *left = a, *right = b;

  if (left->dev != right->dev)
    return left->dev < right->dev ? -1 : 1;
  if (left->ino != right->ino)
    return left->ino < right->ino ? -1 : 1;
  return 0;
}

/* Returns 1 at the first time, 0 at any later, or -ENOMEM. */
static int enter(struct manifest_files *files, const struct stat *st) {
  struct folder *folder = malloc(sizeof(*folder));
  void *node;

  if (folder == NULL)
    return -ENOMEM;
  *folder = (struct folder){st->st_dev, st->st_ino};
  node = tsearch(folder, &files->entered, compare_folders);
  if (node != NULL && *(struct folder **)node == folder)
    return 1;
  free(folder);
  return node == NULL ? -ENOMEM : 0;
}

/* Takes over `path`, also where it fails. */
static int add_file(struct manifest_files *files, char *path,
                    const struct stat *st, bool named) {
  enum { CAPACITY_MIN = 16 };

  if (files->len == files->capacity) {
    size_t capacity = files->capacity == 0 ? CAPACITY_MIN : 2 * files->capacity;
    struct manifest_file *more =
        reallocarray(files->files, capacity, sizeof(*more));

    if (more == NULL) {
      free(path);
      return -ENOMEM;
    }
    files->files = more;
    files->capacity = capacity;
  }
  files->files[files->len++] =
      (struct manifest_file){path, (uint64_t)st->st_size, named};
  files->size += (uint64_t)st->st_size;
  return 0;
}

static int is_no_dot(const struct dirent *entry) {
  return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* By bytes, not by locale as alphasort(3). */
static int compare_names(const struct dirent **a, const struct dirent **b) {
  return strcmp((*a)->d_name, (*b)->d_name);
}

static int visit(struct walk *w, char *path, unsigned depth);

/* NOLINTNEXTLINE(misc-no-recursion): at most DEPTH_MAX deep. */
static int visit_folder(struct walk *w, const char *path, unsigned depth) {
  struct dirent **names;
  int error = 0, n;

  if (depth == DEPTH_MAX) {
    w->trouble(w->arg, path, ELOOP);
    return 0;
  }
  n = scandir(path, &names, is_no_dot, compare_names);
  if (n < 0 && errno == ENOMEM)
    return -ENOMEM;
  if (n < 0) {
    w->trouble(w->arg, path, errno);
    return 0;
  }
  for (int i = 0; i < n; i++) {
    const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";
    char *child;

    if (error == 0 &&
        asprintf(&child, "%s%s%s", path, slash, names[i]->d_name) < 0)
      error = -ENOMEM;
    if (error == 0)
      error = visit(w, child, depth + 1);
    free(names[i]);
  }
  free((void *)names);
  return error;
}

/* Takes over `path`. */
/* NOLINTNEXTLINE(misc-no-recursion): at most DEPTH_MAX deep. */
static int visit(struct walk *w, char *path, unsigned depth) {
  struct stat st;
  int error = 0;

  if (stat(path, &st) != 0) {
    w->trouble(w->arg, path, errno);
  } else if (S_ISDIR(st.st_mode)) {
    error = enter(w->files, &st);
    if (error > 0)
      error = visit_folder(w, path, depth);
  } else if (S_ISREG(st.st_mode)) {
    return add_file(w->files, path, &st, depth == 0);
  } else if (depth == 0) {
    w->trouble(w->arg, path, EINVAL);
  }
  free(path);
  return error;
}

int manifest_walk(struct manifest_files *files, const char *path,
                  manifest_trouble_fn *trouble, void *arg) {
  struct walk w = {files, trouble, arg};
  char *copy = strdup(path);

  return copy == NULL ? -ENOMEM : visit(&w, copy, 0);
}

void manifest_files_clear(struct manifest_files *files) {
  for (size_t i = 0; i < files->len; i++)
    free(files->files[i].path);
  free(files->files);
  tdestroy(files->entered, free);
  *files = (struct manifest_files){0};
}
