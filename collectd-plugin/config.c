#include "collectd-plugin/config.h"

#include "plugin.h"

enum option_type {
  OPTION_NUMBER,  /* uint64_t within the bounds */
  OPTION_BOOLEAN, /* bool */
  OPTION_PATH,    /* char *, absolute */
  OPTION_PATHS,   /* executables, absolute; repeatable */
  OPTION_STATES,  /* notify; repeatable */
};

static const struct option {
  const char *key;
  enum option_type type;
  size_t offset;
  uint64_t fallback; /* of numbers, booleans and states */
  uint64_t min, max;
  const char *expected;
} options[] = {
    {"ScanInterval", OPTION_NUMBER,
     offsetof(struct dna_config, scan_interval_s), 60, 1, 86400,
     "a whole number of seconds from 1 to 86400"},
    {"MinRSS", OPTION_NUMBER, offsetof(struct dna_config, min_rss_mib), 50, 0,
     1048576, "a whole number of MiB from 0 to 1048576"},
    {"AlwaysRoot", OPTION_BOOLEAN, offsetof(struct dna_config, always_root), 1,
     0, 1, "true or false"},
    {"Executable", OPTION_PATHS, offsetof(struct dna_config, executables), 0, 0,
     0, "absolute paths in quotes"},
    {"RehashInterval", OPTION_NUMBER,
     offsetof(struct dna_config, rehash_interval_s), 3600, 1, 2592000,
     "a whole number of seconds from 1 to 2592000"},
    {"HashBudget", OPTION_NUMBER, offsetof(struct dna_config, hash_budget_mib),
     256, 1, 1048576, "a whole number of MiB from 1 to 1048576"},
    {"RemoteFiles", OPTION_BOOLEAN, offsetof(struct dna_config, remote_files),
     0, 0, 1, "true or false"},
    {"Notify", OPTION_STATES, offsetof(struct dna_config, notify),
     DNA_STATE_BIT(EXE_SPOOFED) | DNA_STATE_BIT(EXE_ANONYMOUS), 0, 0,
     "names of states in quotes, or \"none\" alone"},
    {"ProcRoot", OPTION_PATH, offsetof(struct dna_config, proc_root), 0, 0, 0,
     "one absolute path in quotes"},
};

enum {
  OPTIONS = sizeof(options) / sizeof(options[0]),
  NOTIFY_NONE = 1, /* Notify "none"; no state has this bit */
};

static void *field(struct dna_config *config, const struct option *o) {
  return (char *)config + o->offset;
}

void dna_config_init(struct dna_config *config) {
  memset(config, 0, sizeof(*config));
  for (size_t i = 0; i < OPTIONS; i++) {
    const struct option *o = &options[i];

    if (o->type == OPTION_NUMBER || o->type == OPTION_STATES)
      *(uint64_t *)field(config, o) = o->fallback;
    else if (o->type == OPTION_BOOLEAN)
      *(bool *)field(config, o) = o->fallback != 0;
  }
}

void dna_config_clear(struct dna_config *config) {
  for (size_t i = 0; i < config->executables_len; i++)
    free(config->executables[i]);
  free(config->executables);
  free(config->proc_root);
  dna_config_init(config);
}

/* Log what is wrong with an option; `value` may be NULL. */
static int refuse(const char *key, const oconfig_value_t *value,
                  const char *expected) {
  if (value == NULL)
    ERROR("process_dna plugin: option %s: expected %s", key, expected);
  else if (value->type == OCONFIG_TYPE_STRING)
    ERROR("process_dna plugin: option %s: expected %s, found \"%s\"", key,
          expected, value->value.string);
  else if (value->type == OCONFIG_TYPE_NUMBER)
    ERROR("process_dna plugin: option %s: expected %s, found %.15g", key,
          expected, value->value.number);
  else
    ERROR("process_dna plugin: option %s: expected %s, found %s", key, expected,
          value->value.boolean ? "true" : "false");
  return -EINVAL;
}

static int set_number(const struct option *o, const oconfig_value_t *value,
                      uint64_t *ret_number) {
  double number;

  if (value->type != OCONFIG_TYPE_NUMBER)
    return refuse(o->key, value, o->expected);
  number = value->value.number;
  /* Written so that NaN fails. */
  if (!(number >= (double)o->min && number <= (double)o->max) ||
      number != (double)(uint64_t)number)
    return refuse(o->key, value, o->expected);
  *ret_number = (uint64_t)number;
  return 0;
}

static int set_boolean(const struct option *o, const oconfig_value_t *value,
                       bool *ret_flag) {
  if (value->type != OCONFIG_TYPE_BOOLEAN)
    return refuse(o->key, value, o->expected);
  *ret_flag = value->value.boolean != 0;
  return 0;
}

static int copy_path(const struct option *o, const oconfig_value_t *value,
                     char **ret_path) {
  char *path;

  if (value->type != OCONFIG_TYPE_STRING || value->value.string[0] != '/' ||
      strlen(value->value.string) >= PATH_MAX)
    return refuse(o->key, value, o->expected);
  path = strdup(value->value.string);
  if (path == NULL) {
    ERROR("process_dna plugin: option %s: out of memory", o->key);
    return -ENOMEM;
  }
  *ret_path = path;
  return 0;
}

static int add_executable(struct dna_config *config, const struct option *o,
                          const oconfig_value_t *value) {
  char **executables;
  int r;

  executables = realloc(config->executables,
                        (config->executables_len + 1) * sizeof(*executables));
  if (executables == NULL) {
    ERROR("process_dna plugin: option %s: out of memory", o->key);
    return -ENOMEM;
  }
  config->executables = executables;
  r = copy_path(o, value, &executables[config->executables_len]);
  if (r < 0)
    return r;
  config->executables_len++;
  return 0;
}

static int add_state(const struct option *o, const oconfig_value_t *value,
                     uint64_t *states) {
  uint64_t bit = NOTIFY_NONE;
  enum exe_state state;
  const char *name;

  if (value->type != OCONFIG_TYPE_STRING)
    return refuse(o->key, value, o->expected);
  name = value->value.string;
  if (strcmp(name, "none") != 0) {
    if (exe_state_from_name(name, strlen(name), &state) < 0)
      return refuse(o->key, value, o->expected);
    bit = DNA_STATE_BIT(state);
  }
  *states |= bit;
  if ((*states & NOTIFY_NONE) != 0 && *states != NOTIFY_NONE)
    return refuse(o->key, value, o->expected);
  return 0;
}

/* Options that take one value or several, and may come again. */
static int set_list(struct dna_config *config, const struct option *o,
                    const oconfig_item_t *item) {
  int result = 0;

  for (int i = 0; i < item->values_num; i++) {
    int r = o->type == OPTION_STATES
                ? add_state(o, &item->values[i], &config->notify)
                : add_executable(config, o, &item->values[i]);
    if (r < 0)
      result = r;
  }
  return result;
}

static int set_option(struct dna_config *config, const struct option *o,
                      const oconfig_item_t *item) {
  uint64_t bit = UINT64_C(1) << (o - options);
  bool again = (config->given & bit) != 0;
  bool list = o->type == OPTION_PATHS || o->type == OPTION_STATES;

  config->given |= bit;
  if (item->children_num > 0)
    return refuse(o->key, NULL, "a value, found a block");
  if (item->values_num < 1)
    return refuse(o->key, NULL, "a value, found none");
  if (!list && item->values_num > 1)
    return refuse(o->key, &item->values[1], "one value only");
  if (again && !list)
    return refuse(o->key, &item->values[0], "the option only once");
  switch (o->type) {
  case OPTION_NUMBER:
    return set_number(o, item->values, field(config, o));
  case OPTION_BOOLEAN:
    return set_boolean(o, item->values, field(config, o));
  case OPTION_PATH:
    return copy_path(o, item->values, field(config, o));
  case OPTION_STATES:
    /* The first one replaces the default. */
    if (!again)
      config->notify = 0;
    return set_list(config, o, item);
  default:
    return set_list(config, o, item);
  }
}

static int read_item(struct dna_config *config, const oconfig_item_t *item) {
  for (size_t i = 0; i < OPTIONS; i++) {
    if (strcasecmp(options[i].key, item->key) == 0)
      return set_option(config, &options[i], item);
  }
  return refuse(item->key, item->values_num > 0 ? item->values : NULL,
                "one of this plugin's options");
}

int dna_config_read(struct dna_config *config, const oconfig_item_t *block) {
  int result = 0;

  for (int i = 0; i < block->children_num; i++) {
    int r = read_item(config, &block->children[i]);

    if (r < 0)
      result = r;
  }
  if (result < 0)
    config->bad = true;
  return result;
}

struct scan_options dna_config_scan_options(const struct dna_config *config) {
  struct scan_options o = scan_options_default;
  uint64_t half_interval_ms = config->scan_interval_s * 1000 / 2;

  if (config->proc_root != NULL)
    o.proc_root = config->proc_root;
  o.min_rss_kib = config->min_rss_mib * 1024;
  o.always_root = config->always_root;
  o.executables = (const char *const *)config->executables;
  o.executables_len = config->executables_len;
  o.rehash_interval_s = (unsigned)config->rehash_interval_s;
  o.scan_interval_s = (unsigned)config->scan_interval_s;
  o.hash_budget = config->hash_budget_mib * 1024 * 1024;
  o.remote_files = config->remote_files;
  /* A scan holds one of collectd's read threads. */
  if (o.scan_timeout_ms > half_interval_ms)
    o.scan_timeout_ms = (unsigned)half_interval_ms;
  return o;
}
