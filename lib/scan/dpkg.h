/* dpkg's database as an entry of package_dbs (package_db.h), and inside of it.
 *
 * It is var/lib/dpkg below the root, as dpkg(1) itself keeps it: info/NAME.list
 * and info/NAME:ARCH.list say which paths a package has, `status` which
 * version of it is there, and updates/NNNN, the journal, what dpkg has done
 * since it last wrote `status`: whole stanzas, to be laid over it in their
 * order. While dpkg works `status` says the old version, installed, throughout.
 *
 * How dpkg goes about an upgrade, as seen in its journal: half-configured (the
 * old postinst's work is undone), unpacked, half-installed (from here on files
 * are replaced, one by one; then their list; then lists of packages that lost
 * files to it), each with reinstreq; then the new version, unpacked; then
 * half-configured and installed. Then `status` is written, and the journal
 * deleted from its first entry on, which leaves it right at each moment. So
 * - half-installed, unpacked, half-configured and reinstreq mean: under way.
 *   Between the last two the files are those of the version that is told, but
 *   its own scripts may yet change them, and before that they aren't;
 * - triggers-awaited and triggers-pending don't: all files are in place, and
 *   a trigger may be pending for weeks;
 * - a file that moves from one package to another changes while the one is
 *   half-installed and the other, which still lists it, is settled. So files
 *   that changed since a package in the journal was half-installed are called
 *   changing.
 *
 * A path belongs to the package that lists it. A diverted one belongs to the
 * package that diverted it, and the others' file lies where they were diverted
 * to. /bin and the like that are links in the root are followed, in paths asked
 * for and listed; so is a path that is itself a link (as an alternative is) and
 * belongs to no package, as far as the links are the root's owner's. Where
 * several packages list a path, the first by name and architecture that has
 * files owns it, and it is under way as soon as one of them is.
 *
 * What is not as dpkg writes it is skipped: a line that is too long or no path,
 * a stanza without a valid name, version or architecture, a list or a journal
 * entry that is missing or no file. A `status` that is so is an error, and so
 * is whatever lies there and can't be read (no rights, no descriptors left, a
 * bad disk): what is skipped then may be what matters. */
#ifndef PDNA_DPKG_H
#define PDNA_DPKG_H

#include "lib/scan/lines.h"
#include "lib/scan/package_db.h"
#include "lib/scan/texts.h"

extern const struct package_db dpkg_db;

enum {
  DPKG_LINKS_MAX = 8,  /* followed from a path */
  DPKG_OWNERS_MAX = 8, /* packages that list one path; the rest is skipped */
  DPKG_ALIASES = 7,    /* /bin, /sbin ... */
};

/* A path that is looked for in the lists. */
struct dpkg_key {
  size_t owners[DPKG_OWNERS_MAX]; /* numbers in dpkg_reader.packages */
  size_t owners_len;
  size_t diversion; /* index + 1 of the first from here, or 0 */
};

/* Where a path that was asked for may be found: itself, and what its links
 * lead to. */
struct dpkg_chain {
  size_t keys[1 + DPKG_LINKS_MAX];
  size_t len;
};

struct dpkg_diversion {
  char *from;    /* as it is listed */
  char *package; /* that diverts, without its architecture; "": the
                    administrator */
  size_t to;     /* a key */
  size_t next;   /* from the same key, as in dpkg_key */
};

struct dpkg_facts {
  char *version;
  char *arch;
  bool has_files;
  bool under_way;
};

struct dpkg_reader {
  const struct package_db_query *query;
  char *buf;                   /* of LINES_BUFFER bytes */
  char *aliases[DPKG_ALIASES]; /* "/usr/bin", or NULL: no link */
  struct texts paths;          /* all that is looked for, as without aliases */
  struct dpkg_key *keys;       /* one for each path */
  size_t keys_size;
  struct dpkg_chain *chains; /* one for each path that was asked for */
  struct dpkg_diversion *diversions;
  size_t diversions_len, diversions_size;
  struct texts packages;    /* that were found: "name", "name:arch" */
  struct dpkg_facts *facts; /* one for each of them */
  int64_t changing_s;
};

/* dpkg_paths.c: make keys and chains for the query. Returns 0 or -ENOMEM. */
int dpkg_paths_ask(struct dpkg_reader *r);

/* Write a path of `len` bytes as it is without aliases; *ret_path is `path`, or
 * in `buf` of PATH_MAX bytes. false: it is too long, or no path. */
bool dpkg_paths_resolve(const struct dpkg_reader *r, const char *path,
                        size_t len, char *buf, const char **ret_path,
                        size_t *ret_len);

/* The key of a path without aliases; it is made if need be. Returns 0 or
 * -ENOMEM. */
int dpkg_paths_key(struct dpkg_reader *r, const char *path, size_t len,
                   size_t *ret_key);

void dpkg_paths_clear(struct dpkg_reader *r);

/* dpkg_lists.c: read diversions and lists; what is listed finds its package.
 * Returns 0 or what package_db.find says. */
int dpkg_diversions_read(struct dpkg_reader *r);
int dpkg_lists_read(struct dpkg_reader *r);

/* The same for one open file, which is closed; a list of the package "name" or
 * "name:arch". -EAGAIN: it changed meanwhile. */
int dpkg_diversions_parse(struct dpkg_reader *r, int fd);
int dpkg_list_parse(struct dpkg_reader *r, int fd, const char *package);

void dpkg_diversions_clear(struct dpkg_reader *r);

/* dpkg_status.c: read status and journal; packages get their facts, and
 * changing_s is set. Returns 0 or what package_db.find says. */
int dpkg_status_read(struct dpkg_reader *r);

/* The same for one open file, which is closed. *ret_replacing: a package in it
 * is half-installed. -EAGAIN: it changed meanwhile. */
int dpkg_status_parse(struct dpkg_reader *r, int fd, bool *ret_replacing);

void dpkg_facts_clear(struct dpkg_reader *r);

/* dpkg.c: is it an error of what lies there, which is skipped? */
bool dpkg_is_garbage(int error);

/* Ask whoever called whether to go on. Returns 0 or -ECANCELED. */
int dpkg_progress(const struct dpkg_reader *r);

#endif
