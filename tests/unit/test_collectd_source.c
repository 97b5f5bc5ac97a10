/* Goal: what arrives at the sockets reaches ingest, and what does not is
 * counted. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "correlator/collectd_source.h"
#include "correlator/counters.h"
#include "correlator/listen.h"
#include "correlator/log.h"
#include "tests/unit/collectd_packets.h"
#include "tests/unit/fake_ingest.h"
#include "tests/unit/free_port.h"
#include "tests/unit/unit.h"

enum { FLOOD = 2000 };

static struct event_base *base;
static struct ingest ingest;
static struct collectd_source *source;
static char listen_v4[32], listen_v6[32];
static struct sockaddr_in to_v4;
static struct sockaddr_in6 to_v6;
static int from_v4 = -1, from_v6 = -1;

/* Containers without IPv6 are common. */
static bool has_v6(void) {
  const struct sockaddr_in6 a = {.sin6_family = AF_INET6,
                                 .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  const int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool has =
      fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0;

  if (fd >= 0)
    close(fd);
  return has;
}

static int set_up(void **state) {
  static char *listens[] = {listen_v4, listen_v6};
  static struct collectd_config config;
  const uint16_t port = free_port(SOCK_DGRAM);

  (void)state;
  log_setup(false, LOG_LEVEL_ERROR);
  snprintf(listen_v4, sizeof(listen_v4), "127.0.0.1:%u", port);
  snprintf(listen_v6, sizeof(listen_v6), "[::1]:%u", port);
  config = (struct collectd_config){.listen = listens,
                                    .listen_len = has_v6() ? 2 : 1,
                                    .security_level = SECURITY_NONE,
                                    .max_skew_s = 600};
  to_v4 = (struct sockaddr_in){.sin_family = AF_INET,
                               .sin_port = htons(port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  to_v6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
                                .sin6_port = htons(port),
                                .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  from_v4 = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  from_v6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  base = event_base_new();
  return collectd_source_new(base, &config, &ingest, &source);
}

static int tear_down(void **state) {
  (void)state;
  collectd_source_free(source);
  source = NULL;
  fake_ingest_clear(&ingest);
  event_base_free(base);
  close(from_v4);
  if (from_v6 >= 0)
    close(from_v6);
  return 0;
}

static struct packet scan_packet(const char *host) {
  const struct wire_list executable = list_executable(1),
                         marker = list_marker(2);
  struct packet p = {.len = 0};

  put_head(&p, host, cdtime(time(NULL)));
  put_list(&p, &executable);
  put_list(&p, &marker);
  return p;
}

static void send_v4(const struct packet *p) {
  assert_int_equal(sendto(from_v4, p->data, p->len, 0,
                          (struct sockaddr *)&to_v4, sizeof(to_v4)),
                   p->len);
}

static void run_loop(void) {
  assert_int_not_equal(event_base_loop(base, EVLOOP_NONBLOCK), -1);
}

static void packets_of_both_families_reach_ingest(void **state) {
  struct packet p = scan_packet("host-a");

  (void)state;
  if (!has_v6())
    skip();
  send_v4(&p);
  p = scan_packet("host-b");
  assert_int_equal(sendto(from_v6, p.data, p.len, 0, (struct sockaddr *)&to_v6,
                          sizeof(to_v6)),
                   p.len);
  run_loop();
  assert_int_equal(ingest.reports_len, 2);
  assert_true(ingest.reports[0]->complete && ingest.reports[1]->complete);
}

static void a_cut_packet_is_oversized(void **state) {
  const uint64_t before = counters_get(COUNTER_DROP_OVERSIZED);
  struct packet p = scan_packet("host-a");

  (void)state;
  while (p.len < 20000)
    put_text(&p, 0x7777, "filler");
  send_v4(&p);
  run_loop();
  assert_int_equal(counters_get(COUNTER_DROP_OVERSIZED) - before, 1);
  assert_int_equal(ingest.reports_len, 0);
}

static void what_the_kernel_dropped_is_counted(void **state) {
  const uint64_t packets = counters_get(COUNTER_PACKETS),
                 lost = counters_get(COUNTER_PACKETS_LOST);
  struct packet p = {.len = 60000};

  (void)state;
  for (int i = 0; i < FLOOD; i++)
    send_v4(&p);
  for (int i = 0; i < FLOOD / 32; i++)
    run_loop();
  /* Only a packet that is taken tells of those lost before it. */
  p = scan_packet("host-a");
  send_v4(&p);
  run_loop();
  assert_true(counters_get(COUNTER_PACKETS_LOST) > lost);
  assert_int_equal(counters_get(COUNTER_PACKETS) - packets +
                       counters_get(COUNTER_PACKETS_LOST) - lost,
                   FLOOD + 1);
  assert_int_equal(ingest.reports_len, 1);
}

static void open_scans_are_handed_in_at_the_end(void **state) {
  const struct wire_list list = list_executable(1);
  struct packet p = {.len = 0};

  (void)state;
  put_head(&p, "host-a", cdtime(time(NULL)));
  put_list(&p, &list);
  send_v4(&p);
  run_loop();
  assert_int_equal(ingest.reports_len, 0);
  collectd_source_free(source);
  source = NULL;
  assert_int_equal(ingest.reports_len, 1);
  assert_false(ingest.reports[0]->complete);
}

static void addresses_that_cannot_be_bound_are_refused(void **state) {
  static const char *const bad[] = {"127.0.0.1", "127.0.0.1:", ":25826",
                                    "[]:25826",  "1.2.3:port", ""};
  int fds[4];

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_true(listen_open("collectd", SOCK_DGRAM, bad[i], fds, 4) < 0);
  assert_int_equal(listen_open("collectd", SOCK_DGRAM, listen_v4, fds, 4),
                   -EADDRINUSE);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(packets_of_both_families_reach_ingest),
      TEST(a_cut_packet_is_oversized),
      TEST(what_the_kernel_dropped_is_counted),
      TEST(open_scans_are_handed_in_at_the_end),
      TEST(addresses_that_cannot_be_bound_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
