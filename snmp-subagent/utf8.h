/* Names of processes are bytes that the processes choose. */
#ifndef PDNA_AGENTX_UTF8_H
#define PDNA_AGENTX_UTF8_H

#include <stddef.h>

/* Copy `text` into `size` bytes, cut between characters to fit; each byte that
 * is a control character or no part of UTF-8 (RFC 3629) becomes '?'. */
void utf8_clean(const char *text, char *ret_text, size_t size);

#endif
