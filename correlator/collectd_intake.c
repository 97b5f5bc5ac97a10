#include "correlator/collectd_intake.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/collectd_assembler.h"
#include "correlator/collectd_auth.h"
#include "correlator/collectd_crypto.h"
#include "correlator/collectd_decode.h"
#include "correlator/collectd_guard.h"
#include "correlator/collectd_packet.h"
#include "correlator/counters.h"
#include "correlator/log.h"

enum {
  /* A part of values has at least a header, a count, a type and a value. */
  ENTRIES_MAX = COLLECTD_PACKET_MAX / (COLLECTD_HEADER_LEN + 2 + 1 + 8),
  GROUPS_MAX = 512,
};

/* The lists of one host, and of one time if they are ours. */
struct group {
  const char *host;
  uint64_t time; /* 0: other plugins, whose times do not matter */
  struct collectd_speaker speaker;
  int64_t boot_s; /* 0 unless a list of the group says */
  unsigned interval_s;
  bool refused;
  struct collectd_scan *scan;
};

struct entry {
  size_t group;
  uint64_t identity;
  struct wire_item item;
};

struct collectd_intake {
  struct collectd_guard guard;
  struct ingest *ingest;
  struct collectd_auth *auth;
  struct collectd_crypto *crypto;
  struct collectd_assembler *assembler;

  /* Of the packet at hand. */
  const struct collectd_arrival *arrival;
  struct collectd_envelope envelope;
  bool from_relay;
  bool refused; /* some group, and so the packet unless it is a relay's */
  bool notified;
  size_t groups_len;
  size_t entries_len;
  struct group groups[GROUPS_MAX];
  struct entry entries[ENTRIES_MAX];
};

static void hand_in(void *context, struct report **report) {
  struct collectd_intake *in = context;

  counters_add(COUNTER_SCANS, 1);
  if (!(*report)->complete)
    counters_add(COUNTER_SCANS_INCOMPLETE, 1);
  ingest_report(in->ingest, report);
}

static int check_config(const struct collectd_config *config) {
  if (config->security_level != SECURITY_NONE && !config->auth_file) {
    log_error("collectd: security-level asks for signatures, and there is no "
              "auth-file to check them by");
    return -EINVAL;
  }
  if (config->security_level == SECURITY_ENCRYPT)
    log_warning("collectd: security-level \"encrypt\" also takes Encrypt, "
                "which is no protection against forgery: whoever knows the "
                "plain text can change it");
  return 0;
}

int collectd_intake_new(const struct collectd_config *config,
                        struct ingest *ingest,
                        struct collectd_intake **ret_intake) {
  struct collectd_intake *in = calloc(1, sizeof(*in));
  int r;

  if (!in)
    return -ENOMEM;
  in->guard = (struct collectd_guard){.config = config, .ingest = ingest};
  in->ingest = ingest;
  r = check_config(config);
  if (r == 0 && config->auth_file)
    r = collectd_auth_new(config->auth_file, &in->auth);
  if (r != 0)
    goto out;
  r = collectd_crypto_new(&in->crypto);
  if (r != 0) {
    log_error("collectd: OpenSSL offers no HMAC-SHA256, AES-256-OFB or SHA-1");
    goto out;
  }
  r = collectd_assembler_new(&collectd_assembler_limits_default, hand_in, in,
                             &in->assembler);
out:
  if (r == 0)
    *ret_intake = in;
  else
    collectd_intake_free(in);
  return r;
}

void collectd_intake_free(struct collectd_intake *intake) {
  if (!intake)
    return;
  collectd_assembler_free(intake->assembler);
  collectd_crypto_free(intake->crypto);
  collectd_auth_free(intake->auth);
  free(intake);
}

void collectd_intake_tick(struct collectd_intake *intake, int64_t now_ms) {
  collectd_assembler_expire(intake->assembler, now_ms);
  if (intake->auth)
    collectd_auth_refresh(intake->auth, now_ms);
}

/* Count and log a packet that is dropped. */
static void drop(const struct collectd_intake *in, enum counter reason,
                 const char *what) {
  counters_add(reason, 1);
  log_limited(counters_name(reason), in->arrival->peer,
              "collectd packet from %s: %s", in->arrival->peer, what);
}

/* Is the packet lost already? */
static bool is_dropped(const struct collectd_intake *in) {
  return in->refused && !in->from_relay;
}

/* Refuse a group and all others of its host. */
static void refuse(struct collectd_intake *in, const struct group *group,
                   enum counter reason, const char *why) {
  char what[640];

  (void)snprintf(what, sizeof(what), "user \"%s\", host \"%s\": %s",
                 in->envelope.signer, group->host, why);
  in->refused = true;
  drop(in, reason, what);
  for (size_t i = 0; i < in->groups_len; i++)
    if (strcmp(in->groups[i].host, group->host) == 0)
      in->groups[i].refused = true;
}

/* Host names go into the database and into traps. */
static bool host_name_valid(const char *host) {
  const char *p = host;

  while (*p > ' ' && *p <= '~')
    p++;
  return p != host && *p == '\0';
}

static void check_skew(struct collectd_intake *in, const struct group *group,
                       uint64_t time) {
  const int64_t observed_us = collectd_time_us(time);
  const int64_t arrived_us = in->arrival->arrived_us;
  char why[128];

  if (collectd_guard_skew(&in->guard, observed_us, arrived_us) == 0)
    return;
  (void)snprintf(
      why, sizeof(why),
      "its time is %+.1f s from this clock's, at most %u s are taken",
      (double)(observed_us - arrived_us) / 1e6, in->guard.config->max_skew_s);
  refuse(in, group, COUNTER_DROP_SKEW, why);
}

static void check_new_group(struct collectd_intake *in, struct group *group) {
  if (!host_name_valid(group->host))
    refuse(in, group, COUNTER_DROP_VALUES,
           "the name is not of printable ASCII without spaces");
  else if (collectd_guard_signer(&in->guard, group->host, in->envelope.signer,
                                 &group->speaker) != 0)
    refuse(in, group, COUNTER_DROP_WRONG_USER,
           "this user may not speak for this host");
}

/* The group of a host and time, a new one if there is none yet. NULL if the
 * packet has too many. */
static struct group *group_of(struct collectd_intake *in, const char *host,
                              uint64_t time) {
  const struct group *of_host = NULL;
  struct group *g;

  for (size_t i = in->groups_len; i-- > 0;) {
    g = &in->groups[i];
    if (g->host != host && strcmp(g->host, host) != 0)
      continue;
    if (g->time == time)
      return g;
    of_host = g;
  }
  if (in->groups_len == GROUPS_MAX) {
    in->refused = true;
    in->from_relay = false;
    drop(in, COUNTER_DROP_MALFORMED, "too many hosts and times");
    return NULL;
  }
  g = &in->groups[in->groups_len++];
  *g = (struct group){.host = host, .time = time};
  if (of_host) {
    g->speaker = of_host->speaker;
    g->refused = of_host->refused;
  } else {
    check_new_group(in, g);
  }
  if (time != 0 && !g->refused)
    check_skew(in, g, time);
  return g;
}

static void refuse_values(struct collectd_intake *in, const struct group *group,
                          const struct collectd_list *list) {
  char why[448];

  (void)snprintf(why, sizeof(why), "\"%s/%s-%s\" does not decode",
                 list->plugin_instance, list->type, list->type_instance);
  refuse(in, group, COUNTER_DROP_VALUES, why);
}

static void take_list(void *context, const struct collectd_list *list) {
  struct collectd_intake *in = context;
  const bool ours = strcmp(list->plugin, WIRE_PLUGIN) == 0;
  struct entry *e = &in->entries[in->entries_len];
  struct wire_list wire;
  struct group *g;

  if (is_dropped(in))
    return;
  assert(in->entries_len < ENTRIES_MAX);
  g = group_of(in, list->host, ours ? list->time : 0);
  if (!ours || !g || g->refused)
    return;
  if (collectd_decode(list, &wire, &e->item) != 0) {
    refuse_values(in, g, list);
    return;
  }
  if (e->item.type == WIRE_HOST)
    g->boot_s = e->item.host.boot_s;
  g->interval_s = collectd_interval_s(list->interval);
  e->group = (size_t)(g - in->groups);
  e->identity = collectd_assembler_identity(in->assembler, &wire);
  in->entries_len++;
}

static bool
notification_is_ours(const struct collectd_notification *notification) {
  return notification->time != 0 &&
         strcmp(notification->plugin, WIRE_PLUGIN) == 0;
}

static void
check_notification(void *context,
                   const struct collectd_notification *notification) {
  struct collectd_intake *in = context;
  struct group *g;

  if (is_dropped(in) || !notification_is_ours(notification))
    return;
  g = group_of(in, notification->host, 0);
  if (!g || g->refused)
    return;
  check_skew(in, g, notification->time);
  in->notified = true;
}

static void log_notification(void *context,
                             const struct collectd_notification *notification) {
  struct collectd_intake *in = context;

  if (!notification_is_ours(notification) ||
      group_of(in, notification->host, 0)->refused)
    return;
  counters_add(COUNTER_NOTIFICATIONS, 1);
  log_info("notification from %s: %s", notification->host,
           notification->message);
}

static struct collectd_scan_key key_of(const struct collectd_intake *in,
                                       const struct group *g) {
  return (struct collectd_scan_key){
      .host = g->host, .signer = in->envelope.signer, .time = g->time};
}

/* A packet may go on with a scan that is open; a new scan has to be newer. */
static void check_replays(struct collectd_intake *in) {
  for (size_t i = 0; i < in->groups_len && !is_dropped(in); i++) {
    struct group *g = &in->groups[i];
    const struct collectd_scan_key key = key_of(in, g);

    if (g->time != 0 && !g->refused &&
        !collectd_assembler_has(in->assembler, &key) &&
        collectd_guard_replay(&g->speaker, collectd_time_us(g->time),
                              g->boot_s) != 0)
      refuse(in, g, COUNTER_DROP_REPLAYED,
             "a scan that is not newer than the last");
  }
}

static int add_entry(struct collectd_intake *in, const struct entry *e) {
  struct group *g = &in->groups[e->group];
  const struct collectd_scan_key key = key_of(in, g);
  int r;

  if (g->refused)
    return 0;
  if (!g->scan) {
    r = collectd_assembler_open(
        in->assembler, &key,
        &(struct collectd_scan_start){.relayed = g->speaker.relayed,
                                      .observed_us = collectd_time_us(g->time),
                                      .arrived_us = in->arrival->arrived_us,
                                      .now_ms = in->arrival->now_ms},
        &g->scan);
    if (r != 0)
      return r;
    collectd_assembler_set_interval(g->scan, g->interval_s);
  }
  return collectd_assembler_add(in->assembler, g->scan, e->identity, &e->item);
}

static void assemble(struct collectd_intake *in) {
  bool short_of_memory = false;

  for (size_t i = 0; i < in->entries_len; i++)
    if (add_entry(in, &in->entries[i]) != 0)
      short_of_memory = true;
  if (short_of_memory)
    drop(in, COUNTER_DROP_MEMORY, "too much is held of scans not complete yet");
  for (size_t i = 0; i < in->groups_len; i++) {
    const struct collectd_scan_key key = key_of(in, &in->groups[i]);

    if (in->groups[i].scan)
      collectd_assembler_settle(in->assembler, &key);
  }
}

/* Take off what is around the packet. Returns false if it was dropped. */
static bool open_packet(struct collectd_intake *in, uint8_t *packet,
                        size_t len) {
  const int r =
      collectd_crypto_open(in->crypto, in->guard.config->security_level,
                           in->auth, packet, len, &in->envelope);

  switch (r) {
  case 0:
    return true;
  case -EBADMSG:
    drop(in, COUNTER_DROP_MALFORMED, "malformed");
    break;
  case -EACCES:
    drop(in, COUNTER_DROP_SECURITY,
         "not signed, or not wholly, as security-level asks for");
    break;
  case -ENOKEY:
    drop(in, COUNTER_DROP_UNKNOWN_USER, "its user is not in the auth-file");
    break;
  default:
    drop(in, COUNTER_DROP_SIGNATURE, "its signature or checksum is wrong");
  }
  return false;
}

void collectd_intake_packet(struct collectd_intake *intake, uint8_t *packet,
                            size_t len,
                            const struct collectd_arrival *arrival) {
  struct collectd_intake *in = intake;
  const struct collectd_handler take = {take_list, check_notification, in};
  const struct collectd_handler tell = {NULL, log_notification, in};

  in->arrival = arrival;
  in->refused = false;
  in->notified = false;
  in->groups_len = 0;
  in->entries_len = 0;
  counters_add(COUNTER_PACKETS, 1);
  if (len > COLLECTD_PACKET_MAX) {
    drop(in, COUNTER_DROP_OVERSIZED, "longer than 16384 bytes");
    return;
  }
  if (!open_packet(in, packet, len))
    return;
  in->from_relay = collectd_guard_is_relay(&in->guard, in->envelope.signer);
  if (collectd_packet_parse(in->envelope.payload, in->envelope.payload_len,
                            &take) != 0) {
    drop(in, COUNTER_DROP_MALFORMED, "malformed");
    return;
  }
  check_replays(in);
  if (is_dropped(in))
    return;
  assemble(in);
  if (in->notified)
    (void)collectd_packet_parse(in->envelope.payload, in->envelope.payload_len,
                                &tell);
}
