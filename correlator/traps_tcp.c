#include "correlator/traps_tcp.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATIENCE_MS = 1000, HOST_MAX = 255 };

#define DEFAULT_PORT "162" /* RFC 3430 */

/* Part "HOST:PORT" or "[HOST]:PORT"; *ret_port points into it or is the
 * default. False if the host is too long for a name. */
static bool part(const char *text, char ret_host[static HOST_MAX + 1],
                 const char **ret_port) {
  bool brackets = text[0] == '[';
  const char *host = brackets ? text + 1 : text;
  size_t len = strcspn(host, brackets ? "]" : ":");
  const char *rest = host + len + (brackets && host[len] == ']' ? 1 : 0);

  if (len > HOST_MAX)
    return false;
  (void)snprintf(ret_host, HOST_MAX + 1, "%.*s", (int)len, host);
  *ret_port = *rest == ':' ? rest + 1 : DEFAULT_PORT;
  return true;
}

static bool connects(const struct addrinfo *address) {
  int error = 0;
  socklen_t error_len = sizeof(error);
  int fd = socket(address->ai_family,
                  address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                  address->ai_protocol);
  if (fd < 0)
    return false;
  bool ok = connect(fd, address->ai_addr, address->ai_addrlen) == 0;
  if (!ok && errno == EINPROGRESS) {
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    ok = poll(&p, 1, PATIENCE_MS) == 1 &&
         getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) == 0 &&
         error == 0;
  }
  (void)close(fd);
  return ok;
}

/* The text behind the transport, and its family; NULL if it is not TCP. */
static const char *tcp_address(const char *host, int *ret_family) {
  static const struct {
    const char *prefix;
    int family;
  } transports[] = {{"tcp:", AF_INET},
                    {"tcp6:", AF_INET6},
                    {"tcpv6:", AF_INET6},
                    {"tcpipv6:", AF_INET6}};
  for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
    size_t len = strlen(transports[i].prefix);
    if (strncasecmp(host, transports[i].prefix, len) == 0) {
      *ret_family = transports[i].family;
      return host + len;
    }
  }
  return NULL;
}

bool traps_tcp_answers(const char *host) {
  char name[HOST_MAX + 1];
  const char *port = NULL;
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  struct addrinfo *addresses = NULL;
  const char *address = tcp_address(host, &hints.ai_family);

  if (address == NULL)
    return true;
  if (!part(address, name, &port) ||
      getaddrinfo(name, port, &hints, &addresses) != 0)
    return false;
  bool ok = connects(addresses); /* Net-SNMP takes the first as well */
  freeaddrinfo(addresses);
  return ok;
}

void traps_tcp_limit_sends(int fd) {
  const struct timeval patience = {PATIENCE_MS / 1000, 0};
  (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}
