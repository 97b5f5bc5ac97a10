/* What an operator sets of a scanner, in whatever file: one table of names,
 * defaults and bounds. */
#ifndef PDNA_SCAN_SETTINGS_H
#define PDNA_SCAN_SETTINGS_H

#include "lib/scan/scan.h"

struct scan_settings {
  uint64_t scan_interval_s;
  uint64_t min_rss_mib; /* smaller processes are left out, 0: none */
  uint64_t rehash_interval_s;
  uint64_t hash_budget_mib;
  bool always_root;
  bool remote_files;
  bool packages;
  char *package_root; /* owned, as the next; NULL: the scanner's default */
  char *proc_root;
  char **executables; /* owned */
  size_t executables_len;
};

enum scan_setting_type {
  SCAN_SETTING_NUMBER, /* uint64_t from min to max */
  SCAN_SETTING_FLAG,   /* bool */
  SCAN_SETTING_PATH,   /* char *, absolute */
  SCAN_SETTING_PATHS,  /* executables, absolute; each one is added */
};

struct scan_setting {
  const char *name;      /* "MinRSS", collectd's way */
  const char *directive; /* "minRss", the same in Net-SNMP's way */
  enum scan_setting_type type;
  size_t offset;     /* in struct scan_settings */
  uint64_t fallback; /* of numbers and flags */
  uint64_t min, max; /* of numbers */
  const char *expected;
};

enum {
  SCAN_SETTINGS_LEN = 10,
  SCAN_WHERE_MAX = 2 * 4096 + 32, /* two paths */
};

extern const struct scan_setting scan_settings_table[SCAN_SETTINGS_LEN];

/* The defaults. */
void scan_settings_init(struct scan_settings *settings);

/* The row of the table with this name in whatever case, or NULL. */
const struct scan_setting *scan_settings_find(const char *name);

/* Each returns 0, or -EINVAL if it is not what `setting` expects: another type,
 * or out of its bounds. A path shorter than PATH_MAX is copied; -ENOMEM. */
int scan_settings_set_number(struct scan_settings *settings,
                             const struct scan_setting *setting,
                             uint64_t number);
int scan_settings_set_flag(struct scan_settings *settings,
                           const struct scan_setting *setting, bool flag);
int scan_settings_set_path(struct scan_settings *settings,
                           const struct scan_setting *setting,
                           const char *path);

/* What they mean to a scanner; lives as long as they are not changed. A scan
 * waits for at most half of its interval. */
struct scan_options scan_settings_options(const struct scan_settings *settings);

/* Where a scanner with these options looks, for messages: "/proc", or "/proc
 * with packages below /host". */
void scan_settings_where(const struct scan_options *options,
                         char ret_where[static SCAN_WHERE_MAX]);

/* Free what they own and go back to the defaults. */
void scan_settings_clear(struct scan_settings *settings);

#endif
