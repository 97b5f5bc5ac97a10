#include "correlator/collectd_listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "correlator/log.h"

enum { RECEIVE_BUFFER = 8 * 1024 * 1024 };

/* Split "ADDRESS:PORT" in place; the brackets of IPv6 are taken off. */
static int split(char *text, char **ret_node, char **ret_service) {
  char *colon = strrchr(text, ':');

  if (!colon || colon == text || colon[1] == '\0')
    return -EINVAL;
  *colon = '\0';
  if (text[0] == '[' && colon[-1] == ']') {
    colon[-1] = '\0';
    text++;
  }
  *ret_node = text;
  *ret_service = colon + 1;
  return *text != '\0' ? 0 : -EINVAL;
}

static bool is_multicast(const struct addrinfo *a) {
  if (a->ai_family == AF_INET)
    return IN_MULTICAST(
        ntohl(((struct sockaddr_in *)a->ai_addr)->sin_addr.s_addr));
  return IN6_IS_ADDR_MULTICAST(&((struct sockaddr_in6 *)a->ai_addr)->sin6_addr);
}

static int join_group(int fd, const struct addrinfo *a) {
  struct group_req request = {0};

  /* Interface 0: the one that the routes name. */
  memcpy(&request.gr_group, a->ai_addr, a->ai_addrlen);
  return setsockopt(fd, a->ai_family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
                    MCAST_JOIN_GROUP, &request, sizeof(request));
}

/* Bursts of scans come while the loop is busy. More than net.core.rmem_max
 * takes a privilege that the correlator does not need otherwise. */
static void enlarge_buffer(int fd) {
  const int asked = RECEIVE_BUFFER;
  int got = 0;
  socklen_t len = sizeof(got);

  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &asked, sizeof(asked)) != 0)
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &asked, sizeof(asked));
  /* The kernel doubles what it grants, for its own bookkeeping. */
  if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len) == 0 && got / 2 < asked)
    log_info("collectd: the receive buffer is %d KiB, asked for %d; "
             "net.core.rmem_max bounds it",
             got / 2048, asked / 1024);
}

static int open_socket(const struct addrinfo *a, int *ret_fd) {
  const int one = 1;
  int fd, r = 0;

  fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
              a->ai_protocol);
  if (fd < 0)
    return -errno;
  enlarge_buffer(fd);
  if (setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one)) != 0 ||
      (a->ai_family == AF_INET6 &&
       setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) != 0) ||
      (is_multicast(a) &&
       setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0) ||
      bind(fd, a->ai_addr, a->ai_addrlen) != 0 ||
      (is_multicast(a) && join_group(fd, a) != 0))
    r = -errno;
  if (r != 0)
    close(fd);
  else
    *ret_fd = fd;
  return r;
}

static int open_all(const char *listen, const struct addrinfo *found,
                    int *ret_fds, size_t max) {
  size_t n = 0;
  int r = 0;

  for (; found && r == 0; found = found->ai_next) {
    r = n < max ? open_socket(found, &ret_fds[n]) : -EMFILE;
    if (r == 0)
      n++;
  }
  if (r == 0)
    return (int)n;
  log_error("collectd: cannot listen on \"%s\": %s", listen,
            strerrordesc_np(-r));
  while (n > 0)
    close(ret_fds[--n]);
  return r;
}

int collectd_listen(const char *listen, int *ret_fds, size_t max) {
  const struct addrinfo hints = {.ai_flags = AI_PASSIVE,
                                 .ai_family = AF_UNSPEC,
                                 .ai_socktype = SOCK_DGRAM};
  struct addrinfo *found = NULL;
  char *text = strdup(listen), *node, *service;
  int r, status;

  if (!text)
    return -ENOMEM;
  r = split(text, &node, &service);
  if (r != 0) {
    log_error("collectd: listen \"%s\": expected ADDRESS:PORT or "
              "[ADDRESS]:PORT",
              listen);
    goto out;
  }
  status = getaddrinfo(node, service, &hints, &found);
  if (status != 0) {
    r = -EADDRNOTAVAIL;
    log_error("collectd: listen \"%s\": %s", listen, gai_strerror(status));
    goto out;
  }
  r = open_all(listen, found, ret_fds, max);
out:
  if (found)
    freeaddrinfo(found);
  free(text);
  return r;
}
