/* Goal: every packet that collectd makes is read as collectd meant it, and of
 * any other nothing at all is handed out. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/collectd_hash.h"
#include "correlator/collectd_packet.h"
#include "tests/unit/collectd_packets.h"
#include "tests/unit/unit.h"

/* What was handed out. */
struct seen {
  size_t lists;
  size_t notifications;
  bool types[4];                             /* of first values */
  struct collectd_list list;                 /* the last */
  struct collectd_notification notification; /* the last */
};

static void on_list(void *context, const struct collectd_list *list) {
  struct seen *seen = context;

  seen->lists++;
  seen->types[list->value_types[0]] = true;
  seen->list = *list;
}

static void on_notification(void *context,
                            const struct collectd_notification *notification) {
  struct seen *seen = context;

  seen->notifications++;
  seen->notification = *notification;
}

static int parse(const struct packet *p, struct seen *seen) {
  const struct collectd_handler handler = {on_list, on_notification, seen};
  /* A copy of its own size, so that a sanitizer sees reads beyond it. */
  uint8_t *data = malloc(p->len ? p->len : 1);
  int r;

  memcpy(data, p->data, p->len);
  *seen = (struct seen){0};
  r = collectd_packet_parse(data, p->len, &handler);
  free(data);
  return r;
}

/* The same, and what was handed out may be looked at. */
static int parse_kept(const struct packet *p, struct seen *seen) {
  const struct collectd_handler handler = {on_list, on_notification, seen};

  *seen = (struct seen){0};
  return collectd_packet_parse(p->data, p->len, &handler);
}

static struct packet list_packet(void) {
  const double values[] = {1, 2.5};
  struct packet p = {.len = 0};

  put_head(&p, "host-a", cdtime(CAPTURED_S));
  put_text(&p, P_TYPE, "t");
  put_gauges(&p, values, 2);
  return p;
}

static void assert_refused(const struct packet *p) {
  struct seen seen = {0};

  assert_int_equal(parse(p, &seen), -EBADMSG);
  assert_int_equal(seen.lists + seen.notifications, 0);
}

static void a_scan_of_a_real_collectd_is_read_whole(void **state) {
  struct packet p;
  struct seen seen = {0};
  size_t lists = 0, i;

  (void)state;
  for (i = 0; packet_captured("scan-plain", i, &p); i++) {
    assert_int_equal(parse_kept(&p, &seen), 0);
    assert_string_equal(seen.list.host, "host-a");
    assert_string_equal(seen.list.plugin, "process_dna");
    assert_int_equal(collectd_time_us(seen.list.time),
                     CAPTURED_S * INT64_C(1000000) + 500000);
    assert_int_equal(collectd_time_us(seen.list.interval), 60000000);
    lists += seen.lists;
  }
  assert_int_equal(i, 3);
  assert_int_equal(lists, 25);
  assert_string_equal(seen.list.type, "process_dna_scan");
  assert_string_equal(seen.list.plugin_instance, "");
  assert_int_equal(seen.list.values_len, 9);
  assert_true(collectd_list_gauge(&seen.list, 1) == 25);
  assert_true(collectd_list_gauge(&seen.list, 7) == 0.25);
}

static void every_type_of_value_is_read(void **state) {
  struct packet p;
  struct seen seen = {0};

  (void)state;
  p = packet_first("types-plain");
  assert_int_equal(parse_kept(&p, &seen), 0);
  assert_int_equal(seen.lists, 7);
  for (size_t i = COLLECTD_COUNTER; i <= COLLECTD_ABSOLUTE; i++)
    assert_true(seen.types[i]);
}

static void a_notification_of_a_real_collectd_is_read(void **state) {
  struct packet p;
  struct seen seen = {0};

  (void)state;
  p = packet_first("notification-plain");
  assert_int_equal(parse_kept(&p, &seen), 0);
  assert_int_equal(seen.notifications, 1);
  assert_int_equal(seen.notification.severity, 1);
  assert_string_equal(seen.notification.host, "host-a");
  assert_string_equal(seen.notification.plugin, "process_dna");
  assert_string_equal(seen.notification.message, "/usr/bin/program00: spoofed");
}

static void a_packet_cut_within_a_part_gives_nothing(void **state) {
  static const char *const names[] = {"scan-plain", "types-plain",
                                      "notification-plain"};
  struct packet p, cut;
  struct seen seen = {0};

  (void)state;
  for (size_t n = 0; n < 3; n++) {
    p = packet_first(names[n]);
    cut = p;
    for (size_t at = 0; at < p.len;) {
      const size_t part = (size_t)(p.data[at + 2] << 8 | p.data[at + 3]);

      for (size_t i = 1; i < part; i++) {
        cut.len = at + i;
        assert_refused(&cut);
      }
      at += part;
      cut.len = at;
      assert_int_equal(parse(&cut, &seen), 0);
    }
  }
}

static void flipped_bits_never_reach_beyond_the_packet(void **state) {
  struct packet p;
  struct seen seen = {0};

  (void)state;
  p = packet_first("types-plain");
  for (size_t i = 0; i < p.len * 8; i++) {
    p.data[i / 8] ^= (uint8_t)(1 << i % 8);
    if (parse(&p, &seen) != 0)
      assert_int_equal(seen.lists, 0);
    p.data[i / 8] ^= (uint8_t)(1 << i % 8);
  }
}

static void whole_seconds_are_taken(void **state) {
  const double value = 1;
  struct packet p = {.len = 0};
  struct seen seen = {0};

  (void)state;
  put_text(&p, P_HOST, "h");
  put_number(&p, P_TIME, 5);
  put_number(&p, P_INTERVAL, 10);
  put_text(&p, P_PLUGIN, "p");
  put_text(&p, P_TYPE, "t");
  put_gauges(&p, &value, 1);
  assert_int_equal(parse_kept(&p, &seen), 0);
  assert_int_equal(collectd_time_us(seen.list.time), 5000000);
  assert_int_equal(collectd_time_us(seen.list.interval), 10000000);
}

static void seconds_that_overflow_are_refused(void **state) {
  struct packet p = {.len = 0};

  (void)state;
  put_number(&p, P_TIME, UINT64_C(1) << 34);
  assert_refused(&p);
}

static void unknown_parts_are_skipped(void **state) {
  struct packet p = list_packet(), more = {.len = 0};
  struct seen seen = {0};

  (void)state;
  put_part(&more, 0x7777, "anything", 8);
  put_part(&more, 0x00ff, "", 0);
  put(&more, p.data, p.len);
  assert_int_equal(parse(&more, &seen), 0);
  assert_int_equal(seen.lists, 1);
}

static void an_unknown_part_with_a_wrong_length_is_refused(void **state) {
  const struct packet good = list_packet();
  struct packet p = good;

  (void)state;
  put(&p, "\x77\x77\0\0", 4);
  assert_refused(&p);
  p = good;
  /* Were the length believed, another part would begin with its last byte. */
  put(&p, "\x77\x77\0\3\0\0\4", 7);
  assert_refused(&p);
  p = good;
  put(&p, "\x77\x77\0\5", 4);
  assert_refused(&p);
}

static void trailing_bytes_are_refused(void **state) {
  struct packet p = list_packet();

  (void)state;
  put(&p, "\0\0\0", 3);
  assert_refused(&p);
}

static void strings_end_with_their_only_nul(void **state) {
  struct packet p = list_packet();
  const size_t len = p.len;

  (void)state;
  put_part(&p, P_TYPE_INSTANCE, "abc", 3);
  assert_refused(&p);
  p.len = len;
  put_part(&p, P_TYPE_INSTANCE, "a\0c", 4);
  assert_refused(&p);
  p.len = len;
  put_part(&p, P_TYPE_INSTANCE, "", 0);
  assert_refused(&p);
}

static void names_are_at_most_127_bytes(void **state) {
  char name[COLLECTD_NAME_MAX + 2];
  struct packet p = {.len = 0};
  struct seen seen = {0};

  (void)state;
  memset(name, 'n', sizeof(name));
  name[COLLECTD_NAME_MAX] = '\0';
  put_text(&p, P_HOST, name);
  assert_int_equal(parse(&p, &seen), 0);
  p.len = 0;
  name[COLLECTD_NAME_MAX] = 'n';
  name[COLLECTD_NAME_MAX + 1] = '\0';
  put_text(&p, P_HOST, name);
  assert_refused(&p);
}

static void a_list_needs_time_host_plugin_and_type(void **state) {
  static const unsigned leave_out[] = {P_HOST, P_TIME, P_PLUGIN, P_TYPE};
  const double value = 1;

  (void)state;
  for (size_t i = 0; i <= 4; i++) {
    const unsigned out = i < 4 ? leave_out[i] : UINT_MAX;
    struct packet p = {.len = 0};
    struct seen seen = {0};

    if (out != P_HOST)
      put_text(&p, P_HOST, "h");
    if (out != P_TIME)
      put_number(&p, P_TIME, 1);
    if (out != P_PLUGIN)
      put_text(&p, P_PLUGIN, "p");
    if (out != P_TYPE)
      put_text(&p, P_TYPE, "t");
    put_gauges(&p, &value, 1);
    if (i < 4)
      assert_refused(&p);
    else
      assert_int_equal(parse(&p, &seen), 0);
  }
}

static void the_number_of_values_fits_the_length(void **state) {
  struct packet p = list_packet();
  uint8_t *const count = p.data + p.len - 20;

  (void)state;
  assert_int_equal(count[1], 2);
  count[1] = 1;
  assert_refused(&p);
  count[1] = 3;
  assert_refused(&p);
  count[0] = 0xff;
  assert_refused(&p);
}

static void no_values_are_refused(void **state) {
  struct packet p = list_packet();

  (void)state;
  put_part(&p, P_VALUES, "\0\0", 2);
  assert_refused(&p);
}

static void a_value_of_unknown_type_is_refused(void **state) {
  struct packet p = list_packet();

  (void)state;
  p.data[p.len - 17] = 4;
  assert_refused(&p);
}

static void signed_parts_within_a_packet_are_refused(void **state) {
  struct packet p = list_packet();

  (void)state;
  packet_sign(&p, "alice", "wonderland");
  assert_refused(&p);
}

static void a_fault_at_the_end_takes_back_the_beginning(void **state) {
  struct packet p;

  (void)state;
  p = packet_first("scan-plain");
  put_part(&p, P_TIME_HR, "1234567", 7);
  assert_refused(&p);
}

/* The expected values are those of another implementation: CPython's hash of
 * bytes, under PYTHONHASHSEED=0. */
static void the_hash_is_siphash_1_3(void **state) {
  static const struct {
    const char *text;
    uint64_t hash;
  } known[] = {
      {"a", UINT64_C(0x407448d2b89b1813)},
      {"abcdefg", UINT64_C(0x6db12aae9070f506)},
      {"abcdefgh", UINT64_C(0x3f7b849c0b8e35ea)},
      {"/usr/sbin/nginx current", UINT64_C(0xd58b40ee23011cbf)},
  };
  const struct collectd_hash_key key = {0, 0};

  (void)state;
  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    assert_true(collectd_hash(&key, known[i].text, strlen(known[i].text)) ==
                known[i].hash);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_scan_of_a_real_collectd_is_read_whole),
      cmocka_unit_test(every_type_of_value_is_read),
      cmocka_unit_test(a_notification_of_a_real_collectd_is_read),
      cmocka_unit_test(a_packet_cut_within_a_part_gives_nothing),
      cmocka_unit_test(flipped_bits_never_reach_beyond_the_packet),
      cmocka_unit_test(whole_seconds_are_taken),
      cmocka_unit_test(seconds_that_overflow_are_refused),
      cmocka_unit_test(unknown_parts_are_skipped),
      cmocka_unit_test(an_unknown_part_with_a_wrong_length_is_refused),
      cmocka_unit_test(trailing_bytes_are_refused),
      cmocka_unit_test(strings_end_with_their_only_nul),
      cmocka_unit_test(names_are_at_most_127_bytes),
      cmocka_unit_test(a_list_needs_time_host_plugin_and_type),
      cmocka_unit_test(the_number_of_values_fits_the_length),
      cmocka_unit_test(no_values_are_refused),
      cmocka_unit_test(a_value_of_unknown_type_is_refused),
      cmocka_unit_test(signed_parts_within_a_packet_are_refused),
      cmocka_unit_test(a_fault_at_the_end_takes_back_the_beginning),
      cmocka_unit_test(the_hash_is_siphash_1_3),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
