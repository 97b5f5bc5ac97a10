/* Manifests: which executables a package, or a release of the site's own,
 * ships, and their digests, read from a file that is taken as hostile. Nothing
 * of it is ever written to disk.
 *
 * A reader knows one format. Formats are told by content, never by name:
 *   deb   deb(5), any compression that libarchive has
 *   list  what sha256sum(1) writes
 *   tar   tar(5), compressed or not
 *   rpm   packages of rpm, where the build has librpm
 */
#ifndef PDNA_MANIFEST_READER_H
#define PDNA_MANIFEST_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/record/digest.h"
#include "lib/record/record.h"

/* Who vouches that the file is the distributor's; better ones are greater. */
enum manifest_provenance {
  MANIFEST_FILE,           /* nobody but who imported it */
  MANIFEST_SIGNED_PACKAGE, /* a signature in the package itself */
  MANIFEST_SIGNED_INDEX,   /* an index that is signed, as apt's */
};

/* As the database has it: "file", "signed-package", "signed-index". */
const char *manifest_provenance_name(enum manifest_provenance provenance);

struct manifest_entry {
  char *path; /* identity on the host (pathname.h), /usr merged; owned */
  struct digest digest;
  bool conffile; /* the administrator may change it */
};

struct manifest {
  struct package package; /* manager "": a release without one */
  struct digest content;  /* of the file itself */
  enum manifest_provenance provenance;
  const char *origin;  /* file or URI; not owned */
  const char *glob;    /* releases: digests hold wherever this matches;
                          NULL: at the entries' paths; not owned */
  const char *expires; /* releases: a timestamptz, or NULL; not owned */
  struct manifest_entry *entries; /* owned */
  size_t entries_len;
  size_t entries_capacity;
};

/* Free what it owns, and zero it. */
void manifest_clear(struct manifest *m);

/* What one file may cost. Zero means zero, not endless. */
struct manifest_limits {
  uint64_t unpacked_bytes; /* out of all archives in the file, holes of sparse
                              files too */
  uint64_t entries;        /* members of its archives, lines of a list */
  size_t path_bytes;       /* a name */
  size_t control_bytes;    /* control, and conffiles, each */
  size_t memory_bytes;     /* of the process while it reads (RLIMIT_DATA), which
                              manifest_import_file sees to: libraries take what
                              a file says that unpacking it needs */
  unsigned time_s;
};
extern const struct manifest_limits manifest_limits_default;

enum {
  MANIFEST_WHY_MAX = 512,
  MANIFEST_BLOCK = 256 * 1024, /* what is read at once */
  MANIFEST_HEAD = 8192,        /* what a format is told by */
};

/* One file being read. */
struct manifest_reading {
  int fd; /* seekable, of a regular file; not owned */
  const struct manifest_limits *limits;
  const char *keyring; /* a file of keys whose signatures in packages count
                          (manifest_rpm.h); NULL: none do */
  /* Told how many bytes of the file were read since it was last called, 0 while
   * what was read is unpacked; says false to give up. May be NULL. */
  bool (*progress)(void *arg, uint64_t bytes);
  void *arg;
  char why[MANIFEST_WHY_MAX]; /* on -EBADMSG: what is broken, raw text */

  /* Used by manifest_read and the readers only. */
  int error;    /* the first one */
  bool vouched; /* something does: it must still when the file is read, which
                   whoever may write it could have changed since */
  uint64_t unpacked;
  uint64_t members;
  int64_t deadline_ms;
  uint8_t *block;
};

/* A reader. Adding a format: one of these, and its row in manifest_reader.c.
 */
struct manifest_format {
  const char *name;
  bool is_package; /* false: a release without one */
  /* Do the first bytes (up to MANIFEST_HEAD) look like it? */
  bool (*matches)(const uint8_t *head, size_t len);
  /* Check what is in the file itself to vouch for it. NULL: nothing is. Leaves
   * *ret alone where nothing vouches. May move the offset of fd. Returns 0 or
   * a negative errno as below. */
  int (*vouch)(struct manifest_reading *r, enum manifest_provenance *ret);
  /* Fill in package and entries, from fd's offset 0. Errors: below. */
  int (*read)(struct manifest_reading *r, struct manifest *m);
};

/* Which format is it? *ret_format is NULL if it is none of them. Returns 0 or
 * a negative errno of pread(2). */
int manifest_format_of(int fd, const struct manifest_format **ret_format);

/* Digest the file. Returns 0, -ECANCELED, -ENOMEM, -EBADMSG (longer than its
 * time), or what read(2) says. */
int manifest_content(struct manifest_reading *r, struct digest *ret_content);

/* Read the file; fd, limits and progress are set, the rest of *r is zero. On
 * success *ret_manifest has package, entries (by path, each once) and nothing
 * else. Returns 0, -EBADMSG (broken, or over a limit: r->why says it),
 * -ECANCELED, -ENOMEM, or what read(2) says. */
int manifest_read(struct manifest_reading *r,
                  const struct manifest_format *format,
                  struct manifest *ret_manifest);

/* --- For readers. The first error stays, whatever comes after it. */

/* The file's next bytes, which stay until the next call. Returns how many, 0
 * at its end, or the error. */
int manifest_next_block(struct manifest_reading *r, const void **ret_block);

/* Look at the clock, and whether to give up. Returns 0 or the error. */
int manifest_go_on(struct manifest_reading *r);

/* Account for unpacked bytes, and for a member, as far as it goes on. Returns 0
 * or the error. */
int manifest_spend(struct manifest_reading *r, uint64_t bytes);
int manifest_spend_member(struct manifest_reading *r);

/* Note an error and return it; a broken file's says why. */
int manifest_fail(struct manifest_reading *r, int error);
int manifest_broken(struct manifest_reading *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The absolute path that a member's or a list's name stands for: "./usr//bin/x"
 * and "usr/bin/x" are "/usr/bin/x"; "/" for the root itself. ".." is broken.
 * The caller frees *ret_path. Returns 0 or the error. */
int manifest_path(struct manifest_reading *r, const char *name,
                  char **ret_path);

/* Add an entry for a raw absolute path. Returns 0 or the error. */
int manifest_add(struct manifest_reading *r, struct manifest *m,
                 const char *path, const struct manifest_entry *facts);

#endif
