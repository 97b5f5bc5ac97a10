/* Values as they go into a varbind. */
#ifndef PDNA_AGENTX_VALUE_H
#define PDNA_AGENTX_VALUE_H

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "lib/record/record.h"

struct value {
  u_char type;      /* ASN_... */
  const void *data; /* in `store`, or the caller's text */
  size_t len;       /* bytes */
  union {
    long integer;
    u_long number;
    struct counter64 counter;
    char hex[DIGEST_HEX_LEN + 1];
    char name[COMM_MAX + 1];
    u_char time[11]; /* DateAndTime with a zone */
  } store;
};

void value_integer(struct value *ret, long integer);

/* KBytes: Integer32 from 0; what is more is 2147483647. */
void value_kib(struct value *ret, uint64_t kib);

/* Unsigned32 and Gauge32, which are one type; what is more is 4294967295. */
void value_unsigned(struct value *ret, uint64_t number);

void value_counter64(struct value *ret, uint64_t number);

/* `text` must live as long as the value is used. */
void value_text(struct value *ret, const char *text);

/* The text that does for an SnmpAdminString, which is UTF-8. */
void value_name(struct value *ret, const char *name);

/* 64 hex digits, or nothing unless `has`. */
void value_digest(struct value *ret, bool has, const struct digest *digest);

/* DateAndTime (SNMPv2-TC), in the host's zone. */
void value_time(struct value *ret, int64_t seconds);

#endif
