#include "correlator/snmp_value.h"

#include <string.h>
#include <time.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

enum {
  TIME_LEN = 11,     /* DateAndTime with a zone */
  TIME_LEN_BARE = 8, /* without one */
  YEAR_MIN = 1970,
  YEAR_MAX = 9999,
};

/* As in the MIB's SYNTAX clauses. */
static const char *type_name(u_char type) {
  static const struct {
    u_char type;
    const char *name;
  } names[] = {{ASN_INTEGER, "INTEGER"},
               {ASN_OCTET_STR, "OCTET STRING"},
               {ASN_NULL, "NULL"},
               {ASN_OBJECT_ID, "OBJECT IDENTIFIER"},
               {ASN_IPADDRESS, "IpAddress"},
               {ASN_COUNTER, "Counter32"},
               {ASN_UNSIGNED, "Unsigned32"},
               {ASN_TIMETICKS, "TimeTicks"},
               {ASN_OPAQUE, "Opaque"},
               {ASN_COUNTER64, "Counter64"},
               {SNMP_NOSUCHOBJECT, "noSuchObject"},
               {SNMP_NOSUCHINSTANCE, "noSuchInstance"},
               {SNMP_ENDOFMIBVIEW, "endOfMibView"}};

  for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
    if (names[i].type == type)
      return names[i].name;
  return "another type";
}

bool snmp_value_is_missing(const netsnmp_variable_list *var) {
  return var->type == SNMP_NOSUCHOBJECT || var->type == SNMP_NOSUCHINSTANCE ||
         var->type == SNMP_ENDOFMIBVIEW;
}

static int expect_type(const struct snmp_value *value, u_char type) {
  if (value->var->type == type)
    return 0;
  return snmp_complain(value->message, "%s: expected %s, found %s",
                       value->object, type_name(type),
                       type_name(value->var->type));
}

int snmp_value_text(const struct snmp_value *value, char *ret_text,
                    size_t size) {
  size_t len = value->var->val_len;

  int r = expect_type(value, ASN_OCTET_STR);
  if (r < 0)
    return r;
  if (len >= size)
    return snmp_complain(value->message,
                         "%s: expected at most %zu octets, found %zu",
                         value->object, size - 1, len);
  if (len > 0 && memchr(value->var->val.string, '\0', len) != NULL)
    return snmp_complain(value->message, "%s: found a zero octet in a text",
                         value->object);
  if (len > 0)
    memcpy(ret_text, value->var->val.string, len);
  ret_text[len] = '\0';
  return 0;
}

static int whole(const struct snmp_value *value, u_char type, long *ret) {
  int r = expect_type(value, type);
  if (r < 0)
    return r;
  if (value->var->val.integer == NULL || value->var->val_len != sizeof(long))
    return snmp_complain(value->message, "%s: found no number", value->object);
  *ret = *value->var->val.integer;
  return 0;
}

int snmp_value_integer(const struct snmp_value *value, uint32_t *ret_number) {
  long number = 0;

  int r = whole(value, ASN_INTEGER, &number);
  if (r < 0)
    return r;
  if (number < 0 || number > INT32_MAX)
    return snmp_complain(value->message,
                         "%s: expected 0 to 2147483647, found %ld",
                         value->object, number);
  *ret_number = (uint32_t)number;
  return 0;
}

/* The library keeps these in a long, which may have the sign of 32 bits. */
static int unsigned_of(const struct snmp_value *value, u_char type,
                       uint32_t *ret_number) {
  long number = 0;

  int r = whole(value, type, &number);
  if (r == 0)
    *ret_number = (uint32_t)number;
  return r;
}

int snmp_value_unsigned(const struct snmp_value *value, uint32_t *ret_number) {
  return unsigned_of(value, ASN_UNSIGNED, ret_number);
}

int snmp_value_ticks(const struct snmp_value *value, uint32_t *ret_ticks_cs) {
  return unsigned_of(value, ASN_TIMETICKS, ret_ticks_cs);
}

static bool in_bounds(const u_char *t, int year) {
  return year >= YEAR_MIN && year <= YEAR_MAX && t[2] >= 1 && t[2] <= 12 &&
         t[3] >= 1 && t[3] <= 31 && t[4] <= 23 && t[5] <= 59 && t[6] <= 60 &&
         t[7] <= 9 && (t[8] == '+' || t[8] == '-') && t[9] <= 14 && t[10] <= 59;
}

int snmp_value_time(const struct snmp_value *value, int64_t *ret_time_us) {
  static const u_char never[TIME_LEN_BARE];
  const u_char *t = value->var->val.string;
  size_t len = value->var->val_len;

  int r = expect_type(value, ASN_OCTET_STR);
  if (r < 0)
    return r;
  if (len == TIME_LEN_BARE && memcmp(t, never, len) == 0) {
    *ret_time_us = 0;
    return 0;
  }
  if (len != TIME_LEN)
    return snmp_complain(
        value->message,
        "%s: expected a DateAndTime of %d octets, with a zone, found %zu",
        value->object, TIME_LEN, len);
  int year = t[0] << 8 | t[1];
  if (!in_bounds(t, year))
    return snmp_complain(value->message, "%s: found no time", value->object);
  struct tm tm = {.tm_year = year - 1900,
                  .tm_mon = t[2] - 1,
                  .tm_mday = t[3],
                  .tm_hour = t[4],
                  .tm_min = t[5],
                  .tm_sec = t[6]};
  int64_t zone_s = t[9] * 3600 + t[10] * 60;
  int64_t time_s = timegm(&tm) - (t[8] == '+' ? zone_s : -zone_s);
  if (time_s < 0)
    return snmp_complain(value->message, "%s: found a time before 1970",
                         value->object);
  *ret_time_us = time_s * 1000000 + t[7] * INT64_C(100000);
  return 0;
}
