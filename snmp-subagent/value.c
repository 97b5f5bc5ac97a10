#include "snmp-subagent/value.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "snmp-subagent/utf8.h"

static void set_number(struct value *ret, u_char type, u_long number) {
  ret->type = type;
  ret->store.number = number;
  ret->data = &ret->store.number;
  ret->len = sizeof(ret->store.number);
}

void value_integer(struct value *ret, long integer) {
  ret->type = ASN_INTEGER;
  ret->store.integer = integer;
  ret->data = &ret->store.integer;
  ret->len = sizeof(ret->store.integer);
}

void value_kib(struct value *ret, uint64_t kib) {
  value_integer(ret, kib > INT32_MAX ? INT32_MAX : (long)kib);
}

void value_unsigned(struct value *ret, uint64_t number) {
  set_number(ret, ASN_UNSIGNED,
             number > UINT32_MAX ? UINT32_MAX : (u_long)number);
}

void value_counter64(struct value *ret, uint64_t number) {
  ret->type = ASN_COUNTER64;
  ret->store.counter.high = (u_long)(number >> 32);
  ret->store.counter.low = (u_long)(number & UINT32_MAX);
  ret->data = &ret->store.counter;
  ret->len = sizeof(ret->store.counter);
}

static void set_octets(struct value *ret, const void *octets, size_t len) {
  ret->type = ASN_OCTET_STR;
  ret->data = octets;
  ret->len = len;
}

void value_text(struct value *ret, const char *text) {
  set_octets(ret, text, strlen(text));
}

void value_name(struct value *ret, const char *name) {
  utf8_clean(name, ret->store.name, sizeof(ret->store.name));
  value_text(ret, ret->store.name);
}

void value_digest(struct value *ret, bool has, const struct digest *digest) {
  ret->store.hex[0] = '\0';
  if (has)
    digest_to_hex(digest, ret->store.hex);
  value_text(ret, ret->store.hex);
}

void value_time(struct value *ret, int64_t seconds) {
  const time_t when = (time_t)seconds;
  size_t len;
  const u_char *octets = date_n_time(&when, &len);

  if (len > sizeof(ret->store.time))
    len = sizeof(ret->store.time);
  memcpy(ret->store.time, octets, len);
  set_octets(ret, ret->store.time, len);
}
