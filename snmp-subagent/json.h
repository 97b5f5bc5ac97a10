/* A record as a line of JSON (RFC 8259), for --scan. */
#ifndef PDNA_AGENTX_JSON_H
#define PDNA_AGENTX_JSON_H

#include <stdio.h>

#include "lib/record/record.h"

/* Print the record, which must validate (record_validate), and a newline.
 * exe_path is canonical text (pathname.h), unshortened; times are RFC 3339 in
 * UTC; what is not known is null. Returns 0 or -ENOMEM; what `out` made of it
 * is for the caller to ask (ferror(3)). */
int json_print_record(FILE *out, const struct record *r);

#endif
