/* The files that paths on the command line stand for: a file itself, or all
 * regular files below a folder, sorted by name in each folder. Symbolic links
 * are followed, but no folder is entered twice, so loops of them end. */
#ifndef PDNA_MANIFEST_WALK_H
#define PDNA_MANIFEST_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct manifest_file {
  char *path;
  uint64_t size; /* bytes, when it was found */
  bool named;    /* on the command line itself */
};

/* Start with all zero. */
struct manifest_files {
  struct manifest_file *files;
  size_t len;
  size_t capacity;
  uint64_t size; /* of all */
  void *entered; /* the folders */
};

/* A path that can't be read, with a positive errno. ELOOP: folders lie too
 * deep in each other. */
typedef void manifest_trouble_fn(void *arg, const char *path, int error);

/* Add what `path` stands for; what is in the way is told to `trouble` and left
 * out. Returns 0 or -ENOMEM. */
int manifest_walk(struct manifest_files *files, const char *path,
                  manifest_trouble_fn *trouble, void *arg);
void manifest_files_clear(struct manifest_files *files);

#endif
