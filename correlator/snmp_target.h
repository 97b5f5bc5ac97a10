/* The host of a session string, [TRANSPORT:]HOST[:PORT], as an address in
 * figures, so that Net-SNMP, which looks names up where it opens a socket and
 * waits for that, has none to look up. */
#ifndef PDNA_SNMP_TARGET_H
#define PDNA_SNMP_TARGET_H

#include <stdbool.h>
#include <sys/socket.h>

#include "correlator/snmp_words.h"

struct snmp_target;

/* "udp6:[ADDRESS%SCOPE]:PORT" */
enum { SNMP_ADDRESS_MAX = 96 };

/* What a look-up gave. */
struct snmp_address {
  char text[SNMP_ADDRESS_MAX]; /* for Net-SNMP, with transport and port */
  struct sockaddr_storage address;
  socklen_t address_len;
};

/* `host` is one that snmp_words_parse has passed. Returns 0, -EINVAL (too
 * long) or -ENOMEM. */
int snmp_target_new(const char *host, enum snmp_use use,
                    struct snmp_target **ret_target);
/* A look-up that is under way is left to its end. NULL does nothing. */
void snmp_target_free(struct snmp_target *target);

/* Look the address up, and wait as long as the resolver does. Returns 0, or
 * -ENOENT (no address). */
int snmp_target_find(const struct snmp_target *target,
                     struct snmp_address *ret_address);

/* The same without waiting: starts what is not under way. Returns 0, -ENOENT,
 * or -EAGAIN: ask again later. An address in figures is there at once. */
int snmp_target_poll(struct snmp_target *target,
                     struct snmp_address *ret_address);

#endif
