/* Goal: the value lists of a scan carry one time, each identifier comes once,
 * and the marker at their end counts what was handed over. */
#include "tests/unit/fake_collectd.h"

#include "collectd-plugin/dispatch.h"
#include "tests/unit/fake_snapshot.h"

static const cdtime_t scan_time = TIME_T_TO_CDTIME_T_STATIC(1780000100);
static const cdtime_t interval = TIME_T_TO_CDTIME_T_STATIC(60);

static struct dna_scan scan_of(const struct snapshot *s) {
  return (struct dna_scan){
      .snapshot = s, .time = scan_time, .interval = interval};
}

static size_t count_type(const char *type) {
  size_t n = 0;

  for (size_t i = 0; i < fake.lists_len; i++)
    n += strcmp(fake.lists[i].type, type) == 0;
  return n;
}

static const value_list_t *only_of_type(const char *type) {
  const value_list_t *found = NULL;

  assert_int_equal(count_type(type), 1);
  for (size_t i = 0; i < fake.lists_len; i++) {
    if (strcmp(fake.lists[i].type, type) == 0)
      found = &fake.lists[i];
  }
  return found;
}

static double marker_series(void) {
  const value_list_t *last = &fake.lists[fake.lists_len - 1];

  assert_string_equal(last->type, "process_dna_scan");
  return last->values[1].gauge;
}

static void data_sets_are_those_of_the_wire(void **state) {
  (void)state;
  fake_reset();
  assert_int_equal(dna_dispatch_register(), 0);
  assert_int_equal(fake.data_sets_len, WIRE_TYPES);
  for (size_t i = 0; i < WIRE_TYPES; i++) {
    const data_set_t *ds = &fake.data_sets[i];

    assert_string_equal(ds->type, wire_data_sets[i].type);
    assert_int_equal(ds->ds_num, wire_data_sets[i].sources_len);
    for (size_t k = 0; k < ds->ds_num; k++) {
      assert_string_equal(ds->ds[k].name, wire_data_sets[i].sources[k]);
      assert_int_equal(ds->ds[k].type, DS_TYPE_GAUGE);
      assert_true(ds->ds[k].min == 0);
      assert_true(isnan(ds->ds[k].max));
    }
  }
}

/* Central servers load the file; hosts have what the plugin registers. */
static void types_db_says_the_same_as_the_wire(void **state) {
  FILE *f = fopen("collectd-plugin/process_dna.types.db", "r");
  char line[512], expected[512], type[64];
  int rest;

  (void)state;
  assert_non_null(f);
  for (size_t i = 0; i < WIRE_TYPES; i++) {
    size_t len = 0;

    for (size_t k = 0; k < wire_data_sets[i].sources_len; k++)
      len += (size_t)snprintf(expected + len, sizeof(expected) - len,
                              "%s%s:GAUGE:0:U", k > 0 ? ", " : "",
                              wire_data_sets[i].sources[k]);
    assert_non_null(fgets(line, sizeof(line), f));
    assert_int_equal(sscanf(line, "%63s %n", type, &rest), 1);
    line[strcspn(line, "\n")] = '\0';
    assert_string_equal(type, wire_data_sets[i].type);
    assert_string_equal(line + rest, expected);
  }
  assert_null(fgets(line, sizeof(line), f));
  fclose(f);
}

static void a_scan_has_one_time_and_ends_with_its_marker(void **state) {
  struct executable e[] = {fake_executable("/usr/bin/a", EXE_CURRENT, 1),
                           fake_executable("/usr/bin/b", EXE_UNREADABLE, 0)};
  struct wire_host host = {.id = "0123456789ab", .boot_s = 1770000000};
  struct host_address addresses[] = {{"192.0.2.7"}, {"2001:db8::7"}};
  bool rehashed[] = {true, false};
  struct snapshot s = fake_snapshot(e, 2, rehashed);
  struct dna_scan scan = scan_of(&s);
  const value_list_t *vl;

  (void)state;
  fake_reset();
  e[0].has_file = true;
  e[0].file.size = 123;
  e[0].package = (struct package){"dpkg", "coreutils", "9.1-1", "amd64", true};
  scan.host = &host;
  scan.addresses = addresses;
  scan.addresses_len = 2;
  dna_dispatch(&scan);

  assert_int_equal(fake.lists_len, 8);
  assert_true(marker_series() == 8);
  for (size_t i = 0; i < fake.lists_len; i++) {
    assert_int_equal(fake.lists[i].time, scan_time);
    assert_int_equal(fake.lists[i].interval, interval);
    assert_string_equal(fake.lists[i].host, "");
    assert_string_equal(fake.lists[i].plugin, "process_dna");
    assert_null(fake.lists[i].meta);
  }
  assert_int_equal(count_type("process_dna"), 2);
  assert_string_equal(fake.lists[0].plugin_instance, ":usr:bin:a");
  assert_memory_equal(fake.lists[0].type_instance, "current-0101", 12);
  assert_true(fake.lists[0].values[0].gauge == 2);
  assert_true(fake.lists[0].values[1].gauge == 4096);
  assert_string_equal(fake.lists[1].type_instance, "unreadable-pending");
  vl = only_of_type("process_dna_file");
  assert_string_equal(vl->plugin_instance, ":usr:bin:a");
  assert_int_equal(vl->values_len, 6);
  assert_true(vl->values[0].gauge == 123);
  vl = only_of_type("process_dna_package");
  assert_string_equal(vl->type_instance, "dpkg:coreutils=9.1-1:amd64");
  assert_true(vl->values[0].gauge == 1);
  assert_int_equal(count_type("process_dna_address"), 2);
  vl = only_of_type("process_dna_host");
  assert_string_equal(vl->type_instance, "0123456789ab");
  assert_true(vl->values[0].gauge == 1770000000);
  assert_int_equal(fake.log_lines, 0);
}

static void file_facts_go_out_when_a_file_was_hashed(void **state) {
  struct executable e[] = {fake_executable("/usr/bin/a", EXE_CURRENT, 1),
                           fake_executable("/usr/bin/b", EXE_CURRENT, 2),
                           fake_executable("/usr/bin/c", EXE_CURRENT, 3)};
  bool rehashed[] = {false, true, true};
  struct snapshot s = fake_snapshot(e, 3, rehashed);
  struct dna_scan scan = scan_of(&s);

  (void)state;
  fake_reset();
  e[0].has_file = e[1].has_file = true;
  dna_dispatch(&scan);
  assert_string_equal(only_of_type("process_dna_file")->plugin_instance,
                      ":usr:bin:b");
  assert_true(marker_series() == 5);
}

/* The same file runs in two states, and two files have one path. */
static void an_identifier_comes_once_in_a_scan(void **state) {
  struct executable e[] = {fake_executable("/usr/bin/a", EXE_CURRENT, 1),
                           fake_executable("/usr/bin/a", EXE_REPLACED, 2),
                           fake_executable("/usr/bin/a", EXE_DELETED, 1),
                           fake_executable("/usr/bin/a", EXE_SPOOFED, 3),
                           fake_executable("/usr/bin/b", EXE_CURRENT, 1)};
  bool rehashed[] = {true, true, true, true, true};
  struct snapshot s = fake_snapshot(e, 5, rehashed);
  struct dna_scan scan = scan_of(&s);

  (void)state;
  fake_reset();
  for (size_t i = 0; i < 5; i++) {
    e[i].has_file = true;
    e[i].package = (struct package){"dpkg", "a", "1", "amd64", false};
  }
  dna_dispatch(&scan);
  assert_int_equal(count_type("process_dna"), 5);
  assert_int_equal(count_type("process_dna_file"), 4);
  assert_int_equal(count_type("process_dna_package"), 2);
  for (size_t i = 0; i < fake.lists_len; i++) {
    for (size_t k = 0; k < i; k++) {
      const value_list_t *a = &fake.lists[i], *b = &fake.lists[k];

      assert_false(strcmp(a->type, b->type) == 0 &&
                   strcmp(a->plugin_instance, b->plugin_instance) == 0 &&
                   strcmp(a->type_instance, b->type_instance) == 0);
    }
  }
  assert_true(marker_series() == 12);
}

static void what_cannot_be_carried_is_left_out_and_said_once(void **state) {
  struct executable e[] = {fake_executable("/usr/bin/a", EXE_CURRENT, 1),
                           fake_executable("/usr/bin/b", EXE_CURRENT, 2),
                           fake_executable("/usr/bin/c", EXE_CURRENT, 3)};
  bool rehashed[] = {true, true, true};
  struct snapshot s = fake_snapshot(e, 3, rehashed);
  struct dna_scan scan = scan_of(&s);

  (void)state;
  fake_reset();
  snprintf(e[0].container, sizeof(e[0].container), "no key");
  e[2].started_s = -1; /* is written, but no receiver reads it */
  for (int i = 0; i < 3; i++) {
    fake.lists_len = 0;
    dna_dispatch(&scan);
    assert_int_equal(fake.lists_len, 2);
    assert_string_equal(fake.lists[0].plugin_instance, ":usr:bin:b");
    assert_true(marker_series() == 2);
  }
  assert_int_equal(fake.log_lines, 1);
  assert_non_null(strstr(fake.log, "2 value lists"));
  assert_non_null(strstr(fake.log, "/usr/bin/a"));
}

static void a_list_that_collectd_drops_is_missed_by_the_receiver(void **state) {
  struct executable e = fake_executable("/usr/bin/a", EXE_CURRENT, 1);
  bool rehashed = false;
  struct snapshot s = fake_snapshot(&e, 1, &rehashed);
  struct dna_scan scan = scan_of(&s);

  (void)state;
  fake_reset();
  fake.dispatch_status = ENOMEM;
  dna_dispatch(&scan);
  assert_true(marker_series() == 2);
}

static void an_empty_scan_is_its_marker_alone(void **state) {
  struct snapshot s = fake_snapshot(NULL, 0, NULL);
  struct dna_scan scan = scan_of(&s);

  (void)state;
  fake_reset();
  dna_dispatch(&scan);
  assert_int_equal(fake.lists_len, 1);
  assert_true(marker_series() == 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(data_sets_are_those_of_the_wire),
      cmocka_unit_test(types_db_says_the_same_as_the_wire),
      cmocka_unit_test(a_scan_has_one_time_and_ends_with_its_marker),
      cmocka_unit_test(file_facts_go_out_when_a_file_was_hashed),
      cmocka_unit_test(an_identifier_comes_once_in_a_scan),
      cmocka_unit_test(what_cannot_be_carried_is_left_out_and_said_once),
      cmocka_unit_test(a_list_that_collectd_drops_is_missed_by_the_receiver),
      cmocka_unit_test(an_empty_scan_is_its_marker_alone),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
