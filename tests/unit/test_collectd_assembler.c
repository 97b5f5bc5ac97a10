/* Goal: a scan is whole when, and only when, each of its value lists has come
 * in whatever order; what hostile or lost packets leave behind is bounded. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/collectd_assembler.h"
#include "tests/unit/collectd_packets.h"
#include "tests/unit/unit.h"

enum { REPORTS_MAX = 32 };

static struct report *reports[REPORTS_MAX];
static size_t reports_len;
static struct collectd_assembler *assembler;

static void keep(void *context, struct report **report) {
  (void)context;
  assert_true(reports_len < REPORTS_MAX);
  reports[reports_len++] = *report;
  *report = NULL;
}

static void forget_reports(void) {
  while (reports_len > 0)
    report_free(reports[--reports_len]);
}

static void start(const struct collectd_assembler_limits *limits) {
  assert_int_equal(collectd_assembler_new(limits, keep, NULL, &assembler), 0);
}

static int set_up(void **state) {
  (void)state;
  start(&collectd_assembler_limits_default);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  collectd_assembler_free(assembler);
  forget_reports();
  return 0;
}

static const struct collectd_scan_key key_a = {
    .host = "host-a", .signer = "alice", .time = 1000};

static struct collectd_scan_key key_at(const char *host, uint64_t time) {
  return (struct collectd_scan_key){
      .host = host, .signer = "alice", .time = time};
}

static int add_at(const struct collectd_scan_key *key,
                  const struct wire_list *list, int64_t now_ms) {
  const struct collectd_scan_start begin = {
      .observed_us = (int64_t)key->time, .arrived_us = 77, .now_ms = now_ms};
  struct collectd_scan *scan;
  struct wire_item item;
  int r;

  assert_int_equal(
      wire_decode(list, wire_data_sets[list->type].sources_len, &item), 0);
  r = collectd_assembler_open(assembler, key, &begin, &scan);
  if (r == 0)
    r = collectd_assembler_add(
        assembler, scan, collectd_assembler_identity(assembler, list), &item);
  if (r == 0)
    collectd_assembler_settle(assembler, key);
  return r;
}

static void add(const struct collectd_scan_key *key, struct wire_list list) {
  assert_int_equal(add_at(key, &list, 0), 0);
}

static void a_scan_ends_with_its_last_list_in_any_order(void **state) {
  enum { N = 5000 };
  static unsigned order[N + 1];

  (void)state;
  srand(1);
  for (unsigned i = 0; i <= N; i++) {
    const unsigned j = (unsigned)rand() % (i + 1);

    order[i] = order[j];
    order[j] = i;
  }
  for (unsigned i = 0; i <= N; i++) {
    assert_int_equal(reports_len, 0);
    add(&key_a, order[i] == N ? list_marker(N + 1) : list_executable(order[i]));
  }
  assert_int_equal(reports_len, 1);
  assert_true(reports[0]->complete);
  assert_int_equal(reports[0]->executables_len, N);
  assert_string_equal(reports[0]->host, "host-a");
  assert_string_equal(reports[0]->signer, "alice");
  assert_string_equal(reports[0]->source, "collectd");
  assert_int_equal(reports[0]->observed_us, 1000);
  assert_int_equal(reports[0]->arrived_us, 77);
  for (unsigned i = 0; i < N; i++) {
    char path[32];

    snprintf(path, sizeof(path), "/usr/bin/%06u", i);
    assert_string_equal(reports[0]->executables[i].path, path);
  }
}

static void the_marker_may_come_first(void **state) {
  (void)state;
  add(&key_a, list_marker(2));
  assert_int_equal(reports_len, 0);
  add(&key_a, list_executable(1));
  assert_int_equal(reports_len, 1);
  assert_true(reports[0]->complete);
}

static void a_list_that_comes_twice_counts_once(void **state) {
  (void)state;
  add(&key_a, list_executable(1));
  add(&key_a, list_executable(1));
  add(&key_a, list_marker(3));
  add(&key_a, list_marker(3));
  assert_int_equal(reports_len, 0);
  add(&key_a, list_executable(2));
  assert_int_equal(reports_len, 1);
  assert_int_equal(reports[0]->executables_len, 2);
}

static void more_lists_than_the_marker_says_are_not_a_whole_scan(void **state) {
  (void)state;
  add(&key_a, list_executable(1));
  add(&key_a, list_executable(2));
  add(&key_a, list_marker(2));
  collectd_assembler_expire(assembler, 10000);
  assert_int_equal(reports_len, 1);
  assert_false(reports[0]->complete);
}

static void hosts_and_times_do_not_mix(void **state) {
  const struct collectd_scan_key b = key_at("host-b", 1000),
                                 later = key_at("host-a", 1001);

  (void)state;
  add(&key_a, list_executable(1));
  add(&b, list_executable(2));
  add(&later, list_executable(3));
  add(&b, list_marker(2));
  assert_int_equal(reports_len, 1);
  assert_string_equal(reports[0]->host, "host-b");
  assert_string_equal(reports[0]->executables[0].path, "/usr/bin/000002");
  add(&key_a, list_marker(2));
  add(&later, list_marker(2));
  assert_int_equal(reports_len, 3);
  assert_true(reports[1]->complete && reports[2]->complete);
  assert_string_equal(reports[2]->executables[0].path, "/usr/bin/000003");
}

static void signers_do_not_mix(void **state) {
  struct collectd_scan_key other = key_a;

  (void)state;
  other.signer = "mallory";
  add(&key_a, list_executable(1));
  add(&other, list_executable(666));
  add(&key_a, list_marker(2));
  assert_int_equal(reports_len, 1);
  assert_true(reports[0]->complete);
  assert_int_equal(reports[0]->executables_len, 1);
  assert_string_equal(reports[0]->executables[0].path, "/usr/bin/000001");
  assert_true(collectd_assembler_has(assembler, &other));
}

static void a_scan_is_given_up_10_s_after_its_first_list(void **state) {
  const struct wire_list first = list_executable(1), second = list_marker(3);

  (void)state;
  assert_int_equal(add_at(&key_a, &first, 5000), 0);
  assert_int_equal(add_at(&key_a, &second, 14000), 0);
  collectd_assembler_expire(assembler, 14999);
  assert_int_equal(reports_len, 0);
  collectd_assembler_expire(assembler, 15000);
  assert_int_equal(reports_len, 1);
  assert_false(reports[0]->complete);
  assert_int_equal(reports[0]->executables_len, 1);
  assert_int_equal(reports[0]->figures.series, 3);
  assert_false(collectd_assembler_has(assembler, &key_a));
}

static void an_older_scan_goes_before_a_newer_one(void **state) {
  const struct collectd_scan_key middle = key_at("host-a", 1001),
                                 newest = key_at("host-a", 1002),
                                 b = key_at("host-b", 999);

  (void)state;
  add(&middle, list_executable(1));
  add(&key_a, list_executable(1));
  add(&b, list_executable(1));
  add(&newest, list_executable(1));
  add(&newest, list_marker(2));
  assert_int_equal(reports_len, 3);
  assert_int_equal(reports[0]->observed_us, 1000);
  assert_int_equal(reports[1]->observed_us, 1001);
  assert_int_equal(reports[2]->observed_us, 1002);
  assert_false(reports[0]->complete || reports[1]->complete);
  assert_true(reports[2]->complete);
  assert_true(collectd_assembler_has(assembler, &b));
}

static void open_scans_are_handed_out_at_the_end(void **state) {
  (void)state;
  add(&key_a, list_executable(1));
  collectd_assembler_free(assembler);
  assembler = NULL;
  assert_int_equal(reports_len, 1);
  assert_false(reports[0]->complete);
}

static struct wire_list file_list(const struct wire_list *of, uint64_t size) {
  struct wire_item item;
  struct wire_list list;

  assert_int_equal(wire_decode(of, 5, &item), 0);
  item.executable.has_file = true;
  item.executable.file = (struct file_facts){.size = size, .mode = 0100755};
  assert_int_equal(wire_from_file(&item.executable, &list), 0);
  return list;
}

static struct wire_list package_list(const struct wire_list *of,
                                     const char *version) {
  struct wire_item item;
  struct wire_list list;

  assert_int_equal(wire_decode(of, 5, &item), 0);
  set_text(item.executable.package.manager, "dpkg");
  set_text(item.executable.package.name, "base");
  set_text(item.executable.package.version, version);
  set_text(item.executable.package.arch, "amd64");
  assert_int_equal(wire_from_package(&item.executable, &list), 0);
  return list;
}

/* /usr/bin/000001 as `container` sees it, in `state` with digest `byte`. */
static struct wire_list variant(const char *container, enum exe_state exe_state,
                                uint8_t byte) {
  struct executable e = {.path = (char *)"/usr/bin/000001",
                         .state = exe_state,
                         .processes = 1,
                         .pid = 1};
  struct wire_list list;

  set_text(e.container, container);
  memset(e.sha256.bytes, byte, sizeof(e.sha256.bytes));
  if (exe_state == EXE_UNREADABLE)
    e.reason = EXE_REASON_PENDING;
  assert_int_equal(wire_from_executable(&e, &list), 0);
  return list;
}

static void a_package_goes_to_every_executable_of_its_path(void **state) {
  const struct wire_list replaced = variant("", EXE_REPLACED, 1),
                         superseded = variant("", EXE_SUPERSEDED, 2),
                         contained = variant("c0ffee", EXE_CURRENT, 1);
  const struct executable *e;

  (void)state;
  add(&key_a, package_list(&replaced, "1.0"));
  add(&key_a, contained);
  add(&key_a, superseded);
  add(&key_a, replaced);
  add(&key_a, list_marker(5));
  assert_int_equal(reports_len, 1);
  assert_int_equal(reports[0]->executables_len, 3);
  e = reports[0]->executables;
  assert_int_equal(e[0].state, EXE_REPLACED);
  assert_string_equal(e[0].package.version, "1.0");
  assert_int_equal(e[1].state, EXE_SUPERSEDED);
  assert_string_equal(e[1].package.version, "1.0");
  assert_string_equal(e[2].container, "c0ffee");
  assert_string_equal(e[2].package.manager, "");
}

static void file_facts_go_to_the_executables_of_their_digest(void **state) {
  const struct wire_list replaced = variant("", EXE_REPLACED, 1),
                         superseded = variant("", EXE_SUPERSEDED, 2),
                         unreadable = variant("", EXE_UNREADABLE, 0),
                         zeros = variant("", EXE_CURRENT, 0);
  const struct executable *e;

  (void)state;
  add(&key_a, file_list(&superseded, 222));
  add(&key_a, file_list(&zeros, 333));
  add(&key_a, unreadable);
  add(&key_a, superseded);
  add(&key_a, replaced);
  add(&key_a, list_marker(6));
  assert_int_equal(reports[0]->executables_len, 3);
  e = reports[0]->executables;
  assert_false(e[0].has_file);
  assert_int_equal(e[1].state, EXE_UNREADABLE);
  assert_false(e[1].has_file);
  assert_true(e[2].has_file);
  assert_int_equal(e[2].file.size, 222);
}

static void facts_of_no_executable_are_left_out(void **state) {
  const struct wire_list other = list_executable(2);

  (void)state;
  add(&key_a, file_list(&other, 1));
  add(&key_a, package_list(&other, "1.0"));
  add(&key_a, list_executable(1));
  add(&key_a, list_marker(4));
  assert_true(reports[0]->complete);
  assert_int_equal(reports[0]->executables_len, 1);
  assert_false(reports[0]->executables[0].has_file);
  assert_string_equal(reports[0]->executables[0].package.manager, "");
}

static void host_and_addresses_are_reported(void **state) {
  struct wire_list address;

  (void)state;
  add(&key_a, list_host(4711));
  assert_int_equal(wire_from_address("2001:db8::1", &address), 0);
  add(&key_a, address);
  assert_int_equal(wire_from_address("192.0.2.7", &address), 0);
  add(&key_a, address);
  add(&key_a, list_marker(4));
  assert_string_equal(reports[0]->identity.id, "0123456789ab");
  assert_int_equal(reports[0]->identity.boot_s, 4711);
  assert_int_equal(reports[0]->addresses_len, 2);
  assert_string_equal(reports[0]->addresses[0], "192.0.2.7");
  assert_string_equal(reports[0]->addresses[1], "2001:db8::1");
}

static void restart_with(struct collectd_assembler_limits limits) {
  collectd_assembler_free(assembler);
  limits.timeout_ms = 10000;
  if (limits.scans_per_signer == 0)
    limits.scans_per_signer = limits.scans;
  if (limits.rows_per_signer == 0)
    limits.rows_per_signer = limits.rows;
  start(&limits);
}

static void a_host_has_a_bounded_number_of_open_scans(void **state) {
  const struct wire_list list = list_executable(1);
  struct collectd_scan_key key = key_a;

  (void)state;
  for (size_t i = 0; i < collectd_assembler_limits_default.scans_per_host;
       i++) {
    key.time = i + 1;
    assert_int_equal(add_at(&key, &list, 0), 0);
  }
  key.time = 100;
  assert_int_equal(add_at(&key, &list, 0), -ENOBUFS);
  key = key_at("host-b", 1);
  assert_int_equal(add_at(&key, &list, 0), 0);
  collectd_assembler_expire(assembler, 10000);
  key = key_at("host-a", 100);
  assert_int_equal(add_at(&key, &list, 0), 0);
}

static void all_hosts_have_a_bounded_number_of_open_scans(void **state) {
  const struct wire_list list = list_executable(1);
  const struct collectd_scan_key b = key_at("host-b", 1),
                                 c = key_at("host-c", 1);

  (void)state;
  restart_with((struct collectd_assembler_limits){
      .scans = 2, .scans_per_host = 2, .rows = 99, .rows_per_scan = 99});
  assert_int_equal(add_at(&key_a, &list, 0), 0);
  assert_int_equal(add_at(&b, &list, 0), 0);
  assert_int_equal(add_at(&c, &list, 0), -ENOBUFS);
  assert_int_equal(add_at(&b, &list, 0), 0);
}

static void rows_over_the_bound_leave_the_scan_incomplete(void **state) {
  (void)state;
  restart_with((struct collectd_assembler_limits){
      .scans = 9, .scans_per_host = 9, .rows = 99, .rows_per_scan = 3});
  add(&key_a, list_marker(4));
  add(&key_a, list_executable(1));
  add(&key_a, list_executable(2));
  for (unsigned i = 3; i < 9; i++) {
    const struct wire_list list = list_executable(i);

    assert_int_equal(add_at(&key_a, &list, 0), -ENOBUFS);
  }
  collectd_assembler_expire(assembler, 10000);
  assert_int_equal(reports_len, 1);
  assert_false(reports[0]->complete);
  assert_int_equal(reports[0]->executables_len, 2);
}

static void rows_of_all_scans_are_bounded_and_come_back(void **state) {
  const struct wire_list list = list_executable(9);
  const struct collectd_scan_key b = key_at("host-b", 1);

  (void)state;
  restart_with((struct collectd_assembler_limits){
      .scans = 9, .scans_per_host = 9, .rows = 2, .rows_per_scan = 9});
  add(&key_a, list_executable(1));
  add(&key_a, list_executable(2));
  assert_int_equal(add_at(&b, &list, 0), -ENOBUFS);
  collectd_assembler_expire(assembler, 10000);
  assert_int_equal(add_at(&b, &list, 0), 0);
}

static void a_signer_who_fills_up_leaves_room_for_others(void **state) {
  /* Some of them may have a share together with key_a's signer. */
  static const char *const others[] = {"bob", "carol", "dave", "erin"};
  const struct wire_list list = list_executable(1), more = list_executable(4);
  const struct collectd_scan_key b = key_at("host-b", 1),
                                 c = key_at("host-c", 1);
  struct collectd_scan_key other = c;
  int r = -ENOBUFS;

  (void)state;
  restart_with((struct collectd_assembler_limits){.scans = 3,
                                                  .scans_per_signer = 2,
                                                  .scans_per_host = 9,
                                                  .rows = 6,
                                                  .rows_per_signer = 4,
                                                  .rows_per_scan = 9});
  assert_int_equal(add_at(&key_a, &list, 0), 0);
  assert_int_equal(add_at(&b, &list, 0), 0);
  assert_int_equal(add_at(&c, &list, 0), -ENOBUFS);
  for (unsigned i = 2; i < 4; i++)
    add(&b, list_executable(i));
  assert_int_equal(add_at(&b, &more, 0), -ENOBUFS);
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && r != 0; i++) {
    other.signer = others[i];
    r = add_at(&other, &list, 0);
  }
  assert_int_equal(r, 0);
  add(&other, list_executable(2));
  collectd_assembler_expire(assembler, 10000);
  assert_int_equal(add_at(&c, &list, 0), 0);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_scan_ends_with_its_last_list_in_any_order),
      TEST(the_marker_may_come_first),
      TEST(a_list_that_comes_twice_counts_once),
      TEST(more_lists_than_the_marker_says_are_not_a_whole_scan),
      TEST(hosts_and_times_do_not_mix),
      TEST(signers_do_not_mix),
      TEST(a_scan_is_given_up_10_s_after_its_first_list),
      TEST(an_older_scan_goes_before_a_newer_one),
      TEST(open_scans_are_handed_out_at_the_end),
      TEST(a_package_goes_to_every_executable_of_its_path),
      TEST(file_facts_go_to_the_executables_of_their_digest),
      TEST(facts_of_no_executable_are_left_out),
      TEST(host_and_addresses_are_reported),
      TEST(a_host_has_a_bounded_number_of_open_scans),
      TEST(all_hosts_have_a_bounded_number_of_open_scans),
      TEST(a_signer_who_fills_up_leaves_room_for_others),
      TEST(rows_over_the_bound_leave_the_scan_incomplete),
      TEST(rows_of_all_scans_are_bounded_and_come_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
