/* Packages of rpm through dnf (version 4, with its plugin download): a struct
 * fetcher (manifest_fetcher.h).
 *
 * dnf verifies each package by its index, and the index by its signature where
 * the .repo file says repo_gpgcheck. It does not look at the signature of a
 * package that it only downloads, so that is done here: each has to have one,
 * of a key of the section's keyring. */
#ifndef PDNA_MANIFEST_DNF_H
#define PDNA_MANIFEST_DNF_H

#include "correlator/manifest_fetcher.h"

extern const struct fetcher manifest_dnf;

/* One line of `dnf repoquery`: NAME, EPOCH, VERSION, RELEASE, ARCH, SIZE, FILE
 * and REPOSITORY with a tab between. Is it the package? Then the item's file,
 * size and place are filled in, and the rest of it is zero. */
bool manifest_dnf_answer(const char *line, const struct package *package,
                         struct fetch_item *ret_item);

#endif
