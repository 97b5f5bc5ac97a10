#include "snmp-subagent/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int parse_number(const char *text, uint64_t *ret_number) {
  unsigned long long number;
  char *end;

  if (!isdigit((unsigned char)text[0]))
    return -EINVAL;
  errno = 0;
  number = strtoull(text, &end, 10);
  if (errno != 0 || *end != '\0')
    return -EINVAL;
  *ret_number = number;
  return 0;
}

static int parse_flag(const char *text, bool *ret_flag) {
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

static int set_field(struct scan_settings *settings,
                     const struct scan_setting *s, const char *text) {
  uint64_t number;
  bool flag;

  switch (s->type) {
  case SCAN_SETTING_NUMBER:
    if (parse_number(text, &number) < 0)
      return -EINVAL;
    return scan_settings_set_number(settings, s, number);
  case SCAN_SETTING_FLAG:
    if (parse_flag(text, &flag) < 0)
      return -EINVAL;
    return scan_settings_set_flag(settings, s, flag);
  default:
    return scan_settings_set_path(settings, s, text);
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

int settings_set(struct scan_settings *settings, const char *directive,
                 const char *text, char ret_why[static SETTINGS_WHY_MAX]) {
  const struct scan_setting *s = scan_settings_find(directive);
  char *trimmed;
  int r;

  if (s == NULL) {
    (void)snprintf(ret_why, SETTINGS_WHY_MAX, "no such directive");
    return -EINVAL;
  }
  trimmed = trim(text);
  if (trimmed == NULL)
    return -ENOMEM;
  r = set_field(settings, s, trimmed);
  if (r == -EINVAL)
    (void)snprintf(ret_why, SETTINGS_WHY_MAX, "expected %s, found \"%.100s\"",
                   s->expected, trimmed);
  free(trimmed);
  return r;
}
