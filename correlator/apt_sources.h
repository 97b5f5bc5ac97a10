/* sources.list(5) of an operator, in either of its formats, made into one that
 * apt verifies all of: nothing is taken over but where packages are. Whatever
 * says anything else, such as trusted=yes, is refused. */
#ifndef PDNA_APT_SOURCES_H
#define PDNA_APT_SOURCES_H

#include <stdbool.h>

#include "correlator/config.h"

/* Read the section's sources into a text of the deb822 format, in which each
 * entry has the section's keyring and architectures. The caller frees it.
 * Unless true is given, `what` (CONFIG_CHECK_MAX bytes) says what was expected
 * and what found. */
bool apt_sources_read(const struct fetch_config *config, char **ret_text,
                      char *what);

/* The same of a text. */
bool apt_sources_convert(const struct fetch_config *config, const char *text,
                         char **ret_text, char *what);

#endif
