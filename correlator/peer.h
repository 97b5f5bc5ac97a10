/* Who is at the other end of a connection. */
#ifndef PDNA_PEER_H
#define PDNA_PEER_H

#include <netinet/in.h>
#include <sys/socket.h>

/* Of an IPv4 address: v4-mapped. */
struct in6_addr peer_mapped(const struct in_addr *v4);

/* Of an address, with what is v4-mapped as IPv4. */
void peer_text(const struct in6_addr *address, char ret_text[INET6_ADDRSTRLEN]);

struct peer {
  struct in6_addr address;     /* IPv4 is v4-mapped */
  char text[INET6_ADDRSTRLEN]; /* IPv4 is IPv4 */
};

/* Of a socket's IPv4 or IPv6 address; "unknown" and :: for any other. */
struct peer peer_of(const struct sockaddr *address);

#endif
