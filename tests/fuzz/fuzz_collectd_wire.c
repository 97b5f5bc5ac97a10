/* wire_decode over arbitrary identifiers: what it takes, wire_from_... writes
 * again as the same identifier. The input is the type's number, three bits
 * for the values, then plugin instance, NUL, type instance. */
#include <stdlib.h>
#include <string.h>

#include "lib/record/wire.h"
#include "tests/fuzz/fuzz.h"

static int encode(const struct wire_item *item, struct wire_list *ret) {
  switch (item->type) {
  case WIRE_EXECUTABLE:
    return wire_from_executable(&item->executable, ret);
  case WIRE_FILE:
    return wire_from_file(&item->executable, ret);
  case WIRE_PACKAGE:
    return wire_from_package(&item->executable, ret);
  case WIRE_ADDRESS:
    return wire_from_address(item->address, ret);
  case WIRE_HOST:
    return wire_from_host(&item->host, ret);
  default:
    return wire_from_scan(&item->scan, ret);
  }
}

static void check_again(const struct wire_list *list,
                        const struct wire_item *item) {
  struct wire_list again;

  if (encode(item, &again) != 0 || again.type != list->type ||
      strcmp(again.plugin_instance, list->plugin_instance) != 0 ||
      strcmp(again.type_instance, list->type_instance) != 0)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct wire_list list = {.type = WIRE_EXECUTABLE};
  struct wire_item item;
  const uint8_t *end;
  size_t plugin_len, type_len;

  if (size < 2)
    return 0;
  list.type = (enum wire_type)(data[0] % WIRE_TYPES);
  for (size_t i = 0; i < WIRE_VALUES_MAX; i++)
    list.values[i] = data[1] & 7;
  data += 2;
  size -= 2;
  end = memchr(data, '\0', size);
  plugin_len = end ? (size_t)(end - data) : size;
  type_len = size - plugin_len - (end ? 1 : 0);
  if (plugin_len > WIRE_NAME_MAX || type_len > WIRE_NAME_MAX)
    return 0;
  memcpy(list.plugin_instance, data, plugin_len);
  if (end)
    memcpy(list.type_instance, end + 1, type_len);
  if (wire_decode(&list, wire_data_sets[list.type].sources_len, &item) == 0)
    check_again(&list, &item);
  return 0;
}
