/* Goal: the plugin's life in collectd: it registers what it needs, scans,
 * flushes after a scan, never fails a read, and leaves nothing behind. */
#include "tests/unit/fake_collectd.h"

#include "lib/scan/host.h"
#include "tests/unit/fake_snapshot.h"

const struct scan_options scan_options_default = {.proc_root = "/proc",
                                                  .scan_timeout_ms = 10000};

struct scanner {
  int unused;
};

static struct {
  struct scan_options options;
  size_t made, freed, runs, snapshots_freed;
  int new_status, run_status, host_status;
} scans;

int scanner_new(const struct scan_options *options, struct scanner **ret) {
  if (scans.new_status < 0)
    return scans.new_status;
  scans.options = *options;
  scans.made++;
  *ret = calloc(1, sizeof(**ret));
  return 0;
}

int scanner_run(struct scanner *s, struct snapshot **ret_snapshot) {
  assert_non_null(s);
  scans.runs++;
  if (scans.run_status < 0)
    return scans.run_status;
  *ret_snapshot = calloc(1, sizeof(**ret_snapshot));
  assert_non_null(*ret_snapshot);
  **ret_snapshot = fake_snapshot(NULL, 0, NULL);
  return 0;
}

void snapshot_free(struct snapshot *snapshot) {
  scans.snapshots_freed++;
  free(snapshot);
}

void scanner_free(struct scanner *s) {
  if (s != NULL)
    scans.freed++;
  free(s);
}

int host_identify(const char *machine_id_path, const char *proc_root,
                  struct wire_host *ret_host) {
  assert_string_equal(machine_id_path, "/etc/machine-id");
  assert_non_null(proc_root);
  if (scans.host_status < 0)
    return scans.host_status;
  *ret_host = (struct wire_host){.id = "0123456789ab", .boot_s = 1};
  return 0;
}

int host_addresses(struct host_address **ret_addresses, size_t *ret_len) {
  if (scans.host_status < 0)
    return scans.host_status;
  *ret_addresses = calloc(1, sizeof(**ret_addresses));
  assert_non_null(*ret_addresses);
  snprintf((*ret_addresses)->text, sizeof((*ret_addresses)->text), "192.0.2.7");
  *ret_len = 1;
  return 0;
}

static int start(void **state) {
  (void)state;
  fake_reset();
  memset(&scans, 0, sizeof(scans));
  module_register();
  return 0;
}

static int stop(void **state) {
  (void)state;
  return fake.shutdown();
}

static int run_scan(void) { return fake.reads[0].callback(NULL); }
static int run_flush(void) { return fake.reads[1].callback(NULL); }

static void it_registers_data_sets_and_two_reads(void **state) {
  oconfig_value_t seconds = {.type = OCONFIG_TYPE_NUMBER, .value.number = 5};
  oconfig_item_t item = {
      .key = (char *)"ScanInterval", .values = &seconds, .values_num = 1};
  oconfig_item_t block = {.children = &item, .children_num = 1};

  (void)state;
  assert_int_equal(fake.data_sets_len, WIRE_TYPES);
  assert_int_equal(fake.config(&block), 0);
  assert_int_equal(fake.init(), 0);
  assert_int_equal(fake.reads_len, 2);
  assert_string_equal(fake.reads[0].name, "process_dna");
  assert_int_equal(fake.reads[0].interval, TIME_T_TO_CDTIME_T(5));
  assert_in_range(fake.reads[1].interval, 1, TIME_T_TO_CDTIME_T(1));
  assert_int_equal(scans.options.scan_interval_s, 5);
  /* collectd may call init again. */
  assert_int_equal(fake.init(), 0);
  assert_int_equal(fake.reads_len, 2);
  assert_int_equal(scans.made, 1);
}

static void it_does_not_run_with_a_bad_option(void **state) {
  oconfig_item_t item = {.key = (char *)"Bad"};
  oconfig_item_t block = {.children = &item, .children_num = 1};

  (void)state;
  assert_int_not_equal(fake.config(&block), 0);
  assert_int_not_equal(fake.init(), 0);
  assert_int_equal(fake.reads_len, 0);
  assert_int_equal(scans.made, 0);
}

static void it_does_not_run_without_a_scanner_or_callbacks(void **state) {
  (void)state;
  scans.new_status = -ENOENT;
  assert_int_not_equal(fake.init(), 0);
  assert_int_equal(fake.reads_len, 0);
  assert_non_null(strstr(fake.log, "can't scan /proc: "));
  scans.new_status = 0;
  fake.read_status = EINVAL;
  assert_int_not_equal(fake.init(), 0);
  assert_int_equal(scans.freed, scans.made);
}

static void a_scan_tells_of_the_host(void **state) {
  (void)state;
  assert_int_equal(fake.init(), 0);
  assert_int_equal(run_scan(), 0);
  assert_int_equal(fake.lists_len, 3);
  assert_string_equal(fake.lists[0].type_instance, "192.0.2.7");
  assert_string_equal(fake.lists[1].type_instance, "0123456789ab");
  assert_int_equal(fake.lists[2].time, fake.now);
  assert_int_equal(fake.lists[2].interval, TIME_T_TO_CDTIME_T(60));
  assert_int_equal(scans.snapshots_freed, 1);
}

static void a_failing_scan_does_not_fail_the_read(void **state) {
  (void)state;
  assert_int_equal(fake.init(), 0);
  scans.run_status = -ENOMEM;
  for (int i = 0; i < 3; i++)
    assert_int_equal(run_scan(), 0);
  assert_int_equal(fake.lists_len, 0);
  assert_int_equal(fake.log_lines, 1);
  run_flush();
  assert_int_equal(fake.flushes, 0);
  scans.run_status = 0;
  assert_int_equal(run_scan(), 0);
  assert_int_equal(fake.lists_len, 3);
  assert_int_equal(fake.log_lines, 2);
}

static void a_nameless_host_is_scanned_all_the_same(void **state) {
  (void)state;
  assert_int_equal(fake.init(), 0);
  scans.host_status = -ENOENT;
  for (int i = 0; i < 3; i++)
    assert_int_equal(run_scan(), 0);
  assert_int_equal(fake.lists_len, 3);
  assert_string_equal(fake.lists[0].type, "process_dna_scan");
  assert_int_equal(fake.log_lines, 2);
}

static void the_network_is_flushed_for_a_while_after_a_scan(void **state) {
  cdtime_t flushed_for;

  (void)state;
  assert_int_equal(fake.init(), 0);
  run_flush();
  assert_int_equal(fake.flushes, 0);
  run_scan();
  assert_int_equal(fake.flushes, 0);
  for (int i = 0; i < 100; i++)
    assert_int_equal(run_flush(), 0);
  assert_string_equal(fake.flushed, "network");
  flushed_for = fake.flushes * fake.reads[1].interval;
  assert_in_range(flushed_for, TIME_T_TO_CDTIME_T(2), TIME_T_TO_CDTIME_T(15));
}

/* In whole microseconds, which is what receivers keep. */
static void scans_never_share_a_time(void **state) {
  uint64_t last_us = 0;

  (void)state;
  assert_int_equal(fake.init(), 0);
  for (int i = 0; i < 3; i++) {
    uint64_t us;

    run_scan();
    us = CDTIME_T_TO_US(fake.lists[fake.lists_len - 1].time);
    assert_true(us > last_us);
    last_us = us;
    fake.now -= TIME_T_TO_CDTIME_T(100);
  }
}

static void a_clock_that_was_far_ahead_is_followed_back(void **state) {
  (void)state;
  assert_int_equal(fake.init(), 0);
  run_scan();
  fake.now -= TIME_T_TO_CDTIME_T(3600);
  run_scan();
  assert_int_equal(fake.lists[fake.lists_len - 1].time, fake.now);
}

static void it_can_be_started_again(void **state) {
  (void)state;
  assert_int_equal(fake.init(), 0);
  run_scan();
  assert_int_equal(fake.shutdown(), 0);
  assert_int_equal(scans.freed, 1);
  assert_int_equal(fake.shutdown(), 0);
  assert_int_equal(scans.freed, 1);
  fake.reads_len = 0;
  module_register();
  assert_int_equal(fake.init(), 0);
  assert_int_equal(fake.reads_len, 2);
  assert_int_equal(scans.made, 2);
  assert_int_equal(run_scan(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(it_registers_data_sets_and_two_reads,
                                      start, stop),
      cmocka_unit_test_setup_teardown(it_does_not_run_with_a_bad_option, start,
                                      stop),
      cmocka_unit_test_setup_teardown(
          it_does_not_run_without_a_scanner_or_callbacks, start, stop),
      cmocka_unit_test_setup_teardown(a_scan_tells_of_the_host, start, stop),
      cmocka_unit_test_setup_teardown(a_failing_scan_does_not_fail_the_read,
                                      start, stop),
      cmocka_unit_test_setup_teardown(a_nameless_host_is_scanned_all_the_same,
                                      start, stop),
      cmocka_unit_test_setup_teardown(
          the_network_is_flushed_for_a_while_after_a_scan, start, stop),
      cmocka_unit_test_setup_teardown(scans_never_share_a_time, start, stop),
      cmocka_unit_test_setup_teardown(
          a_clock_that_was_far_ahead_is_followed_back, start, stop),
      cmocka_unit_test_setup_teardown(it_can_be_started_again, start, stop),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
