/* Goal: what apt's tools print is taken apart as they print it, and nothing
 * that a hostile index can put there gets further. */
#include <stdio.h>
#include <string.h>

#include "correlator/apt_answer.h"
#include "tests/unit/unit.h"

#define SHA "61038f857e346e8500adf53a2a0a20859f4d3a3b51570cc876b153a2d51a3091"

static const char listing[] =
    "     nginx | 1.22.1-9+deb12u2 | http://a/security bookworm-security/main "
    "amd64 Packages\n"
    "     nginx |   1.22.1-9 | http://a/debian bookworm/main amd64 Packages\n"
    "     nginx |   1.22.1-9 | http://b/debian bookworm/main amd64 Packages\n";

static void the_place_of_exactly_that_version_is_found(void **state) {
  char place[128] = "";

  (void)state;
  assert_true(apt_answer_place(listing, "1.22.1-9", place, sizeof(place)));
  assert_string_equal(place, "http://a/debian bookworm/main amd64 Packages");
  assert_true(
      apt_answer_place(listing, "1.22.1-9+deb12u2", place, sizeof(place)));
  assert_string_equal(
      place, "http://a/security bookworm-security/main amd64 Packages");
  assert_false(apt_answer_place(listing, "1.22.1", place, sizeof(place)));
  assert_false(apt_answer_place(listing, "nginx", place, sizeof(place)));
  assert_false(apt_answer_place(listing, "", place, sizeof(place)));
  assert_false(apt_answer_place("", "1", place, sizeof(place)));
  assert_false(apt_answer_place(" nginx | 1\n", "1", place, sizeof(place)));
  assert_true(apt_answer_place(listing, "1.22.1-9", place, 9));
  assert_string_equal(place, "http://a");
}

static void an_item_is_uri_file_size_and_digest(void **state) {
  struct fetch_item item;

  (void)state;
  assert_true(apt_answer_item(
      "'http://a/pool/n_1%253a2_amd64.deb' n_1%3a2_amd64.deb 2896560 "
      "SHA256:" SHA "\n",
      &item));
  assert_string_equal(item.origin, "http://a/pool/n_1%253a2_amd64.deb");
  assert_string_equal(item.file, "n_1%3a2_amd64.deb");
  assert_int_equal(item.size, 2896560);
  assert_string_equal(item.sha256, SHA);
  assert_true(apt_answer_item("'file:/p/n.deb' n.deb 5 SHA512:abcd\n", &item));
  assert_string_equal(item.sha256, "");
}

static void what_is_no_item_is_refused(void **state) {
  static const char *const broken[] = {
      "",
      "\n",
      "E: nonsense\n",
      "'http://a/n.deb' n.deb 5\n",
      "'http://a/n.deb' n.deb five SHA256:" SHA "\n",
      "'http://a/n.deb' ../n.deb 5 SHA256:" SHA "\n",
      "'http://a/n.deb' /etc/passwd 5 SHA256:" SHA "\n",
      "'http://a/n.deb' .. 5 SHA256:" SHA "\n",
      "'http://a/n.deb' -n.deb 5 SHA256:" SHA "\n",
      "'http://a/n.deb' n\x01.deb 5 SHA256:" SHA "\n",
      "'http://a/n.deb' n.deb 5 SHA256:" SHA " more\n",
      "'http://a/n.deb' n.deb 5 SHA256:" SHA "\n'http://a/m.deb' m.deb 5 "
      "SHA256:" SHA "\n",
      "http://a/n.deb n.deb 5 SHA256:" SHA "\n",
  };
  struct fetch_item item = {.size = 42};

  (void)state;
  for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
    if (apt_answer_item(broken[i], &item))
      fail_msg("taken: %s", broken[i]);
    assert_int_equal(item.size, 42);
  }
}

static void errors_come_before_warnings_and_are_printable(void **state) {
  char reason[FETCH_REASON_MAX];
  char many[4096] = "E: ";

  (void)state;
  apt_answer_reason(
      "Get:1 x\nW: careful\nE: first\nN: note\nE: second\x1b[1m\n", "nothing",
      reason);
  assert_string_equal(reason, "E: first; E: second?[1m; W: careful");
  apt_answer_reason("Get:1 x\n", "exit status 7", reason);
  assert_string_equal(reason, "exit status 7");
  memset(many + 3, 'x', sizeof(many) - 5);
  apt_answer_reason(many, "", reason);
  assert_int_equal(strlen(reason), FETCH_REASON_MAX - 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_place_of_exactly_that_version_is_found),
      cmocka_unit_test(an_item_is_uri_file_size_and_digest),
      cmocka_unit_test(what_is_no_item_is_refused),
      cmocka_unit_test(errors_come_before_warnings_and_are_printable),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
