#include "snmp-subagent/settings.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum type {
  TYPE_NUMBER, /* uint64_t within the bounds */
  TYPE_BOOLEAN,
  TYPE_PATH,  /* char *, absolute */
  TYPE_PATHS, /* executables, absolute; repeatable */
};

static const struct directive {
  const char *name;
  enum type type;
  size_t offset;
  uint64_t fallback; /* of numbers and booleans */
  uint64_t min, max;
  const char *expected;
} directives[] = {
    {"scanInterval", TYPE_NUMBER, offsetof(struct settings, scan_interval_s),
     60, 1, 86400, "a whole number of seconds from 1 to 86400"},
    {"minRss", TYPE_NUMBER, offsetof(struct settings, min_rss_mib), 50, 0,
     1048576, "a whole number of MiB from 0 to 1048576"},
    {"alwaysRoot", TYPE_BOOLEAN, offsetof(struct settings, always_root), 1, 0,
     1, "true or false"},
    {"executable", TYPE_PATHS, offsetof(struct settings, executables), 0, 0, 0,
     "an absolute path"},
    {"rehashInterval", TYPE_NUMBER,
     offsetof(struct settings, rehash_interval_s), 3600, 1, 2592000,
     "a whole number of seconds from 1 to 2592000"},
    {"hashBudget", TYPE_NUMBER, offsetof(struct settings, hash_budget_mib), 256,
     1, 1048576, "a whole number of MiB from 1 to 1048576"},
    {"remoteFiles", TYPE_BOOLEAN, offsetof(struct settings, remote_files), 0, 0,
     1, "true or false"},
    {"procRoot", TYPE_PATH, offsetof(struct settings, proc_root), 0, 0, 0,
     "an absolute path"},
};

enum { DIRECTIVES = sizeof(directives) / sizeof(directives[0]) };

static void *field(struct settings *settings, const struct directive *d) {
  return (char *)settings + d->offset;
}

void settings_init(struct settings *settings) {
  memset(settings, 0, sizeof(*settings));
  for (size_t i = 0; i < DIRECTIVES; i++) {
    const struct directive *d = &directives[i];

    if (d->type == TYPE_NUMBER)
      *(uint64_t *)field(settings, d) = d->fallback;
    else if (d->type == TYPE_BOOLEAN)
      *(bool *)field(settings, d) = d->fallback != 0;
  }
}

void settings_clear(struct settings *settings) {
  for (size_t i = 0; i < settings->executables_len; i++)
    free(settings->executables[i]);
  free(settings->executables);
  free(settings->proc_root);
  settings_init(settings);
}

const char *settings_directive(size_t i) {
  return i < DIRECTIVES ? directives[i].name : NULL;
}

const char *settings_expected(size_t i) {
  return i < DIRECTIVES ? directives[i].expected : NULL;
}

static int set_number(const struct directive *d, const char *text,
                      uint64_t *ret_number) {
  unsigned long long number;
  char *end;

  if (!isdigit((unsigned char)text[0]))
    return -EINVAL;
  errno = 0;
  number = strtoull(text, &end, 10);
  if (errno != 0 || *end != '\0' || number < d->min || number > d->max)
    return -EINVAL;
  *ret_number = number;
  return 0;
}

static int set_boolean(const char *text, bool *ret_flag) {
  static const char *const words[][2] = {
      {"false", "true"}, {"no", "yes"}, {"off", "on"}, {"0", "1"}};

  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    for (int flag = 0; flag < 2; flag++) {
      if (strcasecmp(text, words[i][flag]) == 0) {
        *ret_flag = flag != 0;
        return 0;
      }
    }
  }
  return -EINVAL;
}

static int copy_path(const char *text, char **ret_path) {
  char *path;

  if (text[0] != '/' || strlen(text) >= PATH_MAX)
    return -EINVAL;
  path = strdup(text);
  if (path == NULL)
    return -ENOMEM;
  free(*ret_path);
  *ret_path = path;
  return 0;
}

static int add_executable(struct settings *settings, const char *text) {
  char **executables =
      reallocarray(settings->executables, settings->executables_len + 1,
                   sizeof(*executables));
  int r;

  if (executables == NULL)
    return -ENOMEM;
  settings->executables = executables;
  executables[settings->executables_len] = NULL;
  r = copy_path(text, &executables[settings->executables_len]);
  if (r == 0)
    settings->executables_len++;
  return r;
}

static int set_field(struct settings *settings, const struct directive *d,
                     const char *text) {
  switch (d->type) {
  case TYPE_NUMBER:
    return set_number(d, text, field(settings, d));
  case TYPE_BOOLEAN:
    return set_boolean(text, field(settings, d));
  case TYPE_PATH:
    return copy_path(text, field(settings, d));
  default:
    return add_executable(settings, text);
  }
}

/* A copy without the blanks around it and the quotes around what is left. */
static char *trim(const char *text) {
  size_t len;

  text += strspn(text, " \t\r\n");
  len = strlen(text);
  while (len > 0 && isspace((unsigned char)text[len - 1]))
    len--;
  if (len > 1 && (text[0] == '"' || text[0] == '\'') &&
      text[len - 1] == text[0]) {
    text++;
    len -= 2;
  }
  return strndup(text, len);
}

int settings_set(struct settings *settings, const char *directive,
                 const char *text, char ret_why[static SETTINGS_WHY_MAX]) {
  const struct directive *d = NULL;
  char *trimmed;
  int r;

  for (size_t i = 0; d == NULL && i < DIRECTIVES; i++) {
    if (strcasecmp(directives[i].name, directive) == 0)
      d = &directives[i];
  }
  if (d == NULL) {
    (void)snprintf(ret_why, SETTINGS_WHY_MAX, "no such directive");
    return -EINVAL;
  }
  trimmed = trim(text);
  if (trimmed == NULL)
    return -ENOMEM;
  r = set_field(settings, d, trimmed);
  if (r == -EINVAL)
    (void)snprintf(ret_why, SETTINGS_WHY_MAX, "expected %s, found \"%.100s\"",
                   d->expected, trimmed);
  free(trimmed);
  return r;
}

struct scan_options settings_scan_options(const struct settings *settings) {
  struct scan_options o = scan_options_default;
  uint64_t half_interval_ms = settings->scan_interval_s * 1000 / 2;

  if (settings->proc_root != NULL)
    o.proc_root = settings->proc_root;
  o.min_rss_kib = settings->min_rss_mib * 1024;
  o.always_root = settings->always_root;
  o.executables = (const char *const *)settings->executables;
  o.executables_len = settings->executables_len;
  o.rehash_interval_s = (unsigned)settings->rehash_interval_s;
  o.scan_interval_s = (unsigned)settings->scan_interval_s;
  o.hash_budget = settings->hash_budget_mib * 1024 * 1024;
  o.remote_files = settings->remote_files;
  if (o.scan_timeout_ms > half_interval_ms)
    o.scan_timeout_ms = (unsigned)half_interval_ms;
  return o;
}
