/* Goal: each option arrives where it belongs, and whatever is wrong in a block
 * is said with its option, its value and what was expected. */
#include "tests/unit/fake_collectd.h"

#include "collectd-plugin/config.h"

const struct scan_options scan_options_default = {
    .proc_root = "/proc", .scan_timeout_ms = 10000, .cache_max = 4096};

#define STRING(text)                                                           \
  { .type = OCONFIG_TYPE_STRING, .value.string = (char *)(text) }
#define NUMBER(n)                                                              \
  { .type = OCONFIG_TYPE_NUMBER, .value.number = (n) }
#define BOOLEAN(b)                                                             \
  { .type = OCONFIG_TYPE_BOOLEAN, .value.boolean = (b) }
#define ITEM(name, ...)                                                        \
  {                                                                            \
    .key = (char *)(name), .values = (oconfig_value_t[]){__VA_ARGS__},         \
    .values_num = (int)(sizeof((oconfig_value_t[]){__VA_ARGS__}) /             \
                        sizeof(oconfig_value_t))                               \
  }
#define READ(config, ...)                                                      \
  read_items((config), (oconfig_item_t[]){__VA_ARGS__},                        \
             sizeof((oconfig_item_t[]){__VA_ARGS__}) / sizeof(oconfig_item_t))

static int read_items(struct dna_config *config, oconfig_item_t *items,
                      size_t len) {
  oconfig_item_t block = {.children = items, .children_num = (int)len};

  return dna_config_read(config, &block);
}

static void an_empty_block_leaves_the_defaults(void **state) {
  oconfig_item_t block = {0};
  struct scan_options o;
  struct dna_config c;

  (void)state;
  fake_reset();
  dna_config_init(&c);
  assert_int_equal(dna_config_read(&c, &block), 0);
  o = scan_settings_options(&c.scan);
  assert_string_equal(o.proc_root, "/proc");
  assert_int_equal(o.min_rss_kib, 50 * 1024);
  assert_true(o.always_root);
  assert_false(o.remote_files);
  assert_int_equal(o.executables_len, 0);
  assert_int_equal(o.rehash_interval_s, 3600);
  assert_int_equal(o.scan_interval_s, 60);
  assert_int_equal(o.hash_budget, 256 << 20);
  assert_int_equal(o.cache_max, 4096);
  assert_int_equal(c.notify,
                   DNA_STATE_BIT(EXE_SPOOFED) | DNA_STATE_BIT(EXE_ANONYMOUS));
  assert_int_equal(fake.log_lines, 0);
}

static void each_option_arrives_whatever_its_case(void **state) {
  struct scan_options o;
  struct dna_config c;

  (void)state;
  fake_reset();
  dna_config_init(&c);
  assert_int_equal(
      READ(&c, ITEM("scaninterval", NUMBER(5)), ITEM("MINRSS", NUMBER(0)),
           ITEM("AlwaysRoot", BOOLEAN(0)),
           ITEM("Executable", STRING("/usr/sbin/sshd"), STRING("/opt/*/bin")),
           ITEM("Executable", STRING("/usr/bin/x")),
           ITEM("RehashInterval", NUMBER(60)), ITEM("HashBudget", NUMBER(1)),
           ITEM("RemoteFiles", BOOLEAN(1)), ITEM("Packages", BOOLEAN(0)),
           ITEM("PackageRoot", STRING("/host")),
           ITEM("Notify", STRING("deleted"), STRING("replaced")),
           ITEM("Notify", STRING("spoofed")),
           ITEM("ProcRoot", STRING("/tmp/proc"))),
      0);
  o = scan_settings_options(&c.scan);
  assert_string_equal(o.proc_root, "/tmp/proc");
  assert_false(o.packages);
  assert_string_equal(o.package_root, "/host");
  assert_int_equal(o.min_rss_kib, 0);
  assert_false(o.always_root);
  assert_true(o.remote_files);
  assert_int_equal(o.executables_len, 3);
  assert_string_equal(o.executables[0], "/usr/sbin/sshd");
  assert_string_equal(o.executables[1], "/opt/*/bin");
  assert_string_equal(o.executables[2], "/usr/bin/x");
  assert_int_equal(o.rehash_interval_s, 60);
  assert_int_equal(o.scan_interval_s, 5);
  assert_int_equal(o.hash_budget, 1 << 20);
  assert_int_equal(c.notify, DNA_STATE_BIT(EXE_DELETED) |
                                 DNA_STATE_BIT(EXE_REPLACED) |
                                 DNA_STATE_BIT(EXE_SPOOFED));
  assert_false(c.bad);
  assert_int_equal(fake.log_lines, 0);
  dna_config_clear(&c);
}

static void notify_none_names_no_state(void **state) {
  struct dna_config c;

  (void)state;
  fake_reset();
  dna_config_init(&c);
  assert_int_equal(READ(&c, ITEM("Notify", STRING("none"))), 0);
  for (int s = EXE_CURRENT; s <= EXE_SUPERSEDED; s++)
    assert_int_equal(c.notify & DNA_STATE_BIT(s), 0);
}

static void a_bad_option_is_named_with_its_value(void **state) {
  const struct {
    oconfig_item_t item;
    const char *message;
  } cases[] = {
      {ITEM("ScanIntervall", NUMBER(5)),
       "option ScanIntervall: expected one of this plugin's options, found 5"},
      {ITEM("ScanInterval", NUMBER(0)),
       "option ScanInterval: expected a whole number of seconds from 1 to "
       "86400, found 0"},
      {ITEM("ScanInterval", NUMBER(1.5)), "found 1.5"},
      {ITEM("ScanInterval", NUMBER(86401)), "found 86401"},
      {ITEM("ScanInterval", NUMBER(1e300)), "found 1e+300"},
      {ITEM("ScanInterval", NUMBER(NAN)), "found nan"},
      {ITEM("ScanInterval", STRING("60")), "found \"60\""},
      {ITEM("ScanInterval", BOOLEAN(1)), "found true"},
      {ITEM("ScanInterval", NUMBER(5), NUMBER(6)),
       "expected one value only, found 6"},
      {{.key = (char *)"ScanInterval"},
       "option ScanInterval: expected a value, found none"},
      {ITEM("MinRSS", NUMBER(-1)),
       "option MinRSS: expected a whole number of MiB from 0 to 1048576, "
       "found -1"},
      {ITEM("HashBudget", NUMBER(0)),
       "option HashBudget: expected a whole number of MiB from 1 to 1048576, "
       "found 0"},
      {ITEM("RehashInterval", NUMBER(0)), "option RehashInterval:"},
      {ITEM("AlwaysRoot", STRING("yes")),
       "option AlwaysRoot: expected true or false, found \"yes\""},
      {ITEM("RemoteFiles", NUMBER(1)), "option RemoteFiles:"},
      {ITEM("Executable", STRING("sshd")),
       "option Executable: expected absolute paths in quotes, found \"sshd\""},
      {ITEM("Executable", STRING("/bin/a"), STRING("")), "found \"\""},
      {ITEM("Notify", STRING("spooofed")),
       "option Notify: expected names of states in quotes, or \"none\" alone, "
       "found \"spooofed\""},
      {ITEM("Notify", STRING("none"), STRING("spoofed")), "option Notify:"},
      {ITEM("Notify", STRING("spoofed"), STRING("none")), "option Notify:"},
      {ITEM("ProcRoot", STRING("proc")),
       "option ProcRoot: expected one absolute path in quotes, found \"proc\""},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    oconfig_item_t item = cases[i].item;
    struct dna_config c;

    fake_reset();
    dna_config_init(&c);
    assert_int_equal(read_items(&c, &item, 1), -EINVAL);
    assert_true(c.bad);
    assert_int_equal(fake.log_lines, 1);
    assert_non_null(strstr(fake.log, "process_dna plugin: "));
    if (strstr(fake.log, cases[i].message) == NULL)
      fail_msg("\"%s\" is not in: %s", cases[i].message, fake.log);
    dna_config_clear(&c);
  }
}

static void a_block_inside_is_refused(void **state) {
  oconfig_item_t inner = ITEM("A", NUMBER(1));
  oconfig_item_t item = ITEM("Executable", STRING("/usr/bin/a"));
  struct dna_config c;

  (void)state;
  fake_reset();
  dna_config_init(&c);
  item.children = &inner;
  item.children_num = 1;
  assert_int_equal(read_items(&c, &item, 1), -EINVAL);
  assert_non_null(strstr(fake.log, "option Executable: expected a value"));
}

static void a_doubled_option_is_refused_in_another_block_too(void **state) {
  struct dna_config c;

  (void)state;
  fake_reset();
  dna_config_init(&c);
  assert_int_equal(READ(&c, ITEM("ProcRoot", STRING("/a"))), 0);
  assert_int_equal(READ(&c, ITEM("procroot", STRING("/b"))), -EINVAL);
  assert_non_null(strstr(
      fake.log, "option ProcRoot: expected the option only once, found"));
  assert_string_equal(c.scan.proc_root, "/a");
  dna_config_clear(&c);
}

static void a_good_option_does_not_hide_a_bad_one(void **state) {
  struct dna_config c;

  (void)state;
  fake_reset();
  dna_config_init(&c);
  assert_int_equal(READ(&c, ITEM("MinRSS", NUMBER(-1)),
                        ITEM("HashBudget", NUMBER(-1)),
                        ITEM("ScanInterval", NUMBER(5))),
                   -EINVAL);
  assert_int_equal(READ(&c, ITEM("RehashInterval", NUMBER(5))), 0);
  assert_true(c.bad);
  assert_int_equal(fake.log_lines, 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_empty_block_leaves_the_defaults),
      cmocka_unit_test(each_option_arrives_whatever_its_case),
      cmocka_unit_test(notify_none_names_no_state),
      cmocka_unit_test(a_bad_option_is_named_with_its_value),
      cmocka_unit_test(a_block_inside_is_refused),
      cmocka_unit_test(a_doubled_option_is_refused_in_another_block_too),
      cmocka_unit_test(a_good_option_does_not_hide_a_bad_one),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
