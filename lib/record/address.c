#include "lib/record/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool v4_to_text(const uint8_t *b, char *ret_text, size_t size) {
  struct in_addr in;

  if (b[0] == 0 || b[0] == IN_LOOPBACKNET ||
      (b[0] == 169 && b[1] == 254) /* link-local */ ||
      b[0] >= 224 /* multicast, reserved */)
    return false;
  memcpy(&in, b, sizeof(in));
  return inet_ntop(AF_INET, &in, ret_text, (socklen_t)size) != NULL;
}

static bool v6_to_text(const uint8_t *b, char *ret_text, size_t size) {
  struct in6_addr in;

  memcpy(&in, b, sizeof(in));
  if (IN6_IS_ADDR_V4MAPPED(&in))
    return v4_to_text(b + ADDRESS_V6_LEN - ADDRESS_V4_LEN, ret_text, size);
  if (IN6_IS_ADDR_UNSPECIFIED(&in) || IN6_IS_ADDR_LOOPBACK(&in) ||
      IN6_IS_ADDR_LINKLOCAL(&in) || IN6_IS_ADDR_MULTICAST(&in))
    return false;
  return inet_ntop(AF_INET6, &in, ret_text, (socklen_t)size) != NULL;
}

bool address_to_text(const uint8_t *bytes, size_t len, char *ret_text,
                     size_t size) {
  if (len == ADDRESS_V4_LEN)
    return v4_to_text(bytes, ret_text, size);
  return len == ADDRESS_V6_LEN && v6_to_text(bytes, ret_text, size);
}
