/* Ports for the tests' own listeners. */
#ifndef PDNA_TESTS_FREE_PORT_H
#define PDNA_TESTS_FREE_PORT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

/* A port of loopback that nothing listens on; type: SOCK_DGRAM, SOCK_STREAM. */
static inline uint16_t free_port(int type) {
  struct sockaddr_in a = {.sin_family = AF_INET,
                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(a);
  const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

  assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
  close(fd);
  return ntohs(a.sin_port);
}

#endif
