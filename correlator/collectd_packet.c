#include "correlator/collectd_packet.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum part_type {
  PART_HOST = 0x0000,
  PART_TIME = 0x0001,
  PART_PLUGIN = 0x0002,
  PART_PLUGIN_INSTANCE = 0x0003,
  PART_TYPE = 0x0004,
  PART_TYPE_INSTANCE = 0x0005,
  PART_VALUES = 0x0006,
  PART_INTERVAL = 0x0007,
  PART_TIME_HR = 0x0008,
  PART_INTERVAL_HR = 0x0009,
  PART_MESSAGE = 0x0100,
  PART_SEVERITY = 0x0101,
};

enum { CDTIME_SHIFT = 30, VALUE_LEN = 8 };

struct part {
  uint16_t type;
  const uint8_t *body;
  size_t len; /* of the body */
};

/* What the parts so far have set. */
struct state {
  struct collectd_list list;
  uint64_t severity;
};

uint16_t collectd_read_u16(const uint8_t *p) {
  return (uint16_t)(p[0] << 8 | p[1]);
}

int64_t collectd_time_us(uint64_t time) {
  const uint64_t fraction = time & ((UINT64_C(1) << CDTIME_SHIFT) - 1);
  return (int64_t)((time >> CDTIME_SHIFT) * 1000000 +
                   ((fraction * 1000000) >> CDTIME_SHIFT));
}

double collectd_list_gauge(const struct collectd_list *list, size_t i) {
  uint64_t bits;
  double value;

  /* The one value of the protocol that is little-endian. */
  memcpy(&bits, list->values + i * VALUE_LEN, sizeof(bits));
  bits = le64toh(bits);
  memcpy(&value, &bits, sizeof(value));
  return value;
}

static int part_number(const struct part *part, uint64_t *ret) {
  uint64_t big;

  if (part->len != sizeof(big))
    return -EBADMSG;
  memcpy(&big, part->body, sizeof(big));
  *ret = be64toh(big);
  return 0;
}

/* TIME and INTERVAL count whole seconds. */
static int part_seconds(const struct part *part, uint64_t *ret) {
  uint64_t seconds;

  if (part_number(part, &seconds) || seconds >> (64 - CDTIME_SHIFT) != 0)
    return -EBADMSG;
  *ret = seconds << CDTIME_SHIFT;
  return 0;
}

/* A string ends with its only NUL. */
static int part_string(const struct part *part, size_t max, const char **ret) {
  if (part->len == 0 || part->len - 1 > max ||
      memchr(part->body, '\0', part->len) != part->body + part->len - 1)
    return -EBADMSG;
  *ret = (const char *)part->body;
  return 0;
}

/* Has the list what collectd asks of one, a time, host, plugin and type? */
static bool list_is_named(const struct collectd_list *list) {
  return list->time != 0 && list->host[0] != '\0' && list->plugin[0] != '\0' &&
         list->type[0] != '\0';
}

static int part_values(const struct part *part, struct collectd_list *list) {
  size_t len;

  if (part->len < sizeof(uint16_t))
    return -EBADMSG;
  len = collectd_read_u16(part->body);
  if (len == 0 || part->len != sizeof(uint16_t) + len * (1 + VALUE_LEN) ||
      !list_is_named(list))
    return -EBADMSG;
  for (size_t i = 0; i < len; i++)
    if (part->body[sizeof(uint16_t) + i] > COLLECTD_ABSOLUTE)
      return -EBADMSG;
  list->values_len = len;
  list->value_types = part->body + sizeof(uint16_t);
  list->values = list->value_types + len;
  return 0;
}

static void hand_out_notification(const struct state *state,
                                  const char *message,
                                  const struct collectd_handler *handler) {
  const struct collectd_list *list = &state->list;

  if (!handler || !handler->notification)
    return;
  handler->notification(handler->context,
                        &(struct collectd_notification){
                            .host = list->host,
                            .time = list->time,
                            .severity = state->severity,
                            .plugin = list->plugin,
                            .plugin_instance = list->plugin_instance,
                            .type = list->type,
                            .type_instance = list->type_instance,
                            .message = message,
                        });
}

static int take_part(const struct part *part, struct state *state,
                     const struct collectd_handler *handler) {
  struct collectd_list *list = &state->list;
  const char *message;
  int r;

  switch (part->type) {
  case PART_HOST:
    return part_string(part, COLLECTD_NAME_MAX, &list->host);
  case PART_PLUGIN:
    return part_string(part, COLLECTD_NAME_MAX, &list->plugin);
  case PART_PLUGIN_INSTANCE:
    return part_string(part, COLLECTD_NAME_MAX, &list->plugin_instance);
  case PART_TYPE:
    return part_string(part, COLLECTD_NAME_MAX, &list->type);
  case PART_TYPE_INSTANCE:
    return part_string(part, COLLECTD_NAME_MAX, &list->type_instance);
  case PART_TIME:
    return part_seconds(part, &list->time);
  case PART_TIME_HR:
    return part_number(part, &list->time);
  case PART_INTERVAL:
    return part_seconds(part, &list->interval);
  case PART_INTERVAL_HR:
    return part_number(part, &list->interval);
  case PART_SEVERITY:
    return part_number(part, &state->severity);
  case PART_VALUES:
    r = part_values(part, list);
    if (r == 0 && handler && handler->list)
      handler->list(handler->context, list);
    return r;
  case PART_MESSAGE:
    r = part_string(part, COLLECTD_MESSAGE_MAX, &message);
    if (r == 0)
      hand_out_notification(state, message, handler);
    return r;
  case COLLECTD_PART_SIGN:
  case COLLECTD_PART_ENCRYPT:
    /* collectd puts these around a whole packet only. Anywhere else it would
     * be open what they vouch for. */
    return -EBADMSG;
  default:
    return 0;
  }
}

static int walk(const uint8_t *data, size_t len,
                const struct collectd_handler *handler) {
  struct state state = {.list = {.host = "",
                                 .plugin = "",
                                 .plugin_instance = "",
                                 .type = "",
                                 .type_instance = ""}};

  while (len > 0) {
    struct part part;
    size_t part_len;
    int r;

    if (len < COLLECTD_HEADER_LEN)
      return -EBADMSG;
    part_len = collectd_read_u16(data + 2);
    if (part_len < COLLECTD_HEADER_LEN || part_len > len)
      return -EBADMSG;
    part.type = collectd_read_u16(data);
    part.body = data + COLLECTD_HEADER_LEN;
    part.len = part_len - COLLECTD_HEADER_LEN;
    r = take_part(&part, &state, handler);
    if (r != 0)
      return r;
    data += part_len;
    len -= part_len;
  }
  return 0;
}

int collectd_packet_parse(const uint8_t *data, size_t len,
                          const struct collectd_handler *handler) {
  int r = walk(data, len, NULL);

  return r == 0 ? walk(data, len, handler) : r;
}
