/* Goal: what the plugin writes is what the correlator reads, over random
 * content, and nothing else is taken. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/wire.h"
#include "tests/unit/unit.h"

enum { ROUNDS = 5000 };

static struct executable sample(void) {
  struct executable e = {
      .state = EXE_CURRENT,
      .path = (char *)"/usr/sbin/nginx",
      .processes = 3,
      .rss_bytes = 12345678,
      .pid = 1842,
      .uid = 33,
      .started_s = 1780000000,
      .has_file = true,
      .file = {.size = 1 << 20,
               .mode = 0100755,
               .uid = 0,
               .gid = 4,
               .mtime_s = 1770000000,
               .ctime_s = 1770000001},
      .package = {.manager = "dpkg",
                  .name = "nginx-core",
                  .version = "1:1.22.1-9+deb12u3~bpo",
                  .arch = "amd64",
                  .in_transaction = true},
  };

  memset(e.sha256.bytes, 0xa3, DIGEST_LEN);
  return e;
}

static int decode(const struct wire_list *list, struct wire_item *item) {
  return wire_decode(list, wire_data_sets[list->type].sources_len, item);
}

static void identifiers_are_those_of_the_design(void **state) {
  struct executable e = sample();
  struct wire_list list;
  struct wire_host host = {.id = "0123456789ab", .boot_s = 5};

  (void)state;
  set_text(e.container, "3f2a9c1b7d04");
  assert_int_equal(wire_from_executable(&e, &list), 0);
  assert_string_equal(wire_data_sets[list.type].type, "process_dna");
  assert_string_equal(list.plugin_instance, "@3f2a9c1b7d04:usr:sbin:nginx");
  assert_memory_equal(list.type_instance, "current-a3a3", 12);
  assert_int_equal(strlen(list.type_instance), 8 + 64);
  e.state = EXE_UNREADABLE;
  e.reason = EXE_REASON_REMOTE;
  assert_int_equal(wire_from_executable(&e, &list), 0);
  assert_string_equal(list.type_instance, "unreadable-remote");
  assert_int_equal(wire_from_package(&e, &list), 0);
  assert_string_equal(list.type_instance,
                      "dpkg:nginx-core=1:1.22.1-9+deb12u3~bpo:amd64");
  assert_int_equal(wire_from_address("2001:db8::1", &list), 0);
  assert_string_equal(list.type_instance, "2001:db8::1");
  assert_string_equal(list.plugin_instance, "");
  assert_int_equal(wire_from_host(&host, &list), 0);
  assert_string_equal(list.type_instance, "0123456789ab");
}

static void random_executables_come_back(void **state) {
  (void)state;
  srand(8072);
  for (int i = 0; i < ROUNDS; i++) {
    struct executable e = sample();
    char path[40] = "/";
    struct wire_list list;
    struct wire_item item;

    for (size_t j = 1; j < 1 + (size_t)(rand() % 38); j++)
      path[j] = (char)('a' + rand() % 26);
    e.path = path;
    e.state = (enum exe_state)(1 + rand() % 7);
    if (e.state == EXE_UNREADABLE)
      e.reason = (enum exe_reason)(1 + rand() % 6);
    for (size_t j = 0; j < DIGEST_LEN; j++)
      e.sha256.bytes[j] = (uint8_t)rand();
    e.rss_bytes = (uint64_t)rand() * 4096;
    assert_int_equal(wire_from_executable(&e, &list), 0);
    assert_int_equal(decode(&list, &item), 0);
    assert_int_equal(item.type, WIRE_EXECUTABLE);
    assert_string_equal(item.executable.path, path);
    assert_int_equal(item.executable.state, e.state);
    assert_int_equal(item.executable.reason, e.reason);
    if (e.state != EXE_UNREADABLE)
      assert_true(digest_equal(&item.executable.sha256, &e.sha256));
    assert_int_equal(item.executable.rss_bytes, e.rss_bytes);
    assert_int_equal(item.executable.pid, e.pid);
    assert_int_equal(item.executable.uid, e.uid);
    assert_int_equal(item.executable.processes, e.processes);
    assert_int_equal(item.executable.started_s, e.started_s);
  }
}

static void the_other_lists_come_back(void **state) {
  struct executable e = sample();
  struct wire_host host = {.id = "0123456789ab", .boot_s = 1780000000};
  struct wire_scan scan = {7, 6, 5, 4, 3, 2, 1, 0.25, 0.125};
  struct wire_list list;
  struct wire_item item;

  (void)state;
  assert_int_equal(wire_from_file(&e, &list), 0);
  assert_int_equal(decode(&list, &item), 0);
  assert_true(item.executable.has_file);
  assert_memory_equal(&item.executable.file, &e.file, sizeof(e.file));
  assert_int_equal(wire_from_package(&e, &list), 0);
  assert_int_equal(decode(&list, &item), 0);
  assert_string_equal(item.executable.package.manager, "dpkg");
  assert_string_equal(item.executable.package.name, "nginx-core");
  assert_string_equal(item.executable.package.version,
                      "1:1.22.1-9+deb12u3~bpo");
  assert_string_equal(item.executable.package.arch, "amd64");
  assert_true(item.executable.package.in_transaction);
  assert_int_equal(wire_from_address("192.0.2.7", &list), 0);
  assert_int_equal(decode(&list, &item), 0);
  assert_string_equal(item.address, "192.0.2.7");
  assert_int_equal(wire_from_host(&host, &list), 0);
  assert_int_equal(decode(&list, &item), 0);
  assert_string_equal(item.host.id, host.id);
  assert_int_equal(item.host.boot_s, host.boot_s);
  assert_int_equal(wire_from_scan(&scan, &list), 0);
  assert_int_equal(decode(&list, &item), 0);
  assert_memory_equal(&item.scan, &scan, sizeof(scan));
}

/* `touch -d 1960-01-01` is no reason to lose a scan. */
static void files_of_any_time_are_carried(void **state) {
  struct executable e = sample();
  struct wire_list list;
  struct wire_item item;

  (void)state;
  e.file.mtime_s = -315619200;
  e.file.ctime_s = INT64_MAX;
  assert_int_equal(wire_from_file(&e, &list), 0);
  assert_int_equal(decode(&list, &item), 0);
  assert_int_equal(item.executable.file.mtime_s, 0);
  assert_int_equal(item.executable.file.ctime_s, 253402300799);
}

/* Each case breaks one thing of a list that decodes. */
static void what_does_not_decode_is_refused(void **state) {
  static const char *const type_instances[] = {
      "",
      "current",
      "current-",
      "current-abc",
      "running",
      "-",
      "unreadable-broken",
      "unreadable-",
      "CURRENT-"
      "a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3",
      "current-"
      "A3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3",
  };
  static const double values[] = {-1, 0.5, 1e300, (double)NAN,
                                  (double)INFINITY};
  struct executable e = sample();
  struct wire_list good, list;
  struct wire_item item;

  (void)state;
  assert_int_equal(wire_from_executable(&e, &good), 0);
  assert_int_equal(decode(&good, &item), 0);
  for (size_t i = 0; i < sizeof(type_instances) / sizeof(char *); i++) {
    list = good;
    set_text(list.type_instance, type_instances[i]);
    assert_int_equal(decode(&list, &item), -EINVAL);
  }
  for (size_t i = 0; i < 5 * sizeof(values) / sizeof(values[0]); i++) {
    list = good;
    list.values[i % 5] = values[i / 5];
    assert_int_equal(decode(&list, &item), -EINVAL);
  }
  list = good;
  list.values[0] = 0;
  assert_int_equal(decode(&list, &item), -EINVAL);
  list = good;
  list.values[2] = 4294967296.0;
  assert_int_equal(decode(&list, &item), -EINVAL);
  assert_int_equal(wire_decode(&good, 4, &item), -EINVAL);
  assert_int_equal(wire_from_file(&e, &list), 0);
  assert_int_equal(decode(&list, &item), 0);
  list.values[1] = 0200000; /* no file has that mode */
  assert_int_equal(decode(&list, &item), -EINVAL);
  list = good;
  set_text(list.plugin_instance, "usr");
  assert_int_equal(decode(&list, &item), -EINVAL);
}

static void packages_that_could_be_misread_are_refused(void **state) {
  static const char *const bad[] = {
      "",
      "dpkg",
      "dpkg:a",
      "dpkg:a=1",
      "dpkg:a=:all",
      "dpkg:=1:all",
      ":a=1:all",
      "dpkg:a=1:",
      "dpkg:a=1=2:all",
      "dpkg:a b=1:all",
      "dpkg=a:1:all",
      "dpkg:a:b=1:all",
      "toolongname:a=1:all",
  };
  struct executable e = sample();
  struct wire_list list;
  struct wire_item item;

  (void)state;
  assert_int_equal(wire_from_package(&e, &list), 0);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    set_text(list.type_instance, bad[i]);
    assert_int_equal(decode(&list, &item), -EINVAL);
  }
  set_text(e.package.name, "a:b");
  assert_int_equal(wire_from_package(&e, &list), -EINVAL);
  set_text(e.package.name, "");
  assert_int_equal(wire_from_package(&e, &list), -EINVAL);
}

static void addresses_hosts_and_markers_are_checked(void **state) {
  struct wire_host host = {.id = "0123456789AB"};
  struct wire_scan scan = {.sequence = 1, .series = 0};
  struct wire_list list;
  struct wire_item item;

  (void)state;
  assert_int_equal(wire_from_address("example.com", &list), -EINVAL);
  assert_int_equal(wire_from_address("10.0.0.1/8", &list), -EINVAL);
  assert_int_equal(wire_from_host(&host, &list), -EINVAL);
  assert_int_equal(wire_from_scan(&scan, &list), 0);
  assert_int_equal(decode(&list, &item), -EINVAL); /* it counts itself */
  scan.series = 1;
  assert_int_equal(wire_from_scan(&scan, &list), 0);
  assert_int_equal(decode(&list, &item), 0);
  set_text(list.type_instance, "x");
  assert_int_equal(decode(&list, &item), -EINVAL);
  set_text(list.type_instance, "");
  set_text(list.plugin_instance, ":x");
  assert_int_equal(decode(&list, &item), -EINVAL);
}

static void types_are_found_by_name(void **state) {
  enum wire_type type;

  (void)state;
  for (int i = 0; i < WIRE_TYPES; i++) {
    assert_int_equal(wire_type_from_name(wire_data_sets[i].type, &type), 0);
    assert_int_equal((int)type, i);
  }
  assert_int_equal(wire_type_from_name("process_dna_", &type), -ENOENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(identifiers_are_those_of_the_design),
      cmocka_unit_test(random_executables_come_back),
      cmocka_unit_test(the_other_lists_come_back),
      cmocka_unit_test(files_of_any_time_are_carried),
      cmocka_unit_test(what_does_not_decode_is_refused),
      cmocka_unit_test(packages_that_could_be_misread_are_refused),
      cmocka_unit_test(addresses_hosts_and_markers_are_checked),
      cmocka_unit_test(types_are_found_by_name),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
