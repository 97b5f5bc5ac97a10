#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/record/wire.h"

const struct wire_data_set wire_data_sets[WIRE_TYPES] = {
    [WIRE_EXECUTABLE] = {"process_dna",
                         5,
                         {"processes", "rss", "pid", "uid", "started"}},
    [WIRE_FILE] = {"process_dna_file",
                   6,
                   {"size", "mode", "uid", "gid", "mtime", "ctime"}},
    [WIRE_PACKAGE] = {"process_dna_package", 1, {"transaction"}},
    [WIRE_ADDRESS] = {"process_dna_address", 1, {"value"}},
    [WIRE_HOST] = {"process_dna_host", 1, {"boot"}},
    [WIRE_SCAN] = {"process_dna_scan",
                   9,
                   {"sequence", "series", "processes", "executables",
                    "unhashed", "bytes_hashed", "cache_hits", "duration",
                    "cpu"}},
};

/* The largest integer that a double holds exactly. */
static const double integer_max = 9007199254740992.0;

/* Type and permission bits of a file, inode(7). */
static const double mode_max = 0177777;

static void list_init(struct wire_list *list, enum wire_type type) {
  memset(list, 0, sizeof(*list));
  list->type = type;
}

/* The plugin instance and the digest's part of the type instance. */
static int set_identity(struct wire_list *list, const struct executable *e,
                        const char *prefix) {
  char hex[DIGEST_HEX_LEN + 1];

  if (e->state == EXE_UNREADABLE) {
    const char *reason = exe_reason_name(e->reason);

    if (reason == NULL)
      return -EINVAL;
    snprintf(list->type_instance, sizeof(list->type_instance), "%s%s", prefix,
             reason);
  } else {
    digest_to_hex(&e->sha256, hex);
    snprintf(list->type_instance, sizeof(list->type_instance), "%s%s", prefix,
             hex);
  }
  return pathname_to_instance(e->container, e->path, list->plugin_instance);
}

int wire_from_executable(const struct executable *e, struct wire_list *ret) {
  const char *state = exe_state_name(e->state);
  struct wire_list list;
  char prefix[16];
  int r;

  if (state == NULL)
    return -EINVAL;
  list_init(&list, WIRE_EXECUTABLE);
  snprintf(prefix, sizeof(prefix), "%s-", state);
  r = set_identity(&list, e, prefix);
  if (r < 0)
    return r;
  list.values[0] = (double)e->processes;
  list.values[1] = (double)e->rss_bytes;
  list.values[2] = (double)e->pid;
  list.values[3] = (double)e->uid;
  list.values[4] = (double)e->started_s;
  *ret = list;
  return 0;
}

/* A file's times are whatever its owner set them to; the wire has none before
 * the epoch and none after the year 9999. */
static double file_time(int64_t time_s) {
  const int64_t latest_s = 253402300799;

  if (time_s < 0)
    return 0;
  return (double)(time_s > latest_s ? latest_s : time_s);
}

int wire_from_file(const struct executable *e, struct wire_list *ret) {
  struct wire_list list;
  int r;

  if (!e->has_file || e->state == EXE_UNREADABLE)
    return -EINVAL;
  list_init(&list, WIRE_FILE);
  r = set_identity(&list, e, "");
  if (r < 0)
    return r;
  list.values[0] = (double)e->file.size;
  list.values[1] = (double)e->file.mode;
  list.values[2] = (double)e->file.uid;
  list.values[3] = (double)e->file.gid;
  list.values[4] = file_time(e->file.mtime_s);
  list.values[5] = file_time(e->file.ctime_s);
  *ret = list;
  return 0;
}

int wire_from_package(const struct executable *e, struct wire_list *ret) {
  const struct package *p = &e->package;
  struct wire_list list;
  int len, r;

  if (!package_valid(p))
    return -EINVAL;
  list_init(&list, WIRE_PACKAGE);
  len = snprintf(list.type_instance, sizeof(list.type_instance), "%s:%s=%s:%s",
                 p->manager, p->name, p->version, p->arch);
  if (len < 0 || (size_t)len >= sizeof(list.type_instance))
    return -EINVAL;
  r = pathname_to_instance(e->container, e->path, list.plugin_instance);
  if (r < 0)
    return r;
  list.values[0] = p->in_transaction ? 1 : 0;
  *ret = list;
  return 0;
}

static bool address_valid(const char *address) {
  struct in6_addr bytes;

  return inet_pton(AF_INET, address, &bytes) == 1 ||
         inet_pton(AF_INET6, address, &bytes) == 1;
}

int wire_from_address(const char *address, struct wire_list *ret) {
  if (!address_valid(address))
    return -EINVAL;
  list_init(ret, WIRE_ADDRESS);
  snprintf(ret->type_instance, sizeof(ret->type_instance), "%s", address);
  ret->values[0] = 1;
  return 0;
}

static bool host_id_valid(const char *id) {
  return strlen(id) == WIRE_HOST_ID_LEN &&
         strspn(id, "0123456789abcdef") == WIRE_HOST_ID_LEN;
}

int wire_from_host(const struct wire_host *host, struct wire_list *ret) {
  if (!host_id_valid(host->id))
    return -EINVAL;
  list_init(ret, WIRE_HOST);
  snprintf(ret->type_instance, sizeof(ret->type_instance), "%s", host->id);
  ret->values[0] = (double)host->boot_s;
  return 0;
}

int wire_from_scan(const struct wire_scan *scan, struct wire_list *ret) {
  list_init(ret, WIRE_SCAN);
  ret->values[0] = (double)scan->sequence;
  ret->values[1] = (double)scan->series;
  ret->values[2] = (double)scan->processes;
  ret->values[3] = (double)scan->executables;
  ret->values[4] = (double)scan->unhashed;
  ret->values[5] = (double)scan->bytes_hashed;
  ret->values[6] = (double)scan->cache_hits;
  ret->values[7] = scan->duration_s;
  ret->values[8] = scan->cpu_s;
  return 0;
}

int wire_type_from_name(const char *name, enum wire_type *ret_type) {
  for (int i = 0; i < WIRE_TYPES; i++) {
    if (strcmp(wire_data_sets[i].type, name) == 0) {
      *ret_type = (enum wire_type)i;
      return 0;
    }
  }
  return -ENOENT;
}

/* Values are integers from 0 up, but for the marker's times. */
static bool values_valid(const struct wire_list *list, size_t values_len) {
  size_t integers = list->type == WIRE_SCAN ? 7 : values_len;

  for (size_t i = 0; i < values_len; i++) {
    double v = list->values[i];

    if (!isfinite(v) || v < 0 || v > integer_max)
      return false;
    if (i < integers && v != (double)(uint64_t)v)
      return false;
  }
  return true;
}

static int decode_executable(const struct wire_list *list,
                             struct executable *e) {
  const char *name = list->type_instance;
  size_t state_len = strcspn(name, "-");
  const char *rest = name + state_len + 1;
  int r;

  if (name[state_len] == '\0')
    return -EINVAL;
  r = exe_state_from_name(name, state_len, &e->state);
  if (r < 0)
    return r;
  if (e->state == EXE_UNREADABLE)
    r = exe_reason_from_name(rest, strlen(rest), &e->reason);
  else
    r = digest_from_hex(rest, strlen(rest), &e->sha256);
  if (r < 0)
    return r;
  if (list->values[0] < 1 || list->values[2] < 1 ||
      list->values[2] > INT32_MAX || list->values[3] > UINT32_MAX)
    return -EINVAL;
  e->processes = (uint64_t)list->values[0];
  e->rss_bytes = (uint64_t)list->values[1];
  e->pid = (pid_t)list->values[2];
  e->uid = (uid_t)list->values[3];
  e->started_s = (int64_t)list->values[4];
  return 0;
}

static int decode_file(const struct wire_list *list, struct executable *e) {
  const char *hex = list->type_instance;

  if (list->values[1] > mode_max || list->values[2] > UINT32_MAX ||
      list->values[3] > UINT32_MAX)
    return -EINVAL;
  e->has_file = true;
  e->file.size = (uint64_t)list->values[0];
  e->file.mode = (uint32_t)list->values[1];
  e->file.uid = (uint32_t)list->values[2];
  e->file.gid = (uint32_t)list->values[3];
  e->file.mtime_s = (int64_t)list->values[4];
  e->file.ctime_s = (int64_t)list->values[5];
  return digest_from_hex(hex, strlen(hex), &e->sha256);
}

/* Copy the text from `from` up to `to` into a field of `size` bytes. */
static bool copy_part(const char *from, const char *to, char *field,
                      size_t size) {
  size_t len = (size_t)(to - from);

  if (len >= size)
    return false;
  memcpy(field, from, len);
  field[len] = '\0';
  return true;
}

/* MANAGER:NAME=VERSION:ARCH */
static int decode_package(const struct wire_list *list, struct package *p) {
  const char *text = list->type_instance;
  const char *name = strchr(text, ':');
  const char *version = strchr(text, '=');
  const char *arch = strrchr(text, ':');

  if (name == NULL || version == NULL || version < name || arch < version)
    return -EINVAL;
  if (!copy_part(text, name, p->manager, sizeof(p->manager)) ||
      !copy_part(name + 1, version, p->name, sizeof(p->name)) ||
      !copy_part(version + 1, arch, p->version, sizeof(p->version)) ||
      !copy_part(arch + 1, strchr(arch, '\0'), p->arch, sizeof(p->arch)))
    return -EINVAL;
  if (list->values[0] > 1 || !package_valid(p))
    return -EINVAL;
  p->in_transaction = list->values[0] > 0;
  return 0;
}

static int decode_scan(const struct wire_list *list, struct wire_scan *scan) {
  scan->sequence = (uint64_t)list->values[0];
  scan->series = (uint64_t)list->values[1];
  scan->processes = (uint64_t)list->values[2];
  scan->executables = (uint64_t)list->values[3];
  scan->unhashed = (uint64_t)list->values[4];
  scan->bytes_hashed = (uint64_t)list->values[5];
  scan->cache_hits = (uint64_t)list->values[6];
  scan->duration_s = list->values[7];
  scan->cpu_s = list->values[8];
  return scan->series < 1 ? -EINVAL : 0;
}

/* The part that follows from the type, with the identity read already. */
static int decode_by_type(const struct wire_list *list,
                          struct wire_item *item) {
  const char *name = list->type_instance;

  switch (list->type) {
  case WIRE_EXECUTABLE:
    return decode_executable(list, &item->executable);
  case WIRE_FILE:
    return decode_file(list, &item->executable);
  case WIRE_PACKAGE:
    return decode_package(list, &item->executable.package);
  case WIRE_ADDRESS:
    if (!address_valid(name) || strlen(name) > WIRE_ADDRESS_MAX)
      return -EINVAL;
    memcpy(item->address, name, strlen(name) + 1);
    return 0;
  case WIRE_HOST:
    if (!host_id_valid(name))
      return -EINVAL;
    memcpy(item->host.id, name, sizeof(item->host.id));
    item->host.boot_s = (int64_t)list->values[0];
    return 0;
  case WIRE_SCAN:
    return name[0] == '\0' ? decode_scan(list, &item->scan) : -EINVAL;
  default:
    return -EINVAL;
  }
}

int wire_decode(const struct wire_list *list, size_t values_len,
                struct wire_item *ret) {
  bool has_path = list->type <= WIRE_PACKAGE;
  int r;

  if (list->type >= WIRE_TYPES ||
      values_len != wire_data_sets[list->type].sources_len ||
      !values_valid(list, values_len))
    return -EINVAL;
  memset(ret, 0, sizeof(*ret));
  ret->type = list->type;
  if (has_path) {
    r = pathname_from_instance(list->plugin_instance, ret->executable.container,
                               ret->identity);
    if (r < 0)
      return r;
    ret->executable.path = ret->identity;
  } else if (list->plugin_instance[0] != '\0') {
    return -EINVAL;
  }
  return decode_by_type(list, ret);
}
