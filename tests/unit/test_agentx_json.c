/* Goal: whatever a process calls itself and its executable, --scan prints one
 * line of valid JSON with all that is known of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "snmp-subagent/json.h"
#include "snmp-subagent/utf8.h"
#include "tests/unit/unit.h"

static char *printed(const struct record *r) {
  char *text = NULL;
  size_t len;
  FILE *out = open_memstream(&text, &len);

  assert_non_null(out);
  assert_int_equal(json_print_record(out, r), 0);
  assert_int_equal(fclose(out), 0);
  return text;
}

static void a_record_is_one_line(void **state) {
  struct record r = {
      .pid = 1842,
      .ppid = 1,
      .started_s = 1779700000,
      .name = "a\"b\\c",
      .uid = 33,
      .rss_kib = 9000,
      .exe_path = (char *)"/usr/sbin/n\xffgi\nnx",
      .state = EXE_CURRENT,
      .has_exe_sha256 = true,
      .has_running_sha256 = true,
      .exe_file = {1265648, 0104755, 0, 7, 1744930054, 1744930055},
      .running_file = {1, 0100644, 4294967295U, 0, -1, 0},
      .package = {.manager = "dpkg",
                  .name = "nginx",
                  .version = "1.22.1-9",
                  .arch = "amd64"},
      .observed_at_s = 1779700442,
  };
  char *text;

  (void)state;
  memset(r.exe_sha256.bytes, 0xA3, DIGEST_LEN);
  text = printed(&r);
  assert_string_equal(
      text,
      "{\"pid\":1842,\"name\":\"a\\\"b\\\\c\","
      "\"exe_path\":\"/usr/sbin/n%FFgi%0Anx\",\"exe_sha256\":"
      "\"a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3\","
      "\"running_sha256\":"
      "\"0000000000000000000000000000000000000000000000000000000000000000\","
      "\"state\":\"current\",\"reason\":null,\"parent\":1,\"uid\":33,"
      "\"rss_kib\":9000,\"container\":\"\","
      "\"started_at\":\"2026-05-25T09:06:40Z\","
      "\"exe_file\":{\"size\":1265648,\"mode\":\"4755\",\"uid\":0,\"gid\":7,"
      "\"mtime\":\"2025-04-17T22:47:34Z\",\"ctime\":\"2025-04-17T22:47:35Z\"},"
      "\"running_file\":{\"size\":1,\"mode\":\"0644\",\"uid\":4294967295,"
      "\"gid\":0,\"mtime\":\"1969-12-31T23:59:59Z\","
      "\"ctime\":\"1970-01-01T00:00:00Z\"},"
      "\"package\":{\"in_transaction\":false,\"manager\":\"dpkg\","
      "\"name\":\"nginx\",\"version\":\"1.22.1-9\",\"architecture\":\"amd64\"},"
      "\"observed_at\":\"2026-05-25T09:14:02Z\"}\n");
  free(text);
}

static void what_is_not_known_is_null(void **state) {
  struct record r = {.pid = 5,
                     .exe_path = (char *)"/x",
                     .state = EXE_UNREADABLE,
                     .reason = EXE_REASON_DENIED,
                     .started_s = INT64_MAX};
  char *text = printed(&r);

  (void)state;
  assert_non_null(strstr(text,
                         "\"exe_sha256\":null,\"running_sha256\":null,"
                         "\"state\":\"unreadable\",\"reason\":\"denied\""));
  assert_non_null(strstr(text, "\"started_at\":null,\"exe_file\":null,"
                               "\"running_file\":null,\"package\":null,"));
  free(text);
}

static void names_become_utf8(void **state) {
  static const struct {
    const char *raw, *clean;
  } cases[] = {
      {"plain", "plain"},
      {"gr\xc3\xb6\xc3\x9f"
       "e",
       "gr\xc3\xb6\xc3\x9f"
       "e"},
      {"\xe2\x82\xac\xf0\x9f\x92\xa9", "\xe2\x82\xac\xf0\x9f\x92\xa9"},
      {"a\nb\x1b[31m\x7f", "a?b?[31m?"},
      {"\xff\xfe\xc3", "???"},
      {"\xc0\xaf\xe0\x80\xaf", "?????"}, /* too long a form */
      {"\xed\xa0\x80", "???"},           /* a surrogate */
      {"\xf4\x90\x80\x80", "????"},      /* beyond Unicode */
      {"\xc2\x85", "??"},                /* C1 */
      {"\xf0\x9f\x92", "???"},           /* cut short */
  };
  char clean[64];

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    utf8_clean(cases[i].raw, clean, sizeof(clean));
    assert_string_equal(clean, cases[i].clean);
  }
  utf8_clean("ab\xc3\xb6", clean, 4);
  assert_string_equal(clean, "ab");
  utf8_clean("ab\xc3\xb6", clean, 5);
  assert_string_equal(clean, "ab\xc3\xb6");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_record_is_one_line),
      cmocka_unit_test(what_is_not_known_is_null),
      cmocka_unit_test(names_become_utf8),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
