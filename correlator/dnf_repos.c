#include "correlator/dnf_repos.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "correlator/config_check.h"
#include "correlator/config_text.h"
#include "correlator/fetch_uri.h"
#include "correlator/word.h"

/* What may stand in a repository. */
enum key {
  KEY_BASEURL,
  KEY_MIRRORLIST,
  KEY_METALINK,
  KEY_ENABLED,
  KEY_GPGCHECK,
  KEY_REPO_GPGCHECK,
  KEY_MAX,
  KEYS_OF_PLACES = KEY_METALINK + 1,
};

static const char *const key_names[KEY_MAX] = {
    [KEY_BASEURL] = "baseurl",   [KEY_MIRRORLIST] = "mirrorlist",
    [KEY_METALINK] = "metalink", [KEY_ENABLED] = "enabled",
    [KEY_GPGCHECK] = "gpgcheck", [KEY_REPO_GPGCHECK] = "repo_gpgcheck",
};

/* What makes no difference here. The section has keys and sizes of its own. */
static const char *const ignored[] = {
    "name",
    "gpgkey",
    "metadata_expire",
    "countme",
    "type",
    "enabled_metadata",
    "skip_if_unavailable",
    "cost",
    "priority",
    "autorefresh",
    "failovermethod",
    "deltarpm",
    "keepcache",
    "module_hotfixes",
    "fastestmirror",
    "minrate",
    "throttle",
    "timeout",
    "retries",
    "bandwidth",
    "ip_resolve",
    "max_parallel_downloads",
};

struct convert {
  const struct fetch_config *config;
  FILE *out;
  char *what;
  const char *id; /* of the repository; NULL: none has begun */
  unsigned taken;
  bool all_signed;
  char *keys[KEY_MAX]; /* NULL: not there */
};

static const char blanks[] = " \t\r";

__attribute__((format(printf, 2, 3))) static bool
refuse(struct convert *c, const char *format, ...) {
  char said[CONFIG_CHECK_MAX];
  va_list args;

  va_start(args, format);
  /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, above. */
  (void)vsnprintf(said, sizeof(said), format, args);
  va_end(args);
  (void)snprintf(c->what, CONFIG_CHECK_MAX, "sources: %s%.60s%s%.170s",
                 c->id != NULL ? "[" : "", c->id != NULL ? c->id : "",
                 c->id != NULL ? "]: " : "", said);
  return false;
}

/* What dnf takes for a boolean. */
static bool read_flag(struct convert *c, enum key key, bool absent,
                      bool *ret_flag) {
  static const char *const words[] = {"0", "no",  "false", "off",
                                      "1", "yes", "true",  "on"};
  enum { WORDS_LEN = sizeof(words) / sizeof(words[0]) };

  *ret_flag = absent;
  if (c->keys[key] == NULL)
    return true;
  for (size_t i = 0; i < WORDS_LEN; i++)
    if (strcasecmp(c->keys[key], words[i]) == 0) {
      *ret_flag = i >= WORDS_LEN / 2;
      return true;
    }
  return refuse(c, "%s: expected 0 or 1, found '%.40s'", key_names[key],
                c->keys[key]);
}

/* The private root has no release that $releasever could be taken from. */
static bool check_variables(struct convert *c, enum key key, const char *url) {
  static const char basearch[] = "$basearch";

  for (const char *at = url; (at = strchr(at, '$')) != NULL; at++)
    if (strncmp(at, basearch, sizeof(basearch) - 1) != 0)
      return refuse(c,
                    "%s: expected no variable but $basearch: write the "
                    "release as it is, found '%.80s'",
                    key_names[key], url);
  return true;
}

static bool check_url(struct convert *c, enum key key, const char *url) {
  char why[FETCH_URI_WHY_MAX];

  if (!fetch_uri_check(url, why))
    return refuse(c, "%s: %s", key_names[key], why);
  return check_variables(c, key, url);
}

static bool write_urls(struct convert *c, enum key key) {
  char *rest = c->keys[key];
  const char *url;
  unsigned urls = 0;

  (void)fprintf(c->out, "%s=", key_names[key]);
  while ((url = strsep(&rest, " \t\r\n,")) != NULL) {
    if (*url == '\0')
      continue;
    if (!check_url(c, key, url))
      return false;
    (void)fprintf(c->out, "%s%s", urls++ > 0 ? " " : "", url);
  }
  (void)fputc('\n', c->out);
  return urls > 0 || refuse(c, "%s: expected, found none", key_names[key]);
}

static bool write_places(struct convert *c) {
  unsigned places = 0;

  for (enum key key = 0; key < KEYS_OF_PLACES; key++) {
    if (c->keys[key] == NULL)
      continue;
    if (!write_urls(c, key))
      return false;
    places++;
  }
  return places > 0 ||
         refuse(c, "expected a baseurl, mirrorlist or metalink, found none");
}

/* The repository that ends here. */
static bool end_repository(struct convert *c) {
  bool enabled, checked, index_signed;

  if (c->id == NULL)
    return true;
  if (!read_flag(c, KEY_ENABLED, true, &enabled) ||
      !read_flag(c, KEY_GPGCHECK, true, &checked) ||
      !read_flag(c, KEY_REPO_GPGCHECK, false, &index_signed))
    return false;
  if (enabled && !checked)
    return refuse(c, "gpgcheck: expected 1: what nobody has signed is no "
                     "manifest, found 0");
  if (enabled) {
    (void)fprintf(c->out,
                  "[%s]\nname=%s\nenabled=1\ngpgcheck=1\nrepo_gpgcheck=%d\n"
                  "gpgkey=file://%s\nskip_if_unavailable=0\n"
                  "module_hotfixes=1\nmetadata_expire=-1\n",
                  c->id, c->id, index_signed, c->config->keyring);
    if (!write_places(c))
      return false;
    (void)fputc('\n', c->out);
    c->all_signed = c->all_signed && index_signed;
    c->taken++;
  }
  memset(c->keys, 0, sizeof(c->keys));
  return true;
}

static bool begin_repository(struct convert *c, char *line) {
  size_t len = strlen(line);

  if (!end_repository(c))
    return false;
  c->id = NULL;
  if (line[len - 1] != ']')
    return refuse(c, "expected [REPOSITORY], found '%.60s'", line);
  line[len - 1] = '\0';
  c->id = ++line;
  for (const char *s = line; *s != '\0'; s++)
    if (!isascii(*s) || (!isalnum((unsigned char)*s) && !strchr("._:-", *s)))
      return refuse(c, "expected letters, digits and . _ : - in its name");
  if (*line == '\0' || *line == '-' || strcmp(line, "main") == 0)
    return refuse(c, "expected the name of a repository");
  return true;
}

/* Everything else would change what is verified, or what is taken. */
static bool set_key(struct convert *c, const char *name, char *value) {
  for (int key = 0; key < KEY_MAX; key++) {
    if (strcmp(name, key_names[key]) != 0)
      continue;
    if (c->keys[key] != NULL)
      return refuse(c, "%s: expected once, found twice", name);
    c->keys[key] = value;
    return true;
  }
  for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
    if (strcmp(name, ignored[i]) == 0)
      return true;
  return refuse(c,
                "%.40s: expected baseurl, mirrorlist, metalink, enabled, "
                "gpgcheck or repo_gpgcheck: all that is fetched is verified",
                name);
}

static bool take_line(struct convert *c, char *line) {
  char *equals;

  line = word_trim(line);
  if (*line == '\0' || *line == '#' || *line == ';')
    return true;
  if (*line == '[')
    return begin_repository(c, line);
  if (c->id == NULL)
    return refuse(c, "expected [REPOSITORY] first, found '%.60s'", line);
  if ((equals = strchr(line, '=')) == NULL)
    return refuse(c, "expected KEY=VALUE, found '%.60s'", line);
  *equals = '\0';
  return set_key(c, word_trim(line), word_trim(equals + 1));
}

/* Make one line of a key and the lines that go on with it. */
static void unfold(char *text) {
  for (char *newline = text; (newline = strchr(newline, '\n')) != NULL;
       newline++)
    if ((newline[1] == ' ' || newline[1] == '\t') &&
        newline[1 + strspn(newline + 1, blanks)] != '\n')
      *newline = ' ';
}

static bool convert_lines(struct convert *c, char *text) {
  char *line;

  unfold(text);
  while ((line = strsep(&text, "\n")) != NULL)
    if (!take_line(c, line))
      return false;
  if (!end_repository(c))
    return false;
  c->id = NULL;
  return c->taken > 0 || refuse(c, "expected a repository that is enabled, "
                                   "found none");
}

bool dnf_repos_convert(const struct fetch_config *config, const char *text,
                       char **ret_text, bool *ret_signed, char *what) {
  struct convert c = {.config = config, .what = what, .all_signed = true};
  char *copy = strdup(text);
  char *converted = NULL;
  size_t len = 0;
  bool good = false;

  (void)snprintf(what, CONFIG_CHECK_MAX, "out of memory");
  if (copy != NULL && (c.out = open_memstream(&converted, &len)) != NULL)
    good = convert_lines(&c, copy);
  if (c.out != NULL && fclose(c.out) != 0)
    good = false;
  free(copy);
  if (!good) {
    free(converted);
    return false;
  }
  *ret_text = converted;
  *ret_signed = c.all_signed;
  return true;
}

bool dnf_repos_read(const struct fetch_config *config, char **ret_text,
                    bool *ret_signed, char *what) {
  struct stat st;
  char *text = NULL;
  int r = config_text_read(config->sources, &text, &st);

  if (r < 0) {
    (void)snprintf(what, CONFIG_CHECK_MAX,
                   "sources: expected a .repo file, found at %.120s: %s",
                   config->sources, strerrordesc_np(-r));
    return false;
  }
  bool good = dnf_repos_convert(config, text, ret_text, ret_signed, what);
  free(text);
  return good;
}
