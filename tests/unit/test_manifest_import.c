/* Goal: what is imported is the file that was vouched for, and not one that
 * was put in its place. */
#include <string.h>
#include <unistd.h>

#include "correlator/manifest_import.h"
#include "tests/unit/made_archive.h"

#define LIST                                                                   \
  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  /x\n"

static int import(const char *content, struct manifest_result *result) {
  const struct manifest_import import = {.content = content,
                                         .limits = &manifest_limits_default};
  char path[] = "build/import-XXXXXX";
  int fd = mkstemp(path);

  assert_true(fd >= 0);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(write(fd, LIST, strlen(LIST)), strlen(LIST));
  int rc = manifest_import_file(&import, fd, "here", result);
  (void)close(fd);
  return rc;
}

static void a_file_of_another_digest_is_refused(void **state) {
  struct manifest_result result;
  char hex[DIGEST_HEX_LEN + 1];

  (void)state;
  assert_int_equal(import(NULL, &result), 0);
  digest_to_hex(&result.manifest.content, hex);
  manifest_result_clear(&result);
  assert_int_equal(import(hex, &result), 0);
  assert_int_equal(result.manifest.entries_len, 1);
  manifest_result_clear(&result);

  hex[63] = hex[63] == '0' ? '1' : '0';
  assert_int_equal(import(hex, &result), -EBADMSG);
  assert_non_null(strstr(result.why, "expected the digest that its index has"));
  assert_non_null(strstr(result.why, hex));
  assert_int_equal(result.manifest.entries_len, 0);
  manifest_result_clear(&result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_file_of_another_digest_is_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
