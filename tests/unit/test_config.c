/* Goal: a good file is read as it is written, and whatever is wrong with one
 * is said with its line, before anything starts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "correlator/config.h"
#include "tests/unit/unit.h"

#include "tests/unit/capture.h"

static const char good[] =
    "# all there is\n"
    "database = \"host=/run/postgresql dbname=dna\"\n"
    "tenant = site\n"
    "state-dir = '/var/lib/dna' // a comment\n"
    "spool-size = 16\n"
    "collectd {\n"
    "  listen = {\"0.0.0.0:25826\", \"[::1]:25827\"}\n"
    "  security-level = encrypt /* a\n"
    "  comment */\n"
    "  auth-file = /etc/process-dna/auth\n"
    "  max-skew = 300\n"
    "  relay \"hub\" {\n"
    "    hosts = {\"*.example\", \"web[0-9]\"}\n"
    "  }\n"
    "  relay hub2 { hosts = {\"db?\"} }\n"
    "}\n"
    "policy { silent = 240 learning = 0 manifest-wait = 60\n"
    "  unverified-update = warning auth-retention = 7 }\n"
    "auth-log \"/var/log/auth.log\" {}\n"
    "auth-log \"-\" {\n}\n"
    "syslog { listen-udp = {\"0.0.0.0:514\"} listen-tcp = {}\n"
    "  listen-tls = {\"[::]:6514\", \"0.0.0.0:6514\"}\n"
    "  tls-cert = /c tls-key = /k tls-ca = /a max-connections = 7 }\n"
    "lateral { window = 60 cadence = 5 max-skew = 0 }\n";

static char file[] = "/tmp/pdna-config-XXXXXX";

/* What config_read says of a text; "" if it takes it. */
static int read_text(const char *text, mode_t mode, struct config **ret_config,
                     struct capture *capture) {
  FILE *stream = fopen(file, "w");

  assert_non_null(stream);
  assert_true(fputs(text, stream) >= 0);
  assert_int_equal(fclose(stream), 0);
  assert_int_equal(chmod(file, mode), 0);
  capture_begin(capture);
  int rc = config_read(file, ret_config);
  capture_end(capture);
  return rc;
}

static void a_good_file_is_read_as_written(void **state) {
  struct capture capture;
  struct config *c = NULL;

  (void)state;
  assert_int_equal(read_text(good, 0644, &c, &capture), 0);
  assert_string_equal(capture.text, "");
  assert_string_equal(c->database, "host=/run/postgresql dbname=dna");
  assert_string_equal(c->tenant, "site");
  assert_string_equal(c->state_dir, "/var/lib/dna");
  assert_int_equal(c->spool_size_mib, 16);
  assert_int_equal(c->collectd.listen_len, 2);
  assert_string_equal(c->collectd.listen[0], "0.0.0.0:25826");
  assert_string_equal(c->collectd.listen[1], "[::1]:25827");
  assert_int_equal(c->collectd.security_level, SECURITY_ENCRYPT);
  assert_string_equal(c->collectd.auth_file, "/etc/process-dna/auth");
  assert_int_equal(c->collectd.max_skew_s, 300);
  assert_int_equal(c->collectd.relays_len, 2);
  assert_string_equal(c->collectd.relays[0].user, "hub");
  assert_int_equal(c->collectd.relays[0].hosts_len, 2);
  assert_string_equal(c->collectd.relays[0].hosts[1], "web[0-9]");
  assert_string_equal(c->collectd.relays[1].user, "hub2");
  assert_int_equal(c->sinks_len, 0);
  assert_int_equal(c->policy.silent_s, 240);
  assert_int_equal(c->policy.learning_s, 0);
  assert_int_equal(c->policy.manifest_wait_s, 60);
  assert_string_equal(c->policy.unverified_update, "warning");
  config_free(c);
}

static void sources_of_auth_events_are_read_as_written(void **state) {
  struct capture capture;
  struct config *c = NULL;

  (void)state;
  assert_int_equal(read_text(good, 0644, &c, &capture), 0);
  assert_int_equal(c->auth_logs_len, 2);
  assert_string_equal(c->auth_logs[0].path, "/var/log/auth.log");
  assert_string_equal(c->auth_logs[1].path, "-");
  assert_int_equal(c->syslog.listen_udp_len, 1);
  assert_string_equal(c->syslog.listen_udp[0], "0.0.0.0:514");
  assert_int_equal(c->syslog.listen_tcp_len, 0);
  assert_int_equal(c->syslog.listen_tls_len, 2);
  assert_string_equal(c->syslog.listen_tls[1], "0.0.0.0:6514");
  assert_string_equal(c->syslog.tls_cert, "/c");
  assert_string_equal(c->syslog.tls_key, "/k");
  assert_string_equal(c->syslog.tls_ca, "/a");
  assert_int_equal(c->syslog.max_connections, 7);
  assert_int_equal(c->lateral.window_s, 60);
  assert_int_equal(c->lateral.cadence_s, 5);
  assert_int_equal(c->lateral.max_skew_s, 0);
  assert_int_equal(c->policy.auth_retention_d, 7);
  config_free(c);
}

static void what_is_left_out_has_the_designs_defaults(void **state) {
  struct capture capture;
  struct config *c = NULL;

  (void)state;
  assert_int_equal(read_text("database = 'dbname=dna'", 0644, &c, &capture), 0);
  assert_string_equal(c->tenant, "default");
  assert_string_equal(c->state_dir, "/var/lib/process-dna");
  assert_int_equal(c->collectd.listen_len, 0);
  assert_int_equal(c->collectd.security_level, SECURITY_SIGN);
  assert_null(c->collectd.auth_file);
  assert_int_equal(c->collectd.max_skew_s, 600);
  assert_int_equal(c->policy.silent_s, 180);
  assert_int_equal(c->policy.learning_s, 86400);
  assert_int_equal(c->policy.manifest_wait_s, 1800);
  assert_string_equal(c->policy.unverified_update, "critical");
  assert_int_equal(c->policy.auth_retention_d, 90);
  assert_int_equal(c->auth_logs_len, 0);
  assert_int_equal(c->syslog.listen_udp_len + c->syslog.listen_tcp_len +
                       c->syslog.listen_tls_len,
                   0);
  assert_null(c->syslog.tls_cert);
  assert_int_equal(c->syslog.max_connections, 1000);
  assert_int_equal(c->lateral.window_s, 300);
  assert_int_equal(c->lateral.cadence_s, 60);
  assert_int_equal(c->lateral.max_skew_s, 600);
  config_free(c);
}

static void sinks_are_informs_where_their_session_says_so(void **state) {
  struct capture capture;
  struct config *c = NULL;

  (void)state;
  assert_int_equal(
      read_text(
          "database = 'dbname=dna'\n"
          "trap-sink nms { session = \"-v 2c -c s3cret 127.0.0.1:162\" }\n"
          "trap-sink b { session = \"-v 2c -c x -Ci 127.0.0.1:162\" }\n",
          0600, &c, &capture),
      0);
  assert_int_equal(c->sinks_len, 2);
  assert_string_equal(c->sinks[0].name, "nms");
  assert_string_equal(c->sinks[0].session, "-v 2c -c s3cret 127.0.0.1:162");
  assert_false(c->sinks[0].inform);
  assert_true(c->sinks[1].inform);
  config_free(c);
}

static void polls_have_an_interval_and_perhaps_a_name(void **state) {
  struct capture capture;
  struct config *c = NULL;

  (void)state;
  assert_int_equal(
      read_text("database = 'dbname=dna'\n"
                "snmp-poll web-1 { session = \"-v 2c -c s3cret 127.0.0.1\" }\n"
                "snmp-poll db { session = \"-v 2c -c x udp6:[::1]:1161\"\n"
                "  interval = 300 host = db-1.example }\n",
                0600, &c, &capture),
      0);
  assert_int_equal(c->polls_len, 2);
  assert_string_equal(c->polls[0].name, "web-1");
  assert_string_equal(c->polls[0].session, "-v 2c -c s3cret 127.0.0.1");
  assert_int_equal(c->polls[0].interval_s, 60);
  assert_null(c->polls[0].host);
  assert_int_equal(c->polls[1].interval_s, 300);
  assert_string_equal(c->polls[1].host, "db-1.example");
  config_free(c);
  c = NULL;
  assert_int_equal(
      read_text("database = 'dbname=dna'\n"
                "snmp-poll web-1 { session = \"-v 2c -c s3cret 127.0.0.1\" }\n",
                0644, &c, &capture),
      -EINVAL);
  assert_non_null(strstr(capture.text, "found 0644: chmod 600 /tmp/pdna-"));
}

static void thousands_of_agents_may_be_asked(void **state) {
  enum { POLLS = 5000, EACH = 100 };
  static char text[POLLS * EACH];
  struct capture capture;
  struct config *c = NULL;
  size_t len = (size_t)snprintf(text, sizeof(text), "database = 'dbname=d'\n");

  (void)state;
  for (int i = 0; i < POLLS; i++)
    len += (size_t)snprintf(text + len, sizeof(text) - len,
                            "snmp-poll p%d { session = '-v 2c -c c h%d' "
                            "interval = 60 host = h%d }\n",
                            i, i, i);
  assert_true(len < sizeof(text));
  if (read_text(text, 0600, &c, &capture) != 0)
    fail_msg("%s", capture.text);
  assert_int_equal(c->polls_len, POLLS);
  assert_string_equal(c->polls[POLLS - 1].host, "h4999");
  config_free(c);
}

static void environment_variables_are_not_put_in(void **state) {
  struct capture capture;
  struct config *c = NULL;

  (void)state;
  assert_int_equal(setenv("HOME", "/put-in", 1), 0);
  assert_int_equal(
      read_text("database = \"dbname=dna password=${HOME}\\${HOME}$${HOME}\"\n"
                "tenant = '${HOME}'\n",
                0600, &c, &capture),
      0);
  assert_string_equal(c->database,
                      "dbname=dna password=${HOME}${HOME}$${HOME}");
  assert_string_equal(c->tenant, "${HOME}");
  config_free(c);
}

#define DB "database = 'dbname=dna'\n"

/* In order: what is broken, the file, what must be said after its name. */
static const struct {
  const char *name;
  const char *text;
  const char *said;
} broken[] = {
    {"unknown key", DB "nonsense = 1\n", ":2: no such option 'nonsense'"},
    {"unknown key in a section", DB "policy {\n  loud = 1\n}\n",
     ":3: no such option 'loud'"},
    {"unknown section", DB "snmp {\n}\n", ":2: no such option 'snmp'"},
    {"key of another section", DB "max-skew = 1\n",
     ":2: no such option 'max-skew'"},
    {"doubled key", DB "tenant = a\n\ntenant = b\n",
     ":4: tenant: expected once, found before on line 2"},
    {"doubled key in a section", DB "policy {\n silent = 60\n silent = 60\n}\n",
     ":4: silent: expected once, found before on line 3"},
    {"doubled list", DB "collectd { listen = {}\n listen = {} }\n",
     ":3: listen: expected once, found before on line 2"},
    {"doubled section", DB "policy {}\npolicy {}\n",
     ":3: policy: expected once, found before on line 2"},
    {"doubled title",
     DB "collectd { relay a { hosts = {x} }\n relay \"a\" { hosts = {y} } }\n",
     ":3: found duplicate title 'a'"},
    {"open section", DB "collectd {\n max-skew = 9\n",
     ":2: collectd: expected }, found the end of the file"},
    {"open section of several", DB "collectd {\n relay x {\n hosts = {y}\n}\n",
     ":2: collectd: expected }, found the end of the file"},
    {"open list", DB "collectd { listen = {\n",
     ":3: list: expected }, found the end of the file"},
    {"list for a number", DB "policy {\n silent = {60}\n}\n",
     ":3: silent: expected one value, found {"},
    {"open string", DB "tenant = \"a\n\"\n",
     ":2: string: expected a closing \" on its line"},
    {"open comment", DB "/* tenant = a\n",
     ":2: comment: expected */, found the end of the file"},
    {"brace too many", DB "}\n", ":2: }: expected a key or a section"},
    {"no value", DB "tenant\n", ":2: tenant: expected = or {"},
    {"value in pieces", DB "tenant = a b\n", ":2: b: expected = or {"},
    {"glob without quotes", DB "collectd { relay a { hosts = *.example } }\n",
     ":2: value: expected quotes around one with *"},
    {"comment within a word", DB "tenant = a#b\n",
     ":2: value: expected quotes around one with #"},
    {"variable without quotes", DB "tenant = ${HOME}\n",
     ":2: value: expected quotes around one with {"},
    {"no database", "tenant = a\n", ": database: expected, found none"},
    {"bad conninfo", "database = 'nonsense'\n",
     ":1: database: expected a libpq connection string: "},
    {"number with a unit", DB "spool-size = 16M\n",
     ":2: spool-size: expected a number from 1 to 1048576, found '16M'"},
    {"empty number", DB "spool-size = ''\n",
     ":2: spool-size: expected a number from 1 to 1048576, found ''"},
    {"number too small", DB "policy { silent = 9 }\n",
     ":2: silent: expected a number from 10 to 604800, found '9'"},
    {"number over its bound", DB "collectd { max-skew = 86401 }\n",
     ":2: max-skew: expected a number from 1 to 86400, found '86401'"},
    {"number too large", DB "collectd { max-skew = 99999999999999999999 }\n",
     ":2: max-skew: expected a number from 1 to 86400, found '9"},
    {"negative number", DB "policy { learning = -1 }\n",
     ":2: learning: expected a number from 0 to 31536000, found '-1'"},
    {"wait that is over the longest hold",
     DB "policy { manifest-wait = 1801 }\n",
     ":2: manifest-wait: expected a number from 0 to 1800, found '1801'"},
    {"unknown level", DB "collectd { security-level = high }\n",
     ":2: security-level: expected none, sign or encrypt, found 'high'"},
    {"unknown choice", DB "policy { unverified-update = drop }\n",
     ":2: unverified-update: expected critical, warning, info or accept, "
     "found 'drop'"},
    {"no auth-file", DB "collectd { listen = {\"127.0.0.1:1\"}\n}\n",
     ":3: auth-file: expected with security-level sign, found none"},
    {"relative path", DB "state-dir = here\n",
     ":2: state-dir: expected an absolute path, found 'here'"},
    {"address without port", DB "collectd { listen = {\"127.0.0.1\"} }\n",
     ":2: listen: expected ADDRESS:PORT or [ADDRESS]:PORT, in figures, found "
     "'127.0.0.1'"},
    {"IPv6 address without port", DB "collectd { listen = {\"::1\"} }\n",
     ":2: listen: expected ADDRESS:PORT or [ADDRESS]:PORT, in figures, found "
     "'::1'"},
    {"host name", DB "collectd { listen = {\"localhost:1\"} }\n",
     ":2: listen: expected ADDRESS:PORT"},
    {"second address bad",
     DB "collectd { listen = {\"127.0.0.1:1\",\n \"x:1\"} }\n",
     ":3: listen: expected ADDRESS:PORT"},
    {"relay without hosts", DB "collectd {\n relay a {}\n}\n",
     ":3: hosts: expected, found none"},
    {"relay without title", DB "collectd { relay { hosts = {a} } }\n",
     ":2: missing title for section 'relay'"},
    {"open bracket in a glob",
     DB "collectd { relay a { hosts = {\"w[0\"} } }\n",
     ":2: hosts: expected a glob, in which [ has its ], found 'w[0'"},
    {"sink without session", DB "trap-sink a {\n}\n",
     ":3: session: expected, found none"},
    {"poll without session", DB "snmp-poll a { interval = 5 }\n",
     ":2: session: expected, found none"},
    {"poll of another SNMP version",
     DB "snmp-poll a { session = '-v 1 -c secret h' }\n",
     ":2: session: SNMP version 1 is not offered"},
    {"poll without passphrase",
     DB "snmp-poll a { session = '-v 3 -u u -l authPriv h' }\n",
     ":2: session: -l authPriv needs a passphrase (-A)"},
    {"poll for informs", DB "snmp-poll a { session = '-v 2c -c c -Ci h' }\n",
     ":2: session: -C is for sinks"},
    {"poll that debugs", DB "snmp-poll a { session = '-v 2c -c c -D ALL h' }\n",
     ":2: session: word 5"},
    {"poll over TCP", DB "snmp-poll a { session = '-v 2c -c c tcp:h' }\n",
     ":2: session: host: agents are asked over udp or udp6"},
    {"poll all the time",
     DB "snmp-poll a { session = '-v 2c -c c h' interval = 0 }\n",
     ":2: interval: expected a number from 1 to 86400, found '0'"},
    {"poll of a host with a space",
     DB "snmp-poll a { session = '-v 2c -c c h' host = 'my host' }\n",
     ":2: host: expected a host name of 1 to 127"},
    {"poll twice",
     DB "snmp-poll a { session = '-v 2c -c c h' }\n"
        "snmp-poll a { session = '-v 2c -c c h' }\n",
     ":3: "},
    {"two polls of a host",
     DB "snmp-poll a { session = '-v 2c -c c h' host = h }\n"
        "snmp-poll c { session = '-v 2c -c c g' host = g }\n"
        "snmp-poll b { session = '-v 2c -c c i' host = h }\n",
     ": host: expected another in each snmp-poll, found 'h' twice"},
    {"fetch without sources",
     DB "manifest-fetch d { manager = dpkg keyring = /k\n"
        " architectures = {amd64} }\n",
     ":3: sources: expected, found none"},
    {"fetch without architectures",
     DB "manifest-fetch d { manager = dpkg keyring = /k sources = /s }\n",
     ":2: architectures: expected, found none"},
    {"fetch of an unknown manager",
     DB "manifest-fetch d { manager = portage }\n",
     ":2: manager: expected a package manager that can be fetched from: dpkg"},
    {"fetch for no architecture",
     DB "manifest-fetch d { architectures = {\"amd 64\"} }\n",
     ":2: architectures: expected an architecture such as amd64"},
    {"fetch of a relative file", DB "manifest-fetch d { sources = s }\n",
     ":2: sources: expected an absolute path, found 's'"},
    {"fetch that waits for nothing", DB "manifest-fetch d { timeout = 0 }\n",
     ":2: timeout: expected a number from 1 to 86400, found '0'"},
    {"fetch into another folder",
     DB "manifest-fetch \"../d\" { manager = dpkg sources = /s keyring = /k\n"
        " architectures = {amd64} }\n",
     ":3: manifest-fetch: title: expected 1 to 63 of A-Z a-z 0-9 . _ -, found "
     "'../d'"},
    {"fetch twice",
     DB "manifest-fetch d { manager = dpkg sources = /s keyring = /k\n"
        " architectures = {amd64} }\nmanifest-fetch d {}\n",
     ":4: "},
    {"log with a relative path", DB "auth-log auth.log {}\n",
     ":2: auth-log: title: expected an absolute path in ASCII, without // . "
     "and .., or -, found 'auth.log'"},
    {"log with a second name", DB "auth-log \"/var/log/../log/x\" {}\n",
     ":2: auth-log: title: expected an absolute path"},
    {"log with doubled slashes", DB "auth-log \"/var//log\" {}\n",
     ":2: auth-log: title: expected an absolute path"},
    {"log that is a folder", DB "auth-log \"/var/log/\" {}\n",
     ":2: auth-log: title: expected an absolute path"},
    {"log that is no ASCII", DB "auth-log \"/var/l\303\266g\" {}\n",
     ":2: auth-log: title: expected an absolute path"},
    {"log twice", DB "auth-log \"/a\" {}\nauth-log \"/a\" {}\n", ":3: "},
    {"key of a log", DB "auth-log \"/a\" { tail = 1 }\n",
     ":2: no such option 'tail'"},
    {"TLS without a key",
     DB "syslog { listen-tls = {\"0.0.0.0:1\"} tls-cert = /c tls-ca = /a }\n",
     ":2: tls-key: expected with listen-tls, found none"},
    {"syslog without connections", DB "syslog { max-connections = 0 }\n",
     ":2: max-connections: expected a number from 1 to 100000, found '0'"},
    {"no window", DB "lateral { window = 0 }\n",
     ":2: window: expected a number from 1 to 86400, found '0'"},
    {"worker that never works", DB "lateral { cadence = 3601 }\n",
     ":2: cadence: expected a number from 1 to 3600, found '3601'"},
    {"no retention", DB "policy { auth-retention = 0 }\n",
     ":2: auth-retention: expected a number from 1 to 3650, found '0'"},
    {"bad session", DB "trap-sink a { session = '-v 9 localhost' }\n",
     ":2: session: expected "},
};

static void what_is_wrong_is_said_with_its_line(void **state) {
  char expected[512];
  struct capture capture;
  struct config *c = NULL;

  (void)state;
  for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
    if (read_text(broken[i].text, 0600, &c, &capture) == 0)
      fail_msg("%s: taken", broken[i].name);
    (void)snprintf(expected, sizeof(expected), "%s%s", file, broken[i].said);
    if (strncmp(capture.text, expected, strlen(expected)) != 0)
      fail_msg("%s: said %s", broken[i].name, capture.text);
    if (strchr(capture.text, '\n') != strrchr(capture.text, '\n'))
      fail_msg("%s: said more than a line: %s", broken[i].name, capture.text);
  }
}

static void secrets_that_others_can_read_are_refused(void **state) {
  static const char text[] = "database = 'dbname=dna password=x'\n";
  struct capture capture;
  struct config *c = NULL;

  (void)state;
  assert_int_equal(read_text(text, 0600, &c, &capture), 0);
  config_free(c);
  c = NULL;
  assert_int_equal(read_text(text, 0640, &c, &capture), -EINVAL);
  assert_non_null(strstr(capture.text, "found 0640: chmod 600 /tmp/pdna-"));
  assert_null(c);
}

/* The files that a section names; what each must be is in the tests of its
 * manager. */
static void what_is_fetched_from_is_looked_at(void **state) {
  enum { NAME = 64 };
  static const struct {
    const char *sources; /* NULL: there is no such file */
    bool keyring;        /* is there */
    const char *said;    /* NULL: it is taken */
  } cases[] = {
      {"deb http://a.example/ x main\n", true, NULL},
      {"deb [trusted=yes] http://a.example/ x main\n", true,
       ": manifest-fetch d: sources: entry 1: option trusted: expected none "},
      {"", true,
       ": manifest-fetch d: sources: expected an entry of type deb, found "},
      {NULL, true,
       ": manifest-fetch d: sources: expected a readable text file, found "},
      {"deb http://a.example/ x main\n", false,
       ": manifest-fetch d: keyring: expected a file that can be read, found "},
  };
  char sources[NAME], keyring[NAME], text[1024], expected[512];
  struct capture capture;

  (void)state;
  (void)snprintf(sources, sizeof(sources), "%s.sources", file);
  (void)snprintf(keyring, sizeof(keyring), "%s.keyring", file);
  (void)snprintf(text, sizeof(text),
                 DB "manifest-fetch d { manager = dpkg sources = '%s'\n"
                    " keyring = '%s' architectures = {amd64, i386}\n"
                    " max-size = 7 }\n",
                 sources, keyring);
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct config *c = NULL;
    FILE *made = cases[i].sources == NULL ? NULL : fopen(sources, "w");
    if (made != NULL)
      assert_true(fputs(cases[i].sources, made) >= 0 && fclose(made) == 0);
    made = cases[i].keyring ? fopen(keyring, "w") : NULL;
    if (made != NULL)
      assert_int_equal(fclose(made), 0);
    int rc = read_text(text, 0600, &c, &capture);
    (void)unlink(sources);
    (void)unlink(keyring);
    (void)snprintf(expected, sizeof(expected), "%s%s", file,
                   cases[i].said == NULL ? "" : cases[i].said);
    if (cases[i].said != NULL &&
        (rc != -EINVAL ||
         strncmp(capture.text, expected, strlen(expected)) != 0))
      fail_msg("case %zu: said %s", i, capture.text);
    if (cases[i].said != NULL)
      continue;
    assert_int_equal(rc, 0);
    assert_int_equal(c->fetches_len, 1);
    assert_string_equal(c->fetches[0].name, "d");
    assert_string_equal(c->fetches[0].manager, "dpkg");
    assert_string_equal(c->fetches[0].sources, sources);
    assert_string_equal(c->fetches[0].keyring, keyring);
    assert_int_equal(c->fetches[0].architectures_len, 2);
    assert_string_equal(c->fetches[0].architectures[1], "i386");
    assert_int_equal(c->fetches[0].max_size_mib, 7);
    assert_int_equal(c->fetches[0].timeout_s, 600);
    config_free(c);
  }
}

static void a_file_that_is_not_there_is_said(void **state) {
  struct capture capture;
  struct config *c = NULL;

  (void)state;
  capture_begin(&capture);
  int rc = config_read("/nonexistent/file", &c);
  capture_end(&capture);
  assert_int_equal(rc, -ENOENT);
  assert_non_null(strstr(capture.text, "/nonexistent/file: configuration: "));
}

static int make_file(void **state) {
  (void)state;
  int fd = mkstemp(file);
  return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state) {
  (void)state;
  return unlink(file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_good_file_is_read_as_written),
      cmocka_unit_test(sources_of_auth_events_are_read_as_written),
      cmocka_unit_test(what_is_left_out_has_the_designs_defaults),
      cmocka_unit_test(sinks_are_informs_where_their_session_says_so),
      cmocka_unit_test(polls_have_an_interval_and_perhaps_a_name),
      cmocka_unit_test(thousands_of_agents_may_be_asked),
      cmocka_unit_test(environment_variables_are_not_put_in),
      cmocka_unit_test(what_is_wrong_is_said_with_its_line),
      cmocka_unit_test(secrets_that_others_can_read_are_refused),
      cmocka_unit_test(what_is_fetched_from_is_looked_at),
      cmocka_unit_test(a_file_that_is_not_there_is_said),
  };
  return cmocka_run_group_tests(tests, make_file, remove_file);
}
