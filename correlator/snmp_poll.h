/* One poll of an agent: which requests it takes, and what the answers amount
 * to. It knows nothing of sockets and clocks; whoever drives it sends what it
 * asks for and hands in what came.
 *
 * First the scalars: a scan that was read before, or none yet, ends it there.
 * Then the host's addresses, pdnaExecutableTable row by row, and whether the
 * agent has scanned in between: if so the table is read again, and what is
 * still of two scans after SNMP_POLL_TRIES is handed in as incomplete, since
 * then no row proves that another is gone. No more rows are read than the agent
 * counts, so that a table without an end ends there. */
#ifndef PDNA_SNMP_POLL_H
#define PDNA_SNMP_POLL_H

#include "correlator/report.h"
#include "correlator/snmp_message.h"

struct snmp_pdu; /* net-snmp/types.h, netsnmp_pdu */
struct snmp_poll;

enum {
  SNMP_POLL_TRIES = 3, /* to read the table within one scan */
  SNMP_POLL_ROWS = 8,  /* asked for at once: some 4 KiB, 11 KiB at most */
  /* Between a scan's time and our clock, ahead or behind; behind, three of the
   * agent's cycles if that is more. */
  SNMP_POLL_SKEW_S = 600,
};

/* The scan that was last read. */
struct snmp_poll_scan {
  char host_id[WIRE_HOST_ID_LEN + 1];
  uint32_t sequence; /* 0: none */
  int64_t observed_us;
  int64_t boot_s; /* 0: unknown */
};

struct snmp_poll_setup {
  const char *name;    /* of the poll: who speaks for the host */
  const char *host;    /* NULL: what sysName says */
  unsigned interval_s; /* between polls */
  unsigned rows;       /* asked for at once: 1 to SNMP_POLL_ROWS */
  struct snmp_poll_scan last;
};

enum snmp_poll_outcome {
  SNMP_POLL_GOES_ON,
  SNMP_POLL_NEW,       /* there is a report */
  SNMP_POLL_UNCHANGED, /* no scan since the last poll */
  SNMP_POLL_MALFORMED, /* not what the MIB says */
  SNMP_POLL_REFUSED,   /* the agent answered with an error, or knows no such
                          objects */
  SNMP_POLL_STALE,     /* the last scan is too old, or from the future */
};

/* The setup's texts must outlive the poll. NULL: out of memory. */
struct snmp_poll *snmp_poll_new(const struct snmp_poll_setup *setup);
void snmp_poll_free(struct snmp_poll *poll); /* NULL does nothing */

/* The request to send next; the caller owns it. NULL: out of memory. */
struct snmp_pdu *snmp_poll_request(const struct snmp_poll *poll);

/* Hand in its answer, which arrived at `now_us` since the epoch. What is wrong
 * goes into the message. */
enum snmp_poll_outcome snmp_poll_answer(struct snmp_poll *poll,
                                        const struct snmp_pdu *answer,
                                        int64_t now_us,
                                        struct snmp_message *message);

/* A request stayed without an answer. True: it asked for many rows, whose
 * answer may be too long for the way; ask again, for one at a time. */
bool snmp_poll_shrink(struct snmp_poll *poll);

/* How many rows it asks for at once by now. */
unsigned snmp_poll_rows(const struct snmp_poll *poll);

/* Of a poll that went well: which scan it was, and the report, which is the
 * caller's then. */
void snmp_poll_scan(const struct snmp_poll *poll, struct snmp_poll_scan *ret);
struct report *snmp_poll_take_report(struct snmp_poll *poll);

#endif
