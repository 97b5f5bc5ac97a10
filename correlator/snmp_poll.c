#include "correlator/snmp_poll.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "correlator/snmp_addresses.h"
#include "correlator/snmp_head.h"
#include "correlator/snmp_row.h"

enum {
  CAPACITY_MIN = 32,
  USEC_PER_SEC = 1000000,
};
/* hrSystemUptime begins again at 0 after so many seconds. */
#define UPTIME_WRAP_S INT64_C(42949673)

enum stage { HEAD, ADDRESSES, TABLE, TAIL };

struct snmp_poll {
  struct snmp_poll_setup setup;
  enum stage stage;
  unsigned rows; /* asked for at once */
  unsigned tries;
  bool mixed; /* the rows are of several scans */
  bool over;  /* there are more rows than the agent counts */
  struct snmp_head head;
  struct snmp_addresses addresses;
  struct report *report;
  size_t capacity; /* of its executables */
  uint32_t index;  /* of the last row */
};

struct snmp_poll *snmp_poll_new(const struct snmp_poll_setup *setup) {
  struct snmp_poll *poll = calloc(1, sizeof(*poll));
  struct report *report = report_new();

  if (poll == NULL || report == NULL) {
    free(poll);
    report_free(report);
    return NULL;
  }
  poll->setup = *setup;
  poll->rows = setup->rows;
  poll->addresses.few = setup->rows == 1;
  poll->report = report;
  return poll;
}

void snmp_poll_free(struct snmp_poll *poll) {
  if (poll == NULL)
    return;
  report_free(poll->report);
  free(poll);
}

/* No more rows than there should be left, and what ends the table. */
static netsnmp_pdu *ask_rows(const struct snmp_poll *poll) {
  netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GETBULK);
  size_t have = poll->report->executables_len;
  size_t left =
      poll->head.executables > have ? poll->head.executables - have : 0;

  if (pdu == NULL)
    return NULL;
  pdu->non_repeaters = 0;
  pdu->max_repetitions = left + 1 < poll->rows ? (long)left + 1 : poll->rows;
  if (snmp_row_ask(pdu, poll->index) < 0) {
    snmp_free_pdu(pdu);
    return NULL;
  }
  return pdu;
}

netsnmp_pdu *snmp_poll_request(const struct snmp_poll *poll) {
  netsnmp_pdu *pdu = NULL;

  switch (poll->stage) {
  case HEAD:
    return snmp_head_ask(true);
  case ADDRESSES:
    return snmp_addresses_ask(&poll->addresses, &pdu) == 0 ? pdu : NULL;
  case TABLE:
    return ask_rows(poll);
  default:
    return snmp_head_ask(false);
  }
}

/* How old a scan may be, in seconds. */
static int64_t age_max_s(const struct snmp_poll *poll) {
  int64_t cycle_s = poll->report->interval_s;
  return 3 * cycle_s > SNMP_POLL_SKEW_S ? 3 * cycle_s : SNMP_POLL_SKEW_S;
}

static bool is_fresh(const struct snmp_poll *poll, int64_t now_us,
                     struct snmp_message *message) {
  int64_t age_s = (now_us - poll->head.observed_us) / USEC_PER_SEC;

  if (age_s >= -SNMP_POLL_SKEW_S && age_s <= age_max_s(poll))
    return true;
  (void)snmp_complain(message,
                      "pdnaLastScan: expected at most %" PRId64 " s old by our "
                      "clock and %d s ahead, found %" PRId64 " s old",
                      age_max_s(poll), SNMP_POLL_SKEW_S, age_s);
  return false;
}

/* When the host booted, as it was understood before where only the reckoning
 * trembles or the counter has begun again. */
static int64_t boot_of(const struct snmp_poll *poll, int64_t now_us) {
  const struct snmp_poll_scan *last = &poll->setup.last;
  int64_t boot_s = now_us / USEC_PER_SEC - poll->head.uptime_cs / 100;
  int64_t moved_s = boot_s - last->boot_s;

  if (poll->head.uptime_cs == 0)
    return 0;
  if (last->boot_s != 0 &&
      (llabs(moved_s) <= REPORT_BOOT_TREMBLE_S ||
       llabs(moved_s % UPTIME_WRAP_S) <= REPORT_BOOT_TREMBLE_S))
    return last->boot_s;
  return boot_s;
}

static bool is_known(const struct snmp_poll *poll) {
  const struct snmp_poll_scan *last = &poll->setup.last;

  return last->sequence == poll->head.sequence &&
         last->observed_us == poll->head.observed_us &&
         strcmp(last->host_id, poll->head.host_id) == 0;
}

/* Whose scan it is, and of when. */
static int fill_report(struct snmp_poll *poll, int64_t now_us,
                       struct snmp_message *message) {
  const struct snmp_head *head = &poll->head;
  const char *host = poll->setup.host == NULL ? head->name : poll->setup.host;
  struct report *r = poll->report;

  if (host[0] == '\0')
    return snmp_complain(message, "sysName: expected a name, found none: give "
                                  "the poll a host = NAME");
  (void)snprintf(r->host, sizeof(r->host), "%s", host);
  (void)snprintf(r->signer, sizeof(r->signer), "%s", poll->setup.name);
  r->source = REPORT_SOURCE_SNMP;
  memcpy(r->identity.id, head->host_id, sizeof(r->identity.id));
  r->identity.boot_s = boot_of(poll, now_us);
  r->arrived_us = now_us;
  return 0;
}

static enum snmp_poll_outcome take_head(struct snmp_poll *poll,
                                        const netsnmp_pdu *answer,
                                        int64_t now_us,
                                        struct snmp_message *message) {
  struct snmp_head *head = &poll->head;

  int r = snmp_head_read(answer, true, head, message);
  if (r < 0)
    return r == -ENOENT ? SNMP_POLL_REFUSED : SNMP_POLL_MALFORMED;
  poll->report->interval_s = head->interval_s > poll->setup.interval_s
                                 ? head->interval_s
                                 : poll->setup.interval_s;
  if (head->sequence == 0)
    return SNMP_POLL_UNCHANGED;
  if (!is_fresh(poll, now_us, message))
    return SNMP_POLL_STALE;
  if (is_known(poll))
    return SNMP_POLL_UNCHANGED;
  if (fill_report(poll, now_us, message) < 0)
    return SNMP_POLL_MALFORMED;
  poll->stage = ADDRESSES;
  return SNMP_POLL_GOES_ON;
}

static enum snmp_poll_outcome take_addresses(struct snmp_poll *poll,
                                             const netsnmp_pdu *answer,
                                             struct snmp_message *message) {
  if (snmp_addresses_take(&poll->addresses, answer, message) < 0)
    return SNMP_POLL_MALFORMED;
  if (poll->addresses.stage == SNMP_ADDRESSES_DONE) {
    if (snmp_addresses_give(&poll->addresses, poll->report) < 0) {
      (void)snmp_complain(message, "out of memory");
      return SNMP_POLL_REFUSED;
    }
    poll->stage = TABLE;
  }
  return SNMP_POLL_GOES_ON;
}

/* Room for one more. Returns 0 or -ENOMEM. */
static int reserve(struct snmp_poll *poll) {
  struct report *r = poll->report;

  if (r->executables_len < poll->capacity)
    return 0;
  size_t capacity = poll->capacity == 0 ? CAPACITY_MIN : 2 * poll->capacity;
  struct executable *grown =
      reallocarray(r->executables, capacity, sizeof(*grown));
  if (grown == NULL)
    return -ENOMEM;
  r->executables = grown;
  poll->capacity = capacity;
  return 0;
}

/* Read the next row of an answer. Returns as snmp_row_read. */
static int take_row(struct snmp_poll *poll, const netsnmp_variable_list **var,
                    struct snmp_message *message) {
  struct report *r = poll->report;
  struct executable e = {0};
  uint32_t index = 0;

  int rc = snmp_row_read(var, poll->index, &e, &index, message);
  if (rc < 0)
    return rc;
  if (index == 0) {
    poll->stage = TAIL;
    return 0;
  }
  /* A row too many: of another scan, or the agent counts wrongly. */
  poll->over = r->executables_len == poll->head.executables;
  if (poll->over)
    poll->stage = TAIL;
  rc = poll->over ? 0 : reserve(poll);
  if (poll->over || rc < 0) {
    executable_clear(&e);
    return rc;
  }
  r->executables[r->executables_len++] = e;
  poll->index = index;
  return 0;
}

static enum snmp_poll_outcome take_rows(struct snmp_poll *poll,
                                        const netsnmp_pdu *answer,
                                        struct snmp_message *message) {
  const netsnmp_variable_list *var = answer->variables;
  uint32_t before = poll->index;
  int r = 0;

  while (r == 0 && var != NULL && poll->stage == TABLE)
    r = take_row(poll, &var, message);
  if (r == -EAGAIN || (r == 0 && poll->stage == TABLE && poll->index == before))
    r = poll->index != before
            ? 0
            : snmp_complain(message,
                            "pdnaExecutableTable: expected %d values a row in "
                            "the answer, found fewer",
                            SNMP_ROW_COLUMNS);
  if (r == -ENOMEM)
    (void)snmp_complain(message, "out of memory");
  return r == 0         ? SNMP_POLL_GOES_ON
         : r == -ENOMEM ? SNMP_POLL_REFUSED
                        : SNMP_POLL_MALFORMED;
}

/* Begin the table again. */
static void rewind_table(struct snmp_poll *poll) {
  struct report *r = poll->report;

  executables_free(r->executables, r->executables_len);
  r->executables = NULL;
  r->executables_len = 0;
  poll->capacity = 0;
  poll->index = 0;
  poll->over = false;
  poll->stage = TABLE;
}

static enum snmp_poll_outcome finish(struct snmp_poll *poll) {
  struct report *r = poll->report;

  r->observed_us = poll->head.observed_us;
  r->figures.sequence = poll->head.sequence;
  r->complete = !poll->mixed;
  return SNMP_POLL_NEW;
}

static enum snmp_poll_outcome take_tail(struct snmp_poll *poll,
                                        const netsnmp_pdu *answer,
                                        int64_t now_us,
                                        struct snmp_message *message) {
  const struct snmp_head before = poll->head;

  int r = snmp_head_read(answer, false, &poll->head, message);
  if (r < 0)
    return r == -ENOENT ? SNMP_POLL_REFUSED : SNMP_POLL_MALFORMED;
  if (poll->head.sequence == before.sequence &&
      poll->head.observed_us == before.observed_us) {
    if (poll->report->executables_len == before.executables && !poll->over)
      return finish(poll);
    (void)snmp_complain(message,
                        "pdnaExecutableTable: expected %" PRIu32 " rows, as "
                        "pdnaExecutableCount says, found %zu%s",
                        before.executables, poll->report->executables_len,
                        poll->over ? " and more" : "");
    return SNMP_POLL_MALFORMED;
  }
  if (!is_fresh(poll, now_us, message))
    return SNMP_POLL_STALE;
  poll->mixed = ++poll->tries == SNMP_POLL_TRIES;
  if (poll->mixed)
    return finish(poll);
  rewind_table(poll);
  return SNMP_POLL_GOES_ON;
}

/* The agent says that it can't. */
static enum snmp_poll_outcome take_error(struct snmp_poll *poll,
                                         const netsnmp_pdu *answer,
                                         struct snmp_message *message) {
  if (answer->errstat == SNMP_ERR_TOOBIG && poll->stage == TABLE &&
      poll->rows > 1) {
    poll->rows /= 2;
    return SNMP_POLL_GOES_ON;
  }
  (void)snmp_complain(message, "the agent answers: %s",
                      snmp_errstring((int)answer->errstat));
  return SNMP_POLL_REFUSED;
}

enum snmp_poll_outcome snmp_poll_answer(struct snmp_poll *poll,
                                        const netsnmp_pdu *answer,
                                        int64_t now_us,
                                        struct snmp_message *message) {
  if (answer->command != SNMP_MSG_RESPONSE) {
    (void)snmp_complain(message, "expected a response, found another PDU");
    return SNMP_POLL_MALFORMED;
  }
  if (answer->errstat != SNMP_ERR_NOERROR)
    return take_error(poll, answer, message);
  switch (poll->stage) {
  case HEAD:
    return take_head(poll, answer, now_us, message);
  case ADDRESSES:
    return take_addresses(poll, answer, message);
  case TABLE:
    return take_rows(poll, answer, message);
  default:
    return take_tail(poll, answer, now_us, message);
  }
}

bool snmp_poll_shrink(struct snmp_poll *poll) {
  bool shrinks = (poll->stage == TABLE && poll->rows > 1) ||
                 (poll->stage == ADDRESSES && !poll->addresses.few);

  if (shrinks) {
    poll->rows = 1;
    poll->addresses.few = true;
  }
  return shrinks;
}

unsigned snmp_poll_rows(const struct snmp_poll *poll) { return poll->rows; }

void snmp_poll_scan(const struct snmp_poll *poll, struct snmp_poll_scan *ret) {
  memcpy(ret->host_id, poll->head.host_id, sizeof(ret->host_id));
  ret->sequence = poll->head.sequence;
  ret->observed_us = poll->head.observed_us;
  ret->boot_s = poll->report == NULL ? 0 : poll->report->identity.boot_s;
}

struct report *snmp_poll_take_report(struct snmp_poll *poll) {
  struct report *report = poll->report;

  poll->report = NULL;
  return report;
}
