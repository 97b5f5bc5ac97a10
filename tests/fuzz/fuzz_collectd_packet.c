/* The whole intake over arbitrary packets, unsigned ones and, behind a first
 * byte that is odd, such as a signature of the fuzzer's own holds for. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "correlator/collectd_intake.h"
#include "correlator/log.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/collectd_packets.h"
#include "tests/unit/fake_ingest.h"

#define ARRIVED_US (CAPTURED_S * INT64_C(1000000))

static struct ingest ingest;

static struct collectd_intake *new_intake(void) {
  static const char users[] = "alice: wonderland\n";
  char file[] = "/tmp/pdna-fuzz-XXXXXX";
  struct collectd_config config_now = {.auth_file = file, .max_skew_s = 600};
  static struct collectd_config config;
  struct collectd_intake *intake;
  const int fd = mkstemp(file);

  if (fd < 0 || write(fd, users, sizeof(users) - 1) != sizeof(users) - 1)
    abort();
  close(fd);
  config = config_now;
  log_setup(false, LOG_LEVEL_ERROR);
  if (collectd_intake_new(&config, &ingest, &intake) != 0 || unlink(file) != 0)
    abort();
  config.auth_file = NULL;
  return intake;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct collectd_intake *intake;
  static int64_t now_ms;
  struct packet p = {.len = 0};
  uint8_t *copy;

  if (!intake)
    intake = new_intake();
  if (size == 0 || size > COLLECTD_PACKET_MAX)
    return 0;
  put(&p, data + 1, size - 1);
  if (data[0] & 1)
    packet_sign(&p, "alice", "wonderland");
  copy = malloc(p.len ? p.len : 1);
  memcpy(copy, p.data, p.len);
  collectd_intake_packet(intake, copy, p.len,
                         &(struct collectd_arrival){.peer = "192.0.2.1",
                                                    .arrived_us = ARRIVED_US,
                                                    .now_ms = now_ms});
  free(copy);
  now_ms += 20000;
  collectd_intake_tick(intake, now_ms);
  fake_ingest_clear(&ingest);
  return 0;
}
