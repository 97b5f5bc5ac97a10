/* Values of an agent's answer, each checked against the type and bounds that
 * its object has in the MIB. What does not fit is said in a message, object
 * first. */
#ifndef PDNA_SNMP_VALUE_H
#define PDNA_SNMP_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "correlator/snmp_message.h"

struct variable_list; /* net-snmp/types.h, netsnmp_variable_list */

/* A value, and where to say what is wrong with it. */
struct snmp_value {
  const struct variable_list *var;
  const char *object; /* its name in the MIB */
  struct snmp_message *message;
};

/* noSuchObject, noSuchInstance or endOfMibView? */
bool snmp_value_is_missing(const struct variable_list *var);

/* Each returns 0, or -EINVAL and a message.
 *
 * A text of up to size - 1 octets without NUL; a NUL is put behind it. */
int snmp_value_text(const struct snmp_value *value, char *ret_text,
                    size_t size);
/* INTEGER, Integer32, not below 0 */
int snmp_value_integer(const struct snmp_value *value, uint32_t *ret_number);
/* Unsigned32, Gauge32 */
int snmp_value_unsigned(const struct snmp_value *value, uint32_t *ret_number);
/* TimeTicks, hundredths of a second */
int snmp_value_ticks(const struct snmp_value *value, uint32_t *ret_ticks_cs);
/* DateAndTime (RFC 2579) with a time zone, as microseconds since the epoch;
 * eight octets of zero are 0. */
int snmp_value_time(const struct snmp_value *value, int64_t *ret_time_us);

#endif
