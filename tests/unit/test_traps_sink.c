/* Sinks against a real snmptrapd: whatever they are told to send arrives there
 * or comes back, and one that is away holds up no other. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/library/large_fd_set.h>

#include "correlator/snmp_engine.h"
#include "correlator/snmp_peer.h"
#include "correlator/traps_sink.h"
#include "lib/record/clock.h"
#include "tests/unit/unit.h"

enum { PATIENCE_MS = 30000, SINKS_MAX = 4, ROWS_MAX = 8 };

#define ENGINE "80001f8880aabbccdd00112233"

static struct {
  char dir[64];
  char log[80];
  unsigned port;
  pid_t trapd;
} env;

/* What became of the rows, by their number. */
static struct {
  unsigned done[ROWS_MAX];
  unsigned failed[ROWS_MAX];
  char error[ROWS_MAX][80];
} rows;

static void on_result(void *arg, int64_t id, const char *error,
                      unsigned wait_s) {
  (void)arg;
  (void)wait_s;
  assert_in_range(id, 0, ROWS_MAX - 1);
  if (error == NULL)
    rows.done[id]++;
  else
    rows.failed[id]++;
  (void)set_text(rows.error[id], error == NULL ? "" : error);
}

static void write_file(const char *name, const char *text) {
  char path[128];
  (void)snprintf(path, sizeof(path), "%s/%s", env.dir, name);
  FILE *f = fopen(path, "we");
  assert_non_null(f);
  assert_true(fputs(text, f) >= 0);
  assert_int_equal(fclose(f), 0);
}

/* How often the text is in what snmptrapd printed. */
static unsigned printed(const char *text) {
  static char log[1 << 20];
  unsigned n = 0;
  FILE *f = fopen(env.log, "re");
  if (f == NULL)
    return 0;
  log[fread(log, 1, sizeof(log) - 1, f)] = '\0';
  (void)fclose(f);
  for (const char *p = log; (p = strstr(p, text)) != NULL; p++)
    n++;
  return n;
}

static void nap(void) {
  const struct timespec t = {0, 20000000};
  (void)nanosleep(&t, NULL);
}

static void stop_trapd(void) {
  if (env.trapd > 0) {
    (void)kill(env.trapd, SIGTERM);
    (void)waitpid(env.trapd, NULL, 0);
  }
  env.trapd = 0;
}

static void start_trapd(void) {
  char conf[96], log[96], udp[64], tcp[64], persistent[96];
  (void)snprintf(conf, sizeof(conf), "%s/snmptrapd.conf", env.dir);
  (void)snprintf(log, sizeof(log), "-Lf%s", env.log);
  (void)snprintf(udp, sizeof(udp), "udp:127.0.0.1:%u", env.port);
  (void)snprintf(tcp, sizeof(tcp), "tcp:127.0.0.1:%u", env.port);
  (void)snprintf(persistent, sizeof(persistent), "SNMP_PERSISTENT_DIR=%s/trapd",
                 env.dir);
  char *argv[] = {"snmptrapd", "-f",
                  "-C",        "-c",
                  conf,        log,
                  "-M",        "tests/mibs:snmp-subagent",
                  "-m",        "PROCESS-DNA-MIB",
                  "-F",        "%v\\n",
                  "-OQ",       udp,
                  tcp,         NULL};
  char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char *envp[] = {path, persistent, NULL};

  (void)unlink(env.log);
  assert_int_equal(
      posix_spawnp(&env.trapd, "snmptrapd", NULL, NULL, argv, envp), 0);
  for (int i = 0; printed("NET-SNMP version") == 0; i++) {
    assert_true(i < PATIENCE_MS / 20);
    nap();
  }
}

/* A UDP socket on a free port of loopback. */
static int bind_any(unsigned *ret_port) {
  struct sockaddr_in a = {.sin_family = AF_INET};
  socklen_t len = sizeof(a);
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
  *ret_port = ntohs(a.sin_port);
  return fd;
}

struct fleet {
  struct sink_config config[SINKS_MAX];
  struct traps_sink *sink[SINKS_MAX];
  size_t len;
};

/* `session` is without the address. */
static struct traps_sink *add_sink(struct fleet *fleet, const char *session,
                                   unsigned port) {
  size_t i = fleet->len++;
  char text[256];
  (void)snprintf(text, sizeof(text), "%s127.0.0.1:%u", session, port);
  fleet->config[i].name = strdup("nms");
  fleet->config[i].session = strdup(text);
  assert_int_equal(
      traps_sink_new(&fleet->config[i], on_result, NULL, &fleet->sink[i]), 0);
  return fleet->sink[i];
}

static void free_fleet(struct fleet *fleet) {
  for (size_t i = 0; i < fleet->len; i++) {
    traps_sink_free(fleet->sink[i]);
    free(fleet->config[i].name);
    free(fleet->config[i].session);
  }
}

/* One turn of the loop that the traps thread has. */
static void turn(struct fleet *fleet) {
  netsnmp_large_fd_set fds;
  int numfds = 0;
  int64_t wake_ms = clock_monotonic_ms() + 20;
  struct timeval timeout = {0, 20000};

  netsnmp_large_fd_set_init(&fds, FD_SETSIZE);
  NETSNMP_LARGE_FD_ZERO(&fds);
  for (size_t i = 0; i < fleet->len; i++) {
    traps_sink_step(fleet->sink[i]);
    traps_sink_prepare(fleet->sink[i], &numfds, &fds, &wake_ms);
  }
  (void)netsnmp_large_fd_set_select(numfds, &fds, NULL, NULL, &timeout);
  for (size_t i = 0; i < fleet->len; i++)
    traps_sink_process(fleet->sink[i], &fds);
  netsnmp_large_fd_set_cleanup(&fds);
}

static void wait_for_room(struct fleet *fleet, const struct traps_sink *sink) {
  for (int64_t end = clock_monotonic_ms() + PATIENCE_MS;
       traps_sink_room(sink) == 0; turn(fleet))
    assert_true(clock_monotonic_ms() < end);
}

static void wait_for(struct fleet *fleet, const unsigned *number) {
  for (int64_t end = clock_monotonic_ms() + PATIENCE_MS; *number == 0;
       turn(fleet))
    assert_true(clock_monotonic_ms() < end);
}

static void wait_until_printed(const char *text) {
  for (int i = 0; printed(text) == 0; i++) {
    assert_true(i < PATIENCE_MS / 20);
    nap();
  }
}

static void send_row(struct traps_sink *sink, int64_t id, const char *host) {
  struct traps_row row = {.outbox_id = id};
  for (enum trap_field f = 0; f < TRAP_FIELDS; f++)
    row.payload.field[f] = "";
  row.payload.field[TRAP_TYPE] = "pdnaBinaryChanged";
  row.payload.field[TRAP_STATE] = "raised";
  row.payload.field[TRAP_SEVERITY] = "critical";
  row.payload.field[TRAP_HOST] = host;
  traps_sink_send(sink, &row, 100);
}

#define V3 "-v 3 -l authPriv -a SHA-256 -A 'trap pass 1' -x AES -X privpass1 "

/* The library's own: it forgets its table of MIB modules at each new start. */
const char *__lsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *
__lsan_default_suppressions(void) {
  return "leak:netsnmp_init_mib_internals\n";
}

/* --- Tests -----------------------------------------------------------------
 */

static void delivers_each_kind(const char *session, const char *host) {
  char text[64];
  struct fleet fleet = {.len = 0};
  struct traps_sink *sink = add_sink(&fleet, session, env.port);
  wait_for_room(&fleet, sink);
  send_row(sink, 0, host);
  wait_for(&fleet, &rows.done[0]);
  (void)snprintf(text, sizeof(text), "pdnaAlertHost.0 = %s", host);
  wait_until_printed(text);
  assert_int_equal(rows.failed[0], 0);
  assert_int_equal(printed(text), 1);
  free_fleet(&fleet);
  assert_int_equal(rows.done[0], 1);
}

static void v2c_traps_arrive_by_their_names(void **state) {
  (void)state;
  delivers_each_kind("-v 2c -c public ", "v2c-trap");
  assert_int_equal(printed("PROCESS-DNA-MIB::pdnaBinaryChanged"), 1);
  assert_int_equal(printed("PROCESS-DNA-MIB::pdnaAlertState.0 = raised"), 1);
  assert_int_equal(printed("SNMP-COMMUNITY-MIB::snmpTrapAddress.0"), 1);
}

static void v2c_informs_are_acknowledged(void **state) {
  (void)state;
  delivers_each_kind("-v 2c -c public -Ci ", "v2c-inform");
}

static void informs_go_over_tcp(void **state) {
  (void)state;
  delivers_each_kind("-v 2c -c public -Ci tcp:", "tcp-inform");
}

static void v3_traps_arrive(void **state) {
  (void)state;
  delivers_each_kind(V3 "-u sender ", "v3-trap");
}

static void v3_informs_are_acknowledged(void **state) {
  (void)state;
  delivers_each_kind(V3 "-u receiver -Ci ", "v3-inform");
}

static void v3_traps_are_taken_after_a_kill(void **state) {
  (void)state;
  delivers_each_kind(V3 "-u sender ", "before");
  unsigned long boots = snmpv3_local_snmpEngineBoots();
  snmp_engine_stop();

  /* A process that starts, sends, and ends without another word. */
  pid_t child = fork();
  if (child == 0) {
    struct fleet fleet = {.len = 0};
    if (snmp_engine_start(env.dir) != 0)
      _exit(1);
    struct traps_sink *sink = add_sink(&fleet, V3 "-u sender ", env.port);
    traps_sink_step(sink);
    memset(&rows, 0, sizeof(rows));
    send_row(sink, 0, "killed");
    _exit(rows.done[0] == 1 ? 0 : 2);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  wait_until_printed("pdnaAlertHost.0 = killed");

  assert_int_equal(snmp_engine_start(env.dir), 0);
  /* Else it would be out of the receiver's time window after 150 s. */
  assert_int_equal(snmpv3_local_snmpEngineBoots(), boots + 2);
  memset(&rows, 0, sizeof(rows));
  delivers_each_kind(V3 "-u sender ", "after");
}

static void informs_come_back_while_the_receiver_is_away(void **state) {
  (void)state;
  struct fleet fleet = {.len = 0};
  struct traps_sink *v2c =
      add_sink(&fleet, "-v 2c -c public -Ci -t 1 ", env.port);
  struct traps_sink *v3 =
      add_sink(&fleet, V3 "-u receiver -Ci -t 1 ", env.port);
  wait_for_room(&fleet, v2c);
  wait_for_room(&fleet, v3);
  stop_trapd();
  send_row(v2c, 0, "away");
  send_row(v3, 1, "away");
  wait_for(&fleet, &rows.failed[0]);
  wait_for(&fleet, &rows.failed[1]);
  assert_string_equal(rows.error[0], "no answer");
  assert_int_equal(traps_sink_room(v2c), 0);

  start_trapd();
  wait_for_room(&fleet, v2c);
  wait_for_room(&fleet, v3);
  send_row(v2c, 2, "back");
  send_row(v3, 3, "back");
  wait_for(&fleet, &rows.done[2]);
  wait_for(&fleet, &rows.done[3]);
  free_fleet(&fleet);
}

static void a_dead_sink_holds_up_no_other(void **state) {
  (void)state;
  unsigned port = 0;
  int fd = bind_any(&port); /* takes everything and says nothing */
  struct fleet fleet = {.len = 0};
  struct traps_sink *dead =
      add_sink(&fleet, V3 "-u receiver -Ci -t 60 -r 9 ", port);
  struct traps_sink *alive =
      add_sink(&fleet, V3 "-u receiver -Ci -t 60 ", env.port);
  wait_for_room(&fleet, alive);
  send_row(alive, 0, "alive");
  wait_for(&fleet, &rows.done[0]);
  assert_int_equal(traps_sink_room(dead), 0);
  free_fleet(&fleet);
  (void)close(fd);
}

static void a_wrong_passphrase_is_said(void **state) {
  (void)state;
  struct fleet fleet = {.len = 0};
  struct traps_sink *sink = add_sink(
      &fleet, "-v 3 -u other -l authNoPriv -a SHA-256 -A mistaken1 -Ci ",
      env.port);
  wait_for_room(&fleet, sink);
  send_row(sink, 0, "wrong");
  wait_for(&fleet, &rows.failed[0]);
  assert_non_null(strstr(rows.error[0], "Authentication failure"));
  free_fleet(&fleet);
  assert_int_equal(rows.failed[0], 1);
}

static struct snmp_peer *peer_of(const char *session) {
  struct snmp_message message;
  struct snmp_peer *peer = NULL;
  assert_int_equal(snmp_peer_new(session, SNMP_USE_SINK, &message, &peer), 0);
  return peer;
}

static void one_user_of_traps_has_one_passphrase(void **state) {
  (void)state;
  static const struct {
    const char *session;
    bool conflicts;
  } cases[] = {
      {V3 "-u sender 192.0.2.2", false},
      {V3 "-u another 192.0.2.2", false},
      {V3 "-u sender -Ci 192.0.2.2", false},
      {"-v 2c -c sender 192.0.2.2", false},
      {"-v 3 -u sender -l authNoPriv -a SHA-256 -A 'trap pass 1' nms", true},
      {"-v 3 -u sender -l authPriv -a SHA-512 -A 'trap pass 1' -x AES "
       "-X privpass1 192.0.2.2",
       true},
      {"-v 3 -u sender -l authPriv -a SHA-256 -A 'trap pass 2' -x AES "
       "-X privpass1 192.0.2.2",
       true},
      {"-v 3 -u sender -l authPriv -a SHA-256 -A 'trap pass 1' -x AES "
       "-X privpass2 192.0.2.2",
       true},
      {"-v 3 -u sender -l authPriv -a SHA-256 -A 'trap pass 2' -x AES "
       "-X privpass1 -e 0x8000000001020304 192.0.2.2",
       false},
  };
  struct snmp_peer *first = peer_of(V3 "-u sender 192.0.2.1");
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct snmp_peer *peer = peer_of(cases[i].session);
    assert_int_equal(snmp_peer_conflict(first, peer), cases[i].conflicts);
    snmp_peer_free(peer);
  }
  snmp_peer_free(first);
}

static void rows_without_an_answer_come_back_at_the_end(void **state) {
  (void)state;
  unsigned port = 0;
  int fd = bind_any(&port);
  struct fleet fleet = {.len = 0};
  struct traps_sink *sink =
      add_sink(&fleet, "-v 2c -c public -Ci -t 60 ", port);
  wait_for_room(&fleet, sink);
  send_row(sink, 0, "a");
  send_row(sink, 1, "b");
  assert_int_equal(traps_sink_in_flight(sink), 2);
  free_fleet(&fleet);
  assert_int_equal(rows.failed[0] + rows.failed[1], 2);
  (void)close(fd);
}

static void a_whole_message_fits_into_a_packet(void **state) {
  (void)state;
  static const char *const sessions[] = {"-v 2c -c public ", V3 "-u sender "};
  char line[1025];
  u_char bytes[4096];
  memset(line, 'x', sizeof(line) - 1);
  line[sizeof(line) - 1] = '\0';

  for (size_t i = 0; i < 2; i++) {
    unsigned port = 0;
    int fd = bind_any(&port);
    struct fleet fleet = {.len = 0};
    struct traps_sink *sink = add_sink(&fleet, sessions[i], port);
    struct traps_row row = {.outbox_id = 0};
    for (enum trap_field f = 0; f < TRAP_FIELDS; f++)
      row.payload.field[f] = line + 1024 - 40;
    row.payload.field[TRAP_TYPE] = "pdnaAlertCleared";
    row.payload.field[TRAP_STATE] = "cleared";
    row.payload.field[TRAP_SEVERITY] = "cleared";
    row.payload.field[TRAP_LINE] = line;
    wait_for_room(&fleet, sink);
    traps_sink_send(sink, &row, 100);
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
    assert_in_range(n, TRAPS_MESSAGE_MAX - 150, TRAPS_MESSAGE_MAX);
    free_fleet(&fleet);
    (void)close(fd);
  }
}

static void a_state_directory_that_can_not_be_is_refused(void **state) {
  (void)state;
  char path[400];
  snmp_engine_stop();
  assert_int_equal(snmp_engine_start("/proc/none"), -ENOENT);
  memset(path, 'x', sizeof(path) - 1);
  path[sizeof(path) - 1] = '\0';
  assert_int_equal(snmp_engine_start(path), -ENAMETOOLONG);
  assert_int_equal(snmp_engine_start(env.dir), 0);
}

static int remove_entry(const char *path, const struct stat *s, int type,
                        struct FTW *ftw) {
  (void)s;
  (void)type;
  (void)ftw;
  return remove(path);
}

static int before_all(void **state) {
  (void)state;
  (void)set_text(env.dir, "/tmp/pdna-traps-XXXXXX");
  if (mkdtemp(env.dir) == NULL)
    return -1;
  (void)snprintf(env.log, sizeof(env.log), "%s/trapd.log", env.dir);
  write_file("snmptrapd.conf",
             "authCommunity log public\n"
             "createUser -e 0x" ENGINE " sender SHA-256 \"trap pass 1\" AES "
             "privpass1\n"
             "authUser log sender\n"
             "createUser receiver SHA-256 \"trap pass 1\" AES privpass1\n"
             "authUser log receiver\n"
             "createUser other SHA-256 \"trap pass 1\"\n"
             "authUser log other\n");
  char dir[96];
  (void)snprintf(dir, sizeof(dir), "%s/snmp", env.dir);
  if (mkdir(dir, 0700) != 0)
    return -1;
  /* The engine that snmptrapd knows. */
  write_file("snmp/process-dna-correlator.conf",
             "engineBoots 7\noldEngineID 0x" ENGINE "\n");
  (void)close(bind_any(&env.port));
  start_trapd();
  return snmp_engine_start(env.dir);
}

static int before_each(void **state) {
  (void)state;
  memset(&rows, 0, sizeof(rows));
  return 0;
}

static int after_all(void **state) {
  (void)state;
  stop_trapd();
  snmp_engine_stop();
  return nftw(env.dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

#define test(f) cmocka_unit_test_setup(f, before_each)

int main(void) {
  const struct CMUnitTest tests[] = {
      test(v2c_traps_arrive_by_their_names),
      test(v2c_informs_are_acknowledged),
      test(informs_go_over_tcp),
      test(v3_traps_arrive),
      test(v3_informs_are_acknowledged),
      test(v3_traps_are_taken_after_a_kill),
      test(informs_come_back_while_the_receiver_is_away),
      test(a_dead_sink_holds_up_no_other),
      test(a_wrong_passphrase_is_said),
      test(one_user_of_traps_has_one_passphrase),
      test(rows_without_an_answer_come_back_at_the_end),
      test(a_whole_message_fits_into_a_packet),
      test(a_state_directory_that_can_not_be_is_refused),
  };
  return cmocka_run_group_tests(tests, before_all, after_all);
}
