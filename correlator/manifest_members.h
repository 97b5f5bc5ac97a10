/* The members of an archive as they would lie on disk once it is unpacked: of
 * several with one name the last counts, hard links have what they link to,
 * and what lies below a symbolic link of the archive lies where that points.
 * Names are looked up in time that grows with the logarithm of their number,
 * whatever they are. */
#ifndef PDNA_MANIFEST_MEMBERS_H
#define PDNA_MANIFEST_MEMBERS_H

#include "correlator/manifest_reader.h"

struct manifest_members;

/* NULL: out of memory. */
struct manifest_members *manifest_members_new(void);
void manifest_members_free(struct manifest_members *members);

/* What a name stands for from now on. `name` is raw, as the archive has it.
 * Each returns 0 or the error (manifest_reader.h). */
/* A regular file; `digest` NULL: no executable. */
int manifest_members_file(struct manifest_members *members,
                          struct manifest_reading *r, const char *name,
                          const struct digest *digest);
/* The same file as `target`, which must be there. */
int manifest_members_link(struct manifest_members *members,
                          struct manifest_reading *r, const char *name,
                          const char *target);
int manifest_members_symlink(struct manifest_members *members,
                             struct manifest_reading *r, const char *name,
                             const char *target);
/* A folder, a device: a file of that name is gone. */
int manifest_members_other(struct manifest_members *members,
                           struct manifest_reading *r, const char *name);

/* Flag the file of that name, now or later, as a conffile. */
int manifest_members_conffile(struct manifest_members *members,
                              struct manifest_reading *r, const char *name);

/* Add all files with a digest to the manifest. Returns 0 or the error. */
int manifest_members_list(struct manifest_members *members,
                          struct manifest_reading *r, struct manifest *m);

#endif
