/* Lists of digests as sha256sum(1) writes and takes them: GNU's form, text or
 * binary, BSD's (--tag), names escaped where needed; lines may end with CR LF,
 * blank lines and '#' lines are skipped. Any other line makes the whole list
 * broken. A name may stand several times, with several digests. */
#ifndef PDNA_MANIFEST_LIST_H
#define PDNA_MANIFEST_LIST_H

#include <stdio.h>

#include "correlator/manifest_reader.h"

extern const struct manifest_format manifest_list;

/* Read one line, NUL-terminated, without its newline; it is changed. Returns 1
 * with *ret_name pointing into it and *ret_digest, 0 for a line to be skipped,
 * -EBADMSG for any other. */
int manifest_list_line(char *line, char **ret_name, struct digest *ret_digest);

/* Write an entry as a line, which gives that entry when it is read: the name's
 * raw bytes, escaped as sha256sum does, or, where the identity was shortened,
 * that. For a terminal control characters are made visible. Returns 0 or
 * -ENOMEM. */
int manifest_list_write(FILE *out, const struct manifest_entry *entry,
                        bool for_terminal);

#endif
