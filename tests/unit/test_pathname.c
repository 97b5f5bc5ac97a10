/* Goal: any path that Linux allows reaches the other side as text that every
 * consumer can carry, and comes back exactly or, when too long, under a name
 * that no other path has. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/pathname.h"
#include "lib/record/record.h"
#include "tests/unit/unit.h"

enum { RANDOM_PATHS = 20000 };

static void paths_are_written_as_the_design_has_them(void **state) {
  static const struct {
    const char *container, *raw, *text, *instance;
  } cases[] = {
      {"", "/usr/sbin/nginx", "/usr/sbin/nginx", ":usr:sbin:nginx"},
      {"3f2a9c1b7d04", "/usr/sbin/nginx", "/usr/sbin/nginx",
       "@3f2a9c1b7d04:usr:sbin:nginx"},
      {"", "/a:b%c\"d\\e f", "/a%3Ab%25c%22d%5Ce%20f",
       ":a%3Ab%25c%22d%5Ce%20f"},
      {"", "/\n\x7f\x80\xff", "/%0A%7F%80%FF", ":%0A%7F%80%FF"},
      {"", "/@x~y_z", "/@x~y_z", ":@x~y_z"},
      {"", "/", "/", ":"},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char instance[PATHNAME_MAX + 1], identity[PATHNAME_MAX + 1];
    char container[CONTAINER_MAX + 1];
    char *text, *raw;

    assert_int_equal(pathname_encode(cases[i].raw, &text), 0);
    assert_string_equal(text, cases[i].text);
    assert_int_equal(pathname_to_instance(cases[i].container, text, instance),
                     0);
    assert_string_equal(instance, cases[i].instance);
    assert_int_equal(pathname_from_instance(instance, container, identity), 0);
    assert_string_equal(container, cases[i].container);
    assert_string_equal(identity, text);
    assert_int_equal(pathname_decode(identity, &raw), 0);
    assert_string_equal(raw, cases[i].raw);
    free(raw);
    free(text);
  }
}

/* A path of 1 to 300 bytes, any but NUL. */
static void random_path(char *raw) {
  size_t len = 1 + (size_t)(rand() % 300);
  int ascii = rand() % 2;

  raw[0] = '/';
  for (size_t i = 1; i < len; i++)
    raw[i] = (char)(ascii ? 'a' + rand() % 26 : 1 + rand() % 255);
  raw[len] = '\0';
}

static void random_paths_come_back_or_are_shortened(void **state) {
  static const char *const containers[] = {"", "3f2a9c1b7d04"};

  (void)state;
  srand(362);
  for (int i = 0; i < RANDOM_PATHS; i++) {
    char instance[PATHNAME_MAX + 1], identity[PATHNAME_MAX + 1];
    char direct[PATHNAME_MAX + 1];
    char container[CONTAINER_MAX + 1];
    const char *key = containers[i % 2];
    char raw[302];
    char *text, *back;

    random_path(raw);
    assert_int_equal(pathname_encode(raw, &text), 0);
    assert_int_equal(pathname_to_instance(key, text, instance), 0);
    assert_int_equal(pathname_from_instance(instance, container, identity), 0);
    assert_string_equal(container, key);
    assert_int_equal(pathname_to_identity(key, text, direct), 0);
    assert_string_equal(direct, identity);
    if (strlen(text) + (key[0] != '\0' ? 1 + strlen(key) : 0) <= PATHNAME_MAX) {
      assert_int_equal(pathname_decode(identity, &back), 0);
      assert_string_equal(back, raw);
      free(back);
    } else {
      assert_true(pathname_is_shortened(identity));
      assert_true(strlen(instance) <= PATHNAME_MAX);
      /* Cut between codes: what is left of it is text again. */
      assert_int_equal(pathname_decode(identity, &back), 0);
      free(back);
    }
    free(text);
  }
}

static void long_paths_that_differ_keep_apart(void **state) {
  char a[3001], b[3001];
  char instance_a[PATHNAME_MAX + 1], instance_b[PATHNAME_MAX + 1];

  (void)state;
  memset(a, 'x', sizeof(a) - 1);
  a[0] = '/';
  a[3000] = '\0';
  memcpy(b, a, sizeof(a));
  assert_int_equal(pathname_to_instance("", a, instance_a), 0);
  assert_int_equal(pathname_to_instance("", b, instance_b), 0);
  assert_string_equal(instance_a, instance_b);
  b[1500] = 'y';
  assert_int_equal(pathname_to_instance("", b, instance_b), 0);
  assert_string_not_equal(instance_a, instance_b);
  assert_int_equal(strlen(instance_b), PATHNAME_MAX);
  assert_true(pathname_is_shortened(instance_a));
}

/* Newlines all through: every byte is written as a code of three. With one
 * plain byte more at a time, the cuts fall on each of a code's bytes. */
static void cuts_fall_between_codes(void **state) {
  static const size_t heads[] = {58, 59, 60};
  static const size_t tails[] = {48, 48, 48};

  (void)state;
  for (size_t plain = 0; plain < 3; plain++) {
    char raw[102], instance[PATHNAME_MAX + 1];
    char *text;
    const char *tilde;

    memset(raw, '\n', sizeof(raw) - 1);
    memcpy(raw, "/ab", plain + 1);
    raw[sizeof(raw) - 1] = '\0';
    assert_int_equal(pathname_encode(raw, &text), 0);
    assert_int_equal(pathname_to_instance("", text, instance), 0);
    tilde = strchr(instance, '~');
    assert_int_equal(tilde - instance, heads[plain]);
    tilde = strrchr(instance, '~');
    assert_int_equal(strlen(tilde + 1), tails[plain]);
    assert_int_equal(tilde[1], '%');
    free(text);
  }
}

static void a_plain_path_is_not_called_shortened(void **state) {
  char path[PATHNAME_MAX + 1];

  (void)state;
  memset(path, 'x', PATHNAME_MAX);
  path[PATHNAME_MAX] = '\0';
  path[0] = '/';
  path[60] = '~';
  path[77] = '~';
  assert_false(pathname_is_shortened(path));
  memset(path + 61, 'a', 16);
  assert_true(pathname_is_shortened(path));
  assert_false(pathname_is_shortened("/usr/sbin/nginx"));
  assert_false(pathname_is_shortened("/a~0123456789abcdef~b"));
  assert_false(pathname_is_shortened(""));
}

static void what_the_encoder_does_not_write_is_refused(void **state) {
  static const char *const bad[] = {
      "",     "x",     "a/b",   "/%",    "/%4",   "/%41",   "/%3a", "/%00",
      "/a b", "/a\"b", "/a\\b", "/a\nb", "/\x80", "/a%2Fb", "/%%",
  };
  static const char *const bad_instances[] = {
      "",         ":a/b",    "@:x",
      "@key",     "@ke y:x", "@k\xc3y:x",
      "usr:sbin", "@a@b:x",  "@12345678901234567890123456789012345678901:x",
  };
  char identity[PATHNAME_MAX + 1], container[CONTAINER_MAX + 1];
  char *raw;

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    assert_int_equal(pathname_decode(bad[i], &raw), -EINVAL);
    assert_int_equal(pathname_to_identity("", bad[i], identity), -EINVAL);
  }
  for (size_t i = 0; i < sizeof(bad_instances) / sizeof(bad_instances[0]); i++)
    assert_int_equal(
        pathname_from_instance(bad_instances[i], container, identity), -EINVAL);
  assert_int_equal(pathname_encode("", &raw), -EINVAL);
  assert_int_equal(pathname_encode("relative", &raw), -EINVAL);
  assert_int_equal(pathname_to_identity("a:b", "/x", identity), -EINVAL);
}

/* A host that is seen over SNMP and over collectd has one identity. */
static void snmp_texts_lead_to_the_same_identity(void **state) {
  enum { LONGEST = 1500 };
  static const char *const containers[] = {
      "", "3f2a9c1b7d04", "a-key.of_forty_bytes.is.the.longest.key_"};
  char raw[LONGEST + 1], snmp[PATHNAME_SNMP_MAX + 1];
  char identity[PATHNAME_MAX + 1], expected[PATHNAME_MAX + 1];
  size_t shortened = 0;

  (void)state;
  srand(2);
  for (int i = 0; i < RANDOM_PATHS; i++) {
    const char *container = containers[i % 3];
    size_t len = 1 + (size_t)(rand() % (i % 2 ? LONGEST : 520));
    int ascii = rand() % 2;
    char *text;

    memset(raw, 0, sizeof(raw));
    for (size_t k = 0; k < len; k++)
      raw[k] = (char)(ascii ? 'a' + rand() % 26 : 1 + rand() % 255);
    raw[0] = '/';
    assert_int_equal(pathname_encode(raw, &text), 0);
    assert_int_equal(pathname_to_snmp(container, text, snmp), 0);
    assert_true(strlen(snmp) <= PATHNAME_SNMP_MAX);
    if (strlen(text) <= PATHNAME_SNMP_MAX)
      assert_string_equal(snmp, text);
    else
      shortened++;
    assert_int_equal(pathname_to_identity(container, text, expected), 0);
    assert_int_equal(pathname_from_snmp(container, snmp, identity), 0);
    assert_string_equal(identity, expected);
    free(text);
  }
  assert_true(shortened > RANDOM_PATHS / 4);
}

static void bad_snmp_texts_are_refused(void **state) {
  char identity[PATHNAME_MAX + 1], snmp[PATHNAME_SNMP_MAX + 1];
  char text[PATHNAME_SNMP_MAX + 2];

  (void)state;
  memset(text, 'x', sizeof(text) - 1);
  text[0] = '/';
  text[sizeof(text) - 1] = '\0';
  assert_int_equal(pathname_to_snmp("", text, snmp), 0);
  assert_int_equal(pathname_from_snmp("", text, identity), -EINVAL);
  snmp[300] = ' ';
  assert_int_equal(pathname_from_snmp("", snmp, identity), -EINVAL);
  assert_int_equal(pathname_from_snmp("", "", identity), -EINVAL);
  assert_int_equal(pathname_from_snmp("a:b", "/x", identity), -EINVAL);
  assert_int_equal(pathname_to_snmp("a:b", "/x", snmp), -EINVAL);
  assert_int_equal(pathname_to_snmp("", "x", snmp), -EINVAL);
}

static void merged_usr_is_one_path(void **state) {
  static const char *const cases[][2] = {
      {"/bin/sh", "/usr/bin/sh"},
      {"/sbin/init", "/usr/sbin/init"},
      {"/lib/systemd/systemd", "/usr/lib/systemd/systemd"},
      {"/lib64/ld-linux-x86-64.so.2", "/usr/lib64/ld-linux-x86-64.so.2"},
      {"/libx32/a", "/usr/libx32/a"},
      {"/bin", "/usr/bin"},
      {"/usr/bin/sh", "/usr/bin/sh"},
      {"/binary/sh", "/binary/sh"},
      {"/library/a", "/library/a"},
      {"/opt/bin/sh", "/opt/bin/sh"},
      {"/", "/"},
      {"bin/sh", "bin/sh"},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    char *merged;

    assert_int_equal(pathname_merge_usr(cases[i][0], &merged), 0);
    assert_string_equal(merged, cases[i][1]);
    free(merged);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(paths_are_written_as_the_design_has_them),
      cmocka_unit_test(random_paths_come_back_or_are_shortened),
      cmocka_unit_test(long_paths_that_differ_keep_apart),
      cmocka_unit_test(cuts_fall_between_codes),
      cmocka_unit_test(a_plain_path_is_not_called_shortened),
      cmocka_unit_test(what_the_encoder_does_not_write_is_refused),
      cmocka_unit_test(snmp_texts_lead_to_the_same_identity),
      cmocka_unit_test(bad_snmp_texts_are_refused),
      cmocka_unit_test(merged_usr_is_one_path),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
