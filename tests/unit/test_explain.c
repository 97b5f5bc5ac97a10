/* Each kind of alert is told in its own words, with commands that are right
 * for it, and hostile facts stay text. */
#include "lib/record/pathname.h"
#include "tests/unit/explain_text.h"

/* A swapped binary, from which each test departs. */
static const struct explain_facts swapped = {
    .alert_id = "17",
    .key = KEY,
    .kind = "binary-changed",
    .state = "open",
    .severity = "critical",
    .verdict = "no-known-update",
    .host = "web1",
    .address = "192.0.2.10",
    .container = "",
    .path = "/usr/sbin/nginx",
    .exe_state = "current",
    .observed_sha256 = OBSERVED,
    .first_seen = "2026-05-25 09:14:02.5+00",
    .last_seen = "2026-05-25 09:16:02+00",
    .count = "3",
    .agents_with_observed = "0",
    .baseline_sha256 = TRUSTED,
    .baseline_grade = "first-use",
    .baseline_since = "2026-05-01 00:00:00+00",
    .baseline_package_version = "1.25.4-1",
    .agents_with_baseline = "11",
    .pid = "1842",
    .process_name = "nginx",
    .uid = "33",
    .package_manager = "dpkg",
    .package_name = "nginx",
    .package_version = "1.25.4-1",
    .package_arch = "amd64",
    .mitre = "T1036 T1554",
};

static char *explain(const struct explain_facts *facts) {
  return explain_text(facts, NULL);
}

static void a_swapped_binary_is_told_in_full(void **state) {
  (void)state;
  EXPECT(explain(&swapped), "Alert 17, critical, open", "web1",
         "/usr/sbin/nginx", "without a known package update",
         "still has the version",
         "No other agent has the new digest, and 11 still have the old one",
         "smells like an attack", OBSERVED, "first 2026-05-25T09:14:02Z",
         "in 3 scans", TRUSTED, "since 2026-05-01T00:00:00Z", "first-use",
         "11 other agents have it", "nginx 1.25.4-1 amd64", "1842 nginx",
         "T1036 Masquerading", "T1554 Compromise Host Software Binary", KEY);
}

static void evidence_is_kept_before_anything_else_is_done(void **state) {
  (void)state;
  EXPECT(explain(&swapped), "What to do:", "1. Keep the evidence",
         " cp /proc/1842/exe /root/process-dna-17.exe ",
         " sha256sum /proc/1842/exe ", " sha256sum /usr/sbin/nginx ",
         "can make them lie", " dpkg -V nginx ",
         " apt-get download nginx=1.25.4-1 ", "dpkg-deb", "./usr/sbin/nginx",
         " kill -STOP 1842 ", "nft \"table inet process_dna {",
         " process-dna-correlator accept 17 --why ");
}

static void the_text_keeps_within_80_columns(void **state) {
  char *text = explain(&swapped);

  (void)state;
  for (const char *line = text; *line != '\0';) {
    size_t len = strcspn(line, "\n");

    if (len > 80)
      fail_msg("%.*s", (int)len, line);
    line += len + (line[len] == '\n');
  }
  free(text);
}

static void a_digest_that_others_have_too_may_be_a_release(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.agents_with_observed = "1";
  EXPECT(explain(&facts), "1 other agent has the new digest as well",
         "manifest is missing");
  facts.agents_with_observed = facts.agents_with_baseline = "0";
  EXPECT(explain(&facts), "No other agent has either digest");
  facts.agents_with_observed = facts.agents_with_baseline = NULL;
  EXPECT(explain(&facts), "not known how many other agents");
}

static void a_file_without_a_package_is_asked_for(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.package_manager = facts.package_name = facts.package_version = NULL;
  EXPECT(explain(&facts), "No package is known to own the file",
         " dpkg -S /usr/sbin/nginx ", " dpkg -S /sbin/nginx ",
         " rpm -qf /usr/sbin/nginx ");
  expect_without(explain(&facts), "apt-get download");
}

static void an_rpm_is_verified_with_rpm(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.package_manager = "rpm";
  EXPECT(explain(&facts), " rpm -V nginx ", " dnf download nginx-1.25.4-1 ",
         "rpm2cpio nginx-*.rpm");
  expect_without(explain(&facts), "dpkg");
}

static void a_file_against_its_manifest_is_no_missing_manifest(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.verdict = "not-in-manifest";
  facts.manifest_provenance = "signed-index";
  facts.manifest_origin = "https://deb.example.org/nginx_1.25.4-1_amd64.deb";
  facts.manifest_added_by = "fetch@central";
  facts.manifest_added_at = "2026-05-02 10:00:00.1+00";
  facts.manifest_package = "nginx";
  facts.manifest_version = "1.25.4-1";
  facts.manifest_digests = TRUSTED " " KEY;
  EXPECT(explain(&facts), "is not what its package ships",
         "manifest of nginx 1.25.4-1 is known",
         "No missing manifest can be the reason", "smells like an attack",
         "manifest of nginx 1.25.4-1: an index that is signed names it",
         "from https://deb.example.org/nginx_1.25.4-1_amd64.deb",
         "imported 2026-05-02T10:00:00Z by fetch@central", "lists " TRUSTED,
         "or " KEY, " dpkg -V nginx ");
  expect_without(explain(&facts), "manifest import");
}

static void the_manifest_that_decided_is_told(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.state = "resolved";
  facts.package_manager = facts.package_name = facts.package_version = NULL;
  facts.manifest_provenance = "file";
  facts.manifest_origin = "/srv/release.sha256";
  facts.manifest_added_by = "ann@build";
  facts.manifest_added_at = "2026-05-25 09:20:00+00";
  EXPECT(explain(&facts), "manifest of a release of your own: nothing vouches",
         "from /srv/release.sha256",
         "imported 2026-05-25T09:20:00Z by "
         "ann@build");
  expect_without(explain(&facts), "does not list");

  facts.manifest_package = "nginx";
  facts.manifest_provenance = "signed-package";
  EXPECT(explain(&facts), "manifest of nginx", "the package is signed",
         "does not list the file");
}

static void a_manifest_that_is_wanted_is_told_with_its_state(void **state) {
  static const struct {
    const char *state, *error, *told;
  } cases[] = {
      {"queued", NULL, "its turn to be fetched comes"},
      {"running", NULL, "it is being fetched"},
      {"failed", "mirror: no answer", "tried again: mirror: no answer"},
      {"none", NULL, "there is no such version"},
      {"postponed", NULL, "postponed"},
  };
  struct explain_facts facts = swapped;

  (void)state;
  EXPECT(explain(&facts), "manifest none is known of nginx 1.25.4-1");
  facts.request_at = "2026-05-25 09:14:03+00";
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    facts.request_state = cases[i].state;
    facts.request_error = cases[i].error;
    EXPECT(explain(&facts),
           "manifest of nginx 1.25.4-1: wanted since "
           "2026-05-25T09:14:03Z",
           cases[i].told);
  }
}

static void importing_is_told_where_it_would_help(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  expect_without(explain(&facts), "manifest import");
  facts.package_name = NULL;
  EXPECT(explain(&facts), "release of your own",
         "process-dna-correlator manifest import RELEASE.sha256", "accept 17");
  facts = swapped;
  facts.verdict = "unverified-update";
  EXPECT(explain(&facts), "elsewhere than web1",
         "process-dna-correlator manifest import PACKAGE-FILE", "accept 17");
}

static void an_unverified_update_names_both_versions(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.verdict = "unverified-update";
  facts.package_version = "1.26.0-1";
  EXPECT(explain(&facts), "nginx: 1.26.0-1, before: 1.25.4-1",
         "manifest is missing", " apt-get download nginx=1.26.0-1 ");
}

static void a_spoofed_process_is_not_its_file(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.verdict = facts.exe_state = "spoofed";
  EXPECT(explain(&facts),
         "Process 1842 on web1 says that it runs /usr/sbin/nginx",
         "smells like an attack", " cp /proc/1842/exe ", " gcore ",
         "hides behind", "what it pretends to run",
         "Nothing becomes trusted by that", " accept 17 ");
}

static void what_was_never_on_disk_has_no_file_to_compare(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.verdict = "never-on-disk";
  facts.exe_state = "anonymous";
  facts.path = "/memfd%3Ax";
  facts.package_name = facts.package_manager = NULL;
  EXPECT(explain(&facts), "never lay on disk", " cp /proc/1842/exe ", " gcore ",
         "no file to compare", " kill -STOP 1842 ");
  expect_without(explain(&facts), "dpkg");
  expect_without(explain(&facts), "sha256sum /memfd");
}

static void an_unreadable_file_leads_to_its_mount(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.verdict = facts.exe_state = "unreadable";
  facts.reason = "denied";
  facts.observed_sha256 = NULL;
  EXPECT(explain(&facts), "can't be read", "(denied), so nobody knows",
         "It could be read before", "no digest: unreadable, denied",
         " timeout 60 cp /proc/1842/exe ",
         " nsenter -t 1842 -m findmnt -T /usr/sbin/nginx ",
         " setpriv --reuid 33 ");
  facts.baseline_sha256 = facts.reason = NULL;
  EXPECT(explain(&facts), "running, so nobody knows", "It never could be read");
}

static void a_new_binary_asks_whose_it_is(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.verdict = "new-binary";
  facts.severity = "warning";
  facts.package_name = facts.baseline_sha256 = NULL;
  EXPECT(explain(&facts), "Alert 17, warning", "was never seen before",
         "learning period", "this is the moment to look",
         "nothing before; the observed digest since then",
         "the observed digest stays trusted", "accept 17");
}

static void a_deleted_file_lives_in_its_process_only(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.exe_state = "deleted";
  EXPECT(explain(&facts), "gone from disk: /proc/1842/exe is the only copy",
         " cp /proc/1842/exe ", "no file to compare");
  expect_without(explain(&facts), "sha256sum /usr/sbin/nginx");
}

static void a_replaced_file_is_kept_beside_what_runs(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.exe_state = "replaced";
  EXPECT(explain(&facts),
         "The next restart of the service will run the new file",
         " cp /proc/1842/exe ",
         " cp -p /usr/sbin/nginx /root/process-dna-17.file ",
         "not the observed file");
}

static void a_superseded_image_lives_in_its_process_only(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.exe_state = "superseded";
  EXPECT(explain(&facts), "no longer what lies at that path",
         "/proc/1842/exe is the only copy", " cp /proc/1842/exe ");
}

static void a_container_is_looked_into_through_its_process(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.container = "3f2a9c1b7d04";
  EXPECT(explain(&facts), "container 3f2a9c1b7d04",
         " sha256sum /proc/1842/root/usr/sbin/nginx ",
         " dpkg --root=/proc/1842/root -V nginx ", " docker pause ");
  expect_without(explain(&facts), "kill -STOP");
}

static void a_silent_agent_is_looked_for(void **state) {
  struct explain_facts facts = {.alert_id = "4",
                                .key = KEY,
                                .kind = "agent-silent",
                                .verdict = "",
                                .line = "web1: not heard of since this morning",
                                .state = "open",
                                .severity = "warning",
                                .host = "web1",
                                .address = "192.0.2.10",
                                .first_seen = "2026-05-25 09:14:02+00"};

  (void)state;
  EXPECT(explain(&facts), "web1 stopped reporting",
         "web1: not heard of since this morning",
         "Whatever happens on web1 now is not seen",
         " process-dna-correlator status ", " ping -c 3 -- 192.0.2.10 ",
         " process-dna-correlator agents retire web1 ");
  expect_without(explain(&facts), "observed");
  expect_without(explain(&facts), "accept 4");
}

static void a_silent_fleet_leads_to_what_it_shares(void **state) {
  struct explain_facts facts = {.alert_id = "5",
                                .key = KEY,
                                .kind = "fleet-silent",
                                .state = "open",
                                .severity = "critical",
                                .host = "",
                                .line = "40 of 200 agents fell silent"};

  (void)state;
  EXPECT(explain(&facts), "many agents stopped reporting",
         "40 of 200 agents fell silent", "look at what they share",
         " process-dna-correlator status ");
  expect_without(explain(&facts), "ping");
}

static void a_closed_alert_asks_for_nothing(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.state = "accepted";
  facts.who = "alice@central";
  facts.why = "rebuilt, ticket 4711";
  facts.closed_at = "2026-05-25 10:00:00+00";
  EXPECT(explain(&facts), "Alert 17",
         "It is closed: accepted by alice@central at 2026-05-25T10:00:00Z: "
         "rebuilt, ticket 4711. This is what it was:",
         OBSERVED);
  expect_without(explain(&facts), "What to do");
  facts.state = "resolved";
  facts.who = facts.why = facts.closed_at = NULL;
  EXPECT(explain(&facts), "It is closed: resolved. This");
  expect_without(explain(&facts), "What to do");
}

static void a_verdict_of_a_later_version_is_told_by_its_line(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.verdict = "quantum";
  facts.line = "web1: something new";
  EXPECT(explain(&facts), "web1: something new", " cp /proc/1842/exe ");
}

static void logins_to_other_hosts_are_named(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.movements = "21 22";
  EXPECT(explain(&facts), "logins to other hosts at that time: alert 21 22");
}

static void hostile_facts_stay_text(void **state) {
  struct explain_facts facts = swapped;

  (void)state;
  facts.host = "web1\033[2J";
  facts.path = "/tmp/$(reboot)%0A'";
  facts.package_name = "-rf /;x";
  facts.pid = "1;reboot";
  facts.alert_id = "17;reboot";
  facts.process_name = "\xff\xc2\x9b";
  EXPECT(explain(&facts), "web1\\x1b[2J", "\\xff\\xc2\\x9b",
         " cp /proc/PID/exe ", " sha256sum $'/tmp/$(reboot)\\012\\'' ",
         " dpkg -S $'/tmp/");
  expect_without(explain(&facts), "/proc/1;");
  expect_without(explain(&facts), "accept 17;");
  expect_without(explain(&facts), "dpkg -V -rf");
  expect_without(explain(&facts), "\033");
  facts.package_name = "--root";
  expect_without(explain(&facts), "-V --root");
}

static void a_path_too_long_for_a_command_says_so(void **state) {
  struct explain_facts facts = swapped;
  char raw[300], identity[PATHNAME_MAX + 1], *text;

  (void)state;
  memset(raw, 'x', sizeof(raw) - 1);
  raw[0] = '/';
  raw[sizeof(raw) - 1] = '\0';
  assert_int_equal(pathname_encode(raw, &text), 0);
  assert_int_equal(pathname_to_identity("", text, identity), 0);
  free(text);
  facts.path = identity;
  EXPECT(explain(&facts), " cp /proc/1842/exe ", "No command can name the file",
         "readlink /proc/1842/exe", " dpkg -V nginx ");
  expect_without(explain(&facts), "sha256sum /x");
}

static void the_configuration_file_goes_into_the_commands(void **state) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);

  (void)state;
  assert_int_equal(explain_print(out, &swapped, NULL, "/etc/my conf"), 0);
  assert_int_equal(fclose(out), 0);
  assert_non_null(
      strstr(text, "process-dna-correlator -c '/etc/my conf' accept 17"));
  free(text);
}

static void facts_are_read_by_the_names_of_columns(void **state) {
  PGresAttDesc attributes[] = {{.name = (char[]){"surplus"}},
                               {.name = (char[]){"host"}},
                               {.name = (char[]){"path"}}};
  PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
  struct explain_facts facts;

  (void)state;
  assert_true(PQsetResultAttrs(result, 3, attributes));
  assert_true(PQsetvalue(result, 0, 0, (char[]){"x"}, 1));
  assert_true(PQsetvalue(result, 0, 1, (char[]){"web1"}, 4));
  assert_true(PQsetvalue(result, 0, 2, NULL, -1));
  explain_facts_of(result, 0, &facts);
  assert_string_equal(facts.host, "web1");
  assert_null(facts.path);
  assert_null(facts.key);
  PQclear(result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_swapped_binary_is_told_in_full),
      cmocka_unit_test(evidence_is_kept_before_anything_else_is_done),
      cmocka_unit_test(the_text_keeps_within_80_columns),
      cmocka_unit_test(a_digest_that_others_have_too_may_be_a_release),
      cmocka_unit_test(a_file_without_a_package_is_asked_for),
      cmocka_unit_test(an_rpm_is_verified_with_rpm),
      cmocka_unit_test(a_file_against_its_manifest_is_no_missing_manifest),
      cmocka_unit_test(the_manifest_that_decided_is_told),
      cmocka_unit_test(a_manifest_that_is_wanted_is_told_with_its_state),
      cmocka_unit_test(importing_is_told_where_it_would_help),
      cmocka_unit_test(an_unverified_update_names_both_versions),
      cmocka_unit_test(a_spoofed_process_is_not_its_file),
      cmocka_unit_test(what_was_never_on_disk_has_no_file_to_compare),
      cmocka_unit_test(an_unreadable_file_leads_to_its_mount),
      cmocka_unit_test(a_new_binary_asks_whose_it_is),
      cmocka_unit_test(a_deleted_file_lives_in_its_process_only),
      cmocka_unit_test(a_replaced_file_is_kept_beside_what_runs),
      cmocka_unit_test(a_superseded_image_lives_in_its_process_only),
      cmocka_unit_test(a_container_is_looked_into_through_its_process),
      cmocka_unit_test(a_silent_agent_is_looked_for),
      cmocka_unit_test(a_silent_fleet_leads_to_what_it_shares),
      cmocka_unit_test(a_closed_alert_asks_for_nothing),
      cmocka_unit_test(a_verdict_of_a_later_version_is_told_by_its_line),
      cmocka_unit_test(logins_to_other_hosts_are_named),
      cmocka_unit_test(hostile_facts_stay_text),
      cmocka_unit_test(a_path_too_long_for_a_command_says_so),
      cmocka_unit_test(the_configuration_file_goes_into_the_commands),
      cmocka_unit_test(facts_are_read_by_the_names_of_columns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
