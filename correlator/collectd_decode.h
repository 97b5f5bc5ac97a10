/* From a value list as collectd carries it to what our plugin said with it. */
#ifndef PDNA_COLLECTD_DECODE_H
#define PDNA_COLLECTD_DECODE_H

#include "correlator/collectd_packet.h"
#include "lib/record/wire.h"

/* Decode and check a list of our plugin's. Times beyond the year 9999 become
 * its last second: a file's times are what any local user sets them to, and
 * may neither cost a packet nor bring up an error further on. *ret_item is
 * to stay where it is (wire.h). Returns 0 or -EINVAL. */
int collectd_decode(const struct collectd_list *list,
                    struct wire_list *ret_wire, struct wire_item *ret_item);

/* An interval in seconds; 0 if it is longer than a week. */
unsigned collectd_interval_s(uint64_t interval);

#endif
