/* A row of pdnaExecutableTable as an executable. */
#ifndef PDNA_SNMP_ROW_H
#define PDNA_SNMP_ROW_H

#include <stddef.h>
#include <stdint.h>

#include "correlator/snmp_message.h"
#include "lib/record/executable.h"

struct snmp_pdu;      /* net-snmp/types.h, netsnmp_pdu */
struct variable_list; /* netsnmp_variable_list */

/* The columns that are asked for, one varbind each. */
enum { SNMP_ROW_COLUMNS = 16 };

/* Ask for the rows behind `index` (0: from the first on). Returns 0 or
 * -ENOMEM. */
int snmp_row_ask(struct snmp_pdu *pdu, uint32_t index);

/* Read the row that begins at *var, which is behind `after`. On success *var is
 * moved behind it, and *ret_index is the row's index, or 0 if the table has
 * ended; else *ret is an executable as collectd could have brought it, with the
 * identity for a path. The caller clears it. Returns 0, -EINVAL and a message,
 * -EAGAIN (the answer ends within the row) or -ENOMEM. */
int snmp_row_read(const struct variable_list **var, uint32_t after,
                  struct executable *ret, uint32_t *ret_index,
                  struct snmp_message *message);

#endif
