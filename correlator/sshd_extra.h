/* What sshd appends to the result of an authentication: the key, the
 * certificate. */
#ifndef PDNA_SSHD_EXTRA_H
#define PDNA_SSHD_EXTRA_H

#include "correlator/auth_event.h"

/* Read an event's `extra` where its method is one of keys: set its key_type,
 * key and cert_id, or leave them none. A certificate's id is written without
 * quotes and may hold anything, also what follows an id; it is told only if
 * the end of the text, which is sshd's, is sure to be there: sshd cuts a
 * message at 500 bytes, and an id could have that end itself just before the
 * cut. */
void sshd_extra_read(struct auth_event *event);

#endif
