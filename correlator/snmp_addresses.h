/* The addresses of an agent's host, from ipAddressTable (RFC 4293) or, where an
 * agent has none, from ipAddrTable (RFC 1213). Kept are those by which others
 * can reach the host, as lib/scan has them: not those of container interfaces,
 * which are told by their names here. */
#ifndef PDNA_SNMP_ADDRESSES_H
#define PDNA_SNMP_ADDRESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "correlator/report.h"
#include "correlator/snmp_message.h"

struct snmp_pdu; /* net-snmp/types.h, netsnmp_pdu */

enum {
  SNMP_ADDRESSES_MAX = 64,    /* kept; hosts with more have the first ones */
  SNMP_ADDRESSES_ROWS = 1024, /* read; a table that goes on is left there */
  SNMP_ADDRESSES_ASKED = 32,  /* rows in one request */
  SNMP_ADDRESSES_FEW = 8,     /* or so many, where long answers get lost */
};

enum snmp_addresses_stage {
  SNMP_ADDRESSES_NEW, /* ipAddressTable */
  SNMP_ADDRESSES_OLD, /* ipAddrTable */
  SNMP_ADDRESSES_INTERFACES,
  SNMP_ADDRESSES_DONE
};

struct snmp_address_row {
  char text[WIRE_ADDRESS_MAX + 1];
  uint32_t interface; /* ifIndex */
};

/* Zeroed at first; nothing is owned. */
struct snmp_addresses {
  enum snmp_addresses_stage stage;
  bool few;
  size_t rows_read;
  uint32_t after[32]; /* the index of the last row read */
  size_t after_len;
  struct snmp_address_row rows[SNMP_ADDRESSES_MAX];
  size_t len;
};

/* Make the next request, unless all is done. Returns 0 or -ENOMEM. */
int snmp_addresses_ask(const struct snmp_addresses *addresses,
                       struct snmp_pdu **ret_pdu);

/* Take its answer. Returns 0, or -EINVAL and a message. */
int snmp_addresses_take(struct snmp_addresses *addresses,
                        const struct snmp_pdu *pdu,
                        struct snmp_message *message);

/* Copy the texts, sorted, into the report. Returns 0 or -ENOMEM. */
int snmp_addresses_give(const struct snmp_addresses *addresses,
                        struct report *report);

#endif
