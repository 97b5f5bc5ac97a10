/* A package: which one owns a file, or was imported as a manifest. Names and
 * versions become a struct package in this one place, on the host and in the
 * import, so that both write the same package in the same way. */
#ifndef PDNA_PACKAGE_H
#define PDNA_PACKAGE_H

#include <stdbool.h>

enum {
  PACKAGE_MANAGER_MAX = 8, /* "dpkg", "rpm" */
  PACKAGE_NAME_MAX = 64,
  PACKAGE_VERSION_MAX = 64,
  PACKAGE_ARCH_MAX = 16,
  PACKAGE_TEXT_MAX = 127, /* of "MANAGER:NAME=VERSION:ARCH" */
};

/* No package: manager is "". */
struct package {
  char manager[PACKAGE_MANAGER_MAX + 1];
  char name[PACKAGE_NAME_MAX + 1];
  char version[PACKAGE_VERSION_MAX + 1];
  char arch[PACKAGE_ARCH_MAX + 1];
  bool in_transaction; /* the package manager is changing it right now */
};

/* Write the package, settled. A name or a version that is over its maximum is
 * shortened: its beginning, '~', and 16 hex digits of the SHA-256 of the whole;
 * so is the version where the text of the four would be over PACKAGE_TEXT_MAX.
 * Returns 0, -EINVAL (a part that is empty or has a character that no package
 * manager allows there, or a manager or an architecture that is too long) or
 * -ENOMEM. */
int package_set(struct package *ret, const char *manager, const char *name,
                const char *version, const char *arch);

/* Was the name or the version shortened, so that nobody who has the whole can
 * be asked for it? */
bool package_is_short(const char *name, const char *version);

/* Is it one that package_set writes? What separates the parts in its text (':'
 * after the manager, '=' before the version, the last ':' before the
 * architecture) can then be found again: a version may hold ':' (its epoch),
 * the others may not. */
bool package_valid(const struct package *p);

#endif
