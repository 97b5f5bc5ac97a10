/* collectd as far as the plugin sees it: what it calls is written down here.
 * A test program includes this once. */
#ifndef PDNA_FAKE_COLLECTD_H
#define PDNA_FAKE_COLLECTD_H

#include "collectd.h"

#include "globals.h"
#include "plugin.h"
#include "utils/common/common.h"
#include "utils_complain.h"

#include "tests/unit/unit.h"

enum { FAKE_MAX = 4096 };

struct fake_read {
  char name[DATA_MAX_NAME_LEN];
  plugin_read_cb callback;
  cdtime_t interval;
};

struct fake_notification {
  notification_t n; /* without its meta */
  char meta[4096];  /* "name=value\n" in order */
};

static struct {
  cdtime_t now;
  int (*config)(oconfig_item_t *);
  plugin_init_cb init;
  plugin_shutdown_cb shutdown;
  struct fake_read reads[4];
  size_t reads_len;
  int read_status; /* of plugin_register_complex_read */
  data_set_t data_sets[16];
  data_source_t sources[16][16];
  size_t data_sets_len;
  value_list_t lists[FAKE_MAX];
  value_t values[FAKE_MAX][16];
  size_t lists_len;
  int dispatch_status;
  struct fake_notification notifications[256];
  size_t notifications_len;
  char flushed[DATA_MAX_NAME_LEN];
  size_t flushes;
  char log[65536];
  size_t log_lines;
} fake;

char *hostname_g = (char *)"host.example";

static void fake_reset(void) {
  memset(&fake, 0, sizeof(fake));
  fake.now = TIME_T_TO_CDTIME_T(1780000000);
}

cdtime_t cdtime(void) { return fake.now; }

__attribute__((format(printf, 1, 0))) static void fake_vlog(const char *format,
                                                            va_list ap) {
  size_t len = strlen(fake.log);

  vsnprintf(fake.log + len, sizeof(fake.log) - len, format, ap);
  len = strlen(fake.log);
  snprintf(fake.log + len, sizeof(fake.log) - len, "\n");
  fake.log_lines++;
}

void plugin_log(int level, const char *format, ...) {
  va_list ap;

  (void)level;
  va_start(ap, format);
  fake_vlog(format, ap);
  va_end(ap);
}

/* Both say it once until it is released. */
void c_complain(int level, c_complain_t *c, const char *format, ...) {
  va_list ap;

  (void)level;
  if (c->interval != 0)
    return;
  c->interval = 1;
  va_start(ap, format);
  fake_vlog(format, ap);
  va_end(ap);
}

void c_complain_once(int level, c_complain_t *c, const char *format, ...) {
  va_list ap;

  (void)level;
  if (c->interval != 0)
    return;
  c->interval = 1;
  va_start(ap, format);
  fake_vlog(format, ap);
  va_end(ap);
}

void c_do_release(int level, c_complain_t *c, const char *format, ...) {
  va_list ap;

  (void)level;
  c->interval = 0;
  va_start(ap, format);
  fake_vlog(format, ap);
  va_end(ap);
}

char *sstrncpy(char *dest, const char *src, size_t n) {
  snprintf(dest, n, "%s", src);
  return dest;
}

char *sstrerror(int errnum, char *buf, size_t buflen) {
  snprintf(buf, buflen, "error %d", errnum);
  return buf;
}

int plugin_register_complex_config(const char *type,
                                   int (*callback)(oconfig_item_t *)) {
  assert_string_equal(type, "process_dna");
  fake.config = callback;
  return 0;
}

int plugin_register_init(const char *name, plugin_init_cb callback) {
  assert_string_equal(name, "process_dna");
  fake.init = callback;
  return 0;
}

int plugin_register_shutdown(const char *name, plugin_shutdown_cb callback) {
  assert_string_equal(name, "process_dna");
  fake.shutdown = callback;
  return 0;
}

int plugin_register_complex_read(const char *group, const char *name,
                                 plugin_read_cb callback, cdtime_t interval,
                                 user_data_t const *user_data) {
  struct fake_read *read = &fake.reads[fake.reads_len];

  (void)group;
  (void)user_data;
  if (fake.read_status != 0)
    return fake.read_status;
  snprintf(read->name, sizeof(read->name), "%s", name);
  read->callback = callback;
  read->interval = interval;
  fake.reads_len++;
  return 0;
}

int plugin_unregister_read(const char *name) {
  (void)name;
  fake.reads_len--;
  return 0;
}

int plugin_register_data_set(const data_set_t *ds) {
  size_t i = fake.data_sets_len++;

  assert_true(ds->ds_num <= 16);
  fake.data_sets[i] = *ds;
  memcpy(fake.sources[i], ds->ds, ds->ds_num * sizeof(*ds->ds));
  fake.data_sets[i].ds = fake.sources[i];
  return 0;
}

int plugin_dispatch_values(value_list_t const *vl) {
  size_t i = fake.lists_len++;

  assert_true(i < FAKE_MAX);
  fake.lists[i] = *vl;
  memcpy(fake.values[i], vl->values, vl->values_len * sizeof(*vl->values));
  fake.lists[i].values = fake.values[i];
  return fake.dispatch_status;
}

int plugin_flush(const char *plugin, cdtime_t timeout, const char *identifier) {
  assert_int_equal(timeout, 0);
  assert_null(identifier);
  snprintf(fake.flushed, sizeof(fake.flushed), "%s", plugin);
  fake.flushes++;
  return 0;
}

static int fake_add_meta(notification_t *n, const char *name,
                         const notification_meta_t *value) {
  notification_meta_t *meta = calloc(1, sizeof(*meta)), **end = &n->meta;

  assert_non_null(meta);
  *meta = *value;
  snprintf(meta->name, sizeof(meta->name), "%s", name);
  while (*end != NULL)
    end = &(*end)->next;
  *end = meta;
  return 0;
}

int plugin_notification_meta_add_string(notification_t *n, const char *name,
                                        const char *value) {
  return fake_add_meta(
      n, name,
      &(notification_meta_t){.type = NM_TYPE_STRING,
                             .nm_value.nm_string = strdup(value)});
}

int plugin_notification_meta_add_signed_int(notification_t *n, const char *name,
                                            int64_t value) {
  return fake_add_meta(n, name,
                       &(notification_meta_t){.type = NM_TYPE_SIGNED_INT,
                                              .nm_value.nm_signed_int = value});
}

int plugin_notification_meta_add_unsigned_int(notification_t *n,
                                              const char *name,
                                              uint64_t value) {
  return fake_add_meta(
      n, name,
      &(notification_meta_t){.type = NM_TYPE_UNSIGNED_INT,
                             .nm_value.nm_unsigned_int = value});
}

int plugin_notification_meta_add_boolean(notification_t *n, const char *name,
                                         bool value) {
  return fake_add_meta(n, name,
                       &(notification_meta_t){.type = NM_TYPE_BOOLEAN,
                                              .nm_value.nm_boolean = value});
}

int plugin_notification_meta_free(notification_meta_t *meta) {
  while (meta != NULL) {
    notification_meta_t *next = meta->next;

    if (meta->type == NM_TYPE_STRING)
      free((char *)meta->nm_value.nm_string);
    free(meta);
    meta = next;
  }
  return 0;
}

int plugin_dispatch_notification(const notification_t *n) {
  struct fake_notification *f = &fake.notifications[fake.notifications_len++];
  size_t len = 0;

  assert_true(fake.notifications_len <= 256);
  f->n = *n;
  f->n.meta = NULL;
  f->meta[0] = '\0';
  for (const notification_meta_t *m = n->meta; m != NULL; m = m->next) {
    size_t room = sizeof(f->meta) - len;
    int written;

    if (m->type == NM_TYPE_STRING)
      written = snprintf(f->meta + len, room, "%s=%s\n", m->name,
                         m->nm_value.nm_string);
    else if (m->type == NM_TYPE_BOOLEAN)
      written = snprintf(f->meta + len, room, "%s=%s\n", m->name,
                         m->nm_value.nm_boolean ? "true" : "false");
    else
      written = snprintf(f->meta + len, room, "%s=%" PRId64 "\n", m->name,
                         m->nm_value.nm_signed_int);
    assert_in_range(written, 1, room - 1);
    len += (size_t)written;
  }
  return 0;
}

#endif
