#include "collectd-plugin/dispatch.h"

#include <math.h>

#include "utils/common/common.h"
#include "utils_complain.h"

/* The scan that is being dispatched. */
struct batch {
  const struct dna_scan *scan;
  uint64_t series;
  size_t left_out;
  char example[DATA_MAX_NAME_LEN]; /* the first path left out */
};

int dna_dispatch_register(void) {
  for (size_t i = 0; i < WIRE_TYPES; i++) {
    const struct wire_data_set *set = &wire_data_sets[i];
    data_source_t sources[WIRE_VALUES_MAX] = {0};
    data_set_t ds = {0};
    int status;

    sstrncpy(ds.type, set->type, sizeof(ds.type));
    ds.ds_num = set->sources_len;
    ds.ds = sources;
    for (size_t k = 0; k < set->sources_len; k++) {
      sstrncpy(sources[k].name, set->sources[k], sizeof(sources[k].name));
      sources[k].type = DS_TYPE_GAUGE;
      sources[k].min = 0;
      sources[k].max = NAN;
    }
    status = plugin_register_data_set(&ds);
    if (status != 0)
      return status;
  }
  return 0;
}

static void leave_out(struct batch *batch, const char *what) {
  if (batch->left_out++ == 0)
    sstrncpy(batch->example, what, sizeof(batch->example));
}

static void dispatch_list(struct batch *batch, const struct wire_list *list) {
  const struct wire_data_set *set = &wire_data_sets[list->type];
  value_t values[WIRE_VALUES_MAX];
  value_list_t vl = VALUE_LIST_INIT;

  for (size_t i = 0; i < set->sources_len; i++)
    values[i].gauge = list->values[i];
  vl.values = values;
  vl.values_len = set->sources_len;
  vl.time = batch->scan->time;
  vl.interval = batch->scan->interval;
  sstrncpy(vl.plugin, WIRE_PLUGIN, sizeof(vl.plugin));
  sstrncpy(vl.plugin_instance, list->plugin_instance,
           sizeof(vl.plugin_instance));
  sstrncpy(vl.type, set->type, sizeof(vl.type));
  sstrncpy(vl.type_instance, list->type_instance, sizeof(vl.type_instance));
  batch->series++;
  plugin_dispatch_values(&vl);
}

/* Dispatch a list that was made with status `status`. The receiver drops a
 * packet with a list that it can't read, and all others in it; so it must be
 * one that it can. */
static void dispatch_checked(struct batch *batch, int status,
                             const struct wire_list *list, const char *what) {
  struct wire_item item;

  if (status < 0 ||
      wire_decode(list, wire_data_sets[list->type].sources_len, &item) < 0)
    leave_out(batch, what);
  else
    dispatch_list(batch, list);
}

static int compare_places(const struct executable *a,
                          const struct executable *b) {
  int order = strcmp(a->container, b->container);

  return order != 0 ? order : strcmp(a->path, b->path);
}

static int compare_files(const void *left, const void *right) {
  const struct executable *const *a = left, *const *b = right;
  int order = compare_places(*a, *b);

  return order != 0
             ? order
             : memcmp(&(*a)->sha256, &(*b)->sha256, sizeof((*a)->sha256));
}

static int compare_packages(const void *left, const void *right) {
  const struct executable *const *a = left, *const *b = right;
  const struct package *p = &(*a)->package, *q = &(*b)->package;
  int order = compare_places(*a, *b);

  if (order == 0)
    order = strcmp(p->manager, q->manager);
  if (order == 0)
    order = strcmp(p->name, q->name);
  if (order == 0)
    order = strcmp(p->version, q->version);
  return order != 0 ? order : strcmp(p->arch, q->arch);
}

/* Dispatch what `make` makes of `chosen`, once for those that `compare` as
 * equal: executables of several states share it, and an identifier may come
 * only once in a scan. */
static void
dispatch_distinct(struct batch *batch, const struct executable **chosen,
                  size_t len, int (*compare)(const void *, const void *),
                  int (*make)(const struct executable *, struct wire_list *)) {
  qsort(chosen, len, sizeof(void *), compare);
  for (size_t i = 0; i < len; i++) {
    struct wire_list list;

    if (i == 0 || compare(&chosen[i - 1], &chosen[i]) != 0)
      dispatch_checked(batch, make(chosen[i], &list), &list, chosen[i]->path);
  }
}

static void dispatch_executables(struct batch *batch) {
  const struct snapshot *s = batch->scan->snapshot;

  for (size_t i = 0; i < s->executables_len; i++) {
    struct wire_list list;
    int status = wire_from_executable(&s->executables[i], &list);

    dispatch_checked(batch, status, &list, s->executables[i].path);
  }
}

/* What is told of files and packages beside the executables themselves. */
static void dispatch_attributes(struct batch *batch) {
  const struct snapshot *s = batch->scan->snapshot;
  const struct executable **chosen;
  size_t len = 0;

  if (s->executables_len == 0)
    return;
  chosen = calloc(s->executables_len, sizeof(void *));
  if (chosen == NULL) {
    ERROR("process_dna plugin: out of memory");
    batch->series++; /* so that the receiver knows the scan as incomplete */
    return;
  }
  for (size_t i = 0; i < s->executables_len; i++) {
    if (s->rehashed[i] && s->executables[i].has_file)
      chosen[len++] = &s->executables[i];
  }
  dispatch_distinct(batch, chosen, len, compare_files, wire_from_file);
  len = 0;
  for (size_t i = 0; i < s->executables_len; i++) {
    if (s->executables[i].package.manager[0] != '\0')
      chosen[len++] = &s->executables[i];
  }
  dispatch_distinct(batch, chosen, len, compare_packages, wire_from_package);
  free(chosen);
}

static void dispatch_host(struct batch *batch) {
  const struct dna_scan *scan = batch->scan;
  struct wire_list list;
  int status;

  for (size_t i = 0; i < scan->addresses_len; i++) {
    status = wire_from_address(scan->addresses[i].text, &list);
    dispatch_checked(batch, status, &list, scan->addresses[i].text);
  }
  if (scan->host != NULL) {
    status = wire_from_host(scan->host, &list);
    dispatch_checked(batch, status, &list, "the host's id");
  }
}

static void dispatch_marker(struct batch *batch) {
  struct wire_scan figures = batch->scan->snapshot->figures;
  struct wire_list list;
  int status;

  figures.series = batch->series + 1;
  status = wire_from_scan(&figures, &list);
  dispatch_checked(batch, status, &list, "the marker");
}

void dna_dispatch(const struct dna_scan *scan) {
  static c_complain_t complaint = C_COMPLAIN_INIT_STATIC;
  struct batch batch = {.scan = scan};

  dispatch_executables(&batch);
  dispatch_attributes(&batch);
  dispatch_host(&batch);
  dispatch_marker(&batch);
  if (batch.left_out > 0)
    c_complain_once(LOG_WARNING, &complaint,
                    "process_dna plugin: %zu value lists: cannot be carried "
                    "and are left out, the first for %s",
                    batch.left_out, batch.example);
  else
    c_release(LOG_INFO, &complaint,
              "process_dna plugin: all value lists are carried again");
}
