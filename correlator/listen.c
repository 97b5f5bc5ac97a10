#include "correlator/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "correlator/log.h"

enum { RECEIVE_BUFFER = 8 * 1024 * 1024 }; /* of a UDP socket */

/* What is asked for. */
struct wish {
  const char *who;
  const char *listen;
};

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

/* Bursts come while the loop is busy. More than net.core.rmem_max takes a
 * privilege that the correlator does not need otherwise. */
static void enlarge_buffer(const char *who, int fd) {
  const int asked = RECEIVE_BUFFER;
  int got = 0;
  socklen_t len = sizeof(got);

  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &asked, sizeof(asked)) != 0)
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &asked, sizeof(asked));
  /* The kernel doubles what it grants, for its own bookkeeping. */
  if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &len) == 0 && got / 2 < asked)
    log_info("%s: the receive buffer is %d KiB, asked for %d; "
             "net.core.rmem_max bounds it",
             who, got / 2048, asked / 1024);
}

static bool turn_on(int fd, int level, int option) {
  const int one = 1;

  return setsockopt(fd, level, option, &one, sizeof(one)) == 0;
}

static bool prepare_datagrams(const char *who, int fd,
                              const struct addrinfo *a) {
  enlarge_buffer(who, fd);
  return turn_on(fd, SOL_SOCKET, SO_RXQ_OVFL) &&
         (!is_multicast(a) || turn_on(fd, SOL_SOCKET, SO_REUSEADDR)) &&
         bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
         (!is_multicast(a) || join_group(fd, a) == 0);
}

/* Connections of before a restart may still be in TIME_WAIT. */
static bool prepare_stream(int fd, const struct addrinfo *a) {
  return turn_on(fd, SOL_SOCKET, SO_REUSEADDR) &&
         bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0;
}

static int open_socket(const char *who, const struct addrinfo *a, int *ret_fd) {
  int fd, r = 0;

  fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
              a->ai_protocol);
  if (fd < 0)
    return -errno;
  if ((a->ai_family == AF_INET6 && !turn_on(fd, IPPROTO_IPV6, IPV6_V6ONLY)) ||
      !(a->ai_socktype == SOCK_DGRAM ? prepare_datagrams(who, fd, a)
                                     : prepare_stream(fd, a)))
    r = -errno;
  if (r != 0)
    close(fd);
  else
    *ret_fd = fd;
  return r;
}

static int open_all(const struct wish *wish, const struct addrinfo *found,
                    int *ret_fds, size_t max) {
  size_t n = 0;
  int r = 0;

  for (; found && r == 0; found = found->ai_next) {
    r = n < max ? open_socket(wish->who, found, &ret_fds[n]) : -EMFILE;
    if (r == 0)
      n++;
  }
  if (r == 0)
    return (int)n;
  log_error("%s: cannot listen on \"%s\": %s", wish->who, wish->listen,
            strerrordesc_np(-r));
  while (n > 0)
    close(ret_fds[--n]);
  return r;
}

int listen_open(const char *who, int type, const char *listen, int *ret_fds,
                size_t max) {
  const struct addrinfo hints = {
      .ai_flags = AI_PASSIVE, .ai_family = AF_UNSPEC, .ai_socktype = type};
  struct addrinfo *found = NULL;
  char *text = strdup(listen), *node, *service;
  int r, status;

  if (!text)
    return -ENOMEM;
  r = split(text, &node, &service);
  if (r != 0) {
    log_error("%s: listen \"%s\": expected ADDRESS:PORT or "
              "[ADDRESS]:PORT",
              who, listen);
    goto out;
  }
  status = getaddrinfo(node, service, &hints, &found);
  if (status != 0) {
    r = -EADDRNOTAVAIL;
    log_error("%s: listen \"%s\": %s", who, listen, gai_strerror(status));
    goto out;
  }
  r = open_all(&(struct wish){who, listen}, found, ret_fds, max);
out:
  if (found)
    freeaddrinfo(found);
  free(text);
  return r;
}
