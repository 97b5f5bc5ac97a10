/* What came from a host gets into an operator's terminal and shell as text
 * and nothing else. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "correlator/text.h"
#include "lib/record/pathname.h"
#include "tests/unit/unit.h"

static void expect_quoted(const char *raw, const char *word) {
  char *quoted = text_shell_quote(raw);

  assert_string_equal(quoted, word);
  free(quoted);
}

static void plain_words_stay_as_they_are(void **state) {
  (void)state;
  expect_quoted("/usr/sbin/nginx", "/usr/sbin/nginx");
  expect_quoted("web-1.example.org", "web-1.example.org");
}

static void words_with_shell_characters_get_single_quotes(void **state) {
  (void)state;
  expect_quoted("", "''");
  expect_quoted("a b", "'a b'");
  expect_quoted("$(reboot)`id`;&|<>*?[]~!#\"\\{}()",
                "'$(reboot)`id`;&|<>*?[]~!#\"\\{}()'");
  expect_quoted("it's", "'it'\\''s'");
}

static void odd_bytes_are_written_in_octal(void **state) {
  (void)state;
  expect_quoted("a\nb", "$'a\\012b'");
  /* A digit after the code must not become part of it. */
  expect_quoted("\x01"
                "23",
                "$'\\00123'");
  expect_quoted("caf\xc3\xa9", "$'caf\\303\\251'");
  expect_quoted("\x7f'\\", "$'\\177\\'\\\\'");
}

/* What bash makes of a word. */
static void read_by_bash(const char *word, char *ret, size_t size) {
  char script[4096];
  int fds[2], status;
  size_t len = 0;
  ssize_t n;
  pid_t pid;

  (void)snprintf(script, sizeof(script), "printf %%s %s", word);
  assert_int_equal(pipe(fds), 0);
  pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    (void)dup2(fds[1], STDOUT_FILENO);
    (void)close(fds[0]);
    (void)execl("/bin/bash", "bash", "-c", script, (char *)NULL);
    _exit(127);
  }
  (void)close(fds[1]);
  while ((n = read(fds[0], ret + len, size - 1 - len)) > 0)
    len += (size_t)n;
  ret[len] = '\0';
  (void)close(fds[0]);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
}

static void bash_reads_back_every_byte(void **state) {
  char raw[256], back[512], *word;

  (void)state;
  for (int byte = 1; byte < 256; byte++)
    raw[byte - 1] = (char)byte;
  raw[255] = '\0';
  word = text_shell_quote(raw);
  read_by_bash(word, back, sizeof(back));
  assert_string_equal(back, raw);
  free(word);

  word = text_shell_quote("' \"$HOME\" \\' !! 'x");
  read_by_bash(word, back, sizeof(back));
  assert_string_equal(back, "' \"$HOME\" \\' !! 'x");
  free(word);
}

static void a_path_is_decoded_before_it_is_quoted(void **state) {
  char *word;

  (void)state;
  assert_int_equal(text_shell_path("", "/usr/sbin/nginx", &word), 0);
  assert_string_equal(word, "/usr/sbin/nginx");
  free(word);
  assert_int_equal(text_shell_path("", "/tmp/a%0Ab%22%20%FF", &word), 0);
  assert_string_equal(word, "$'/tmp/a\\012b\" \\377'");
  free(word);
  assert_int_equal(text_shell_path("/proc/7/root", "/tmp/it's", &word), 0);
  assert_string_equal(word, "'/proc/7/root/tmp/it'\\''s'");
  free(word);
}

static void a_path_that_no_command_can_name_is_refused(void **state) {
  char raw[400], identity[PATHNAME_MAX + 1], *text, *word;

  (void)state;
  memset(raw, 'x', sizeof(raw) - 1);
  raw[0] = '/';
  raw[sizeof(raw) - 1] = '\0';
  assert_int_equal(pathname_encode(raw, &text), 0);
  assert_int_equal(pathname_to_identity("", text, identity), 0);
  assert_true(pathname_is_shortened(identity));
  assert_int_equal(text_shell_path("", identity, &word), -EINVAL);
  free(text);

  assert_int_equal(text_shell_path("", "memfd%3Ax", &word), -EINVAL);
  assert_int_equal(text_shell_path("", "-rf", &word), -EINVAL);
  assert_int_equal(text_shell_path("", "", &word), -EINVAL);
  assert_int_equal(text_shell_path("", "/bad%0", &word), -EINVAL);
}

static void expect_printable(const char *text, const char *expected) {
  char *printable = text_printable(text);

  assert_string_equal(printable, expected);
  free(printable);
}

static void text_that_is_in_order_is_shown_as_it_is(void **state) {
  (void)state;
  expect_printable("", "");
  expect_printable("nginx: worker", "nginx: worker");
  expect_printable("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7",
                   "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa7");
}

static void control_characters_are_escaped(void **state) {
  (void)state;
  expect_printable("\033[2Jx\n\t\x7f", "\\x1b[2Jx\\x0a\\x09\\x7f");
  expect_printable("\xc2\x9b"
                   "31m",
                   "\\xc2\\x9b31m");          /* CSI as C1 */
  expect_printable("\xc2\xad", "\\xc2\\xad"); /* soft hyphen */
  expect_printable("\xe2\x80\xae"
                   "fdp.exe",
                   "\\xe2\\x80\\xaefdp.exe");
  expect_printable("a\xe2\x80\x8b"
                   "b",
                   "a\\xe2\\x80\\x8bb");
}

static void bytes_that_are_no_utf8_are_escaped(void **state) {
  (void)state;
  expect_printable("\xff\xfe", "\\xff\\xfe");
  expect_printable("\xc0\xaf", "\\xc0\\xaf");          /* overlong */
  expect_printable("\xe0\x80\xaf", "\\xe0\\x80\\xaf"); /* overlong */
  expect_printable("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* surrogate */
  expect_printable("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
  expect_printable("\xe2\x82", "\\xe2\\x82"); /* cut */
  expect_printable("\xe2\x82"
                   "a",
                   "\\xe2\\x82"
                   "a");
}

static void a_code_point_takes_one_column(void **state) {
  (void)state;
  assert_int_equal(text_columns(""), 0);
  assert_int_equal(text_columns("abc"), 3);
  assert_int_equal(text_columns("caf\xc3\xa9"), 4);
}

static void expect_wrapped(const char *head, unsigned indent,
                           const char *paragraph, const char *expected) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);

  text_wrap(out, head, paragraph, indent);
  assert_int_equal(fclose(out), 0);
  assert_string_equal(text, expected);
  free(text);
}

static void paragraphs_are_wrapped_at_80_columns(void **state) {
  char word[101];

  (void)state;
  expect_wrapped("", 0, "", "");
  expect_wrapped("1.", 3, "short  text ", "1. short text\n");
  /* 80 columns, then 81. */
  expect_wrapped(
      "-", 2,
      "123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
      "12345678 next",
      "- 123456789 123456789 123456789 123456789 123456789 123456789 "
      "123456789 12345678\n  next\n");

  expect_wrapped(
      "-", 2,
      "123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
      "123456789",
      "- 123456789 123456789 123456789 123456789 123456789 123456789 "
      "123456789\n  123456789\n");

  memset(word, 'x', sizeof(word) - 1);
  word[sizeof(word) - 1] = '\0';
  char paragraph[128], expected[128];
  (void)snprintf(paragraph, sizeof(paragraph), "a %s b", word);
  (void)snprintf(expected, sizeof(expected), "a\n%s\nb\n", word);
  expect_wrapped("", 0, paragraph, expected);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plain_words_stay_as_they_are),
      cmocka_unit_test(words_with_shell_characters_get_single_quotes),
      cmocka_unit_test(odd_bytes_are_written_in_octal),
      cmocka_unit_test(bash_reads_back_every_byte),
      cmocka_unit_test(a_path_is_decoded_before_it_is_quoted),
      cmocka_unit_test(a_path_that_no_command_can_name_is_refused),
      cmocka_unit_test(text_that_is_in_order_is_shown_as_it_is),
      cmocka_unit_test(control_characters_are_escaped),
      cmocka_unit_test(bytes_that_are_no_utf8_are_escaped),
      cmocka_unit_test(a_code_point_takes_one_column),
      cmocka_unit_test(paragraphs_are_wrapped_at_80_columns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
