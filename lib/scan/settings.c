#include "lib/scan/settings.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct scan_setting scan_settings_table[SCAN_SETTINGS_LEN] = {
    {"ScanInterval", "scanInterval", SCAN_SETTING_NUMBER,
     offsetof(struct scan_settings, scan_interval_s), 60, 1, 86400,
     "a whole number of seconds from 1 to 86400"},
    {"MinRSS", "minRss", SCAN_SETTING_NUMBER,
     offsetof(struct scan_settings, min_rss_mib), 50, 0, 1048576,
     "a whole number of MiB from 0 to 1048576"},
    {"AlwaysRoot", "alwaysRoot", SCAN_SETTING_FLAG,
     offsetof(struct scan_settings, always_root), 1, 0, 1, "true or false"},
    {"Executable", "executable", SCAN_SETTING_PATHS,
     offsetof(struct scan_settings, executables), 0, 0, 0, "an absolute path"},
    {"RehashInterval", "rehashInterval", SCAN_SETTING_NUMBER,
     offsetof(struct scan_settings, rehash_interval_s), 3600, 1, 2592000,
     "a whole number of seconds from 1 to 2592000"},
    {"HashBudget", "hashBudget", SCAN_SETTING_NUMBER,
     offsetof(struct scan_settings, hash_budget_mib), 256, 1, 1048576,
     "a whole number of MiB from 1 to 1048576"},
    {"RemoteFiles", "remoteFiles", SCAN_SETTING_FLAG,
     offsetof(struct scan_settings, remote_files), 0, 0, 1, "true or false"},
    {"Packages", "packages", SCAN_SETTING_FLAG,
     offsetof(struct scan_settings, packages), 1, 0, 1, "true or false"},
    {"PackageRoot", "packageRoot", SCAN_SETTING_PATH,
     offsetof(struct scan_settings, package_root), 0, 0, 0, "an absolute path"},
    {"ProcRoot", "procRoot", SCAN_SETTING_PATH,
     offsetof(struct scan_settings, proc_root), 0, 0, 0, "an absolute path"},
};

static void *field(struct scan_settings *settings,
                   const struct scan_setting *setting) {
  return (char *)settings + setting->offset;
}

void scan_settings_init(struct scan_settings *settings) {
  memset(settings, 0, sizeof(*settings));
  for (size_t i = 0; i < SCAN_SETTINGS_LEN; i++) {
    const struct scan_setting *s = &scan_settings_table[i];

    if (s->type == SCAN_SETTING_NUMBER)
      *(uint64_t *)field(settings, s) = s->fallback;
    else if (s->type == SCAN_SETTING_FLAG)
      *(bool *)field(settings, s) = s->fallback != 0;
  }
}

void scan_settings_clear(struct scan_settings *settings) {
  for (size_t i = 0; i < settings->executables_len; i++)
    free(settings->executables[i]);
  free(settings->executables);
  free(settings->proc_root);
  free(settings->package_root);
  scan_settings_init(settings);
}

const struct scan_setting *scan_settings_find(const char *name) {
  for (size_t i = 0; i < SCAN_SETTINGS_LEN; i++) {
    if (strcasecmp(scan_settings_table[i].name, name) == 0)
      return &scan_settings_table[i];
  }
  return NULL;
}

int scan_settings_set_number(struct scan_settings *settings,
                             const struct scan_setting *setting,
                             uint64_t number) {
  if (setting->type != SCAN_SETTING_NUMBER || number < setting->min ||
      number > setting->max)
    return -EINVAL;
  *(uint64_t *)field(settings, setting) = number;
  return 0;
}

int scan_settings_set_flag(struct scan_settings *settings,
                           const struct scan_setting *setting, bool flag) {
  if (setting->type != SCAN_SETTING_FLAG)
    return -EINVAL;
  *(bool *)field(settings, setting) = flag;
  return 0;
}

/* Takes over the path, whatever it returns. */
static int add_executable(struct scan_settings *settings, char *path) {
  char **executables =
      reallocarray(settings->executables, settings->executables_len + 1,
                   sizeof(*executables));

  if (executables == NULL) {
    free(path);
    return -ENOMEM;
  }
  executables[settings->executables_len++] = path;
  settings->executables = executables;
  return 0;
}

int scan_settings_set_path(struct scan_settings *settings,
                           const struct scan_setting *setting,
                           const char *path) {
  bool list = setting->type == SCAN_SETTING_PATHS;
  char *copy, **old;

  if ((!list && setting->type != SCAN_SETTING_PATH) || path[0] != '/' ||
      strlen(path) >= PATH_MAX)
    return -EINVAL;
  copy = strdup(path);
  if (copy == NULL)
    return -ENOMEM;
  if (list)
    return add_executable(settings, copy);
  old = field(settings, setting);
  free(*old);
  *old = copy;
  return 0;
}

struct scan_options
scan_settings_options(const struct scan_settings *settings) {
  struct scan_options o = scan_options_default;
  uint64_t half_interval_ms = settings->scan_interval_s * 1000 / 2;

  if (settings->proc_root != NULL)
    o.proc_root = settings->proc_root;
  o.packages = settings->packages;
  o.package_root = settings->package_root;
  o.min_rss_kib = settings->min_rss_mib * 1024;
  o.always_root = settings->always_root;
  o.executables = (const char *const *)settings->executables;
  o.executables_len = settings->executables_len;
  o.rehash_interval_s = (unsigned)settings->rehash_interval_s;
  o.scan_interval_s = (unsigned)settings->scan_interval_s;
  o.hash_budget = settings->hash_budget_mib * 1024 * 1024;
  o.remote_files = settings->remote_files;
  /* A scan holds a thread of its caller's; in collectd, one of the threads that
   * all plugins read with. */
  if (o.scan_timeout_ms > half_interval_ms)
    o.scan_timeout_ms = (unsigned)half_interval_ms;
  return o;
}

void scan_settings_where(const struct scan_options *options,
                         char ret_where[static SCAN_WHERE_MAX]) {
  bool elsewhere = options->packages && options->package_root != NULL;

  (void)snprintf(ret_where, SCAN_WHERE_MAX, "%s%s%s", options->proc_root,
                 elsewhere ? " with packages below " : "",
                 elsewhere ? options->package_root : "");
}
