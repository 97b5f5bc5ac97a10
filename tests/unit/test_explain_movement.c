/* Goal: lateral movement is told with both hosts, each login, how far its line
 * is to be trusted and the whole route; what to do begins with evidence; and
 * hostile facts stay text. */
#include "tests/unit/explain_text.h"
#include "tests/unit/made_result.h"

#define RELATED                                                                \
  "dddd456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* One login by a key, from which each test departs. */
static const struct explain_facts moved = {
    .alert_id = "21",
    .key = KEY,
    .kind = "lateral-movement",
    .state = "open",
    .severity = "critical",
    .verdict = "no-known-update",
    .host = "web1",
    .address = "192.0.2.10",
    .path = "/usr/sbin/nginx",
    .exe_state = "current",
    .observed_sha256 = OBSERVED,
    .baseline_sha256 = TRUSTED,
    .first_seen = "2026-05-25 09:14:40+00",
    .last_seen = "2026-05-25 09:14:40+00",
    .count = "1",
    .pid = "1842",
    .mitre = "T1078 T1036",
    .peer_host = "db1",
    .peer_address = "192.0.2.20",
    .related_id = "17",
    .related_key = RELATED,
    .related_at = "2026-05-25 09:14:02+00",
    .users = "root",
    .source_addresses = "192.0.2.10",
    .sources = "web1",
    .least_trust = "tls",
    .logins = "1",
    .logins_confirmed = "1",
    .first_login = "2026-05-25 09:14:40+00",
    .last_login = "2026-05-25 09:14:40+00",
    .first_time = "t",
    .ambiguous = "f",
};

enum { LOGIN_FIELDS = 11, HOP_FIELDS = 10 };
static const char *const login_names[LOGIN_FIELDS] = {
    "at",         "auth_user",  "method",     "key_fingerprint",
    "cert_id",    "src_ip",     "src_port",   "trust",
    "stamped_at", "arrived_at", "session_at",
};
static const char *const hop_names[HOP_FIELDS] = {
    "at",    "auth_user",  "method",       "source",          "target",
    "trust", "changed_id", "changed_path", "changed_verdict", "ambiguous",
};
typedef const char *login_row[LOGIN_FIELDS];
typedef const char *hop_row[HOP_FIELDS];

static const login_row logins[] = {
    {"2026-05-25 09:14:40+00", "root", "publickey", "SHA256:kkk", NULL,
     "192.0.2.10", "4711", "tls", "2026-05-25 09:14:39+00",
     "2026-05-25 09:14:41+00", "2026-05-25 09:14:42+00"},
    {"2026-05-25 09:16:00+00", "deploy", NULL, NULL, NULL, "192.0.2.10", NULL,
     "udp", NULL, "2026-05-25 09:16:01+00", NULL},
};
static const hop_row route[] = {
    {"2026-05-25 09:14:40+00", "root", "publickey", "web1", "db1", "tls", NULL,
     NULL, NULL, "f"},
    {"2026-05-25 09:15:00+00", "bob", "password", "db1", "db2", "udp", "22",
     "/usr/bin/psql", "not-in-manifest", "t"},
};

static char *explain_hops(const struct explain_facts *facts,
                          const login_row *first, size_t logins_len,
                          const hop_row *hops, size_t hops_len) {
  PGresult *l = made_result(LOGIN_FIELDS, login_names, logins_len, first[0]);
  PGresult *h = made_result(HOP_FIELDS, hop_names, hops_len, hops[0]);
  const struct explain_movement movement = {l, h};
  char *text = explain_text(facts, &movement);

  PQclear(l);
  PQclear(h);
  return text;
}

static char *explain(const struct explain_facts *facts, const login_row *first,
                     size_t logins_len, size_t hops_len) {
  return explain_hops(facts, first, logins_len, route, hops_len);
}

static void both_hosts_and_the_login_are_told(void **state) {
  (void)state;
  EXPECT(explain(&moved, logins, 1, 1),
         "Alert 21, critical, open: lateral movement from web1 to db1: root "
         "logged on",
         "On web1, /usr/sbin/nginx is not what is trusted there",
         "alert 17, no-known-update, first seen 2026-05-25T09:14:02Z",
         "from there to db1: once, at 2026-05-25T09:14:40Z",
         "came from 192.0.2.10, an address that web1 had",
         "over TLS from a sender with a certificate", "A second line tells",
         "Nobody had come this way for 30 days", "makes it Critical",
         "from web1, 192.0.2.10", "to db1, 192.0.2.20",
         "changed /usr/sbin/nginx", OBSERVED, TRUSTED, "alert 17, key " RELATED,
         "login 2026-05-25T09:14:40Z as root by publickey, from 192.0.2.10 "
         "port 4711",
         "key SHA256:kkk",
         "line stamped 2026-05-25T09:14:39Z, arrived 2026-05-25T09:14:41Z by "
         "tls",
         "session told of at 2026-05-25T09:14:42Z", "T1078 Valid Accounts",
         "T1036 Masquerading", "key " KEY);
  expect_without(explain(&moved, logins, 1, 1), "route");
}

static void evidence_of_the_session_comes_first(void **state) {
  (void)state;
  EXPECT(explain(&moved, logins, 1, 1),
         "What to do:", "1. Keep what only db1 can tell", " ss -tnpo; ",
         " tar -cf /root/process-dna-21.tar /var/log ",
         " journalctl --since '2026-05-25 09:14:39 UTC' "
         ">/root/process-dna-21.log ",
         "(getent passwd -- root | ",
         "2. See whether its own log has the login",
         " grep -F -- 'from 192.0.2.10 port 4711' ",
         " ssh-keygen -lf \"$home\"/.ssh/authorized_keys | grep -F -- "
         "SHA256:kkk ",
         "3. On web1, see which process", " ss -tnp dst 192.0.2.20 ",
         " process-dna-correlator explain 17 ", "4. Ask whoever works as root",
         "5. If it was none of you", " and dst 192.0.2.10 ", " kill -STOP PID ",
         " nft \"table inet process_dna {", "6. If it is in order",
         " process-dna-correlator accept 17 --why ",
         " process-dna-correlator accept 21 --why ");
}

static void the_line_that_is_worst_vouched_for_decides(void **state) {
  static const struct {
    const char *trust, *told;
  } cases[] = {
      {"udp", "anybody who reaches the correlator can forge"},
      {"tcp", "anybody who reaches the port can have written it"},
      {"stdin", "read from standard input"},
      {"file", "read from a file on the central host"},
      {"tls", "a host of yours wrote it, or whoever has root there"},
      {"journal", "only sshd there can have"},
  };
  struct explain_facts facts = moved;

  (void)state;
  facts.logins_confirmed = "0";
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    facts.least_trust = cases[i].trust;
    facts.logins = i % 2 == 0 ? "1" : "2";
    EXPECT(explain(&facts, logins, 1, 1),
           i % 2 == 0 ? "The line about it " : "The line about one of them",
           cases[i].told, "No second line tells");
  }
}

static void a_way_that_was_used_before_may_be_routine(void **state) {
  struct explain_facts facts = moved;

  (void)state;
  facts.first_time = "f";
  facts.severity = "warning";
  EXPECT(explain(&facts, logins, 1, 1), "Alert 21, warning",
         "had come this way in the 30 days before", "Ansible controller");
  expect_without(explain(&facts, logins, 1, 1), "makes it Critical");
}

static void an_address_of_several_hosts_names_them_all(void **state) {
  struct explain_facts facts = moved;

  (void)state;
  facts.ambiguous = "t";
  facts.sources = "lb1, web1";
  EXPECT(explain(&facts, logins, 1, 1),
         "More than one host had the address 192.0.2.10 at that time: lb1, "
         "web1.",
         "told of web1");
}

static void the_whole_route_is_told_and_gone_along(void **state) {
  (void)state;
  EXPECT(
      explain(&moved, logins, 1, 2), "It did not end there",
      "route web1 -> db1: 2026-05-25T09:14:40Z as root by publickey (by tls)",
      "db1 -> db2: 2026-05-25T09:15:00Z as bob by password (by udp)",
      "other hosts had that address as well",
      "/usr/bin/psql changed there as well: db2 (alert 22, not-in-manifest)",
      "Go on along the route", " process-dna-correlator explain 22 ");
}

static void a_route_without_changes_promises_no_alerts(void **state) {
  static const hop_row quiet[] = {
      {"2026-05-25 09:14:40+00", "root", "publickey", "web1", "db1", "tls",
       NULL, NULL, NULL, "f"},
      {"2026-05-25 09:15:00+00", "bob", "password", "db1", "db2", "udp", NULL,
       NULL, NULL, "f"},
  };

  (void)state;
  EXPECT(explain_hops(&moved, logins, 1, quiet, 2),
         "6. Go on along the route, host by host, as above.",
         "7. If it is in order");
  expect_without(explain_hops(&moved, logins, 1, quiet, 2), "changed as well");
}

static void further_logins_are_listed_and_counted(void **state) {
  struct explain_facts facts = moved;

  (void)state;
  facts.logins = "40";
  facts.users = "deploy, root";
  facts.last_login = "2026-05-25 09:19:00+00";
  EXPECT(explain(&facts, logins, 2, 1), "deploy, root logged on by SSH",
         "40 logins, the first at 2026-05-25T09:14:40Z", "as root by publickey",
         "login 2026-05-25T09:16:00Z as deploy, from 192.0.2.10",
         "line stamped never, arrived 2026-05-25T09:16:01Z by udp",
         "and 38 more, the last at 2026-05-25T09:19:00Z");
}

static void what_is_over_asks_for_nothing(void **state) {
  struct explain_facts facts = moved;

  (void)state;
  facts.state = "resolved";
  facts.closed_at = "2026-05-25 10:00:00+00";
  EXPECT(explain(&facts, logins, 1, 1), "It is closed: resolved", OBSERVED);
  expect_without(explain(&facts, logins, 1, 1), "What to do");
}

static void without_rows_the_facts_are_told(void **state) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);

  (void)state;
  assert_int_equal(explain_print(out, &moved, NULL, "/etc/my conf"), 0);
  assert_int_equal(fclose(out), 0);
  EXPECT(text, "lateral movement from web1 to db1",
         " process-dna-correlator -c '/etc/my conf' explain 17 ");
}

static void hostile_facts_stay_text(void **state) {
  static const login_row hostile[] = {
      {"2026-05-25 09:14:40+00", "$(reboot)'\033[2J", "pass\nword", "`reboot`",
       "\xff", "192.0.2.10;reboot", "1;reboot", "udp", "x;reboot", NULL, NULL},
  };
  struct explain_facts facts = moved;
  char *text;

  (void)state;
  facts.alert_id = "21;reboot";
  facts.related_id = "17;reboot";
  facts.host = "web1\033[2J";
  facts.peer_host = "db1\xe2\x80\xae";
  facts.peer_address = "192.0.2.20;reboot";
  facts.users = "$(reboot)'\033[2J";
  EXPECT(explain(&facts, hostile, 1, 1), "web1\\x1b[2J", "db1\\xe2\\x80\\xae",
         "pass\\x0aword", "\\xff",
         "(getent passwd -- $'$(reboot)\\'\\033[2J' | ",
         " grep -F -- 'from 192.0.2.10;reboot port 1;reboot' ",
         " grep -F -- '`reboot`' ", " ss -tnp dst '192.0.2.20;reboot' ",
         " and dst '192.0.2.10;reboot' ");
  text = explain(&facts, hostile, 1, 1);
  assert_null(strchr(text, '\033'));
  assert_null(strstr(text, "process-dna-correlator explain"));
  assert_null(strstr(text, "process-dna-correlator accept"));
  free(text);
}

static void the_text_keeps_within_80_columns(void **state) {
  char *text = explain(&moved, logins, 2, 2);

  (void)state;
  for (const char *line = text; *line != '\0';) {
    size_t len = strcspn(line, "\n");

    if (len > 80 && strstr(line, "SHA256") == NULL)
      fail_msg("%.*s", (int)len, line);
    line += len + (line[len] == '\n');
  }
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(both_hosts_and_the_login_are_told),
      cmocka_unit_test(evidence_of_the_session_comes_first),
      cmocka_unit_test(the_line_that_is_worst_vouched_for_decides),
      cmocka_unit_test(a_way_that_was_used_before_may_be_routine),
      cmocka_unit_test(an_address_of_several_hosts_names_them_all),
      cmocka_unit_test(the_whole_route_is_told_and_gone_along),
      cmocka_unit_test(a_route_without_changes_promises_no_alerts),
      cmocka_unit_test(further_logins_are_listed_and_counted),
      cmocka_unit_test(what_is_over_asks_for_nothing),
      cmocka_unit_test(without_rows_the_facts_are_told),
      cmocka_unit_test(hostile_facts_stay_text),
      cmocka_unit_test(the_text_keeps_within_80_columns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
