#include "correlator/spool_auth.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

enum {
  /* Of this format, and told from a report's: `refused` holds both. */
  VERSION = 'A',
  USER_KNOWN = 1,
  ZONED = 2,
  HAS_ADDRESS = 4,
  HAS_PEER = 8,
  FLAGS = 15,
};

void spool_auth_encode(const struct auth_record *record, struct bytes *b) {
  const struct auth_event *e = &record->event;

  bytes_put_u8(b, VERSION);
  bytes_put_text(b, auth_outcome_name(e->outcome));
  bytes_put_text(b, auth_trust_name(record->trust));
  bytes_put_u8(b, (uint8_t)((e->user_known ? USER_KNOWN : 0) |
                            (e->zoned ? ZONED : 0) |
                            (e->has_address ? HAS_ADDRESS : 0) |
                            (record->has_peer ? HAS_PEER : 0)));
  bytes_put_u64(b, e->repeat);
  bytes_put_u64(b, e->port);
  bytes_put_u64(b, e->pid);
  bytes_put_u64(b, (uint64_t)e->stamped_us);
  bytes_put_u64(b, (uint64_t)record->arrived_us);
  if (e->has_address)
    bytes_put(b, &e->address, sizeof(e->address));
  if (record->has_peer)
    bytes_put(b, &record->peer, sizeof(record->peer));
  for (size_t i = 0; i < AUTH_TEXTS; i++) {
    struct auth_text text = auth_event_text(e, i);
    bytes_put_sized(b, text.at, text.len);
  }
}

static uint64_t get_bounded(struct bytes_reader *r, uint64_t max) {
  uint64_t value = bytes_get_u64(r);

  if (value > max)
    r->failed = true;
  return r->failed ? 0 : value;
}

static void get_address(struct bytes_reader *r, struct in6_addr *ret) {
  const void *at = bytes_get(r, sizeof(*ret));

  if (at != NULL)
    memcpy(ret, at, sizeof(*ret));
}

static void get_names(struct bytes_reader *r, struct auth_event *e,
                      struct auth_arrival *a) {
  char outcome[32];
  char trust[32];

  bytes_get_text(r, outcome, sizeof(outcome));
  bytes_get_text(r, trust, sizeof(trust));
  if (!auth_outcome_from_name(outcome, &e->outcome) ||
      !auth_trust_from_name(trust, &a->trust))
    r->failed = true;
}

static void get_facts(struct bytes_reader *r, struct auth_event *e,
                      struct auth_arrival *a, struct in6_addr *peer) {
  get_names(r, e, a);
  uint8_t flags = bytes_get_u8(r);
  if (flags > FLAGS)
    r->failed = true;
  e->user_known = (flags & USER_KNOWN) != 0;
  e->zoned = (flags & ZONED) != 0;
  e->has_address = (flags & HAS_ADDRESS) != 0;
  e->repeat = (unsigned)get_bounded(r, UINT_MAX);
  e->port = (uint16_t)get_bounded(r, UINT16_MAX);
  e->pid = (uint32_t)get_bounded(r, UINT32_MAX);
  e->stamped_us = (int64_t)bytes_get_u64(r);
  a->arrived_us = (int64_t)bytes_get_u64(r);
  if (e->has_address)
    get_address(r, &e->address);
  if ((flags & HAS_PEER) != 0) {
    get_address(r, peer);
    a->peer = peer;
  }
}

int spool_auth_decode(const void *data, size_t len,
                      struct auth_record **ret_record) {
  struct bytes_reader r = {.at = data, .left = len};
  struct auth_event event = {0};
  struct auth_arrival arrival = {0};
  struct in6_addr peer = {0};

  if (bytes_get_u8(&r) != VERSION)
    return -EINVAL;
  get_facts(&r, &event, &arrival, &peer);
  for (size_t i = 0; i < AUTH_TEXTS; i++) {
    struct auth_text text;
    text.at = bytes_get_sized(&r, &text.len);
    auth_event_set_text(&event, i, text);
  }
  if (r.failed || r.left > 0)
    return -EINVAL;
  struct auth_record *record = auth_record_new(&event, &arrival);
  if (record == NULL)
    return -ENOMEM;
  *ret_record = record;
  return 0;
}

int spool_auth_append(struct spool *s, const struct auth_record *record) {
  struct bytes b = {0};

  spool_auth_encode(record, &b);
  int rc = spool_append(s, &b);
  bytes_free(&b);
  return rc;
}

static int decode(const void *data, size_t len, void *ret) {
  return spool_auth_decode(data, len, ret);
}

int spool_auth_next(struct spool *s, struct auth_record **ret_record,
                    uint64_t *ret_skipped) {
  return spool_next(s, decode, ret_record, ret_skipped);
}
