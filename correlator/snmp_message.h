/* What is wrong with something that came from outside, in one line: object
 * first, then what was expected and what was found. It repeats no secret. */
#ifndef PDNA_SNMP_MESSAGE_H
#define PDNA_SNMP_MESSAGE_H

#include <errno.h>
#include <stdio.h>

enum { SNMP_MESSAGE_MAX = 256 };

struct snmp_message {
  char text[SNMP_MESSAGE_MAX];
};

/* Fill a message; -EINVAL. A macro, so that who reads or analyses a caller
 * sees that it is not 0. */
#define snmp_complain(message, ...)                                            \
  ((void)snprintf((message)->text, sizeof((message)->text), __VA_ARGS__),      \
   -EINVAL)

#endif
