/* Packets of collectd's for tests: those captured from a real one
 * (tests/unit/data/collectd/capture.py), and a builder of any others. */
#ifndef PDNA_COLLECTD_PACKETS_H
#define PDNA_COLLECTD_PACKETS_H

#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/record/wire.h"

/* The captured scans' time and the alphabet of the protocol. */
enum {
  CAPTURED_S = 1700000000,
  P_HOST = 0,
  P_TIME = 1,
  P_PLUGIN = 2,
  P_PLUGIN_INSTANCE = 3,
  P_TYPE = 4,
  P_TYPE_INSTANCE = 5,
  P_VALUES = 6,
  P_INTERVAL = 7,
  P_TIME_HR = 8,
  P_INTERVAL_HR = 9,
  P_MESSAGE = 0x100,
  P_SEVERITY = 0x101,
  P_SIGN = 0x200,
  P_ENCRYPT = 0x210,
};

struct packet {
  uint8_t data[65536];
  size_t len;
};

static inline uint64_t cdtime(int64_t s) { return (uint64_t)s << 30; }

/* Read packet `n` of tests/unit/data/collectd/NAME.packets; false beyond the
 * last. */
static inline bool packet_captured(const char *name, size_t n,
                                   struct packet *p) {
  char path[128];
  uint8_t head[2];
  FILE *f;
  bool found = true;

  snprintf(path, sizeof(path), "tests/unit/data/collectd/%s.packets", name);
  f = fopen(path, "re");
  if (!f)
    abort();
  *p = (struct packet){.len = 0};
  for (size_t i = 0; i <= n && found; i++) {
    found = fread(head, 1, sizeof(head), f) == sizeof(head);
    if (!found)
      break;
    p->len = (size_t)(head[0] << 8 | head[1]);
    if (fread(p->data, 1, p->len, f) != p->len)
      abort();
  }
  (void)fclose(f);
  return found;
}

/* The first of them. */
static inline struct packet packet_first(const char *name) {
  struct packet p;

  if (!packet_captured(name, 0, &p))
    abort();
  return p;
}

static inline void put(struct packet *p, const void *data, size_t len) {
  if (p->len + len > sizeof(p->data))
    abort();
  memcpy(p->data + p->len, data, len);
  p->len += len;
}

static inline void put_u16(struct packet *p, size_t value) {
  const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};

  put(p, bytes, sizeof(bytes));
}

static inline void put_part(struct packet *p, unsigned type, const void *body,
                            size_t len) {
  put_u16(p, type);
  put_u16(p, 4 + len);
  put(p, body, len);
}

static inline void put_text(struct packet *p, unsigned type, const char *text) {
  put_part(p, type, text, strlen(text) + 1);
}

static inline void put_number(struct packet *p, unsigned type, uint64_t value) {
  value = htobe64(value);
  put_part(p, type, &value, sizeof(value));
}

static inline void put_gauges(struct packet *p, const double *values,
                              size_t len) {
  put_u16(p, P_VALUES);
  put_u16(p, 6 + 9 * len);
  put_u16(p, len);
  for (size_t i = 0; i < len; i++)
    put(p, "\1", 1);
  put(p, values, len * sizeof(*values));
}

/* What a packet of ours begins with. */
static inline void put_head(struct packet *p, const char *host, uint64_t time) {
  put_text(p, P_HOST, host);
  put_number(p, P_TIME_HR, time);
  put_number(p, P_INTERVAL_HR, cdtime(60));
  put_text(p, P_PLUGIN, WIRE_PLUGIN);
}

static inline void put_list(struct packet *p, const struct wire_list *list) {
  put_text(p, P_PLUGIN_INSTANCE, list->plugin_instance);
  put_text(p, P_TYPE, wire_data_sets[list->type].type);
  put_text(p, P_TYPE_INSTANCE, list->type_instance);
  put_gauges(p, list->values, wire_data_sets[list->type].sources_len);
}

/* An executable /usr/bin/N with a digest that follows from N. */
static inline struct wire_list list_executable(unsigned n) {
  char path[32];
  struct executable e = {.path = path,
                         .state = EXE_CURRENT,
                         .processes = 1,
                         .rss_bytes = 4096,
                         .pid = 100,
                         .started_s = CAPTURED_S - 100};
  struct wire_list list;

  snprintf(path, sizeof(path), "/usr/bin/%06u", n);
  memcpy(e.sha256.bytes, &n, sizeof(n));
  if (wire_from_executable(&e, &list) != 0)
    abort();
  return list;
}

static inline struct wire_list list_host(int64_t boot_s) {
  const struct wire_host host = {.id = "0123456789ab", .boot_s = boot_s};
  struct wire_list list;

  if (wire_from_host(&host, &list) != 0)
    abort();
  return list;
}

static inline struct wire_list list_marker(uint64_t series) {
  const struct wire_scan scan = {.sequence = 1, .series = series};
  struct wire_list list;

  if (wire_from_scan(&scan, &list) != 0)
    abort();
  return list;
}

/* Put a Sign part before what is in the packet. */
static inline void packet_sign(struct packet *p, const char *user,
                               const char *password) {
  const size_t user_len = strlen(user);
  struct packet signed_packet = {.len = 0};
  uint8_t mac[32];

  put_u16(&signed_packet, P_SIGN);
  put_u16(&signed_packet, 36 + user_len);
  signed_packet.len += sizeof(mac);
  put(&signed_packet, user, user_len);
  put(&signed_packet, p->data, p->len);
  if (!HMAC(EVP_sha256(), password, (int)strlen(password),
            signed_packet.data + 36, signed_packet.len - 36, mac, NULL))
    abort();
  memcpy(signed_packet.data + 4, mac, sizeof(mac));
  *p = signed_packet;
}

#endif
