#include "correlator/config_parse.h"

#include <assert.h>
#include <confuse.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/config_check.h"
#include "correlator/config_text.h"
#include "correlator/snmp_words.h"

enum key_type { KEY_TEXT, KEY_NUMBER, KEY_LEVEL, KEY_LIST };

/* Every key there is. A section is named as libconfuse names it, "root" for
 * what is in none; offsets are into the section's struct. */
struct key {
  const char *section;
  const char *name;
  const char *fallback; /* NULL: none */
  size_t offset;
  size_t len_offset;      /* lists only */
  config_check_fn *check; /* texts, and each element of a list */
  unsigned min, max;      /* numbers only */
  enum key_type type;
  bool required;
};

/* clang-format off */
#define IN(type, member) .offset = offsetof(struct type, member)
#define LIST_IN(type, member) \
  IN(type, member), .len_offset = offsetof(struct type, member##_len)

static const struct key keys[] = {
  {"root", "database", .type = KEY_TEXT, IN(config, database),
   .check = config_check_conninfo, .required = true},
  {"root", "tenant", "default", .type = KEY_TEXT, IN(config, tenant),
   .check = config_check_name},
  {"root", "state-dir", "/var/lib/process-dna", .type = KEY_TEXT,
   IN(config, state_dir), .check = config_check_directory},
  {"root", "spool-size", "256", .type = KEY_NUMBER, IN(config, spool_size_mib),
   .min = 1, .max = 1 << 20},

  {"collectd", "listen", .type = KEY_LIST, LIST_IN(collectd_config, listen),
   .check = config_check_listen},
  {"collectd", "security-level", "sign", .type = KEY_LEVEL,
   IN(collectd_config, security_level)},
  {"collectd", "auth-file", .type = KEY_TEXT, IN(collectd_config, auth_file),
   .check = config_check_file},
  {"collectd", "max-skew", "600", .type = KEY_NUMBER,
   IN(collectd_config, max_skew_s), .min = 1, .max = 86400},

  {"relay", "hosts", .type = KEY_LIST, LIST_IN(relay_config, hosts),
   .check = config_check_glob, .required = true},

  {"trap-sink", "session", .type = KEY_TEXT, IN(sink_config, session),
   .check = config_check_session, .required = true},

  {"snmp-poll", "session", .type = KEY_TEXT, IN(poll_config, session),
   .check = config_check_poll_session, .required = true},
  {"snmp-poll", "interval", "60", .type = KEY_NUMBER,
   IN(poll_config, interval_s), .min = 1, .max = 86400},
  {"snmp-poll", "host", .type = KEY_TEXT, IN(poll_config, host),
   .check = config_check_host},

  {"policy", "silent", "180", .type = KEY_NUMBER, IN(policy_config, silent_s),
   .min = 10, .max = 604800},
  {"policy", "learning", "86400", .type = KEY_NUMBER,
   IN(policy_config, learning_s), .min = 0, .max = 31536000},
  {"policy", "manifest-wait", "1800", .type = KEY_NUMBER,
   IN(policy_config, manifest_wait_s), .min = 0, .max = 86400},
  {"policy", "unverified-update", "critical", .type = KEY_TEXT,
   IN(policy_config, unverified_update),
   .check = config_check_unverified_update},
};
/* clang-format on */

enum {
  KEYS_LEN = sizeof(keys) / sizeof(keys[0]),
  SECTION_KEYS_MAX = 12, /* keys and sections in one section */
};

static const char *const level_names[] = {
    [SECURITY_NONE] = "none",
    [SECURITY_SIGN] = "sign",
    [SECURITY_ENCRYPT] = "encrypt",
};

__attribute__((format(printf, 2, 0))) static void
on_confuse_error(cfg_t *cfg, const char *format, va_list args) {
  config_print_v(cfg->filename == NULL ? "" : cfg->filename,
                 (unsigned)cfg->line, format, args);
}

static const struct key *find_key(const char *section, const char *name) {
  for (size_t i = 0; i < KEYS_LEN; i++)
    if (strcmp(keys[i].section, section) == 0 &&
        strcmp(keys[i].name, name) == 0)
      return &keys[i];
  return NULL;
}

bool config_is_list(const char *name, size_t len) {
  for (size_t i = 0; i < KEYS_LEN; i++)
    if (keys[i].type == KEY_LIST && strlen(keys[i].name) == len &&
        memcmp(keys[i].name, name, len) == 0)
      return true;
  return false;
}

/* Decimal figures only. */
static bool parse_number(const char *text, unsigned *ret_number) {
  unsigned long long number = 0;

  if (*text == '\0')
    return false;
  for (; *text != '\0'; text++) {
    if (*text < '0' || *text > '9')
      return false;
    number = 10 * number + (unsigned)(*text - '0');
    if (number > UINT32_MAX)
      return false;
  }
  *ret_number = (unsigned)number;
  return true;
}

static bool parse_level(const char *text, enum security_level *ret_level) {
  for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++)
    if (strcmp(text, level_names[i]) == 0) {
      *ret_level = (enum security_level)i;
      return true;
    }
  return false;
}

static bool check_text(cfg_t *cfg, const struct key *key, const char *text) {
  char what[CONFIG_CHECK_MAX] = "";
  enum security_level level;
  unsigned number;

  switch (key->type) {
  case KEY_NUMBER:
    if (parse_number(text, &number) && number >= key->min && number <= key->max)
      return true;
    cfg_error(cfg, "%s: expected a number from %u to %u, found '%s'", key->name,
              key->min, key->max, text);
    return false;
  case KEY_LEVEL:
    if (parse_level(text, &level))
      return true;
    cfg_error(cfg, "%s: expected none, sign or encrypt, found '%s'", key->name,
              text);
    return false;
  case KEY_TEXT:
  case KEY_LIST:
    break;
  }
  if (key->check(text, what))
    return true;
  /* The value may be a secret; `what` says what it may say of it. */
  if (key->check == config_check_session ||
      key->check == config_check_poll_session ||
      key->check == config_check_conninfo)
    cfg_error(cfg, "%s: expected %s", key->name, what);
  else
    cfg_error(cfg, "%s: expected %s, found '%s'", key->name, what, text);
  return false;
}

/* Called by libconfuse for each value as it is read. */
static int check_value(cfg_t *cfg, cfg_opt_t *opt) {
  const struct key *key = find_key(cfg->name, opt->name);
  unsigned len = cfg_opt_size(opt);

  assert(key != NULL && len > 0);
  return check_text(cfg, key, cfg_opt_getnstr(opt, len - 1)) ? 0 : -1;
}

static bool is_missing(cfg_t *section, const struct key *key) {
  cfg_opt_t *opt = cfg_getopt(section, key->name);

  return cfg_opt_size(opt) == 0 || cfg_opt_getnstr(opt, 0) == NULL;
}

static bool check_required(cfg_t *section) {
  for (size_t i = 0; i < KEYS_LEN; i++)
    if (keys[i].required && strcmp(keys[i].section, section->name) == 0 &&
        is_missing(section, &keys[i])) {
      cfg_error(section, "%s: expected, found none", keys[i].name);
      return false;
    }
  return true;
}

/* Called by libconfuse at the end of each section. */
static int check_section(cfg_t *cfg, cfg_opt_t *opt) {
  cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
  char what[CONFIG_CHECK_MAX];

  (void)cfg;
  if (section->title != NULL && !config_check_name(section->title, what)) {
    cfg_error(section, "%s: title: expected %s, found '%s'", section->name,
              what, section->title);
    return -1;
  }
  if (!check_required(section))
    return -1;
  if (strcmp(section->name, "collectd") == 0 &&
      strcmp(cfg_getstr(section, "security-level"), "none") != 0 &&
      cfg_size(section, "listen") > 0 &&
      cfg_getstr(section, "auth-file") == NULL) {
    cfg_error(section, "auth-file: expected with security-level %s, found none",
              cfg_getstr(section, "security-level"));
    return -1;
  }
  return 0;
}

/* The options of a section: its keys, then `subsection` if it has a name. */
static void fill_options(cfg_opt_t options[static SECTION_KEYS_MAX + 1],
                         const char *section, const cfg_opt_t *subsections,
                         size_t subsections_len) {
  size_t len = 0;

  for (size_t i = 0; i < KEYS_LEN; i++) {
    if (strcmp(keys[i].section, section) != 0)
      continue;
    assert(len < SECTION_KEYS_MAX);
    options[len] =
        keys[i].type == KEY_LIST
            ? (cfg_opt_t)CFG_STR_LIST(keys[i].name, NULL, CFGF_NODEFAULT)
            : (cfg_opt_t)CFG_STR(keys[i].name, keys[i].fallback, CFGF_NONE);
    options[len++].validcb = check_value;
  }
  for (size_t i = 0; i < subsections_len; i++) {
    assert(len < SECTION_KEYS_MAX);
    options[len] = subsections[i];
    options[len++].validcb = check_section;
  }
  options[len] = (cfg_opt_t)CFG_END();
}

static cfg_t *new_parser(const char *file) {
  enum { TITLED = CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES };
  cfg_opt_t relay[SECTION_KEYS_MAX + 1];
  cfg_opt_t sink[SECTION_KEYS_MAX + 1];
  cfg_opt_t poll[SECTION_KEYS_MAX + 1];
  cfg_opt_t policy[SECTION_KEYS_MAX + 1];
  cfg_opt_t collectd[SECTION_KEYS_MAX + 1];
  cfg_opt_t root[SECTION_KEYS_MAX + 1];

  fill_options(relay, "relay", NULL, 0);
  fill_options(sink, "trap-sink", NULL, 0);
  fill_options(poll, "snmp-poll", NULL, 0);
  fill_options(policy, "policy", NULL, 0);
  const cfg_opt_t in_collectd[] = {CFG_SEC("relay", relay, TITLED)};
  fill_options(collectd, "collectd", in_collectd, 1);
  const cfg_opt_t in_root[] = {CFG_SEC("collectd", collectd, CFGF_NONE),
                               CFG_SEC("trap-sink", sink, TITLED),
                               CFG_SEC("snmp-poll", poll, TITLED),
                               CFG_SEC("policy", policy, CFGF_NONE)};
  fill_options(root, "root", in_root, sizeof(in_root) / sizeof(in_root[0]));

  cfg_t *cfg = cfg_init(root, CFGF_NONE); /* copies the options */
  if (cfg == NULL)
    return NULL;
  /* Messages want it; sections that are there at most once exist already. */
  cfg->filename = strdup(file);
  cfg_getsec(cfg, "collectd")->filename = strdup(file);
  cfg_getsec(cfg, "policy")->filename = strdup(file);
  (void)cfg_set_error_function(cfg, on_confuse_error);
  return cfg;
}

static bool store_list(char *base, const struct key *key, cfg_opt_t *opt) {
  unsigned len = cfg_opt_size(opt);
  char **texts = calloc(len + 1, sizeof(*texts));

  if (texts == NULL)
    return false;
  /* Stored before it is full, so that config_free finds it. */
  *(char ***)(void *)(base + key->offset) = texts;
  *(size_t *)(void *)(base + key->len_offset) = len;
  for (unsigned i = 0; i < len; i++) {
    texts[i] = strdup(cfg_opt_getnstr(opt, i));
    if (texts[i] == NULL)
      return false;
  }
  return true;
}

/* Put a section's values where they go. Values were checked as they were
 * read. Returns false if memory ran out. */
static bool store(cfg_t *section, void *target) {
  for (size_t i = 0; i < KEYS_LEN; i++) {
    const struct key *key = &keys[i];
    char *where = (char *)target + key->offset;
    if (strcmp(key->section, section->name) != 0)
      continue;
    cfg_opt_t *opt = cfg_getopt(section, key->name);
    const char *text = key->type == KEY_LIST ? NULL : cfg_opt_getnstr(opt, 0);
    if (key->type == KEY_LIST) {
      if (!store_list(target, key, opt))
        return false;
    } else if (key->type == KEY_NUMBER) {
      (void)parse_number(text, (unsigned *)(void *)where);
    } else if (key->type == KEY_LEVEL) {
      (void)parse_level(text, (enum security_level *)(void *)where);
    } else if (text != NULL) {
      char *copy = strdup(text);
      *(char **)(void *)where = copy;
      if (copy == NULL)
        return false;
    }
  }
  return true;
}

static bool store_relays(cfg_t *collectd, struct collectd_config *config) {
  unsigned len = cfg_size(collectd, "relay");

  config->relays = calloc(len + 1, sizeof(*config->relays));
  if (config->relays == NULL)
    return false;
  for (unsigned i = 0; i < len; i++) {
    cfg_t *section = cfg_getnsec(collectd, "relay", i);
    struct relay_config *relay = &config->relays[config->relays_len++];
    relay->user = strdup(cfg_title(section));
    if (relay->user == NULL || !store(section, relay))
      return false;
  }
  return true;
}

static bool store_sinks(cfg_t *root, struct config *config) {
  unsigned len = cfg_size(root, "trap-sink");
  struct snmp_message message;

  config->sinks = calloc(len + 1, sizeof(*config->sinks));
  if (config->sinks == NULL)
    return false;
  for (unsigned i = 0; i < len; i++) {
    cfg_t *section = cfg_getnsec(root, "trap-sink", i);
    struct sink_config *sink = &config->sinks[config->sinks_len++];
    sink->name = strdup(cfg_title(section));
    if (sink->name == NULL || !store(section, sink) ||
        snmp_words_check(sink->session, SNMP_USE_SINK, &message,
                         &sink->inform) != 0)
      return false;
  }
  return true;
}

static bool store_polls(cfg_t *root, struct config *config) {
  unsigned len = cfg_size(root, "snmp-poll");

  config->polls = calloc(len + 1, sizeof(*config->polls));
  if (config->polls == NULL)
    return false;
  for (unsigned i = 0; i < len; i++) {
    cfg_t *section = cfg_getnsec(root, "snmp-poll", i);
    struct poll_config *poll = &config->polls[config->polls_len++];
    poll->name = strdup(cfg_title(section));
    if (poll->name == NULL || !store(section, poll))
      return false;
  }
  return true;
}

int config_parse(const char *file, const char *text, struct config *config) {
  int rc = -ENOMEM;
  FILE *stream = NULL;
  cfg_t *cfg = new_parser(file);

  if (cfg == NULL)
    goto out;
  stream = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
  if (stream == NULL)
    goto out;
  rc = -EINVAL;
  if (cfg_parse_fp(cfg, stream) != CFG_SUCCESS)
    goto out;
  cfg->line = 0; /* what is missing is on no line */
  if (!check_required(cfg))
    goto out;
  rc = -ENOMEM;
  if (store(cfg, config) &&
      store(cfg_getsec(cfg, "collectd"), &config->collectd) &&
      store(cfg_getsec(cfg, "policy"), &config->policy) &&
      store_relays(cfg_getsec(cfg, "collectd"), &config->collectd) &&
      store_sinks(cfg, config) && store_polls(cfg, config))
    rc = 0;

out:
  if (stream != NULL)
    (void)fclose(stream);
  if (cfg != NULL)
    (void)cfg_free(cfg);
  return rc;
}
