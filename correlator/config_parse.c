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
#include "correlator/config_keys.h"
#include "correlator/config_text.h"
#include "correlator/snmp_words.h"

enum { SECTION_KEYS_MAX = 12 }; /* keys and sections in one section */

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

static bool check_text(cfg_t *cfg, const struct config_key *key,
                       const char *text) {
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
  if (key->secret)
    cfg_error(cfg, "%s: %s", key->name, what);
  else
    cfg_error(cfg, "%s: expected %s, found '%s'", key->name, what, text);
  return false;
}

/* Called by libconfuse for each value as it is read. */
static int check_value(cfg_t *cfg, cfg_opt_t *opt) {
  const struct config_key *key = config_find_key(cfg->name, opt->name);
  unsigned len = cfg_opt_size(opt);

  assert(key != NULL && len > 0);
  return check_text(cfg, key, cfg_opt_getnstr(opt, len - 1)) ? 0 : -1;
}

static bool is_missing(cfg_t *section, const struct config_key *key) {
  cfg_opt_t *opt = cfg_getopt(section, key->name);

  return cfg_opt_size(opt) == 0 || cfg_opt_getnstr(opt, 0) == NULL;
}

static bool check_required(cfg_t *section) {
  for (size_t i = 0; i < config_keys_len; i++)
    if (config_keys[i].required &&
        strcmp(config_keys[i].section, section->name) == 0 &&
        is_missing(section, &config_keys[i])) {
      cfg_error(section, "%s: expected, found none", config_keys[i].name);
      return false;
    }
  return true;
}

static const struct config_section *find_section(const char *name) {
  for (size_t i = 0; i < CONFIG_SECTIONS_LEN; i++)
    if (strcmp(config_sections[i].name, name) == 0)
      return &config_sections[i];
  return NULL;
}

static bool check_collectd(cfg_t *section) {
  const char *level = cfg_getstr(section, "security-level");

  if (strcmp(level, "none") == 0 || cfg_size(section, "listen") == 0 ||
      cfg_getstr(section, "auth-file") != NULL)
    return true;
  cfg_error(section, "auth-file: expected with security-level %s, found none",
            level);
  return false;
}

static bool check_syslog(cfg_t *section) {
  static const char *const files[] = {"tls-cert", "tls-key", "tls-ca"};

  for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
    if (cfg_size(section, "listen-tls") > 0 &&
        cfg_getstr(section, files[i]) == NULL) {
      cfg_error(section, "%s: expected with listen-tls, found none", files[i]);
      return false;
    }
  return true;
}

/* Called by libconfuse at the end of each section. */
static int check_section(cfg_t *cfg, cfg_opt_t *opt) {
  cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
  const struct config_section *known = find_section(section->name);
  char what[CONFIG_CHECK_MAX];

  (void)cfg;
  assert(known != NULL);
  if (section->title != NULL && !known->check_title(section->title, what)) {
    cfg_error(section, "%s: title: expected %s, found '%s'", section->name,
              what, section->title);
    return -1;
  }
  if (!check_required(section))
    return -1;
  if (strcmp(section->name, "collectd") == 0 && !check_collectd(section))
    return -1;
  if (strcmp(section->name, "syslog") == 0 && !check_syslog(section))
    return -1;
  return 0;
}

/* The options of one section. */
typedef cfg_opt_t options_array[SECTION_KEYS_MAX + 1];

/* The keys of a section, then the sections in it, whose options stand in
 * `all` as in config_sections. */
static void fill_options(options_array options, const char *section,
                         options_array *all) {
  size_t len = 0;

  for (size_t i = 0; i < config_keys_len; i++) {
    const struct config_key *key = &config_keys[i];
    if (strcmp(key->section, section) != 0)
      continue;
    assert(len < SECTION_KEYS_MAX);
    options[len] =
        key->type == KEY_LIST
            ? (cfg_opt_t)CFG_STR_LIST(key->name, NULL, CFGF_NODEFAULT)
            : (cfg_opt_t)CFG_STR(key->name, key->fallback, CFGF_NONE);
    options[len++].validcb = check_value;
  }
  for (size_t i = 0; i < CONFIG_SECTIONS_LEN; i++) {
    const struct config_section *s = &config_sections[i];
    if (strcmp(s->parent, section) != 0)
      continue;
    assert(len < SECTION_KEYS_MAX);
    options[len] = (cfg_opt_t)CFG_SEC(
        s->name, all[i],
        s->check_title == NULL ? CFGF_NONE
                               : CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
    options[len++].validcb = check_section;
  }
  options[len] = (cfg_opt_t)CFG_END();
}

static cfg_t *new_parser(const char *file) {
  options_array all[CONFIG_SECTIONS_LEN];
  options_array root;

  for (size_t i = 0; i < CONFIG_SECTIONS_LEN; i++)
    fill_options(all[i], config_sections[i].name, all);
  fill_options(root, "root", all);

  cfg_t *cfg = cfg_init(root, CFGF_NONE); /* copies the options */
  if (cfg == NULL)
    return NULL;
  /* Messages want it; sections that are there at most once exist already. */
  cfg->filename = strdup(file);
  for (size_t i = 0; i < CONFIG_SECTIONS_LEN; i++)
    if (config_sections[i].check_title == NULL)
      cfg_getsec(cfg, config_sections[i].name)->filename = strdup(file);
  (void)cfg_set_error_function(cfg, on_confuse_error);
  return cfg;
}

static bool store_list(char *base, const struct config_key *key,
                       cfg_opt_t *opt) {
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

static bool store(cfg_t *section, void *target);

/* All sections of a kind, at `parent` the struct that they are in. */
static bool store_sections(cfg_t *in, char *parent,
                           const struct config_section *s) {
  unsigned len = cfg_size(in, s->name);
  char *structs;

  if (s->check_title == NULL)
    return store(cfg_getsec(in, s->name), parent + s->offset);
  structs = calloc(len + 1, s->size);
  *(char **)(void *)(parent + s->offset) = structs;
  for (unsigned i = 0; structs != NULL && i < len; i++) {
    cfg_t *section = cfg_getnsec(in, s->name, i);
    char **title = (char **)(void *)(structs + s->title_offset);
    ++*(size_t *)(void *)(parent + s->len_offset);
    *title = strdup(cfg_title(section));
    if (*title == NULL || !store(section, structs))
      return false;
    structs += s->size;
  }
  return structs != NULL;
}

static bool store_value(cfg_opt_t *opt, const struct config_key *key,
                        void *target) {
  char *where = (char *)target + key->offset;
  const char *text = key->type == KEY_LIST ? NULL : cfg_opt_getnstr(opt, 0);

  switch (key->type) {
  case KEY_LIST:
    return store_list(target, key, opt);
  case KEY_NUMBER:
    return parse_number(text, (unsigned *)(void *)where);
  case KEY_LEVEL:
    return parse_level(text, (enum security_level *)(void *)where);
  case KEY_TEXT:
    break;
  }
  char *copy = text == NULL ? NULL : strdup(text);
  *(char **)(void *)where = copy;
  return text == NULL || copy != NULL;
}

/* Put a section's values, and the sections in it, where they go. Values were
 * checked as they were read. Returns false if memory ran out. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the table of sections. */
static bool store(cfg_t *section, void *target) {
  for (size_t i = 0; i < config_keys_len; i++)
    if (strcmp(config_keys[i].section, section->name) == 0 &&
        !store_value(cfg_getopt(section, config_keys[i].name), &config_keys[i],
                     target))
      return false;
  for (size_t i = 0; i < CONFIG_SECTIONS_LEN; i++)
    if (strcmp(config_sections[i].parent, section->name) == 0 &&
        !store_sections(section, target, &config_sections[i]))
      return false;
  return true;
}

/* The words were checked as they were read. */
static bool find_informs(struct config *config) {
  struct snmp_message message;

  for (size_t i = 0; i < config->sinks_len; i++)
    if (snmp_words_check(config->sinks[i].session, SNMP_USE_SINK, &message,
                         &config->sinks[i].inform) != 0)
      return false;
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
  if (store(cfg, config) && find_informs(config))
    rc = 0;

out:
  if (stream != NULL)
    (void)fclose(stream);
  if (cfg != NULL)
    (void)cfg_free(cfg);
  return rc;
}
