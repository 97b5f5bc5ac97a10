/* The parser of collectd's binary network protocol: a packet is a sequence of
 * parts (type and length, 16 bits each, big-endian, then the body), and each
 * part that is no value or message stays in force for those that follow.
 * Source: network.h and network.c of collectd 5.12, and "Binary protocol" of
 * collectd's wiki. */
#ifndef PDNA_COLLECTD_PACKET_H
#define PDNA_COLLECTD_PACKET_H

#include <stddef.h>
#include <stdint.h>

enum {
  COLLECTD_NAME_MAX = 127,    /* DATA_MAX_NAME_LEN less the NUL */
  COLLECTD_MESSAGE_MAX = 255, /* NOTIF_MAX_MSG_LEN less the NUL */
  COLLECTD_HEADER_LEN = 4,    /* type and length of a part */
};

/* Parts that wrap others: collectd_crypto.h; not taken here. */
enum { COLLECTD_PART_SIGN = 0x0200, COLLECTD_PART_ENCRYPT = 0x0210 };

enum collectd_value_type {
  COLLECTD_COUNTER = 0,
  COLLECTD_GAUGE = 1,
  COLLECTD_DERIVE = 2,
  COLLECTD_ABSOLUTE = 3,
};

/* A value list. The strings lie in the packet: they live as long as it. Times
 * are collectd's cdtime_t, in units of 2^-30 s. */
struct collectd_list {
  const char *host;
  uint64_t time; /* since the epoch */
  uint64_t interval;
  const char *plugin;
  const char *plugin_instance;
  const char *type;
  const char *type_instance;
  size_t values_len;
  const uint8_t *value_types; /* enum collectd_value_type each */
  const uint8_t *values;      /* 8 bytes each, in the packet's order */
};

struct collectd_notification {
  const char *host;
  uint64_t time;
  uint64_t severity; /* collectd's: 1 failure, 2 warning, 4 okay */
  const char *plugin;
  const char *plugin_instance;
  const char *type;
  const char *type_instance;
  const char *message;
};

/* Who gets what is in the packet, in its order. Either may be NULL. */
struct collectd_handler {
  void (*list)(void *context, const struct collectd_list *list);
  void (*notification)(void *context,
                       const struct collectd_notification *notification);
  void *context;
};

/* Parse the parts of a packet. Nothing is handed out unless all of it is well
 * formed. Parts of unknown type are skipped. Returns 0, or -EBADMSG. */
int collectd_packet_parse(const uint8_t *data, size_t len,
                          const struct collectd_handler *handler);

/* Value `i` of a list whose type is COLLECTD_GAUGE. */
double collectd_list_gauge(const struct collectd_list *list, size_t i);

/* The number in 2 bytes, big-endian. */
uint16_t collectd_read_u16(const uint8_t *p);

/* Microseconds of a cdtime_t. */
int64_t collectd_time_us(uint64_t time);

#endif
