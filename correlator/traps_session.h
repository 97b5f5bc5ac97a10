/* Session strings: a sink's words as Net-SNMP's tools and snmpd.conf's
 * trapsess take them ("-v 3 -u USER -l authPriv ... HOST"). They are checked
 * here to the end, so that snmp_parse_args, which prints and changes global
 * state for some options, only sees what it takes silently. */
#ifndef PDNA_TRAPS_SESSION_H
#define PDNA_TRAPS_SESSION_H

#include <stdbool.h>
#include <stddef.h>

struct traps_session {
  int argc;
  char **argv; /* for snmp_parse_args: a name, the options, the host last;
                  NULL-terminated, owned */
  bool v3;
  bool inform;      /* -Ci */
  bool has_retries; /* -r */
  bool has_timeout; /* -t */
};

/* Split and check `text`: words are parted by white space; '...' keeps
 * everything, "..." and bare words take a backslash before a character as that
 * character. What is wrong goes into message as one line that repeats no
 * secret. Returns 0, -EINVAL or -ENOMEM. */
int traps_session_parse(const char *text, char *message, size_t message_size,
                        struct traps_session **ret_session);

/* Overwrites the passphrases. NULL does nothing. */
void traps_session_free(struct traps_session *session);

#endif
