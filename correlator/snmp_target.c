#include "correlator/snmp_target.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HOST_MAX = 255, PORT_MAX = 5 };

/* What the resolver works on has to live as long as it does. */
struct lookup {
  struct gaicb request;
  struct addrinfo hints;
  char host[HOST_MAX + 1];
  char port[PORT_MAX + 1];
};

struct snmp_target {
  struct lookup *lookup;
  bool stream;
  bool started; /* the look-up is under way */
};

static const struct transport {
  const char *name;
  int family;
  bool stream;
} transports[] = {
    {"udp", AF_INET, false},    {"udp6", AF_INET6, false},
    {"udpv6", AF_INET6, false}, {"udpipv6", AF_INET6, false},
    {"tcp", AF_INET, true},     {"tcp6", AF_INET6, true},
    {"tcpv6", AF_INET6, true},  {"tcpipv6", AF_INET6, true},
};

/* NULL if `host` names none. */
static const struct transport *find_transport(const char *host) {
  size_t len = strcspn(host, ":");

  for (size_t i = 0; i < sizeof(transports) / sizeof(*transports); i++)
    if (host[len] == ':' && strlen(transports[i].name) == len &&
        strncasecmp(host, transports[i].name, len) == 0)
      return &transports[i];
  return NULL;
}

/* Part "HOST[:PORT]" or "[HOST][:PORT]". */
static int part(struct lookup *l, const char *text, const char *default_port) {
  bool brackets = text[0] == '[';
  const char *host = brackets ? text + 1 : text;
  size_t len = strcspn(host, brackets ? "]" : ":");
  const char *rest = host + len + (brackets && host[len] == ']' ? 1 : 0);

  if (len > HOST_MAX ||
      strlen(*rest == ':' ? rest + 1 : default_port) > PORT_MAX)
    return -EINVAL;
  memcpy(l->host, host, len);
  (void)snprintf(l->port, sizeof(l->port), "%s",
                 *rest == ':' ? rest + 1 : default_port);
  return 0;
}

int snmp_target_new(const char *host, enum snmp_use use,
                    struct snmp_target **ret_target) {
  const struct transport *transport = find_transport(host);
  struct snmp_target *target = calloc(1, sizeof(*target));
  struct lookup *l = calloc(1, sizeof(*l));
  int r = -ENOMEM;

  if (target == NULL || l == NULL)
    goto out;
  target->stream = transport != NULL && transport->stream;
  l->hints.ai_family = transport == NULL ? AF_UNSPEC : transport->family;
  l->hints.ai_socktype = target->stream ? SOCK_STREAM : SOCK_DGRAM;
  l->request = (struct gaicb){
      .ar_name = l->host, .ar_service = l->port, .ar_request = &l->hints};
  r = part(l, transport == NULL ? host : host + strlen(transport->name) + 1,
           use == SNMP_USE_POLL ? "161" : "162");
  if (r == 0) {
    target->lookup = l;
    *ret_target = target;
    return 0;
  }

out:
  free(l);
  free(target);
  return r;
}

void snmp_target_free(struct snmp_target *target) {
  if (target == NULL)
    return;
  /* Where the resolver can't be stopped it keeps what it works on. */
  if (!target->started ||
      gai_cancel(&target->lookup->request) != EAI_NOTCANCELED) {
    if (target->lookup->request.ar_result != NULL)
      freeaddrinfo(target->lookup->request.ar_result);
    free(target->lookup);
  }
  free(target);
}

/* IPv4 first, as Net-SNMP has it for hosts without a transport. */
static const struct addrinfo *choose(const struct addrinfo *all) {
  for (const struct addrinfo *a = all; a != NULL; a = a->ai_next)
    if (a->ai_family == AF_INET)
      return a;
  return all;
}

static int take(const struct snmp_target *target, const struct addrinfo *all,
                struct snmp_address *ret_address) {
  const struct addrinfo *a = choose(all);
  char host[SNMP_ADDRESS_MAX];
  char port[PORT_MAX + 1];

  if (a == NULL || a->ai_addrlen > sizeof(ret_address->address) ||
      getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof(host), port,
                  sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return -ENOENT;
  int n = snprintf(ret_address->text, sizeof(ret_address->text),
                   a->ai_family == AF_INET6 ? "%s6:[%s]:%s" : "%s:%s:%s",
                   target->stream ? "tcp" : "udp", host, port);
  if (n < 0 || (size_t)n >= sizeof(ret_address->text))
    return -ENOENT;
  memcpy(&ret_address->address, a->ai_addr, a->ai_addrlen);
  ret_address->address_len = a->ai_addrlen;
  return 0;
}

static int look_up(const struct snmp_target *target, int flags,
                   struct snmp_address *ret_address) {
  const struct lookup *l = target->lookup;
  struct addrinfo hints = l->hints;
  struct addrinfo *all = NULL;

  hints.ai_flags = flags;
  if (getaddrinfo(l->host, l->port, &hints, &all) != 0)
    return -ENOENT;
  int r = take(target, all, ret_address);
  freeaddrinfo(all);
  return r;
}

int snmp_target_find(const struct snmp_target *target,
                     struct snmp_address *ret_address) {
  return look_up(target, 0, ret_address);
}

int snmp_target_poll(struct snmp_target *target,
                     struct snmp_address *ret_address) {
  struct gaicb *request = &target->lookup->request;

  if (!target->started) {
    if (look_up(target, AI_NUMERICHOST, ret_address) == 0)
      return 0;
    request->ar_result = NULL;
    if (getaddrinfo_a(GAI_NOWAIT, &request, 1, NULL) != 0)
      return -ENOENT;
    target->started = true;
    return -EAGAIN;
  }
  int error = gai_error(request);
  if (error == EAI_INPROGRESS)
    return -EAGAIN;
  target->started = false;
  if (error != 0)
    return -ENOENT;
  int r = take(target, request->ar_result, ret_address);
  freeaddrinfo(request->ar_result);
  request->ar_result = NULL;
  return r;
}
