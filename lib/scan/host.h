/* Who this host is: its id, its boot time, its addresses. */
#ifndef PDNA_HOST_H
#define PDNA_HOST_H

#include "lib/record/wire.h"

/* The host's id, from machine_id_path ("/etc/machine-id", machine-id(5)),
 * and its boot time, from PROC_ROOT/stat's btime. Returns 0 or a negative
 * errno. */
int host_identify(const char *machine_id_path, const char *proc_root,
                  struct wire_host *ret_host);

struct host_address {
  char text[WIRE_ADDRESS_MAX + 1];
};

/* The host's global unicast addresses, without those of loopback, bridges,
 * veth and other container interfaces, sorted, IPv4-mapped IPv6 as IPv4. The
 * caller frees *ret_addresses. Returns 0 or a negative errno. */
int host_addresses(struct host_address **ret_addresses, size_t *ret_len);

#endif
