/* What sha256sum writes is read as it would check it; any other line makes the
 * list broken. */
#include <errno.h>

#include "correlator/manifest_list.h"
#include "tests/unit/made_archive.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define UPPER "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static int read_text(const char *text, size_t len, struct manifest *ret) {
  struct blob b = {0};

  put(&b, text, len);
  return read_blob(&b, ret);
}

static void each_form_of_a_line_is_read(void **state) {
  static const struct {
    const char *line, *path;
  } forms[] = {
      {A "  opt/app/bin/x\n", "/opt/app/bin/x"},
      {A "  ./opt//app/./x\n", "/opt/app/x"},
      {A "  /opt/x\n", "/opt/x"},
      {A " */opt/x\n", "/opt/x"},
      {A "  /opt/x\r\n", "/opt/x"},
      {A "  /opt/x", "/opt/x"},
      {UPPER "  /opt/x\n", "/opt/x"},
      {"\n# of 2026\n" A "  /opt/x\n\n", "/opt/x"},
      {"SHA256 (/opt/x) = " A "\n", "/opt/x"},
      {"SHA256 (/opt/(y) = z) = " A "\r\n", "/opt/(y)%20=%20z"},
      {"\\" A "  /opt/a\\\\b\\nc\\rd\n", "/opt/a%5Cb%0Ac%0Dd"},
      {"\\SHA256 (/opt/a\\\\b) = " A "\n", "/opt/a%5Cb"},
      {A "  /opt/a\\nb\n", "/opt/a%5Cnb"},
      {A "  /opt/\xff\xc3\n", "/opt/%FF%C3"},
      {A "  /bin/x\n", "/usr/bin/x"},
      {A "  -\n", "/-"},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
    struct manifest m = {0};
    char hex[DIGEST_HEX_LEN + 1];
    int error = read_text(forms[i].line, strlen(forms[i].line), &m);

    if (error != 0)
      fail_msg("form %zu: %d %s", i, error, last_why);
    assert_int_equal(m.entries_len, 1);
    assert_string_equal(entry_at(&m, 0)->path, forms[i].path);
    digest_to_hex(&entry_at(&m, 0)->digest, hex);
    assert_string_equal(hex, A);
    assert_string_equal(m.package.manager, "");
    manifest_clear(&m);
  }
}

static void a_path_may_have_several_digests(void **state) {
  static const char text[] = B "  /x\n" A "  /y\n" A "  /x\n" B "  x\n";
  struct manifest m = {0};

  (void)state;
  assert_int_equal(read_text(text, strlen(text), &m), 0);
  assert_int_equal(m.entries_len, 3);
  assert_string_equal(entry_at(&m, 0)->path, "/x");
  assert_int_equal(entry_at(&m, 0)->digest.bytes[0], 0xAA);
  assert_string_equal(entry_at(&m, 1)->path, "/x");
  assert_int_equal(entry_at(&m, 1)->digest.bytes[0], 0xBB);
  assert_string_equal(entry_at(&m, 2)->path, "/y");
  manifest_clear(&m);
}

#define GOOD A "  /good\n"
static void a_line_that_is_none_breaks_the_list(void **state) {
  static const struct {
    const char *text, *why;
  } lists[] = {
      {GOOD "d41d8cd98f00b204e9800998ecf8427e  /md5\n", "line 2"},
      {GOOD "SHA512 (/x) = " A "\n", "line 2"},
      {GOOD "SHA256 (/x) = " A A "\n", "line 2"},
      {GOOD "SHA256 (/x) =" A "\n", "line 2"},
      {GOOD "\n" A " /one-blank\n", "line 3"},
      {GOOD A "a  /65-digits\n", "line 2"},
      {GOOD A "  \n", "line 2"},
      {GOOD A "  .\n", "line 2"},
      {GOOD "g" A "  /x\n", "line 2"},
      {GOOD "\\" A "  /a\\tb\n", "line 2"},
      {GOOD "\\" A "  /a\\", "line 2"},
      {GOOD A "  /opt/../etc/x\n", ".."},
      {GOOD A, "line 2"},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
    struct blob b = {0};

    put(&b, lists[i].text, strlen(lists[i].text));
    expect_broken(&b, lists[i].why);
  }
}

static void nul_bytes_and_endless_lines_break_the_list(void **state) {
  static const char nul[] = GOOD A "  /x\0" B "  /y";
  struct blob b = {0};

  (void)state;
  /* Beyond what the format is told by. */
  for (int i = 0; i < 200; i++)
    put(&b, GOOD, strlen(GOOD));
  put(&b, nul, sizeof(nul));
  expect_broken(&b, "NUL");

  for (int i = 0; i < 200; i++)
    put(&b, GOOD, strlen(GOOD));
  for (int i = 0; i < 200; i++)
    put(&b, A, strlen(A));
  expect_broken(&b, "line 201: longer than");
}

static void what_is_no_list_is_told_apart(void **state) {
  static const char *const texts[] = {
      "",
      "\n",
      "hello\n",
      "d41d8cd98f00b204e9800998ecf8427e  /md5\n",
      "# only a comment\n",
      "Package: x\n" GOOD};
  struct manifest m = {0};

  (void)state;
  for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
    assert_int_equal(read_text(texts[i], strlen(texts[i]), &m), -ENOMSG);
}

static void a_list_has_limits(void **state) {
  const struct manifest_limits few = {
      .entries = 2, .path_bytes = 8, .time_s = 600};
  static const struct {
    const char *text, *why;
  } lists[] = {
      {A "  /a\n" A "  /b\n" A "  /c\n", "more than 2"},
      {A "  /123456789\n", "10 bytes, at most 8"},
  };
  struct manifest m = {0};

  (void)state;
  for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
    struct blob b = {0};

    put(&b, lists[i].text, strlen(lists[i].text));
    assert_int_equal(read_part(&b, b.len, &few, &m), -EBADMSG);
    assert_non_null(strstr(last_why, lists[i].why));
    blob_free(&b);
  }
}

static void what_sha256sum_writes_about_odd_names_is_read(void **state) {
  static const char command[] =
      "cd \"$(mktemp -d)\" && printf x > 'a b' && printf x > 'c\\d' && "
      "printf x > \"$(printf 'e\\nf')\" && sha256sum * && sha256sum -b * && "
      "sha256sum --tag * && rm -r \"$PWD\"";
  FILE *pipe = popen(command, "r");
  char text[4096];
  size_t len;
  struct manifest m = {0};

  (void)state;
  assert_non_null(pipe);
  len = fread(text, 1, sizeof(text), pipe);
  assert_int_equal(pclose(pipe), 0);
  assert_int_equal(read_text(text, len, &m), 0);
  assert_int_equal(m.entries_len, 3);
  expect_entry(&m, 0, "/a%20b", "x");
  expect_entry(&m, 1, "/c%5Cd", "x");
  expect_entry(&m, 2, "/e%0Af", "x");
  manifest_clear(&m);
}

static void what_is_written_is_read_as_it_was(void **state) {
  static const char lines[] = A
      "  /a b\n" A "  /c:\xC3\xBC\"\n"
      "\\" A "  /d\\\\e\\nf\\rg\n" A "  /usr/bin/x\n" A "  /"
      "longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglong"
      "longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglong\n";
  struct manifest first = {0}, again = {0};
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);

  (void)state;
  assert_non_null(out);
  assert_int_equal(read_text(lines, strlen(lines), &first), 0);
  assert_int_equal(first.entries_len, 5);
  for (size_t i = 0; i < first.entries_len; i++)
    assert_int_equal(manifest_list_write(out, entry_at(&first, i), false), 0);
  assert_int_equal(fclose(out), 0);
  assert_non_null(strstr(text, A "  /a b\n"));
  assert_non_null(strstr(text, "\n\\" A "  /d\\\\e\\nf\\rg\n"));
  assert_int_equal(read_text(text, len, &again), 0);
  assert_int_equal(again.entries_len, first.entries_len);
  for (size_t i = 0; i < first.entries_len; i++)
    assert_string_equal(entry_at(&again, i)->path, entry_at(&first, i)->path);
  manifest_clear(&again);
  free(text);

  /* A terminal gets no control characters. */
  out = open_memstream(&text, &len);
  assert_non_null(out);
  struct manifest_entry evil = {.path = (char[]){"/%1B[2J"}};
  assert_int_equal(manifest_list_write(out, &evil, true), 0);
  assert_int_equal(fclose(out), 0);
  assert_null(strchr(text, 0x1B));
  free(text);
  manifest_clear(&first);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_form_of_a_line_is_read),
      cmocka_unit_test(a_path_may_have_several_digests),
      cmocka_unit_test(a_line_that_is_none_breaks_the_list),
      cmocka_unit_test(nul_bytes_and_endless_lines_break_the_list),
      cmocka_unit_test(what_is_no_list_is_told_apart),
      cmocka_unit_test(a_list_has_limits),
      cmocka_unit_test(what_sha256sum_writes_about_odd_names_is_read),
      cmocka_unit_test(what_is_written_is_read_as_it_was),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
