/* Net-SNMP connects TCP sockets, and writes to them, for as long as that
 * takes, which for a peer that drops packets is minutes. With these it is at
 * most about a second, so that one such sink does not hold up the others. */
#ifndef PDNA_TRAPS_TCP_H
#define PDNA_TRAPS_TCP_H

#include <stdbool.h>

/* Does a connection to a session's host ("tcp:HOST:PORT", as
 * snmp_words_parse lets pass) come about soon? True for UDP. */
bool traps_tcp_answers(const char *host);

/* Let a write fail rather than wait. For UDP it changes nothing. */
void traps_tcp_limit_sends(int fd);

#endif
