/* Who is at the other end of a socket. */
#ifndef PDNA_PEER_H
#define PDNA_PEER_H

#include <netinet/in.h>
#include <sys/socket.h>

struct peer {
  struct in6_addr address;     /* IPv4 is v4-mapped */
  char text[INET6_ADDRSTRLEN]; /* IPv4 is IPv4 */
};

/* Of an IPv4 or IPv6 address; "unknown" and :: for any other. */
struct peer peer_of(const struct sockaddr *address);

#endif
