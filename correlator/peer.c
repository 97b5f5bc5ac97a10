#include "correlator/peer.h"

#include <arpa/inet.h>
#include <string.h>

struct in6_addr peer_mapped(const struct in_addr *v4) {
  struct in6_addr address = {0};

  address.s6_addr[10] = address.s6_addr[11] = 0xFF;
  memcpy(&address.s6_addr[12], v4, sizeof(*v4));
  return address;
}

void peer_text(const struct in6_addr *address,
               char ret_text[INET6_ADDRSTRLEN]) {
  if (IN6_IS_ADDR_V4MAPPED(address))
    (void)inet_ntop(AF_INET, &address->s6_addr[12], ret_text, INET6_ADDRSTRLEN);
  else
    (void)inet_ntop(AF_INET6, address, ret_text, INET6_ADDRSTRLEN);
}

struct peer peer_of(const struct sockaddr *address) {
  struct peer peer = {.text = "unknown"};
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;

  if (address->sa_family == AF_INET) {
    memcpy(&v4, address, sizeof(v4));
    peer.address = peer_mapped(&v4.sin_addr);
  } else if (address->sa_family == AF_INET6) {
    memcpy(&v6, address, sizeof(v6));
    peer.address = v6.sin6_addr;
  } else {
    return peer;
  }
  peer_text(&peer.address, peer.text);
  return peer;
}
