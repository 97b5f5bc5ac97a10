#include "correlator/peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

struct peer peer_of(const struct sockaddr *address) {
  struct peer peer = {.text = "unknown"};
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;

  if (address->sa_family == AF_INET) {
    memcpy(&v4, address, sizeof(v4));
    peer.address.s6_addr[10] = peer.address.s6_addr[11] = 0xFF;
    memcpy(&peer.address.s6_addr[12], &v4.sin_addr, sizeof(v4.sin_addr));
  } else if (address->sa_family == AF_INET6) {
    memcpy(&v6, address, sizeof(v6));
    peer.address = v6.sin6_addr;
  } else {
    return peer;
  }
  if (IN6_IS_ADDR_V4MAPPED(&peer.address))
    (void)inet_ntop(AF_INET, &peer.address.s6_addr[12], peer.text,
                    sizeof(peer.text));
  else
    (void)inet_ntop(AF_INET6, &peer.address, peer.text, sizeof(peer.text));
  return peer;
}
