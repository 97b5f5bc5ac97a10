/* Where the sources of an operator, apt's and dnf's, say that packages are. */
#ifndef PDNA_FETCH_URI_H
#define PDNA_FETCH_URI_H

#include <stdbool.h>

enum { FETCH_URI_WHY_MAX = 192 };

/* Is it of http, https or file, without a character that a file of sources or
 * a shell makes something else of, and without a password, which would end up
 * in listings? *ret_why says what else was expected. */
bool fetch_uri_check(const char *uri, char ret_why[static FETCH_URI_WHY_MAX]);

#endif
