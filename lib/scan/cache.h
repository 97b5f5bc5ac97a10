/* What is known of files by their identity: digests, bounded, the least
 * recently used goes first. An entry stays until cache_trim or cache_clear. */
#ifndef PDNA_CACHE_H
#define PDNA_CACHE_H

#include "lib/record/digest.h"
#include "lib/scan/exe.h"
#include "lib/scan/mounts.h"

struct job;

struct cache_entry {
  struct file_id id;
  bool has_digest;
  struct digest digest;
  struct file_facts facts;
  enum exe_reason reason; /* without a digest: why */
  struct job *job;        /* that hashes it; its reference belongs here */
  enum mount_kind kind;   /* of its file system */
  uint64_t used;          /* cycle in which it was last asked for */
  uint64_t hashed;        /* cycle in which its digest came in */
  uint64_t due;           /* cycle in which it is to be read again */

  /* Where the file was found to lie, as this program sees it; NULL: unknown.
   * Holds as long as it has one name and the mount is the same. */
  char *path;
  uint64_t mnt_id;
  uint64_t path_checked; /* cycle */

  /* Who can open it in the cycle `used`; path points into a record. */
  pid_t pid;
  pid_t tid;
  uint64_t start_ticks;
  const char *source_path; /* NULL: the exe link */
  enum exe_root source_root;

  struct cache_entry *chain;
  struct cache_entry *newer;
  struct cache_entry *older;
};

struct cache;

/* Called for an entry that goes and has a job. */
typedef void cache_drop_job(void *arg, struct job *job);

/* At most `max` entries outlive cache_trim. Returns 0 or -ENOMEM. */
int cache_new(size_t max, cache_drop_job *drop_job, void *arg,
              struct cache **ret);
void cache_free(struct cache *c);

/* The entry of a file, perhaps a new one without a digest; it becomes the most
 * recently used. NULL: no memory. */
struct cache_entry *cache_get(struct cache *c, const struct file_id *id);

/* An entry of that inode that was used in the cycle, or NULL. */
struct cache_entry *cache_find_inode(struct cache *c, const struct file_id *id,
                                     uint64_t cycle);

/* The file was found to be another than the entry says (it changed before it
 * was read). Returns false if there is an entry for that already. */
bool cache_rename(struct cache *c, struct cache_entry *e,
                  const struct file_id *id);

/* Walk the entries from the most recently used on. */
struct cache_entry *cache_newest(struct cache *c);

void cache_clear(struct cache *c);

/* Drop entries that were not used since a cycle, and as many more as are too
 * many. */
void cache_trim(struct cache *c, uint64_t used_since);
size_t cache_len(const struct cache *c);

#endif
