/* The .repo file of an operator (dnf.conf(5), REPO OPTIONS), made into one that
 * dnf verifies all of: nothing is taken over but where packages are, and
 * whether the index has a signature of its own. Whatever says anything else,
 * such as gpgcheck=0, is refused. */
#ifndef PDNA_DNF_REPOS_H
#define PDNA_DNF_REPOS_H

#include <stdbool.h>

#include "correlator/config.h"

/* Read the section's sources into a text of the same format, in which each
 * repository has the section's keyring. The caller frees it. *ret_signed:
 * each index is signed (repo_gpgcheck). Unless true is given, `what`
 * (CONFIG_CHECK_MAX bytes) says what was expected and what found. */
bool dnf_repos_read(const struct fetch_config *config, char **ret_text,
                    bool *ret_signed, char *what);

/* The same of a text. */
bool dnf_repos_convert(const struct fetch_config *config, const char *text,
                       char **ret_text, bool *ret_signed, char *what);

#endif
