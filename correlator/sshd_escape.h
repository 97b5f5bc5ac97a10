/* The escapes that sshd writes in its messages: strnvis(3) with VIS_CSTYLE,
 * VIS_NL, VIS_TAB and VIS_OCTAL. They are read for showing only; a message is
 * never taken apart after that. */
#ifndef PDNA_SSHD_ESCAPE_H
#define PDNA_SSHD_ESCAPE_H

#include <stddef.h>

#include "correlator/auth_event.h"

/* Write what was escaped into `to`, which has room for text.len bytes. What is
 * no escape stays as it is. Gives the number of bytes, which may be any. */
size_t sshd_unescape(struct auth_text text, char *to);

#endif
