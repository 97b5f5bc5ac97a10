#include "correlator/collectd_decode.h"

#include <errno.h>
#include <string.h>

enum { INTERVAL_MAX_S = 7 * 24 * 3600 };

static const int64_t time_max_s = INT64_C(253402300799);

static int list_to_wire(const struct collectd_list *list,
                        struct wire_list *ret) {
  if (wire_type_from_name(list->type, &ret->type) != 0 ||
      list->values_len > WIRE_VALUES_MAX)
    return -EINVAL;
  for (size_t i = 0; i < list->values_len; i++) {
    if (list->value_types[i] != COLLECTD_GAUGE)
      return -EINVAL;
    ret->values[i] = collectd_list_gauge(list, i);
  }
  memcpy(ret->plugin_instance, list->plugin_instance,
         strlen(list->plugin_instance) + 1);
  memcpy(ret->type_instance, list->type_instance,
         strlen(list->type_instance) + 1);
  return 0;
}

static void clamp(int64_t *time_s) {
  if (*time_s > time_max_s)
    *time_s = time_max_s;
}

int collectd_decode(const struct collectd_list *list,
                    struct wire_list *ret_wire, struct wire_item *ret_item) {
  if (list_to_wire(list, ret_wire) != 0 ||
      wire_decode(ret_wire, list->values_len, ret_item) != 0)
    return -EINVAL;
  clamp(&ret_item->executable.started_s);
  clamp(&ret_item->executable.file.mtime_s);
  clamp(&ret_item->executable.file.ctime_s);
  clamp(&ret_item->host.boot_s);
  return 0;
}

unsigned collectd_interval_s(uint64_t interval) {
  const int64_t s = (collectd_time_us(interval) + 500000) / 1000000;

  return s <= INTERVAL_MAX_S ? (unsigned)s : 0;
}
