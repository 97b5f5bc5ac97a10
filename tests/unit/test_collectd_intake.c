/* Goal: a packet in which anything is wrong changes nothing, is counted for
 * what it was, and leaves the packets around it unharmed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "correlator/collectd_intake.h"
#include "correlator/counters.h"
#include "correlator/log.h"
#include "tests/unit/collectd_packets.h"
#include "tests/unit/fake_ingest.h"
#include "tests/unit/unit.h"

#define CAPTURED_US (CAPTURED_S * INT64_C(1000000))

static char auth_file[] = "/tmp/pdna-intake-XXXXXX";
static char relay_user[] = "bob", relay_glob[] = "host-[bc]";
static char *relay_hosts[] = {relay_glob};
static struct relay_config relays[] = {{relay_user, relay_hosts, 1}};

static struct collectd_config config;
static struct ingest ingest;
static struct collectd_intake *intake;
static uint64_t before[COUNTER_MAX];

static int set_up_file(void **state) {
  static const char users[] =
      "alice: wonderland\nbob: builder\nmallory: malice\n";
  const int fd = mkstemp(auth_file);

  (void)state;
  log_setup(false, LOG_LEVEL_ERROR);
  if (fd < 0 || write(fd, users, sizeof(users) - 1) != sizeof(users) - 1)
    return -1;
  return close(fd);
}

static int tear_down_file(void **state) {
  (void)state;
  return unlink(auth_file);
}

static void start_at(enum security_level level) {
  collectd_intake_free(intake);
  intake = NULL;
  config.security_level = level;
  assert_int_equal(collectd_intake_new(&config, &ingest, &intake), 0);
}

static int set_up(void **state) {
  (void)state;
  config = (struct collectd_config){.auth_file = auth_file, .max_skew_s = 600};
  start_at(SECURITY_SIGN);
  for (int i = 0; i < COUNTER_MAX; i++)
    before[i] = counters_get((enum counter)i);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  collectd_intake_free(intake);
  intake = NULL;
  fake_ingest_clear(&ingest);
  return 0;
}

static uint64_t counted(enum counter counter) {
  return counters_get(counter) - before[counter];
}

static void send_at(const struct packet *p, int64_t arrived_us,
                    int64_t now_ms) {
  static struct packet copy;

  copy = *p;
  collectd_intake_packet(intake, copy.data, copy.len,
                         &(struct collectd_arrival){.peer = "192.0.2.1",
                                                    .arrived_us = arrived_us,
                                                    .now_ms = now_ms});
}

static void put_packet(const struct packet *p) { send_at(p, CAPTURED_US, 0); }

static void send_captured(const char *name) {
  static struct packet p;

  for (size_t i = 0; packet_captured(name, i, &p); i++)
    put_packet(&p);
}

/* A scan of one executable in one packet: what an attacker varies. */
struct scan {
  const char *host, *user, *password;
  int64_t time_s;
  int64_t boot_s;
};

static const struct scan scan_a = {"host-a", "alice", "wonderland", CAPTURED_S,
                                   CAPTURED_S - 5000};

static void put_scan(struct packet *p, const struct scan *s) {
  const struct wire_list lists[] = {list_executable(1), list_host(s->boot_s),
                                    list_marker(3)};

  put_head(p, s->host, cdtime(s->time_s));
  for (size_t i = 0; i < 3; i++)
    put_list(p, &lists[i]);
}

static struct packet scan_packet(const struct scan *s) {
  struct packet p = {.len = 0};

  put_scan(&p, s);
  packet_sign(&p, s->user, s->password);
  return p;
}

static void send_scan(const struct scan *s) {
  const struct packet p = scan_packet(s);

  put_packet(&p);
}

/* Send what is wrong with something: it is counted as that and no more, and
 * a good scan goes through before and after it. */
static void assert_dropped_as(const struct packet *p, enum counter reason) {
  struct scan good = scan_a;
  const size_t reports = ingest.reports_len;

  put_packet(p);
  assert_int_equal(ingest.reports_len, reports);
  for (int i = COUNTER_DROP_MALFORMED; i <= COUNTER_DROP_MEMORY; i++)
    assert_int_equal(counted((enum counter)i), i == (int)reason ? 1 : 0);
  good.time_s += 300;
  send_scan(&good);
  assert_int_equal(ingest.reports_len, reports + 1);
}

static void a_real_collectds_scan_is_reported(void **state) {
  static const char *const names[] = {"scan-plain", "scan-sign",
                                      "scan-encrypt"};

  (void)state;
  for (int level = SECURITY_NONE; level <= SECURITY_ENCRYPT; level++) {
    const struct report *r;

    fake_ingest_clear(&ingest);
    start_at((enum security_level)level);
    send_captured(names[level]);
    assert_int_equal(ingest.reports_len, 1);
    r = ingest.reports[0];
    assert_true(r->complete);
    assert_string_equal(r->host, "host-a");
    assert_string_equal(r->signer, level == SECURITY_NONE ? "" : "alice");
    assert_false(r->relayed);
    assert_int_equal(r->executables_len, 20);
    assert_int_equal(r->interval_s, 60);
    assert_int_equal(r->observed_us, CAPTURED_US + 500000);
    assert_int_equal(r->arrived_us, CAPTURED_US);
    assert_int_equal(r->figures.sequence, 7);
    assert_int_equal(r->identity.boot_s, CAPTURED_S - 5000);
    assert_string_equal(r->addresses[0], "192.0.2.7");
    assert_string_equal(r->executables[0].path, "/usr/bin/program00");
    assert_int_equal(r->executables[0].file.size, 1234);
    assert_string_equal(r->executables[1].package.name, "base");
  }
  assert_int_equal(counted(COUNTER_PACKETS), 9);
  assert_int_equal(counted(COUNTER_SCANS), 3);
  assert_int_equal(counted(COUNTER_SCANS_INCOMPLETE), 0);
}

static void a_relays_two_hosts_make_two_reports(void **state) {
  (void)state;
  config.relays = relays;
  config.relays_len = 1;
  send_captured("relayed");
  assert_int_equal(ingest.reports_len, 2);
  for (size_t i = 0; i < 2; i++) {
    assert_true(ingest.reports[i]->complete);
    assert_true(ingest.reports[i]->relayed);
    assert_string_equal(ingest.reports[i]->signer, "bob");
    assert_int_equal(ingest.reports[i]->executables_len, 1);
  }
}

static void packets_in_reverse_order_make_the_same_report(void **state) {
  struct packet p;

  (void)state;
  for (size_t i = 3; i-- > 0;) {
    assert_true(packet_captured("scan-sign", i, &p));
    put_packet(&p);
    put_packet(&p); /* doubled on the way */
  }
  assert_int_equal(ingest.reports_len, 1);
  assert_int_equal(ingest.reports[0]->executables_len, 20);
  assert_true(ingest.reports[0]->complete);
}

static void a_lost_packet_makes_an_incomplete_report_after_10_s(void **state) {
  struct packet p;

  (void)state;
  p = packet_first("scan-sign");
  send_at(&p, CAPTURED_US, 2000);
  collectd_intake_tick(intake, 11999);
  assert_int_equal(ingest.reports_len, 0);
  collectd_intake_tick(intake, 12000);
  assert_int_equal(ingest.reports_len, 1);
  assert_false(ingest.reports[0]->complete);
  assert_int_equal(counted(COUNTER_SCANS_INCOMPLETE), 1);
}

static void values_of_other_plugins_are_ignored(void **state) {
  (void)state;
  send_captured("types-sign");
  assert_int_equal(ingest.reports_len, 0);
  for (int i = COUNTER_DROP_MALFORMED; i <= COUNTER_DROP_MEMORY; i++)
    assert_int_equal(counted((enum counter)i), 0);
}

static void our_notifications_are_counted(void **state) {
  (void)state;
  send_captured("notification-sign");
  assert_int_equal(counted(COUNTER_NOTIFICATIONS), 1);
}

static void a_notification_beyond_the_skew_is_dropped(void **state) {
  struct packet p;

  (void)state;
  p = packet_first("notification-sign");
  send_at(&p, CAPTURED_US + 601000000, 0);
  assert_int_equal(counted(COUNTER_NOTIFICATIONS), 0);
  assert_int_equal(counted(COUNTER_DROP_SKEW), 1);
}

static void a_malformed_packet_is_dropped_whole(void **state) {
  struct packet p = {.len = 0};

  (void)state;
  put_scan(&p, &scan_a);
  put_part(&p, P_TYPE, "no end", 6);
  packet_sign(&p, "alice", "wonderland");
  assert_dropped_as(&p, COUNTER_DROP_MALFORMED);
}

static void an_oversized_packet_is_dropped_whole(void **state) {
  struct packet p = {.len = 0};

  (void)state;
  put_scan(&p, &scan_a);
  while (p.len <= COLLECTD_PACKET_MAX)
    put_text(&p, 0x7777, "filler");
  packet_sign(&p, "alice", "wonderland");
  assert_dropped_as(&p, COUNTER_DROP_OVERSIZED);
}

static void an_unsigned_packet_is_dropped(void **state) {
  struct packet p = {.len = 0};

  (void)state;
  put_scan(&p, &scan_a);
  assert_dropped_as(&p, COUNTER_DROP_SECURITY);
}

static void a_wrong_signature_is_dropped(void **state) {
  struct packet p = scan_packet(&scan_a);

  (void)state;
  p.data[p.len - 1] ^= 1;
  assert_dropped_as(&p, COUNTER_DROP_SIGNATURE);
}

static void an_unknown_user_is_dropped(void **state) {
  struct scan s = scan_a;
  struct packet p;

  (void)state;
  s.user = "eve";
  p = scan_packet(&s);
  assert_dropped_as(&p, COUNTER_DROP_UNKNOWN_USER);
}

static void a_host_is_bound_to_its_first_user(void **state) {
  struct scan s = scan_a;
  struct packet p;

  (void)state;
  send_scan(&s);
  s.time_s += 10;
  s.user = "mallory";
  s.password = "malice";
  p = scan_packet(&s);
  assert_dropped_as(&p, COUNTER_DROP_WRONG_USER);
}

static void without_a_signature_nobody_speaks_for_a_bound_host(void **state) {
  struct packet p = {.len = 0};

  (void)state;
  fake_agent(&ingest, "host-a");
  set_text(ingest.agents[0].agent.signer, "alice");
  start_at(SECURITY_NONE);
  put_scan(&p, &scan_a);
  assert_dropped_as(&p, COUNTER_DROP_WRONG_USER);
}

static void
another_plugins_values_cost_a_stranger_the_packet_too(void **state) {
  const double load[] = {1, 2, 3};
  struct packet p = {.len = 0};

  (void)state;
  set_text(fake_agent(&ingest, "host-z")->signer, "bob");
  put_scan(&p, &scan_a);
  put_text(&p, P_HOST, "host-z");
  put_text(&p, P_PLUGIN, "load");
  put_text(&p, P_TYPE, "load");
  put_gauges(&p, load, 3);
  packet_sign(&p, "alice", "wonderland");
  assert_dropped_as(&p, COUNTER_DROP_WRONG_USER);
}

static void a_relay_speaks_for_the_hosts_of_its_globs(void **state) {
  struct scan s = {"host-b", "bob", "builder", CAPTURED_S, CAPTURED_S - 1};
  struct packet p;

  (void)state;
  config.relays = relays;
  config.relays_len = 1;
  set_text(fake_agent(&ingest, "host-b")->signer, "alice");
  send_scan(&s);
  assert_int_equal(ingest.reports_len, 1);
  assert_true(ingest.reports[0]->relayed);
  s.host = "host-d";
  p = scan_packet(&s);
  assert_dropped_as(&p, COUNTER_DROP_WRONG_USER);
}

static void a_relays_bad_host_costs_only_its_own_lists(void **state) {
  const struct scan b = {"host-b", "", "", CAPTURED_S, CAPTURED_S - 1},
                    c = {"host-c", "", "", CAPTURED_S - 601, CAPTURED_S - 999},
                    d = {"host-d", "", "", CAPTURED_S, CAPTURED_S - 1};
  struct packet p = {.len = 0};

  (void)state;
  config.relays = relays;
  config.relays_len = 1;
  put_scan(&p, &c);
  put_scan(&p, &d);
  put_scan(&p, &b);
  packet_sign(&p, "bob", "builder");
  put_packet(&p);
  assert_int_equal(ingest.reports_len, 1);
  assert_string_equal(ingest.reports[0]->host, "host-b");
  assert_int_equal(counted(COUNTER_DROP_SKEW), 1);
  assert_int_equal(counted(COUNTER_DROP_WRONG_USER), 1);
}

static void the_skew_is_taken_up_to_its_edge(void **state) {
  const int64_t edge_us = 600 * INT64_C(1000000);
  const struct packet p = scan_packet(&scan_a);

  (void)state;
  send_at(&p, CAPTURED_US + edge_us + 1, 0);
  assert_int_equal(counted(COUNTER_DROP_SKEW), 1);
  send_at(&p, CAPTURED_US - edge_us - 1, 0);
  assert_int_equal(counted(COUNTER_DROP_SKEW), 2);
  assert_int_equal(ingest.reports_len, 0);
  send_at(&p, CAPTURED_US + edge_us, 0);
  assert_int_equal(ingest.reports_len, 1);
  fake_ingest_clear(&ingest);
  send_at(&p, CAPTURED_US - edge_us, 0);
  assert_int_equal(ingest.reports_len, 1);
}

static void a_time_beyond_all_clocks_is_dropped(void **state) {
  struct packet p = {.len = 0};
  const struct wire_list list = list_executable(1);

  (void)state;
  put_head(&p, "host-a", UINT64_MAX);
  put_list(&p, &list);
  packet_sign(&p, "alice", "wonderland");
  assert_dropped_as(&p, COUNTER_DROP_SKEW);
}

static void a_scan_sent_again_is_dropped(void **state) {
  const struct packet p = scan_packet(&scan_a);

  (void)state;
  put_packet(&p);
  assert_int_equal(ingest.reports_len, 1);
  assert_dropped_as(&p, COUNTER_DROP_REPLAYED);
}

static void an_older_scan_is_dropped(void **state) {
  struct scan s = scan_a;
  struct packet p;

  (void)state;
  send_scan(&s);
  s.time_s -= 60;
  p = scan_packet(&s);
  assert_dropped_as(&p, COUNTER_DROP_REPLAYED);
}

static void a_late_packet_of_a_scan_given_up_is_dropped(void **state) {
  struct packet p;

  (void)state;
  p = packet_first("scan-sign");
  put_packet(&p);
  collectd_intake_tick(intake, 10000);
  assert_int_equal(ingest.reports_len, 1);
  assert_true(packet_captured("scan-sign", 1, &p));
  send_at(&p, CAPTURED_US, 10001);
  assert_int_equal(counted(COUNTER_DROP_REPLAYED), 1);
}

static void a_newer_boot_starts_afresh(void **state) {
  struct scan s = scan_a;

  (void)state;
  send_scan(&s);
  s.time_s -= 60;
  s.boot_s += 1000;
  send_scan(&s);
  assert_int_equal(ingest.reports_len, 2);
  assert_true(ingest.reports[1]->complete);
  s.time_s -= 60;
  send_scan(&s);
  assert_int_equal(ingest.reports_len, 2);
  assert_int_equal(counted(COUNTER_DROP_REPLAYED), 1);
}

static void a_boot_that_trembles_is_not_newer(void **state) {
  struct scan s = scan_a;

  (void)state;
  send_scan(&s);
  s.time_s -= 60;
  s.boot_s += 5;
  send_scan(&s);
  assert_int_equal(ingest.reports_len, 1);
  assert_int_equal(counted(COUNTER_DROP_REPLAYED), 1);
}

static void the_rest_of_a_newer_boots_scan_is_taken(void **state) {
  const struct wire_list lists[] = {list_host(CAPTURED_S - 10),
                                    list_executable(1), list_marker(3)};

  (void)state;
  send_scan(&scan_a);
  for (size_t i = 0; i < 3; i++) {
    struct packet p = {.len = 0};

    put_head(&p, "host-a", cdtime(CAPTURED_S - 5));
    put_list(&p, &lists[i]);
    packet_sign(&p, "alice", "wonderland");
    put_packet(&p);
  }
  assert_int_equal(ingest.reports_len, 2);
  assert_true(ingest.reports[1]->complete);
}

static struct packet with_list(const struct wire_list *list) {
  struct packet p = {.len = 0};

  put_head(&p, "host-a", cdtime(CAPTURED_S));
  put_list(&p, list);
  packet_sign(&p, "alice", "wonderland");
  return p;
}

static void a_list_that_does_not_decode_costs_the_packet(void **state) {
  struct wire_list list = list_executable(1);
  struct packet p = {.len = 0};

  (void)state;
  put_scan(&p, &scan_a);
  list.type_instance[20] = 'X';
  put_list(&p, &list);
  packet_sign(&p, "alice", "wonderland");
  assert_dropped_as(&p, COUNTER_DROP_VALUES);
}

static void a_path_that_does_not_decode_is_dropped(void **state) {
  struct wire_list list = list_executable(1);
  struct packet p;

  (void)state;
  set_text(list.plugin_instance, ":usr:bin:%zz");
  p = with_list(&list);
  assert_dropped_as(&p, COUNTER_DROP_VALUES);
}

static void an_unknown_type_of_ours_is_dropped(void **state) {
  const double value = 1;
  struct packet p = {.len = 0};

  (void)state;
  put_head(&p, "host-a", cdtime(CAPTURED_S));
  put_text(&p, P_TYPE, "process_dna_next");
  put_gauges(&p, &value, 1);
  packet_sign(&p, "alice", "wonderland");
  assert_dropped_as(&p, COUNTER_DROP_VALUES);
}

static void a_value_that_is_no_gauge_is_dropped(void **state) {
  const struct wire_list list = list_host(1);
  struct packet p = {.len = 0};

  (void)state;
  put_head(&p, "host-a", cdtime(CAPTURED_S));
  put_list(&p, &list);
  p.data[p.len - 9] = 2; /* DERIVE */
  packet_sign(&p, "alice", "wonderland");
  assert_dropped_as(&p, COUNTER_DROP_VALUES);
}

static void a_wrong_number_of_values_is_dropped(void **state) {
  const double values[20] = {1};
  struct packet p = {.len = 0};

  (void)state;
  put_head(&p, "host-a", cdtime(CAPTURED_S));
  put_text(&p, P_TYPE, "process_dna_scan");
  put_gauges(&p, values, 20);
  packet_sign(&p, "alice", "wonderland");
  assert_dropped_as(&p, COUNTER_DROP_VALUES);
}

static void a_host_name_that_nothing_can_carry_is_dropped(void **state) {
  struct scan s = scan_a;
  struct packet p;

  (void)state;
  s.host = "host\xff";
  p = scan_packet(&s);
  assert_dropped_as(&p, COUNTER_DROP_VALUES);
}

static void a_file_time_of_no_calendar_costs_nothing(void **state) {
  struct executable e = {.path = (char *)"/usr/bin/000001",
                         .state = EXE_CURRENT,
                         .has_file = true,
                         .file = {.mtime_s = INT64_C(1) << 50}};
  struct wire_list lists[3] = {list_executable(1)};
  struct packet p = {.len = 0};

  (void)state;
  memcpy(e.sha256.bytes, &(unsigned){1}, sizeof(unsigned));
  assert_int_equal(wire_from_file(&e, &lists[1]), 0);
  lists[2] = list_marker(3);
  put_head(&p, "host-a", cdtime(CAPTURED_S));
  for (size_t i = 0; i < 3; i++)
    put_list(&p, &lists[i]);
  packet_sign(&p, "alice", "wonderland");
  put_packet(&p);
  assert_int_equal(ingest.reports_len, 1);
  assert_true(ingest.reports[0]->executables[0].file.mtime_s ==
              INT64_C(253402300799));
}

static void too_many_open_scans_are_counted(void **state) {
  const struct wire_list list = list_executable(1);

  (void)state;
  for (int64_t i = 0; i < 10; i++) {
    struct packet p = {.len = 0};

    put_head(&p, "host-a", cdtime(CAPTURED_S + i));
    put_list(&p, &list);
    packet_sign(&p, "alice", "wonderland");
    put_packet(&p);
  }
  assert_int_equal(counted(COUNTER_DROP_MEMORY), 6);
}

static void too_many_hosts_in_a_packet_are_refused(void **state) {
  const double value = 1;
  struct packet p = {.len = 0};

  (void)state;
  put_head(&p, "host-a", cdtime(CAPTURED_S));
  put_text(&p, P_PLUGIN, "x");
  put_text(&p, P_TYPE, "y");
  for (int i = 0; i < 600; i++) {
    char host[16];

    snprintf(host, sizeof(host), "%d", i);
    put_text(&p, P_HOST, host);
    put_gauges(&p, &value, 1);
  }
  packet_sign(&p, "alice", "wonderland");
  assert_dropped_as(&p, COUNTER_DROP_MALFORMED);
}

static void signatures_without_an_auth_file_are_a_wrong_config(void **state) {
  struct collectd_intake *other = NULL;

  (void)state;
  config.auth_file = NULL;
  assert_int_equal(collectd_intake_new(&config, &ingest, &other), -EINVAL);
  assert_null(other);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_real_collectds_scan_is_reported),
      TEST(a_relays_two_hosts_make_two_reports),
      TEST(packets_in_reverse_order_make_the_same_report),
      TEST(a_lost_packet_makes_an_incomplete_report_after_10_s),
      TEST(values_of_other_plugins_are_ignored),
      TEST(our_notifications_are_counted),
      TEST(a_notification_beyond_the_skew_is_dropped),
      TEST(a_malformed_packet_is_dropped_whole),
      TEST(an_oversized_packet_is_dropped_whole),
      TEST(an_unsigned_packet_is_dropped),
      TEST(a_wrong_signature_is_dropped),
      TEST(an_unknown_user_is_dropped),
      TEST(a_host_is_bound_to_its_first_user),
      TEST(without_a_signature_nobody_speaks_for_a_bound_host),
      TEST(another_plugins_values_cost_a_stranger_the_packet_too),
      TEST(a_relay_speaks_for_the_hosts_of_its_globs),
      TEST(a_relays_bad_host_costs_only_its_own_lists),
      TEST(the_skew_is_taken_up_to_its_edge),
      TEST(a_time_beyond_all_clocks_is_dropped),
      TEST(a_scan_sent_again_is_dropped),
      TEST(an_older_scan_is_dropped),
      TEST(a_late_packet_of_a_scan_given_up_is_dropped),
      TEST(a_newer_boot_starts_afresh),
      TEST(a_boot_that_trembles_is_not_newer),
      TEST(the_rest_of_a_newer_boots_scan_is_taken),
      TEST(a_list_that_does_not_decode_costs_the_packet),
      TEST(a_path_that_does_not_decode_is_dropped),
      TEST(an_unknown_type_of_ours_is_dropped),
      TEST(a_value_that_is_no_gauge_is_dropped),
      TEST(a_wrong_number_of_values_is_dropped),
      TEST(a_host_name_that_nothing_can_carry_is_dropped),
      TEST(a_file_time_of_no_calendar_costs_nothing),
      TEST(too_many_open_scans_are_counted),
      TEST(too_many_hosts_in_a_packet_are_refused),
      TEST(signatures_without_an_auth_file_are_a_wrong_config),
  };
  return cmocka_run_group_tests(tests, set_up_file, tear_down_file);
}
