/* Goal: a poll reads what the MIB says into a report, and anything else ends
 * it with a message that says what came. */
#include <inttypes.h>
#include <stdbool.h>
#include <time.h>

#include "correlator/snmp_poll.h"
#include "tests/unit/unit.h"

#include "tests/unit/made_agent.h"

#define ENTRY PROCESS_DNA_MIB_OID, 1, 3, 1
#define AGENT PROCESS_DNA_MIB_OID, 1, 1
#define NAME(...)                                                              \
  ((const oid[]){__VA_ARGS__}), OID_LENGTH(((oid[]){__VA_ARGS__}))
#define CELL(column, index) NAME(ENTRY, column, index)

enum { ROWS = 20, STEPS_MAX = 10000 };

static const int64_t now_us = INT64_C(1800000000) * 1000000;
static struct made_agent agent;
static struct snmp_poll_setup setup;
static struct snmp_message message;

static void set_time(const oid *name, size_t len, int64_t time_s) {
  time_t t = (time_t)time_s;
  struct tm tm;
  assert_non_null(gmtime_r(&t, &tm));
  int year = tm.tm_year + 1900;
  /* Two hours east of Greenwich. */
  tm.tm_hour += 2;
  (void)timegm(&tm);
  const u_char value[11] = {(u_char)(year >> 8),
                            (u_char)year,
                            (u_char)(tm.tm_mon + 1),
                            (u_char)tm.tm_mday,
                            (u_char)tm.tm_hour,
                            (u_char)tm.tm_min,
                            (u_char)tm.tm_sec,
                            5,
                            '+',
                            2,
                            0};
  made_set(&agent, name, len, ASN_OCTET_STR, value, sizeof(value));
}

static void set_row(uint32_t index, const char *path) {
  char digest[65];
  (void)snprintf(digest, sizeof(digest), "%064x", index);
  made_text(&agent, CELL(2, index), "");
  made_text(&agent, CELL(3, index), path);
  made_text(&agent, CELL(4, index), digest);
  made_number(&agent, CELL(5, index), ASN_INTEGER, 1);
  made_number(&agent, CELL(6, index), ASN_INTEGER, 0);
  made_number(&agent, CELL(7, index), ASN_GAUGE, 3);
  made_number(&agent, CELL(8, index), ASN_INTEGER, 100);
  made_number(&agent, CELL(9, index), ASN_INTEGER, 4242);
  made_number(&agent, CELL(10, index), ASN_UNSIGNED, 33);
  made_text(&agent, CELL(11, index), "service");
  set_time(CELL(12, index), 1700000000);
  made_text(&agent, CELL(13, index), "dpkg");
  made_text(&agent, CELL(14, index), "made");
  made_text(&agent, CELL(15, index), "1:2-3");
  made_text(&agent, CELL(16, index), "amd64");
  made_number(&agent, CELL(17, index), ASN_INTEGER, 1);
  set_time(CELL(18, index), 1799999990);
}

static void set_count(long count) {
  made_number(&agent, NAME(AGENT, 9, 0), ASN_GAUGE, count);
}

/* A host with ROWS executables. */
static int make_agent(void **state) {
  (void)state;
  memset(&agent, 0, sizeof(agent));
  setup = (struct snmp_poll_setup){
      .name = "poll", .interval_s = 60, .rows = SNMP_POLL_ROWS};
  (void)set_text(message.text, "");
  made_text(&agent, NAME(AGENT, 2, 0), "0123456789ab");
  made_number(&agent, NAME(AGENT, 3, 0), ASN_UNSIGNED, 60);
  made_number(&agent, NAME(AGENT, 5, 0), ASN_UNSIGNED, 7);
  set_time(NAME(AGENT, 6, 0), 1799999990);
  set_count(ROWS);
  made_text(&agent, NAME(1, 3, 6, 1, 2, 1, 1, 5, 0), "web1");
  made_number(&agent, NAME(1, 3, 6, 1, 2, 1, 25, 1, 1, 0), ASN_TIMETICKS,
              360000);
  for (uint32_t i = 1; i <= ROWS; i++) {
    char path[64];
    (void)snprintf(path, sizeof(path), "/usr/sbin/%u", i);
    set_row(10 * i, path);
  }
  return 0;
}

/* How many requests a poll took. */
static unsigned steps;

/* Called before each answer. */
typedef void between_fn(unsigned step);

static enum snmp_poll_outcome run(struct snmp_poll *poll, between_fn *between) {
  enum snmp_poll_outcome outcome = SNMP_POLL_GOES_ON;

  for (steps = 0; outcome == SNMP_POLL_GOES_ON; steps++) {
    assert_true(steps < STEPS_MAX);
    netsnmp_pdu *request = snmp_poll_request(poll);
    assert_non_null(request);
    if (between != NULL)
      between(steps);
    netsnmp_pdu *answer = made_answer(&agent, request);
    outcome = snmp_poll_answer(poll, answer, now_us, &message);
    snmp_free_pdu(answer);
  }
  return outcome;
}

/* A whole poll; the report if there is one. */
static enum snmp_poll_outcome poll_once(struct report **ret_report) {
  struct snmp_poll *poll = snmp_poll_new(&setup);
  assert_non_null(poll);
  enum snmp_poll_outcome outcome = run(poll, NULL);
  if (outcome == SNMP_POLL_NEW) {
    snmp_poll_scan(poll, &setup.last);
    *ret_report = snmp_poll_take_report(poll);
  }
  snmp_poll_free(poll);
  return outcome;
}

static struct report *polled(void) {
  struct report *report = NULL;
  enum snmp_poll_outcome outcome = poll_once(&report);
  if (outcome != SNMP_POLL_NEW)
    fail_msg("outcome %d: %s", (int)outcome, message.text);
  return report;
}

static void expect_outcome(enum snmp_poll_outcome outcome, const char *said) {
  struct report *report = NULL;
  assert_int_equal(poll_once(&report), outcome);
  report_free(report);
  if (strstr(message.text, said) == NULL)
    fail_msg("expected \"%s\", found \"%s\"", said, message.text);
}

static void expect_malformed(const char *said) {
  expect_outcome(SNMP_POLL_MALFORMED, said);
}

/* --- What is right ---------------------------------------------------------
 */

static void a_scan_becomes_a_report(void **state) {
  (void)state;
  struct report *r = polled();
  assert_string_equal(r->host, "web1");
  assert_string_equal(r->signer, "poll");
  assert_string_equal(r->source, "snmp");
  assert_string_equal(r->identity.id, "0123456789ab");
  assert_int_equal(r->identity.boot_s, 1800000000 - 3600);
  assert_int_equal(r->observed_us, INT64_C(1799999990500000));
  assert_int_equal(r->arrived_us, now_us);
  assert_int_equal(r->figures.sequence, 7);
  assert_int_equal(r->interval_s, 60);
  assert_true(r->complete);
  assert_false(r->relayed);
  assert_int_equal(r->executables_len, ROWS);
  const struct executable *e = &r->executables[1];
  assert_string_equal(e->path, "/usr/sbin/2");
  assert_string_equal(e->container, "");
  assert_int_equal(e->state, EXE_CURRENT);
  assert_int_equal(e->sha256.bytes[31], 20);
  assert_int_equal(e->processes, 3);
  assert_int_equal(e->rss_bytes, 102400);
  assert_int_equal(e->pid, 4242);
  assert_int_equal(e->uid, 33);
  assert_string_equal(e->name, "service");
  assert_int_equal(e->started_s, 1700000000);
  assert_false(e->has_file);
  assert_string_equal(e->package.version, "1:2-3");
  assert_true(e->package.in_transaction);
  report_free(r);
}

static void an_answer_that_is_cut_is_asked_on_from_there(void **state) {
  (void)state;
  agent.cut = 40; /* two rows and a half */
  struct report *r = polled();
  assert_int_equal(r->executables_len, ROWS);
  report_free(r);
}

static void a_table_of_no_rows_is_a_scan(void **state) {
  (void)state;
  for (uint32_t i = 1; i <= ROWS; i++)
    for (oid c = 2; c <= 18; c++)
      made_set(&agent, CELL(c, (oid)10 * i), 0, "", 0);
  set_count(0);
  struct report *r = polled();
  assert_int_equal(r->executables_len, 0);
  assert_true(r->complete);
  report_free(r);
}

static void expect_identity_of_path(size_t len) {
  char path[3002] = "/";
  char snmp[PATHNAME_SNMP_MAX + 1];
  char identity[PATHNAME_MAX + 1];

  memset(path + 1, 'x', len);
  assert_int_equal(pathname_to_snmp("", path, snmp), 0);
  made_text(&agent, CELL(3, 20), snmp);
  struct report *r = polled();
  assert_int_equal(pathname_to_identity("", path, identity), 0);
  assert_string_equal(r->executables[1].path, identity);
  report_free(r);
}

static void a_long_path_has_the_identity_that_collectd_gives_it(void **state) {
  (void)state;
  expect_identity_of_path(300);
}

static void a_shortened_path_has_it_too(void **state) {
  (void)state;
  expect_identity_of_path(3000);
}

static void an_unreadable_one_has_a_reason_and_no_digest(void **state) {
  (void)state;
  made_number(&agent, CELL(5, 20), ASN_INTEGER, EXE_UNREADABLE);
  made_number(&agent, CELL(6, 20), ASN_INTEGER, EXE_REASON_DENIED);
  made_text(&agent, CELL(4, 20), "");
  struct report *r = polled();
  assert_int_equal(r->executables[1].state, EXE_UNREADABLE);
  assert_int_equal(r->executables[1].reason, EXE_REASON_DENIED);
  report_free(r);
}

static void a_name_is_made_printable(void **state) {
  (void)state;
  made_text(&agent, CELL(11, 20), "a\x1b[2J\xff z");
  struct report *r = polled();
  assert_string_equal(r->executables[1].name, "a?[2J? z");
  report_free(r);
}

static void a_configured_name_goes_before_sysname(void **state) {
  (void)state;
  setup.host = "db1";
  struct report *r = polled();
  assert_string_equal(r->host, "db1");
  report_free(r);
  made_text(&agent, NAME(1, 3, 6, 1, 2, 1, 1, 5, 0), "");
  setup.last = (struct snmp_poll_scan){0};
  report_free(polled());
  setup.host = NULL;
  setup.last = (struct snmp_poll_scan){0};
  expect_malformed("sysName: expected a name");
}

static void a_scan_that_was_read_is_not_read_again(void **state) {
  (void)state;
  report_free(polled());
  struct report *report = NULL;
  assert_int_equal(poll_once(&report), SNMP_POLL_UNCHANGED);
  assert_int_equal(steps, 1);
  made_number(&agent, NAME(AGENT, 5, 0), ASN_UNSIGNED, 8);
  report_free(polled());
  /* An agent that began anew counts from 1, with a scan of another time. */
  made_number(&agent, NAME(AGENT, 5, 0), ASN_UNSIGNED, 8);
  set_time(NAME(AGENT, 6, 0), 1799999995);
  report_free(polled());
}

static void an_agent_that_has_not_scanned_yet_says_nothing(void **state) {
  (void)state;
  struct report *report = NULL;
  made_number(&agent, NAME(AGENT, 5, 0), ASN_UNSIGNED, 0);
  made_set(&agent, NAME(AGENT, 6, 0), ASN_OCTET_STR, "\0\0\0\0\0\0\0\0", 8);
  assert_int_equal(poll_once(&report), SNMP_POLL_UNCHANGED);
}

static void a_hanging_scanner_is_no_sign_of_life(void **state) {
  (void)state;
  report_free(polled());
  set_time(NAME(AGENT, 6, 0), 1800000000 - 602);
  expect_outcome(SNMP_POLL_STALE, "found 601 s old");
  set_time(NAME(AGENT, 6, 0), 1800000000 + 602);
  expect_outcome(SNMP_POLL_STALE, "found -60");
  /* A slow cycle may be older. */
  made_number(&agent, NAME(AGENT, 3, 0), ASN_UNSIGNED, 3600);
  set_time(NAME(AGENT, 6, 0), 1800000000 - 3 * 3600);
  struct report *r = polled();
  assert_int_equal(r->interval_s, 3600);
  report_free(r);
}

static void boot(uint32_t uptime_cs, int64_t expected_s) {
  made_number(&agent, NAME(1, 3, 6, 1, 2, 1, 25, 1, 1, 0), ASN_TIMETICKS,
              uptime_cs);
  made_number(&agent, NAME(AGENT, 5, 0), ASN_UNSIGNED,
              (long)setup.last.sequence + 1);
  struct report *r = polled();
  assert_int_equal(r->identity.boot_s, expected_s);
  report_free(r);
}

static void the_time_of_boot_does_not_tremble(void **state) {
  (void)state;
  boot(100000, 1800000000 - 1000);
  boot(100300, 1800000000 - 1000);
  boot(99700, 1800000000 - 1000);
  boot(50000, 1800000000 - 500); /* booted */
  /* The counter of 32 bits has begun again: not booted. */
  setup.last.boot_s = 1800000000 - 42949673 - 100;
  boot(10000, 1800000000 - 42949673 - 100);
  made_set(&agent, NAME(1, 3, 6, 1, 2, 1, 25, 1, 1, 0), 0, "", 0);
  made_number(&agent, NAME(AGENT, 5, 0), ASN_UNSIGNED, 99);
  struct report *r = polled();
  assert_int_equal(r->identity.boot_s, 0);
  report_free(r);
}

/* --- A scan in between -----------------------------------------------------
 */

static unsigned swaps;

static void swap_at_step_3(unsigned step) {
  if (step != 3)
    return;
  made_number(&agent, NAME(AGENT, 5, 0), ASN_UNSIGNED, 8);
  set_time(NAME(AGENT, 6, 0), 1799999999);
  set_row(9999, "/new");
  set_count(ROWS + 1);
}

static void swap_always(unsigned step) {
  (void)step;
  made_number(&agent, NAME(AGENT, 5, 0), ASN_UNSIGNED, 100 + (long)swaps++);
}

static struct report *polled_between(between_fn *between) {
  struct snmp_poll *poll = snmp_poll_new(&setup);
  assert_non_null(poll);
  assert_int_equal(run(poll, between), SNMP_POLL_NEW);
  struct report *r = snmp_poll_take_report(poll);
  snmp_poll_free(poll);
  return r;
}

static void a_scan_in_between_has_the_table_read_again(void **state) {
  (void)state;
  struct report *r = polled_between(swap_at_step_3);
  assert_true(r->complete);
  assert_int_equal(r->executables_len, ROWS + 1);
  assert_int_equal(r->figures.sequence, 8);
  assert_int_equal(r->observed_us, INT64_C(1799999999500000));
  report_free(r);
}

static void an_agent_that_always_scans_is_incomplete(void **state) {
  (void)state;
  struct report *r = polled_between(swap_always);
  assert_false(r->complete);
  assert_int_equal(r->executables_len, ROWS);
  report_free(r);
}

/* --- What is wrong ---------------------------------------------------------
 */

static void an_agent_without_the_mib_is_said_so(void **state) {
  (void)state;
  agent.len = 0;
  expect_outcome(SNMP_POLL_REFUSED, "does process-dna-agentx run there");
}

static void an_error_is_said(void **state) {
  (void)state;
  agent.errstat = SNMP_ERR_AUTHORIZATIONERROR;
  expect_outcome(SNMP_POLL_REFUSED, "authorizationError");
}

static void too_big_before(unsigned step) {
  agent.errstat = step == 3 || step == 4 ? SNMP_ERR_TOOBIG : 0;
}

static void too_big_is_asked_in_smaller_pieces(void **state) {
  (void)state;
  struct report *r = polled_between(too_big_before);
  assert_int_equal(r->executables_len, ROWS);
  report_free(r);
}

static void always_too_big(unsigned step) {
  agent.errstat = step < 3 ? 0 : SNMP_ERR_TOOBIG;
}

static void too_big_for_one_row_fails(void **state) {
  (void)state;
  struct snmp_poll *poll = snmp_poll_new(&setup);
  assert_int_equal(run(poll, always_too_big), SNMP_POLL_REFUSED);
  assert_non_null(strstr(message.text, "tooBig"));
  snmp_poll_free(poll);
}

static void a_lost_answer_is_asked_for_row_by_row(void **state) {
  (void)state;
  struct snmp_poll *poll = snmp_poll_new(&setup);
  assert_false(snmp_poll_shrink(poll)); /* the head is small */
  for (int i = 0; i < 2; i++) {
    netsnmp_pdu *answer = made_answer(&agent, snmp_poll_request(poll));
    assert_int_equal(snmp_poll_answer(poll, answer, now_us, &message),
                     SNMP_POLL_GOES_ON);
    snmp_free_pdu(answer);
    if (i == 0) { /* the old table of addresses comes next */
      answer = made_answer(&agent, snmp_poll_request(poll));
      (void)snmp_poll_answer(poll, answer, now_us, &message);
      snmp_free_pdu(answer);
    }
  }
  assert_true(snmp_poll_shrink(poll));
  assert_false(snmp_poll_shrink(poll));
  assert_int_equal(run(poll, NULL), SNMP_POLL_NEW);
  assert_int_equal(snmp_poll_rows(poll), 1);
  snmp_poll_free(poll);
}

static void what_is_no_response_is_refused(void **state) {
  (void)state;
  struct snmp_poll *poll = snmp_poll_new(&setup);
  netsnmp_pdu *answer = made_answer(&agent, snmp_poll_request(poll));
  answer->command = SNMP_MSG_TRAP2;
  assert_int_equal(snmp_poll_answer(poll, answer, now_us, &message),
                   SNMP_POLL_MALFORMED);
  snmp_free_pdu(answer);
  snmp_poll_free(poll);
}

static void values_of_other_types_are_said(void **state) {
  static const struct {
    oid column;
    u_char type;
    const char *value;
    size_t len;
    const char *said;
  } cases[] = {
      {2, ASN_OCTET_STR, "a/b", 3, "pdnaExeContainer: expected letters"},
      {2, ASN_INTEGER, "\1\0\0\0\0\0\0\0", 8,
       "pdnaExeContainer: expected OCTET STRING, found INTEGER"},
      {3, ASN_OCTET_STR, "relative", 8, "pdnaExePath: expected a path"},
      {3, ASN_OCTET_STR, "/a b", 4, "pdnaExePath: expected a path"},
      {3, ASN_OCTET_STR, "/a\0b", 4, "pdnaExePath: found a zero octet"},
      {3, ASN_OCTET_STR, "", 0, "pdnaExePath: expected a path"},
      {4, ASN_OCTET_STR, "", 0, "pdnaExeSha256: expected 64"},
      {4, ASN_OCTET_STR, "0123456789012345678901234567890", 31,
       "pdnaExeSha256: expected 64 lower-case hex digits with state current, "
       "found 31 octets"},
      {4, ASN_OCTET_STR,
       "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", 64,
       "that are no digest"},
      {4, ASN_OCTET_STR,
       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0", 65,
       "pdnaExeSha256: expected at most 64 octets, found 65"},
      {5, ASN_INTEGER, "\0\0\0\0\0\0\0\0", 8, "pdnaExeState: expected 1 to 7"},
      {5, ASN_INTEGER, "\10\0\0\0\0\0\0\0", 8, "pdnaExeState: expected 1 to 7"},
      {5, ASN_INTEGER, "\6\0\0\0\0\0\0\0", 8, "pdnaExeReason: found 0"},
      {5, ASN_GAUGE, "\1\0\0\0\0\0\0\0", 8,
       "pdnaExeState: expected INTEGER, found Unsigned32"},
      {6, ASN_INTEGER, "\1\0\0\0\0\0\0\0", 8, "pdnaExeReason: found 1"},
      {6, ASN_INTEGER, "\7\0\0\0\0\0\0\0", 8, "pdnaExeReason: found 7"},
      {6, ASN_INTEGER, "\377\377\377\377\377\377\377\377", 8,
       "pdnaExeReason: expected 0 to 2147483647, found -1"},
      {7, ASN_GAUGE, "\0\0\0\0\0\0\0\0", 8, "pdnaExeProcesses: expected at"},
      {7, ASN_INTEGER, "\1\0\0\0\0\0\0\0", 8,
       "pdnaExeProcesses: expected Unsigned32, found INTEGER"},
      {8, ASN_OCTET_STR, "x", 1, "pdnaExeRss: expected INTEGER"},
      {9, ASN_INTEGER, "\0\0\0\0\0\0\0\0", 8, "pdnaExePid: expected at least"},
      {10, ASN_COUNTER, "\0\0\0\0\0\0\0\0", 8,
       "pdnaExeUid: expected Unsigned32, found Counter32"},
      {11, ASN_OCTET_STR,
       "0123456789012345678901234567890123456789012345678901234567890123", 64,
       "pdnaExeName: expected at most 63 octets"},
      {11, ASN_OCTET_STR, "a\0b", 3, "pdnaExeName: found a zero octet"},
      {12, ASN_OCTET_STR, "\7\350\1\1\0\0\0\0", 8,
       "pdnaExeStarted: expected a DateAndTime of 11 octets"},
      {12, ASN_OCTET_STR, "\7\350\15\1\0\0\0\0+\0\0", 11,
       "pdnaExeStarted: found no time"},
      {12, ASN_OCTET_STR, "\7\262\1\1\0\0\0\0+\1\0", 11,
       "pdnaExeStarted: found a time before 1970"},
      {13, ASN_OCTET_STR, "", 0, "pdnaExePackageManager: expected one"},
      {13, ASN_OCTET_STR, "toolongname", 11, "pdnaExePackageManager: expected"},
      {14, ASN_OCTET_STR, "a=b", 3, "pdnaExePackage: expected what"},
      {15, ASN_OCTET_STR, "", 0, "pdnaExePackage: expected what"},
      {16, ASN_OCTET_STR, "a b", 3, "pdnaExePackage: expected what"},
      {17, ASN_INTEGER, "\0\0\0\0\0\0\0\0", 8,
       "pdnaExePackageTransaction: expected 1 or 2"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    (void)make_agent(state);
    made_set(&agent, CELL(cases[i].column, 50), cases[i].type, cases[i].value,
             cases[i].len);
    expect_malformed(cases[i].said);
  }
}

static void scalars_of_other_kinds_are_said(void **state) {
  static const struct {
    oid number;
    u_char type;
    const char *value;
    size_t len;
    const char *said;
  } cases[] = {
      {2, ASN_OCTET_STR, "0123456789a", 11, "pdnaHostId: expected 12"},
      {2, ASN_OCTET_STR, "0123456789AB", 12, "pdnaHostId: expected 12"},
      {3, ASN_UNSIGNED, "\0\0\0\0\0\0\0\0", 8, "pdnaScanInterval: expected 1"},
      {3, ASN_INTEGER, "\1\0\0\0\0\0\0\0", 8, "pdnaScanInterval: expected Uns"},
      {5, ASN_COUNTER64, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16,
       "pdnaScanSequence: expected Unsigned32, found Counter64"},
      {6, ASN_OCTET_STR, "2026-05-25", 10, "pdnaLastScan: expected a DateAnd"},
      {9, ASN_GAUGE, "\1\0\1\0\0\0\0\0", 8,
       "pdnaExecutableCount: expected at most 65536, found 65537"},
      {9, ASN_OCTET_STR, "20", 2, "pdnaExecutableCount: expected Unsigned32"},
      {9, ASN_GAUGE, "\25\0\0\0\0\0\0\0", 8, "expected 21 rows, as"},
      {9, ASN_GAUGE, "\23\0\0\0\0\0\0\0", 8,
       "expected 19 rows, as pdnaExecutableCount says, found 19 and"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    (void)make_agent(state);
    made_set(&agent, NAME(AGENT, cases[i].number, 0), cases[i].type,
             cases[i].value, cases[i].len);
    expect_malformed(cases[i].said);
  }
  (void)make_agent(state);
  made_text(&agent, NAME(1, 3, 6, 1, 2, 1, 1, 5, 0), "my host");
  expect_malformed("sysName: expected printable ASCII without spaces");
}

static void a_missing_column_is_said(void **state) {
  for (oid c = 2; c <= 17; c++) {
    (void)make_agent(state);
    made_set(&agent, CELL(c, 50), 0, "", 0);
    struct report *report = NULL;
    assert_int_equal(poll_once(&report), SNMP_POLL_MALFORMED);
    assert_non_null(strstr(message.text, "expected row 50, found row 60") !=
                            NULL
                        ? message.text
                        : strstr(message.text, "expected row 60, found row 5"));
    (void)make_agent(state);
    for (uint32_t i = 1; i <= ROWS; i++)
      made_set(&agent, CELL(c, (oid)10 * i), 0, "", 0);
    expect_malformed("expected a value in each row, found none behind row 0");
  }
}

static void indexes_of_another_shape_are_said(void **state) {
  (void)state;
  for (oid c = 2; c <= 18; c++) {
    struct made_object *o = made_find(&agent, CELL(c, 50));
    assert_non_null(o);
    o->name[o->name_len++] = 1;
  }
  expect_malformed("index: expected one number");
}

/* Hand in one answer that no table gives. */
static void answer_rows(const uint32_t *indexes, size_t len, const char *said) {
  struct snmp_poll *poll = snmp_poll_new(&setup);
  netsnmp_pdu *answer = NULL;

  for (int i = 0; i < 3; i++) {
    answer = made_answer(&agent, snmp_poll_request(poll));
    (void)snmp_poll_answer(poll, answer, now_us, &message);
    snmp_free_pdu(answer);
  }
  answer = snmp_pdu_create(SNMP_MSG_RESPONSE);
  assert_non_null(answer);
  answer->errstat = SNMP_ERR_NOERROR;
  for (size_t i = 0; i < len; i++)
    for (oid c = 2; c <= 17; c++)
      made_add(answer, made_find(&agent, CELL(c, indexes[i])));
  assert_int_equal(snmp_poll_answer(poll, answer, now_us, &message),
                   SNMP_POLL_MALFORMED);
  if (strstr(message.text, said) == NULL)
    fail_msg("expected \"%s\", found \"%s\"", said, message.text);
  snmp_free_pdu(answer);
  snmp_poll_free(poll);
}

static void rows_that_do_not_increase_are_said(void **state) {
  (void)state;
  answer_rows((const uint32_t[]){10, 20, 20}, 3,
              "expected one beyond 20, found 20: the table does not increase");
  answer_rows((const uint32_t[]){50, 40}, 2, "expected one beyond 50");
  answer_rows(NULL, 0, "expected 16 values a row");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(a_scan_becomes_a_report, make_agent),
      cmocka_unit_test_setup(an_answer_that_is_cut_is_asked_on_from_there,
                             make_agent),
      cmocka_unit_test_setup(a_table_of_no_rows_is_a_scan, make_agent),
      cmocka_unit_test_setup(
          a_long_path_has_the_identity_that_collectd_gives_it, make_agent),
      cmocka_unit_test_setup(a_shortened_path_has_it_too, make_agent),
      cmocka_unit_test_setup(an_unreadable_one_has_a_reason_and_no_digest,
                             make_agent),
      cmocka_unit_test_setup(a_name_is_made_printable, make_agent),
      cmocka_unit_test_setup(a_configured_name_goes_before_sysname, make_agent),
      cmocka_unit_test_setup(a_scan_that_was_read_is_not_read_again,
                             make_agent),
      cmocka_unit_test_setup(an_agent_that_has_not_scanned_yet_says_nothing,
                             make_agent),
      cmocka_unit_test_setup(a_hanging_scanner_is_no_sign_of_life, make_agent),
      cmocka_unit_test_setup(the_time_of_boot_does_not_tremble, make_agent),
      cmocka_unit_test_setup(a_scan_in_between_has_the_table_read_again,
                             make_agent),
      cmocka_unit_test_setup(an_agent_that_always_scans_is_incomplete,
                             make_agent),
      cmocka_unit_test_setup(an_agent_without_the_mib_is_said_so, make_agent),
      cmocka_unit_test_setup(an_error_is_said, make_agent),
      cmocka_unit_test_setup(too_big_is_asked_in_smaller_pieces, make_agent),
      cmocka_unit_test_setup(too_big_for_one_row_fails, make_agent),
      cmocka_unit_test_setup(a_lost_answer_is_asked_for_row_by_row, make_agent),
      cmocka_unit_test_setup(what_is_no_response_is_refused, make_agent),
      cmocka_unit_test_setup(values_of_other_types_are_said, make_agent),
      cmocka_unit_test_setup(scalars_of_other_kinds_are_said, make_agent),
      cmocka_unit_test_setup(a_missing_column_is_said, make_agent),
      cmocka_unit_test_setup(indexes_of_another_shape_are_said, make_agent),
      cmocka_unit_test_setup(rows_that_do_not_increase_are_said, make_agent),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
