/* Goal: whatever an agent answers, a poll neither crashes nor goes on for ever,
 * and what it reports is what collectd could have brought.
 *
 * The input is a sequence of PDUs in BER, each behind its length in two
 * octets. */
#include <stdlib.h>
#include <string.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "correlator/snmp_poll.h"
#include "lib/record/wire.h"
#include "tests/fuzz/fuzz.h"

enum { LENGTH_LEN = 2 };

/* In a copy, so that nothing behind it can be read. NULL: it is no PDU. */
static netsnmp_pdu *parse(const uint8_t *data, size_t len) {
  netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_RESPONSE);
  u_char *copy = malloc(len + 1);

  if (pdu == NULL || copy == NULL)
    abort();
  memcpy(copy, data, len);
  if (len == 0 || snmp_pdu_parse(pdu, copy, &len) != 0) {
    snmp_free_pdu(pdu);
    pdu = NULL;
  }
  free(copy);
  return pdu;
}

static void check_report(struct snmp_poll *poll) {
  struct report *r = snmp_poll_take_report(poll);
  struct wire_list list;

  for (size_t i = 0; i < r->executables_len; i++) {
    const struct executable *e = &r->executables[i];
    char identity[PATHNAME_MAX + 1];
    if (pathname_to_identity(e->container, e->path, identity) != 0 ||
        (e->package.manager[0] != '\0' && wire_from_package(e, &list) != 0) ||
        (e->state != EXE_UNREADABLE && e->reason != EXE_REASON_NONE))
      abort();
  }
  for (size_t i = 0; i < r->addresses_len; i++)
    if (wire_from_address(r->addresses[i], &list) != 0)
      abort();
  if (r->host[0] == '\0')
    abort();
  report_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct snmp_poll_setup setup = {
      .name = "poll", .interval_s = 60, .rows = SNMP_POLL_ROWS};
  const int64_t now_us = INT64_C(1800000000) * 1000000;
  enum snmp_poll_outcome outcome = SNMP_POLL_GOES_ON;
  struct snmp_message message;
  struct snmp_poll *poll = snmp_poll_new(&setup);

  while (outcome == SNMP_POLL_GOES_ON && size >= LENGTH_LEN) {
    size_t len = (size_t)(data[0] << 8 | data[1]);
    data += LENGTH_LEN;
    size -= LENGTH_LEN;
    len = len < size ? len : size;
    snmp_free_pdu(snmp_poll_request(poll));
    netsnmp_pdu *pdu = parse(data, len);
    if (pdu != NULL)
      outcome = snmp_poll_answer(poll, pdu, now_us, &message);
    snmp_free_pdu(pdu);
    data += len;
    size -= len;
  }
  if (outcome == SNMP_POLL_NEW)
    check_report(poll);
  snmp_poll_free(poll);
  return 0;
}
