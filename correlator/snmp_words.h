/* Session strings: the words for a sink or an agent as Net-SNMP's tools and
 * snmpd.conf's trapsess take them ("-v 3 -u USER -l authPriv ... HOST"). They
 * are checked here to the end, so that snmp_parse_args, which prints and
 * changes global state for some options, only sees what it takes silently. */
#ifndef PDNA_SNMP_WORDS_H
#define PDNA_SNMP_WORDS_H

#include <stdbool.h>

#include "correlator/snmp_message.h"

/* What a session is for. */
enum snmp_use {
  SNMP_USE_SINK, /* traps or informs, over UDP or TCP, port 162 */
  SNMP_USE_POLL, /* requests to an agent, over UDP, port 161 */
};

struct snmp_words {
  enum snmp_use use;
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
int snmp_words_parse(const char *text, enum snmp_use use,
                     struct snmp_message *message,
                     struct snmp_words **ret_words);

/* The same without a result, but for whether it is for informs. */
int snmp_words_check(const char *text, enum snmp_use use,
                     struct snmp_message *message, bool *ret_inform);

/* Overwrites the passphrases. NULL does nothing. */
void snmp_words_free(struct snmp_words *words);

#endif
