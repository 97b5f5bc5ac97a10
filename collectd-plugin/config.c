#include "collectd-plugin/config.h"

#include "plugin.h"

enum { NOTIFY_NONE = 1 /* Notify "none"; no state has this bit */ };

void dna_config_init(struct dna_config *config) {
  memset(config, 0, sizeof(*config));
  scan_settings_init(&config->scan);
  config->notify = DNA_STATE_BIT(EXE_SPOOFED) | DNA_STATE_BIT(EXE_ANONYMOUS);
}

void dna_config_clear(struct dna_config *config) {
  scan_settings_clear(&config->scan);
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

/* What a setting expects, in the syntax of collectd.conf. */
static const char *expected_by(const struct scan_setting *s) {
  switch (s->type) {
  case SCAN_SETTING_PATH:
    return "one absolute path in quotes";
  case SCAN_SETTING_PATHS:
    return "absolute paths in quotes";
  default:
    return s->expected;
  }
}

static int set_number(struct scan_settings *settings,
                      const struct scan_setting *s, double number) {
  /* Written so that NaN fails. */
  if (!(number >= 0 && number < 0x1p64) || number != (double)(uint64_t)number)
    return -EINVAL;
  return scan_settings_set_number(settings, s, (uint64_t)number);
}

static int set_value(struct scan_settings *settings,
                     const struct scan_setting *s,
                     const oconfig_value_t *value) {
  int r;

  if (value->type == OCONFIG_TYPE_NUMBER)
    r = set_number(settings, s, value->value.number);
  else if (value->type == OCONFIG_TYPE_BOOLEAN)
    r = scan_settings_set_flag(settings, s, value->value.boolean != 0);
  else
    r = scan_settings_set_path(settings, s, value->value.string);
  if (r == -EINVAL)
    return refuse(s->name, value, expected_by(s));
  if (r < 0)
    ERROR("process_dna plugin: option %s: out of memory", s->name);
  return r;
}

static int add_state(uint64_t *states, const oconfig_value_t *value) {
  uint64_t bit = NOTIFY_NONE;
  enum exe_state state;
  const char *expected = "names of states in quotes, or \"none\" alone";
  const char *name;

  if (value->type != OCONFIG_TYPE_STRING)
    return refuse("Notify", value, expected);
  name = value->value.string;
  if (strcmp(name, "none") != 0) {
    if (exe_state_from_name(name, strlen(name), &state) < 0)
      return refuse("Notify", value, expected);
    bit = DNA_STATE_BIT(state);
  }
  *states |= bit;
  if ((*states & NOTIFY_NONE) != 0 && *states != NOTIFY_NONE)
    return refuse("Notify", value, expected);
  return 0;
}

/* Was the option given before? It is from now on. */
static bool given(struct dna_config *config, size_t option) {
  uint64_t bit = UINT64_C(1) << option;
  bool before = (config->given & bit) != 0;

  config->given |= bit;
  return before;
}

static int check_values(const char *key, const oconfig_item_t *item) {
  if (item->children_num > 0)
    return refuse(key, NULL, "a value, found a block");
  if (item->values_num < 1)
    return refuse(key, NULL, "a value, found none");
  return 0;
}

static int read_setting(struct dna_config *config, const struct scan_setting *s,
                        const oconfig_item_t *item) {
  bool again = given(config, (size_t)(s - scan_settings_table));
  bool list = s->type == SCAN_SETTING_PATHS;
  int result = check_values(s->name, item);

  if (result < 0)
    return result;
  if (!list && item->values_num > 1)
    return refuse(s->name, &item->values[1], "one value only");
  if (!list && again)
    return refuse(s->name, &item->values[0], "the option only once");
  for (int i = 0; i < item->values_num; i++) {
    int r = set_value(&config->scan, s, &item->values[i]);

    if (r < 0)
      result = r;
  }
  return result;
}

static int read_notify(struct dna_config *config, const oconfig_item_t *item) {
  bool again = given(config, /* option = */ SCAN_SETTINGS_LEN);
  int result = check_values("Notify", item);

  if (result < 0)
    return result;
  /* The first one replaces the default. */
  if (!again)
    config->notify = 0;
  for (int i = 0; i < item->values_num; i++) {
    int r = add_state(&config->notify, &item->values[i]);

    if (r < 0)
      result = r;
  }
  return result;
}

static int read_item(struct dna_config *config, const oconfig_item_t *item) {
  const struct scan_setting *s = scan_settings_find(item->key);

  if (s != NULL)
    return read_setting(config, s, item);
  if (strcasecmp(item->key, "Notify") == 0)
    return read_notify(config, item);
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
