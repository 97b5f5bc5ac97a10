/* Goal: digests survive the way to text and back, and nothing but 64
 * lower-case hex digits is taken for one. */
#include <errno.h>
#include <string.h>

#include "lib/record/digest.h"
#include "tests/unit/unit.h"

/* FIPS 180-4'"'"'s example: SHA-256 of "abc". */
static const char abc_hex[] =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void digest_of_abc_is_the_standards(void **state) {
  char hex[DIGEST_HEX_LEN + 1];
  struct digest d;

  (void)state;
  assert_int_equal(digest_of("abc", 3, &d), 0);
  digest_to_hex(&d, hex);
  assert_string_equal(hex, abc_hex);
}

static void hex_goes_both_ways(void **state) {
  char hex[DIGEST_HEX_LEN + 1];
  struct digest d;

  (void)state;
  assert_int_equal(digest_from_hex(abc_hex, DIGEST_HEX_LEN, &d), 0);
  digest_to_hex(&d, hex);
  assert_string_equal(hex, abc_hex);
}

static void other_text_is_refused(void **state) {
  char hex[DIGEST_HEX_LEN + 2];
  struct digest d;

  (void)state;
  memset(hex, 'a', sizeof(hex));
  assert_int_equal(digest_from_hex(hex, DIGEST_HEX_LEN, &d), 0);
  assert_int_equal(digest_from_hex(hex, DIGEST_HEX_LEN - 1, &d), -EINVAL);
  assert_int_equal(digest_from_hex(hex, DIGEST_HEX_LEN + 1, &d), -EINVAL);
  for (size_t i = 0; i < DIGEST_HEX_LEN; i++) {
    for (const char *bad = "AFg/:`\x80 "; *bad != '\0'; bad++) {
      hex[i] = *bad;
      assert_int_equal(digest_from_hex(hex, DIGEST_HEX_LEN, &d), -EINVAL);
    }
    hex[i] = 'a';
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(digest_of_abc_is_the_standards),
      cmocka_unit_test(hex_goes_both_ways),
      cmocka_unit_test(other_text_is_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
