/* Addresses of a host by which others can reach it, as text: neither
 * unspecified, loopback, link-local, multicast nor reserved. */
#ifndef PDNA_ADDRESS_H
#define PDNA_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ADDRESS_V4_LEN = 4, ADDRESS_V6_LEN = 16 };

/* Write the text of an address of ADDRESS_V4_LEN or ADDRESS_V6_LEN bytes in
 * network order; an IPv4 address that is mapped into IPv6 as IPv4. `size` is at
 * least INET6_ADDRSTRLEN. False if nobody else can reach it. */
bool address_to_text(const uint8_t *bytes, size_t len, char *ret_text,
                     size_t size);

#endif
