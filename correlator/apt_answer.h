/* What apt's tools print (in the locale C), taken apart. */
#ifndef PDNA_APT_ANSWER_H
#define PDNA_APT_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "correlator/manifest_fetcher.h"

/* Is `version` in a listing of `apt-cache madison PACKAGE`, and where? The
 * place is "URI SUITE/COMPONENT", cut at `size` bytes with its zero. */
bool apt_answer_place(const char *listing, const char *version, char *ret_place,
                      size_t size);

/* The one line of `apt-get download --print-uris`: 'URI' FILE SIZE DIGEST.
 * Fills the item but for what its origin tells besides the URI. False: it is
 * no such line, there are several, or the file's name is no plain one. */
bool apt_answer_item(const char *line, struct fetch_item *ret_item);

/* The errors and warnings among messages, errors first, as a reason
 * (FETCH_REASON_MAX bytes, printable); `fallback` where there are none. */
void apt_answer_reason(const char *messages, const char *fallback,
                       char *reason);

#endif
