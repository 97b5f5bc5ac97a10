/* Goal: an equal scan of a host is dropped once the database has settled it,
 * and only then; whatever could change a verdict is judged. Auth events have
 * each a time of their own. */
#include <string.h>

#include "correlator/ingest_identity.h"
#include "correlator/ingest_memory.h"
#include "tests/unit/unit.h"

#include "tests/unit/made_report.h"

static const struct ingest_key key_of_host = {"host", REPORT_SOURCE_COLLECTD};

enum { AGENTS_MAX = 100, AGENT_ID = 42 };

static int64_t now_us = INT64_C(1700000000000000);

/* Hand in a report, perhaps changed by `change`. */
static bool take(struct ingest_memory *m, void (*change)(struct report *),
                 struct ingest_ticket *ret_ticket) {
  struct report *r = made_report("host", now_us += 60000000);
  struct digest identity;

  if (change != NULL)
    change(r);
  assert_int_equal(ingest_identity(r, &identity), 0);
  bool equal = ingest_memory_take(m, r, &identity, ret_ticket);
  report_free(r);
  return equal;
}

static struct ingest_memory *settled_memory(void) {
  struct ingest_memory *m = ingest_memory_new(AGENTS_MAX);
  struct ingest_ticket ticket;

  assert_non_null(m);
  assert_false(take(m, NULL, &ticket));
  ingest_memory_judged(m, &key_of_host, &ticket, AGENT_ID, true);
  return m;
}

static void nothing(struct report *r) { (void)r; }

static void other_order(struct report *r) {
  struct executable e = r->executables[0];
  r->executables[0] = r->executables[2];
  r->executables[2] = e;
}

static void other_process(struct report *r) {
  r->executables[0].pid = 999;
  r->executables[0].rss_bytes = 1;
  r->executables[0].processes = 1;
  r->executables[0].started_s = 1700009999; /* current: restarted */
}

static void file_facts(struct report *r) {
  r->executables[0].has_file = true;
  r->executables[0].file.size = 123;
  r->executables[1].has_file = false;
}

static void other_digest(struct report *r) {
  r->executables[0].sha256.bytes[31] ^= 1;
}
static void other_state(struct report *r) {
  r->executables[0].state = EXE_REPLACED;
}
static void other_path(struct report *r) { r->executables[0].path[9] = 'x'; }
static void other_container(struct report *r) {
  (void)set_text(r->executables[0].container, "x");
}
static void other_version(struct report *r) {
  (void)set_text(r->executables[2].package.version, "1:2-4");
}
static void transaction_over(struct report *r) {
  r->executables[2].package.in_transaction = false;
}
static void one_less(struct report *r) {
  executable_clear(&r->executables[--r->executables_len]);
}
static void other_address(struct report *r) {
  (void)set_text(r->addresses[0], "192.0.2.2");
}
static void other_host_id(struct report *r) {
  (void)set_text(r->identity.id, "ba9876543210");
}
static void trembled(struct report *r) { r->identity.boot_s++; }
static void rebooted(struct report *r) { r->identity.boot_s += 10; }
static void incomplete(struct report *r) { r->complete = false; }
static void pending(struct report *r) {
  r->executables[0].state = EXE_UNREADABLE;
  r->executables[0].reason = EXE_REASON_PENDING;
}

static const struct {
  const char *name;
  void (*change)(struct report *r);
  bool equal;
} changes[] = {
    {"nothing", nothing, true},
    {"order of executables", other_order, true},
    {"pid, RSS, number and start of processes", other_process, true},
    {"file facts", file_facts, true},
    {"digest", other_digest, false},
    {"state", other_state, false},
    {"path", other_path, false},
    {"container", other_container, false},
    {"package version", other_version, false},
    {"transaction", transaction_over, false},
    {"one executable less", one_less, false},
    {"address", other_address, false},
    {"host id", other_host_id, false},
    {"boot time", rebooted, false},
    {"incomplete", incomplete, false},
    {"unreadable", pending, false},
};

static void what_decides_a_verdict_is_judged(void **state) {
  struct ingest_ticket ticket;

  (void)state;
  for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
    struct ingest_memory *m = settled_memory();
    if (take(m, changes[i].change, &ticket) != changes[i].equal)
      fail_msg("%s: %s", changes[i].name,
               changes[i].equal ? "judged" : "dropped");
    ingest_memory_free(m);
  }
}

static void old_image(struct report *r) {
  r->executables[0].state = EXE_SUPERSEDED;
}
static void old_image_started_anew(struct report *r) {
  old_image(r);
  r->executables[0].started_s++;
}

static void an_old_binary_started_anew_is_judged(void **state) {
  struct ingest_memory *m = settled_memory();
  struct ingest_ticket ticket;

  (void)state;
  assert_false(take(m, old_image, &ticket));
  ingest_memory_judged(m, &key_of_host, &ticket, AGENT_ID, true);
  assert_true(take(m, old_image, &ticket));
  assert_false(take(m, old_image_started_anew, &ticket));
  ingest_memory_free(m);
}

static void an_unsettled_outcome_is_judged_again(void **state) {
  struct ingest_memory *m = ingest_memory_new(AGENTS_MAX);
  struct ingest_ticket ticket;

  (void)state;
  assert_false(take(m, NULL, &ticket));
  assert_false(take(m, NULL, &ticket)); /* not judged yet */
  ingest_memory_judged(m, &key_of_host, &ticket, AGENT_ID, false);
  assert_false(take(m, NULL, &ticket));
  ingest_memory_judged(m, &key_of_host, &ticket, AGENT_ID, true);
  assert_true(take(m, NULL, &ticket));
  ingest_memory_free(m);
}

static void
a_verdict_that_comes_after_a_newer_scan_settles_nothing(void **state) {
  struct ingest_memory *m = settled_memory();
  struct ingest_ticket changed;
  struct ingest_ticket back;

  (void)state;
  assert_false(take(m, other_digest, &changed));
  assert_false(take(m, NULL, &back)); /* equals the one before: judged too */
  ingest_memory_judged(m, &key_of_host, &changed, AGENT_ID, true);
  assert_false(take(m, other_digest, &changed));
  ingest_memory_free(m);
}

static void a_new_baseline_has_equal_scans_judged_again(void **state) {
  struct ingest_memory *m = settled_memory();
  struct ingest_ticket ticket;

  (void)state;
  ingest_memory_invalidate(m, AGENT_ID + 1);
  assert_true(take(m, NULL, &ticket));
  ingest_memory_invalidate(m, AGENT_ID);
  assert_false(take(m, NULL, &ticket));
  ingest_memory_judged(m, &key_of_host, &ticket, AGENT_ID, true);
  assert_true(take(m, NULL, &ticket));
  ingest_memory_invalidate(m, 0);
  assert_false(take(m, NULL, &ticket));
  ingest_memory_free(m);
}

static void equal_scans_become_one_touch_of_the_last(void **state) {
  struct ingest_memory *m = settled_memory();
  struct ingest_ticket ticket;
  struct ingest_touch *touches = NULL;
  size_t len = 0;

  (void)state;
  assert_true(take(m, NULL, &ticket));
  assert_true(take(m, NULL, &ticket));
  assert_int_equal(ingest_memory_touches(m, &touches, &len), 0);
  assert_int_equal(len, 1);
  assert_int_equal(touches[0].agent_id, AGENT_ID);
  assert_int_equal(touches[0].observed_us, now_us);
  /* One that comes meanwhile is not taken for done. */
  assert_true(take(m, NULL, &ticket));
  ingest_memory_touched(m, touches, len);
  free(touches);
  assert_int_equal(ingest_memory_touches(m, &touches, &len), 0);
  assert_int_equal(len, 1);
  ingest_memory_touched(m, touches, len);
  free(touches);
  assert_int_equal(ingest_memory_touches(m, &touches, &len), 0);
  assert_int_equal(len, 0);
  free(touches);
  ingest_memory_free(m);
}

static void replays_are_told_by_what_was_taken(void **state) {
  struct ingest_memory *m = ingest_memory_new(AGENTS_MAX);
  struct ingest_ticket ticket;
  struct ingest_agent agent;

  (void)state;
  assert_false(ingest_memory_agent(m, &key_of_host, &agent));
  take(m, NULL, &ticket);
  assert_true(ingest_memory_agent(m, &key_of_host, &agent));
  assert_int_equal(agent.last_observed_us, now_us);
  assert_int_equal(agent.boot_s, 1700000000);
  assert_string_equal(agent.signer, "user");

  int64_t last_us = now_us;
  now_us -= 3600 * INT64_C(1000000); /* the clock was set back */
  take(m, NULL, &ticket);
  assert_true(ingest_memory_agent(m, &key_of_host, &agent));
  assert_int_equal(agent.last_observed_us, last_us);
  take(m, trembled, &ticket); /* no newer boot */
  assert_true(ingest_memory_agent(m, &key_of_host, &agent));
  assert_int_equal(agent.last_observed_us, last_us);
  take(m, rebooted, &ticket); /* a newer boot starts afresh */
  assert_true(ingest_memory_agent(m, &key_of_host, &agent));
  assert_int_equal(agent.last_observed_us, now_us);
  assert_int_equal(agent.boot_s, 1700000010);
  ingest_memory_free(m);
}

static void by_relay(struct report *r) { r->relayed = true; }

static void a_relay_is_no_hosts_own_user(void **state) {
  struct ingest_memory *m = ingest_memory_new(AGENTS_MAX);
  struct ingest_ticket ticket;
  struct ingest_agent agent;

  (void)state;
  take(m, by_relay, &ticket);
  assert_true(ingest_memory_agent(m, &key_of_host, &agent));
  assert_string_equal(agent.signer, "");
  ingest_memory_free(m);
}

static void by_stranger(struct report *r) {
  (void)set_text(r->signer, "stranger");
  r->identity.boot_s = INT64_C(253402300799);
  r->observed_us += 600000000;
}

/* With the database away nobody knows yet whose host it is. */
static void a_stranger_does_not_make_the_hosts_scans_replays(void **state) {
  struct ingest_memory *m = ingest_memory_new(AGENTS_MAX);
  const struct ingest_agent in_database = {
      .last_observed_us = now_us, .boot_s = 1700000000, .signer = "user"};
  struct ingest_ticket ticket;
  struct ingest_agent agent;

  (void)state;
  take(m, by_stranger, &ticket);
  ingest_memory_load(m, &key_of_host, AGENT_ID, &in_database);
  assert_true(ingest_memory_agent(m, &key_of_host, &agent));
  assert_int_equal(agent.last_observed_us, in_database.last_observed_us);
  assert_int_equal(agent.boot_s, in_database.boot_s);
  assert_string_equal(agent.signer, "user");
  ingest_memory_free(m);
}

static void after_a_reset_a_scan_of_any_time_is_newer(void **state) {
  struct ingest_memory *m = settled_memory();
  const struct ingest_agent was_reset = {.signer = "user"};
  struct ingest_agent agent;

  (void)state;
  ingest_memory_load(m, &key_of_host, AGENT_ID, &was_reset);
  assert_true(ingest_memory_agent(m, &key_of_host, &agent));
  assert_int_equal(agent.last_observed_us, 0);
  assert_int_equal(agent.boot_s, 0);
  ingest_memory_free(m);
}

static void the_database_knows_whom_a_host_is_bound_to(void **state) {
  struct ingest_memory *m = settled_memory();
  struct ingest_agent older = {
      .last_observed_us = 1, .boot_s = 1700000000, .signer = "user"};
  struct ingest_agent agent;

  (void)state;
  ingest_memory_load(m, &key_of_host, AGENT_ID, &older);
  assert_true(ingest_memory_agent(m, &key_of_host, &agent));
  assert_int_equal(agent.last_observed_us, now_us);
  (void)set_text(older.signer, "other");
  ingest_memory_load(m, &key_of_host, AGENT_ID, &older);
  assert_true(ingest_memory_agent(m, &key_of_host, &agent));
  assert_string_equal(agent.signer, "other");
  ingest_memory_free(m);
}

static void hosts_over_the_bound_are_judged_each_time(void **state) {
  struct ingest_memory *m = ingest_memory_new(0);
  struct ingest_ticket ticket;
  struct ingest_agent agent;

  (void)state;
  assert_false(take(m, NULL, &ticket));
  ingest_memory_judged(m, &key_of_host, &ticket, AGENT_ID, true);
  assert_false(take(m, NULL, &ticket));
  assert_false(ingest_memory_agent(m, &key_of_host, &agent));
  ingest_memory_free(m);
}

static void many_hosts_are_told_apart(void **state) {
  struct ingest_memory *m = ingest_memory_new(AGENTS_MAX);
  struct ingest_agent agent = {.last_observed_us = 1};
  char host[16];

  (void)state;
  for (int i = 0; i < AGENTS_MAX; i++) {
    int number = i * 37 % AGENTS_MAX;
    (void)snprintf(host, sizeof(host), "h%d", number);
    agent.boot_s = number;
    ingest_memory_load(m, &(struct ingest_key){host, REPORT_SOURCE_COLLECTD},
                       number + 1, &agent);
  }
  for (int i = 0; i < AGENTS_MAX; i++) {
    (void)snprintf(host, sizeof(host), "h%d", i);
    assert_true(ingest_memory_agent(
        m, &(struct ingest_key){host, REPORT_SOURCE_COLLECTD}, &agent));
    assert_int_equal(agent.boot_s, i);
  }
  ingest_memory_free(m);
}

static void by_snmp(struct report *r) {
  r->source = REPORT_SOURCE_SNMP;
  (void)set_text(r->signer, "poll");
  r->executables[1].has_file = false;
  r->identity.boot_s++;
}

static void two_ways_of_a_host_are_remembered_apart(void **state) {
  static const struct ingest_key snmp = {"host", REPORT_SOURCE_SNMP};
  struct ingest_memory *m = settled_memory();
  struct ingest_ticket ticket;
  struct ingest_agent agent;
  struct ingest_touch *touches = NULL;
  size_t len = 0;

  (void)state;
  assert_false(ingest_memory_agent(m, &snmp, &agent));
  assert_false(take(m, by_snmp, &ticket));
  ingest_memory_judged(m, &snmp, &ticket, AGENT_ID, true);
  for (int i = 0; i < 3; i++) {
    assert_true(take(m, NULL, &ticket));
    assert_true(take(m, by_snmp, &ticket));
  }
  assert_true(ingest_memory_agent(m, &key_of_host, &agent));
  assert_string_equal(agent.signer, "user");
  assert_int_equal(agent.last_observed_us, now_us - 60000000);
  assert_true(ingest_memory_agent(m, &snmp, &agent));
  assert_string_equal(agent.signer, "poll");
  assert_int_equal(ingest_memory_touches(m, &touches, &len), 0);
  assert_int_equal(len, 2);
  assert_string_equal(touches[1].source, REPORT_SOURCE_SNMP);
  ingest_memory_touched(m, touches + 1, 1);
  free(touches);
  assert_int_equal(ingest_memory_touches(m, &touches, &len), 0);
  assert_int_equal(len, 1);
  assert_string_equal(touches[0].source, REPORT_SOURCE_COLLECTD);
  free(touches);
  /* What is accepted is so for both. */
  ingest_memory_invalidate(m, AGENT_ID);
  assert_false(take(m, NULL, &ticket));
  assert_false(take(m, by_snmp, &ticket));
  ingest_memory_free(m);
}

static void no_two_events_arrive_at_the_same_time(void **state) {
  enum { EVENTS = 100000 };
  struct ingest *ingest = ingest_new(NULL, NULL);
  int64_t last = 0;

  (void)state;
  for (int i = 0; i < EVENTS; i++) {
    int64_t now = ingest_auth_now_us(ingest);
    assert_true(now > last);
    last = now;
  }
  ingest_free(ingest);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_decides_a_verdict_is_judged),
      cmocka_unit_test(an_old_binary_started_anew_is_judged),
      cmocka_unit_test(an_unsettled_outcome_is_judged_again),
      cmocka_unit_test(a_verdict_that_comes_after_a_newer_scan_settles_nothing),
      cmocka_unit_test(a_new_baseline_has_equal_scans_judged_again),
      cmocka_unit_test(equal_scans_become_one_touch_of_the_last),
      cmocka_unit_test(replays_are_told_by_what_was_taken),
      cmocka_unit_test(a_relay_is_no_hosts_own_user),
      cmocka_unit_test(a_stranger_does_not_make_the_hosts_scans_replays),
      cmocka_unit_test(after_a_reset_a_scan_of_any_time_is_newer),
      cmocka_unit_test(the_database_knows_whom_a_host_is_bound_to),
      cmocka_unit_test(hosts_over_the_bound_are_judged_each_time),
      cmocka_unit_test(many_hosts_are_told_apart),
      cmocka_unit_test(two_ways_of_a_host_are_remembered_apart),
      cmocka_unit_test(no_two_events_arrive_at_the_same_time),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
