#include "correlator/apt_sources.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "correlator/config_check.h"
#include "correlator/config_text.h"
#include "correlator/fetch_uri.h"
#include "correlator/word.h"

/* What may stand in an entry. */
enum field {
  FIELD_TYPES,
  FIELD_URIS,
  FIELD_SUITES,
  FIELD_COMPONENTS,
  FIELD_SIGNED_BY,
  FIELD_ENABLED,
  FIELD_MAX
};

static const char *const field_names[FIELD_MAX] = {
    [FIELD_TYPES] = "Types",         [FIELD_URIS] = "URIs",
    [FIELD_SUITES] = "Suites",       [FIELD_COMPONENTS] = "Components",
    [FIELD_SIGNED_BY] = "Signed-By", [FIELD_ENABLED] = "Enabled",
};

struct convert {
  const struct fetch_config *config;
  FILE *out;
  char *what;
  unsigned entry;          /* counted from 1 */
  unsigned taken;          /* those that packages can come from */
  char *fields[FIELD_MAX]; /* of the entry; NULL: not there */
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
  (void)snprintf(c->what, CONFIG_CHECK_MAX, "sources: entry %u: %.200s",
                 c->entry, said);
  return false;
}

static bool check_uri(struct convert *c, const char *uri) {
  char why[FETCH_URI_WHY_MAX];

  if (!fetch_uri_check(uri, why))
    return refuse(c, "URIs: %s", why);
  if (strchr(uri, '$') != NULL)
    return refuse(c, "URIs: expected printable ASCII without $, found '%.80s'",
                  uri);
  return true;
}

static bool check_name(struct convert *c, enum field field, const char *word) {
  if (*word != '\0' && *word != '-' &&
      word_is_printable(word, "\"'\\<>$`[](){}*?!#;,|&@=%^"))
    return true;
  return refuse(c, "%s: expected a name, found '%s'", field_names[field], word);
}

/* Write a field's words, each checked. */
static bool write_words(struct convert *c, enum field field) {
  char *rest = c->fields[field];
  char *word;
  unsigned words = 0;

  (void)fprintf(c->out, "%s:", field_names[field]);
  while ((word = strsep(&rest, blanks)) != NULL) {
    if (*word == '\0')
      continue;
    if (field == FIELD_URIS ? !check_uri(c, word) : !check_name(c, field, word))
      return false;
    (void)fprintf(c->out, " %s", word);
    words++;
  }
  (void)fputc('\n', c->out);
  return words > 0 || refuse(c, "%s: expected, found none", field_names[field]);
}

static bool has_word(const char *words, const char *wanted) {
  size_t len = strlen(wanted);

  for (words += strspn(words, blanks); *words != '\0';) {
    size_t n = strcspn(words, blanks);
    if (n == len && memcmp(words, wanted, len) == 0)
      return true;
    words += n + strspn(words + n, blanks);
  }
  return false;
}

/* A suite that ends so is a path, and has no components. */
static bool is_flat(const char *suites) {
  size_t len = strlen(suites);

  while (len > 0 && strchr(blanks, suites[len - 1]) != NULL)
    len--;
  return len > 0 && suites[len - 1] == '/';
}

static bool check_types(struct convert *c, bool *ret_deb) {
  const char *types = c->fields[FIELD_TYPES];

  *ret_deb = false;
  if (types == NULL)
    return refuse(c, "Types: expected, found none");
  for (types += strspn(types, blanks); *types != '\0';) {
    size_t n = strcspn(types, blanks);
    bool deb = n == 3 && memcmp(types, "deb", n) == 0;
    if (!deb && !(n == 7 && memcmp(types, "deb-src", n) == 0))
      return refuse(c, "Types: expected deb or deb-src, found '%.*s'", (int)n,
                    types);
    *ret_deb |= deb;
    types += n + strspn(types + n, blanks);
  }
  return true;
}

/* apt takes these words, and others that we need not. */
static bool is_no(const char *text) {
  return text != NULL && (has_word(text, "no") || has_word(text, "false"));
}

static bool check_signed_by(struct convert *c) {
  const char *signed_by = c->fields[FIELD_SIGNED_BY];
  size_t len = strlen(c->config->keyring);

  if (signed_by == NULL)
    return true;
  signed_by += strspn(signed_by, blanks);
  if (strncmp(signed_by, c->config->keyring, len) == 0 &&
      signed_by[len + strspn(signed_by + len, blanks)] == '\0')
    return true;
  return refuse(c,
                "Signed-By: expected the keyring of the section, %.80s, or "
                "none; what others sign wants a section of its own",
                c->config->keyring);
}

/* One entry with the section's keyring and architectures. */
static bool write_entry(struct convert *c) {
  bool deb;

  if (!check_types(c, &deb) || !check_signed_by(c))
    return false;
  if (!deb || is_no(c->fields[FIELD_ENABLED]))
    return true;
  c->taken++;
  for (enum field f = FIELD_URIS; f <= FIELD_SUITES; f++)
    if (c->fields[f] == NULL)
      return refuse(c, "%s: expected, found none", field_names[f]);
  bool flat = is_flat(c->fields[FIELD_SUITES]);
  if (flat != (c->fields[FIELD_COMPONENTS] == NULL))
    return refuse(c, flat ? "Components: expected none with a suite that ends "
                            "in /"
                          : "Components: expected, found none");
  (void)fputs("Types: deb\n", c->out);
  if (!write_words(c, FIELD_URIS) || !write_words(c, FIELD_SUITES) ||
      (!flat && !write_words(c, FIELD_COMPONENTS)))
    return false;
  (void)fprintf(c->out, "Signed-By: %s\nArchitectures:", c->config->keyring);
  for (size_t i = 0; i < c->config->architectures_len; i++)
    (void)fprintf(c->out, " %s", c->config->architectures[i]);
  (void)fputs("\n\n", c->out);
  return true;
}

static bool end_entry(struct convert *c) {
  bool empty = true;

  for (int f = 0; f < FIELD_MAX; f++)
    empty = empty && c->fields[f] == NULL;
  if (empty)
    return true;
  bool good = write_entry(c);
  memset(c->fields, 0, sizeof(c->fields));
  c->entry++;
  return good;
}

/* Everything else would change what is verified, or what is taken. */
static bool set_field(struct convert *c, const char *name, char *value) {
  if (strncasecmp(name, "X-", 2) == 0)
    return true;
  for (int f = 0; f < FIELD_MAX; f++) {
    if (strcasecmp(name, field_names[f]) != 0)
      continue;
    if (c->fields[f] != NULL)
      return refuse(c, "%s: expected once, found twice", field_names[f]);
    c->fields[f] = value;
    return true;
  }
  if (strcasecmp(name, "Architectures") == 0 || strcasecmp(name, "arch") == 0)
    return refuse(c, "%s: expected none, since the section has architectures",
                  name);
  return refuse(c,
                "%.40s: expected Types, URIs, Suites, Components, "
                "Signed-By or Enabled: all that is fetched is verified",
                name);
}

/* Drop comments, and make one line of a field and the lines that go on with
 * it. */
static void unfold(char *text) {
  char *to = text;
  char *rest = text;
  char *line;

  while ((line = strsep(&rest, "\n")) != NULL) {
    size_t len = strlen(line);
    if ((*line == ' ' || *line == '\t') && to > text &&
        line[strspn(line, blanks)] != '\0')
      to[-1] = ' ';
    if (*line == '#')
      continue;
    memmove(to, line, len);
    to += len;
    *to++ = '\n';
  }
  *to = '\0';
}

static bool convert_deb822(struct convert *c, char *text) {
  char *rest = text;
  char *line;

  unfold(text);
  while ((line = strsep(&rest, "\n")) != NULL) {
    if (line[strspn(line, blanks)] == '\0') {
      if (!end_entry(c))
        return false;
      continue;
    }
    char *colon = strchr(line, ':');
    if (colon == NULL)
      return refuse(c, "expected FIELD: VALUE, found '%.60s'", line);
    *colon = '\0';
    if (!set_field(c, line, colon + 1))
      return false;
  }
  return end_entry(c);
}

/* "[OPTION=VALUE OPTION=VALUE]" at *ret_rest, which is moved behind it. */
static bool take_options(struct convert *c, char **ret_rest) {
  char *rest = *ret_rest + strspn(*ret_rest, blanks);
  char *word;

  *ret_rest = rest;
  if (*rest != '[')
    return true;
  char *end = strchr(++rest, ']');
  if (end == NULL)
    return refuse(c, "expected ] behind the options");
  *end = '\0';
  *ret_rest = end + 1;
  while ((word = strsep(&rest, blanks)) != NULL) {
    if (*word == '\0')
      continue;
    if (strncmp(word, "signed-by=", 10) != 0) {
      size_t len = strcspn(word, "=");
      while (len > 0 && strchr("+-", word[len - 1]) != NULL)
        len--; /* arch+=, arch-= */
      word[len] = '\0';
      if (strcmp(word, "arch") != 0)
        return refuse(c,
                      "option %.40s: expected none but signed-by: all that is "
                      "fetched is verified",
                      word);
      return set_field(c, word, NULL);
    }
    if (!set_field(c, field_names[FIELD_SIGNED_BY], word + 10))
      return false;
  }
  return true;
}

static char *take_word(char **rest) {
  char *word = *rest + strspn(*rest, blanks);
  size_t len = strcspn(word, blanks);

  if (len == 0)
    return NULL;
  *rest = word + len;
  if (word[len] != '\0') {
    word[len] = '\0';
    ++*rest;
  }
  return word;
}

static bool convert_lines(struct convert *c, char *text) {
  char *line;

  while ((line = strsep(&text, "\n")) != NULL) {
    line[strcspn(line, "#")] = '\0';
    char *rest = line;
    c->fields[FIELD_TYPES] = take_word(&rest);
    if (c->fields[FIELD_TYPES] == NULL)
      continue;
    if (!take_options(c, &rest))
      return false;
    c->fields[FIELD_URIS] = take_word(&rest);
    c->fields[FIELD_SUITES] = take_word(&rest);
    rest += strspn(rest, blanks);
    if (*rest != '\0')
      c->fields[FIELD_COMPONENTS] = rest;
    if (!end_entry(c))
      return false;
  }
  return true;
}

/* The old format has a type at the begin of each line. */
static bool is_deb822(const char *text) {
  for (;;) {
    text += strspn(text, " \t\r\n");
    if (*text != '#')
      return strncmp(text, "deb", 3) != 0;
    text += strcspn(text, "\n");
  }
}

bool apt_sources_convert(const struct fetch_config *config, const char *text,
                         char **ret_text, char *what) {
  struct convert c = {.config = config, .what = what, .entry = 1};
  char *copy = malloc(strlen(text) + 2); /* unfold may add a newline */
  char *made = NULL;
  size_t made_len = 0;
  bool good = false;

  (void)snprintf(what, CONFIG_CHECK_MAX, "sources: out of memory");
  c.out = open_memstream(&made, &made_len);
  if (copy == NULL || c.out == NULL)
    goto out;
  memcpy(copy, text, strlen(text) + 1);
  good = is_deb822(text) ? convert_deb822(&c, copy) : convert_lines(&c, copy);
  if (good && c.taken == 0) {
    (void)snprintf(
        what, CONFIG_CHECK_MAX,
        "sources: expected an entry of type deb, found none in %.150s",
        config->sources);
    good = false;
  }
  good = ferror(c.out) == 0 && good;

out:
  if (c.out != NULL && fclose(c.out) != 0)
    good = false;
  free(copy);
  if (good)
    *ret_text = made;
  else
    free(made);
  return good;
}

bool apt_sources_read(const struct fetch_config *config, char **ret_text,
                      char *what) {
  struct stat st;
  char *text = NULL;

  int rc = config_text_read(config->sources, &text, &st);
  if (rc != 0) {
    (void)snprintf(what, CONFIG_CHECK_MAX,
                   "sources: expected a readable text file, found %.150s: %s",
                   config->sources, strerrordesc_np(-rc));
    return false;
  }
  bool good = apt_sources_convert(config, text, ret_text, what);
  free(text);
  return good;
}
