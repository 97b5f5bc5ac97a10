/* Goal: a notification for each executable that enters a watched state while
 * the plugin runs: once, with all that is known of it. */
#include "tests/unit/fake_collectd.h"

#include "collectd-plugin/config.h"
#include "collectd-plugin/notify.h"
#include "tests/unit/fake_snapshot.h"

static const uint64_t default_states =
    DNA_STATE_BIT(EXE_SPOOFED) | DNA_STATE_BIT(EXE_ANONYMOUS);

static struct dna_notifier *new_notifier(uint64_t states) {
  struct dna_notifier *n;

  fake_reset();
  assert_int_equal(dna_notifier_new(states, &n), 0);
  return n;
}

/* Returns how many notifications a scan with these executables makes. */
static size_t notified(struct dna_notifier *n, struct executable *executables,
                       size_t len) {
  struct snapshot s = fake_snapshot(executables, len, NULL);
  struct dna_scan scan = {.snapshot = &s, .time = fake.now};

  fake.notifications_len = 0;
  assert_int_equal(dna_notifier_scan(n, &scan), 0);
  return fake.notifications_len;
}

static void what_comes_after_the_first_scan_is_notified_once(void **state) {
  struct executable e[] = {
      fake_executable("/memfd%3Aa", EXE_ANONYMOUS, 1),
      fake_executable("/usr/bin/b", EXE_CURRENT, 2),
      fake_executable("/usr/bin/c", EXE_SPOOFED, 3),
      fake_executable("/usr/bin/c", EXE_SPOOFED, 4),
  };
  struct dna_notifier *n = new_notifier(default_states);

  (void)state;
  assert_int_equal(notified(n, e, 2), 0);
  assert_int_equal(notified(n, e, 3), 1);
  assert_string_equal(fake.notifications[0].n.plugin_instance, ":usr:bin:c");
  assert_int_equal(notified(n, e, 3), 0);
  assert_int_equal(notified(n, e, 4), 1);
  assert_int_equal(notified(n, NULL, 0), 0);
  assert_int_equal(notified(n, e, 4), 0);
  /* A current executable becomes a spoofed one. */
  e[1].state = EXE_SPOOFED;
  assert_int_equal(notified(n, e, 4), 1);
  dna_notifier_free(n);
}

static void only_watched_states_are_notified(void **state) {
  struct executable e[] = {fake_executable("/a", EXE_SPOOFED, 1),
                           fake_executable("/b", EXE_DELETED, 1),
                           fake_executable("/c", EXE_CURRENT, 1)};
  struct dna_notifier *n =
      new_notifier(DNA_STATE_BIT(EXE_DELETED) | DNA_STATE_BIT(EXE_CURRENT));

  (void)state;
  assert_int_equal(notified(n, NULL, 0), 0);
  assert_int_equal(notified(n, e, 3), 2);
  assert_int_equal(fake.notifications[0].n.severity, NOTIF_WARNING);
  assert_int_equal(fake.notifications[1].n.severity, NOTIF_OKAY);
  dna_notifier_free(n);
  n = new_notifier(0);
  assert_int_equal(notified(n, NULL, 0), 0);
  assert_int_equal(notified(n, e, 3), 0);
  dna_notifier_free(n);
}

static void a_notification_tells_all(void **state) {
  struct executable e = fake_executable("/tmp/x%20y", EXE_SPOOFED, 0xab);
  struct dna_notifier *n = new_notifier(default_states);
  const struct fake_notification *f = &fake.notifications[0];
  char hex[DIGEST_HEX_LEN + 1], text[512];

  (void)state;
  digest_to_hex(&e.sha256, hex);
  snprintf(e.container, sizeof(e.container), "3f2a9c1b7d04");
  snprintf(e.name, sizeof(e.name), "a\nb\"\xff");
  e.has_file = true;
  e.file = (struct file_facts){9, 0100755, 1, 2, 3, 4};
  e.package = (struct package){"dpkg", "x", "1", "amd64", true};
  assert_int_equal(notified(n, NULL, 0), 0);
  assert_int_equal(notified(n, &e, 1), 1);

  assert_int_equal(f->n.severity, NOTIF_FAILURE);
  assert_int_equal(f->n.time, fake.now);
  assert_string_equal(f->n.host, "host.example");
  assert_string_equal(f->n.plugin, "process_dna");
  assert_string_equal(f->n.plugin_instance, "@3f2a9c1b7d04:tmp:x%20y");
  assert_string_equal(f->n.type, "process_dna");
  snprintf(text, sizeof(text), "spoofed-%s", hex);
  assert_string_equal(f->n.type_instance, text);
  snprintf(text, sizeof(text),
           "spoofed executable /tmp/x%%20y: sha256 %s, pid 77, uid 1000, name "
           "a?b\"?",
           hex);
  assert_string_equal(f->n.message, text);
  snprintf(text, sizeof(text),
           "exe_path=/tmp/x%%20y\nexe_sha256=%s\ncontainer=3f2a9c1b7d04\n"
           "state=spoofed\nreason=\npid=77\nname=a?b\"?\nuid=1000\n"
           "started=1779990000\nprocesses=2\nrss=4096\n"
           "observed_at=1780000000\nsize=9\nmode=33261\nowner=1\ngroup=2\n"
           "mtime=3\nctime=4\npackage_manager=dpkg\npackage=x\n"
           "package_version=1\npackage_arch=amd64\npackage_transaction=true\n",
           hex);
  assert_string_equal(f->meta, text);
  dna_notifier_free(n);
}

static void a_long_path_leaves_room_for_digest_and_pid(void **state) {
  char path[3000] = "";
  struct executable e = fake_executable(path, EXE_ANONYMOUS, 0xab);
  struct dna_notifier *n = new_notifier(default_states);
  const char *message = fake.notifications[0].n.message;

  (void)state;
  memset(path, 'x', sizeof(path));
  path[0] = '/';
  path[sizeof(path) - 1] = '\0';
  memset(e.name, 'n', COMM_MAX);
  assert_int_equal(notified(n, NULL, 0), 0);
  assert_int_equal(notified(n, &e, 1), 1);
  assert_int_equal(strlen(message), 255);
  assert_non_null(strstr(message, "abab, pid 77, uid 1000, name nn"));
  dna_notifier_free(n);
}

/* It was there at the first scan, but over the hash budget. */
static void
what_waited_for_its_digest_since_the_start_is_not_new(void **state) {
  struct executable first[] = {fake_executable("/a", EXE_UNREADABLE, 0),
                               fake_executable("/b", EXE_CURRENT, 1)};
  struct executable second[] = {fake_executable("/a", EXE_UNREADABLE, 0),
                                fake_executable("/b", EXE_UNREADABLE, 0)};
  struct executable third[] = {fake_executable("/a", EXE_SPOOFED, 7),
                               fake_executable("/b", EXE_SPOOFED, 7)};
  struct executable fourth = fake_executable("/a", EXE_SPOOFED, 8);
  struct dna_notifier *n = new_notifier(default_states);

  (void)state;
  assert_int_equal(notified(n, first, 2), 0);
  assert_int_equal(notified(n, second, 2), 0);
  assert_int_equal(notified(n, third, 2), 1);
  assert_string_equal(fake.notifications[0].n.plugin_instance, ":b");
  assert_int_equal(notified(n, &fourth, 1), 1);
  dna_notifier_free(n);
}

static void unreadable_for_two_reasons_is_one_notification(void **state) {
  struct executable e[] = {fake_executable("/a", EXE_UNREADABLE, 0),
                           fake_executable("/a", EXE_UNREADABLE, 0)};
  struct dna_notifier *n = new_notifier(DNA_STATE_BIT(EXE_UNREADABLE));

  (void)state;
  e[0].reason = EXE_REASON_DENIED;
  e[1].reason = EXE_REASON_IO;
  assert_int_equal(notified(n, NULL, 0), 0);
  assert_int_equal(notified(n, e, 2), 1);
  assert_non_null(strstr(fake.notifications[0].n.message,
                         "unreadable executable /a: denied, pid 77"));
  assert_int_equal(notified(n, e, 2), 0);
  dna_notifier_free(n);
}

/* More at a time than are remembered when they are gone. */
static void a_flood_is_spread_over_scans_and_nothing_is_lost(void **state) {
  enum { MANY = 1150 };
  static struct executable e[MANY];
  static char paths[MANY][16];
  struct dna_notifier *n = new_notifier(default_states);

  (void)state;
  for (int i = 0; i < MANY; i++) {
    snprintf(paths[i], sizeof(paths[i]), "/%d", i);
    e[i] = fake_executable(paths[i], EXE_SPOOFED, 1);
  }
  assert_int_equal(notified(n, NULL, 0), 0);
  for (int i = 0; i < 11; i++)
    assert_int_equal(notified(n, e, MANY), 100);
  assert_int_equal(notified(n, e, MANY), 50);
  assert_int_equal(notified(n, e, MANY), 0);
  dna_notifier_free(n);
}

/* 100 new ones a scan, each for that scan only: the oldest are forgotten, the
 * one that stays is not. */
static void what_is_gone_is_forgotten_what_stays_is_not(void **state) {
  enum { ROUND = 100, ROUNDS = 30 };
  struct executable e[ROUND];
  char paths[ROUND][32];
  struct dna_notifier *n = new_notifier(default_states);

  (void)state;
  assert_int_equal(notified(n, NULL, 0), 0);
  e[0] = fake_executable("/stays", EXE_SPOOFED, 1);
  assert_int_equal(notified(n, e, 1), 1);
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 1; i < ROUND; i++) {
      snprintf(paths[i], sizeof(paths[i]), "/%d/%d", round, i);
      e[i] = fake_executable(paths[i], EXE_SPOOFED, 1);
    }
    assert_int_equal(notified(n, e, ROUND), ROUND - 1);
  }
  assert_int_equal(notified(n, e, ROUND), 0);
  snprintf(paths[1], sizeof(paths[1]), "/0/1");
  assert_int_equal(notified(n, e, ROUND), 1);
  dna_notifier_free(n);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_comes_after_the_first_scan_is_notified_once),
      cmocka_unit_test(only_watched_states_are_notified),
      cmocka_unit_test(a_notification_tells_all),
      cmocka_unit_test(a_long_path_leaves_room_for_digest_and_pid),
      cmocka_unit_test(what_waited_for_its_digest_since_the_start_is_not_new),
      cmocka_unit_test(unreadable_for_two_reasons_is_one_notification),
      cmocka_unit_test(a_flood_is_spread_over_scans_and_nothing_is_lost),
      cmocka_unit_test(what_is_gone_is_forgotten_what_stays_is_not),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
