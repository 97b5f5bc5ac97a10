/* How fast unchanged scans go from signed packet to drop, on one core: verify,
 * parse, judge, decode, assemble, compare: `bench_source DIR`, which keeps its
 * files in DIR. Prints "name value unit" lines, medians of the rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "correlator/collectd_assembler.h"
#include "correlator/collectd_intake.h"
#include "correlator/counters.h"
#include "correlator/ingest_identity.h"
#include "correlator/ingest_memory.h"
#include "correlator/log.h"
#include "tests/unit/collectd_packets.h"

enum {
  HOSTS = 100,
  EXECUTABLES = 300, /* a host's */
  LISTS = EXECUTABLES + 2,
  ROUNDS = 9,
  STREAM_MAX = HOSTS * LISTS * 256,
  PACKET_BYTES = 1452, /* collectd's MaxPacketSize */
  FIRST_S = 1700000000,
};

/* The packets of one round, one after the other, each after its length. */
struct stream {
  uint8_t *data;
  size_t len;
  size_t packets;
};

static void must(bool holds) {
  if (!holds)
    abort();
}

static void stream_add(struct stream *s, struct packet *p) {
  uint16_t len;

  packet_sign(p, "alice", "wonderland");
  must(s->len + 2 + p->len <= STREAM_MAX);
  len = (uint16_t)p->len;
  memcpy(s->data + s->len, &len, 2);
  memcpy(s->data + s->len + 2, p->data, p->len);
  s->len += 2 + p->len;
  s->packets++;
}

static struct wire_list list_of(size_t i) {
  if (i < EXECUTABLES)
    return list_executable((unsigned)i);
  return i == EXECUTABLES ? list_host(FIRST_S - 5000) : list_marker(LISTS);
}

static void host_name(size_t n, char name[16]) {
  (void)snprintf(name, 16, "host-%zu", n);
}

/* Fill packets as collectd does: what is the same as before is left out, and
 * the packet goes when the next list does not fit. */
static void add_scan(struct stream *s, const char *host, int64_t time_s) {
  const size_t room = PACKET_BYTES - 36 - strlen("alice");
  static struct packet p, list;

  p.len = 0;
  for (size_t i = 0; i < LISTS; i++) {
    const struct wire_list l = list_of(i);

    list.len = 0;
    put_list(&list, &l);
    if (p.len != 0 && p.len + list.len > room) {
      stream_add(s, &p);
      p.len = 0;
    }
    if (p.len == 0)
      put_head(&p, host, cdtime(time_s));
    put(&p, list.data, list.len);
  }
  stream_add(s, &p);
}

static struct stream round_of(int64_t time_s) {
  struct stream s = {.data = malloc(STREAM_MAX)};
  char host[16];

  if (!s.data)
    abort();
  for (size_t h = 0; h < HOSTS; h++) {
    host_name(h, host);
    add_scan(&s, host, time_s);
  }
  return s;
}

static void keep_identity(void *context, struct report **report) {
  must(ingest_identity(*report, context) == 0);
}

/* What every host's scan is, as ingest tells scans apart. */
static struct digest scan_identity(void) {
  const struct collectd_scan_key key = {"host-0", "alice", 1};
  const struct collectd_scan_start start = {.observed_us = 1};
  struct collectd_assembler *a;
  struct digest identity = {{0}};

  must(collectd_assembler_new(&collectd_assembler_limits_default, keep_identity,
                              &identity, &a) == 0);
  for (size_t i = 0; i < LISTS; i++) {
    const struct wire_list l = list_of(i);
    struct collectd_scan *scan;
    struct wire_item item;

    must(wire_decode(&l, wire_data_sets[l.type].sources_len, &item) == 0);
    must(collectd_assembler_open(a, &key, &start, &scan) == 0);
    collectd_assembler_set_interval(scan, 60);
    must(collectd_assembler_add(a, scan, i + 1, &item) == 0);
  }
  collectd_assembler_settle(a, &key);
  collectd_assembler_free(a);
  return identity;
}

/* As if the database had judged and settled each host's scan before. */
static struct ingest_memory *settled_memory(void) {
  const struct ingest_ticket ticket = {.identity = scan_identity()};
  const struct ingest_agent agent = {.signer = "alice"};
  struct ingest_memory *m = ingest_memory_new(HOSTS);
  char host[16];

  must(m != NULL);
  for (size_t h = 0; h < HOSTS; h++) {
    host_name(h, host);
    ingest_memory_load(m, &(struct ingest_key){host, REPORT_SOURCE_COLLECTD},
                       (int64_t)h + 1, &agent);
    ingest_memory_judged(m, &(struct ingest_key){host, REPORT_SOURCE_COLLECTD},
                         &ticket, (int64_t)h + 1, true);
  }
  return m;
}

static struct collectd_intake *new_intake(const struct collectd_config *config,
                                          struct ingest *ingest) {
  static const char users[] = "alice: wonderland\n";
  struct collectd_intake *intake = NULL;
  FILE *f = fopen(config->auth_file, "we");

  must(f != NULL && fwrite(users, 1, sizeof(users) - 1, f) > 0);
  must(fclose(f) == 0 && collectd_intake_new(config, ingest, &intake) == 0);
  return intake;
}

static double seconds(void) {
  struct timespec t;

  (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double run_round(struct collectd_intake *intake, int64_t time_s,
                        size_t *ret_packets) {
  const struct collectd_arrival arrival = {.peer = "192.0.2.1",
                                           .arrived_us = time_s * 1000000};
  struct stream s = round_of(time_s);
  const double start = seconds();
  double took;
  uint16_t len;

  for (size_t at = 0; at < s.len; at += 2 + (size_t)len) {
    memcpy(&len, s.data + at, 2);
    collectd_intake_packet(intake, s.data + at + 2, len, &arrival);
  }
  took = seconds() - start;
  *ret_packets = s.packets;
  free(s.data);
  return took;
}

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  char file[256];
  struct collectd_config config = {
      .auth_file = file, .security_level = SECURITY_SIGN, .max_skew_s = 600};
  struct ingest_memory *memory = settled_memory();
  struct ingest *ingest = ingest_new(memory, NULL);
  struct collectd_intake *intake;
  double took[ROUNDS];
  size_t packets = 0;

  must(argc == 2 && strlen(argv[1]) < sizeof(file) - sizeof("/auth"));
  (void)umask(077);
  (void)snprintf(file, sizeof(file), "%s/auth", argv[1]);
  intake = new_intake(&config, ingest);
  for (int i = 0; i < ROUNDS; i++)
    took[i] = run_round(intake, FIRST_S + i, &packets);
  must(counters_get(COUNTER_SCANS_UNCHANGED) == (uint64_t)HOSTS * ROUNDS);
  qsort(took, ROUNDS, sizeof(took[0]), compare);
  printf("source_packets %.0f packets/s\n", (double)packets / took[ROUNDS / 2]);
  printf("source_value_lists %.0f lists/s\n",
         (double)HOSTS * LISTS / took[ROUNDS / 2]);
  printf("source_unchanged_observations %.0f observations/s\n",
         (double)HOSTS * EXECUTABLES / took[ROUNDS / 2]);
  collectd_intake_free(intake);
  ingest_free(ingest);
  ingest_memory_free(memory);
  (void)unlink(file);
  return 0;
}
