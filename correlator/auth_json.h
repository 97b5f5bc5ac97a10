/* Authentication events as lines of JSON (RFC 8259), in ASCII. */
#ifndef PDNA_AUTH_JSON_H
#define PDNA_AUTH_JSON_H

#include "correlator/auth_event.h"

/* Text that grows. Zeroed: empty. */
struct auth_json {
  char *at;
  size_t len, size;
};

/* Append one object and a newline: the line's number, then what the event
 * tells; null is what it does not. Texts are as logged, but for
 * user_unescaped, which is without sshd's escapes (PAM's lines have none);
 * bytes that are no UTF-8 become U+FFFD. Times are RFC 3339 in UTC. Returns 0
 * or -ENOMEM, and the text is as before. */
int auth_json_append(struct auth_json *to, uint64_t number,
                     const struct auth_event *event);
void auth_json_clear(struct auth_json *to);

#endif
