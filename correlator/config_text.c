#include "correlator/config_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 4, NAMES_MAX = 1024 };

enum token { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_SIGN, TOKEN_BAD };

/* A key or an untitled section, and the section that it is in. */
struct name {
  const char *text;
  size_t len;
  unsigned line;
  unsigned section;
};

struct scan {
  const char *at;
  unsigned line;
  const char *token; /* the last one; for a sign, the character */
  size_t token_len;
  char *out;
  size_t out_len;
  struct config_problem *problem;
  config_is_list_fn *is_list;
  struct name *names; /* of the sections that are open */
  size_t names_len;
  unsigned sections;                  /* begun so far */
  struct name open[DEPTH_MAX + 1];    /* and their own number as `section` */
  size_t names_before[DEPTH_MAX + 1]; /* each of them */
  size_t depth;
};

int config_text_read(const char *file, char **ret_text, struct stat *ret_stat) {
  char *text = NULL;
  size_t len = 0;
  int rc = 0;

  int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0)
    return -errno;
  if (fstat(fd, ret_stat) != 0) {
    rc = -errno;
    goto out;
  }
  if (!S_ISREG(ret_stat->st_mode)) {
    rc = S_ISDIR(ret_stat->st_mode) ? -EISDIR : -EINVAL;
    goto out;
  }
  text = malloc(CONFIG_TEXT_MAX + 1);
  if (text == NULL) {
    rc = -ENOMEM;
    goto out;
  }
  for (;;) {
    ssize_t n = read(fd, text + len, CONFIG_TEXT_MAX + 1 - len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      rc = -errno;
    if (n <= 0)
      break;
    len += (size_t)n;
    if (len > CONFIG_TEXT_MAX) {
      rc = -EFBIG;
      break;
    }
  }
  if (rc == 0 && memchr(text, '\0', len) != NULL)
    rc = -EILSEQ;
  if (rc != 0)
    goto out;
  text[len] = '\0';
  *ret_text = text;
  text = NULL;

out:
  free(text);
  (void)close(fd);
  return rc;
}

__attribute__((format(printf, 3, 4))) static enum token
bad(struct scan *s, unsigned line, const char *format, ...) {
  va_list args;

  va_start(args, format);
  s->problem->line = line;
  /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, above. */
  (void)vsnprintf(s->problem->what, sizeof(s->problem->what), format, args);
  va_end(args);
  return TOKEN_BAD;
}

/* Everything read is written again, so that the lines stay the same. */
static void copy(struct scan *s, size_t len) {
  memcpy(s->out + s->out_len, s->at, len);
  s->out_len += len;
  s->at += len;
}

static bool is_comment(const char *at) {
  return at[0] == '#' || (at[0] == '/' && (at[1] == '/' || at[1] == '*'));
}

/* Returns false if a comment has no end. */
static bool skip_space(struct scan *s) {
  for (;;) {
    if (*s->at == '\n')
      s->line++;
    if (*s->at != '\0' && strchr(" \t\r\n", *s->at) != NULL) {
      copy(s, 1);
    } else if (!is_comment(s->at)) {
      return true;
    } else if (s->at[1] == '*' && *s->at == '/') {
      unsigned line = s->line;
      const char *end = strstr(s->at + 2, "*/");
      if (end == NULL) {
        bad(s, line, "comment: expected */, found the end of the file");
        return false;
      }
      for (const char *c = s->at; c < end; c++)
        s->line += *c == '\n';
      copy(s, (size_t)(end - s->at) + 2);
    } else {
      copy(s, strcspn(s->at, "\n"));
    }
  }
}

static enum token read_string(struct scan *s) {
  char quote = *s->at;

  s->token = s->at;
  copy(s, 1);
  while (*s->at != quote) {
    if (*s->at == '\0' || *s->at == '\n')
      return bad(s, s->line, "string: expected a closing %c on its line",
                 quote);
    if (quote == '"' && s->at[0] == '$' && s->at[1] == '{')
      s->out[s->out_len++] = '\\';
    copy(s, s->at[0] == '\\' && s->at[1] != '\0' && s->at[1] != '\n' ? 2 : 1);
  }
  copy(s, 1);
  s->token_len = (size_t)(s->at - s->token);
  return TOKEN_STRING;
}

static enum token next(struct scan *s) {
  if (!skip_space(s))
    return TOKEN_BAD;
  if (*s->at == '\0')
    return TOKEN_END;
  if (*s->at == '"' || *s->at == '\'')
    return read_string(s);

  s->token = s->at;
  s->token_len = 1;
  if (strchr("={},", *s->at) != NULL) {
    copy(s, 1);
    return TOKEN_SIGN;
  }
  /* What ends a word for libconfuse; the rest of it would be lost or become
   * a comment. */
  s->token_len = strcspn(s->at, " \t\r\n={},#\"'()+*");
  char end = s->at[s->token_len];
  if (end != '\0' && strchr("#\"'()+*", end) != NULL)
    return bad(s, s->line, "value: expected quotes around one with %c", end);
  if (end == '{' && s->token_len > 0 && s->token[s->token_len - 1] == '$')
    return bad(s, s->line, "value: expected quotes around one with {");
  copy(s, s->token_len);
  return TOKEN_WORD;
}

static bool is_sign(const struct scan *s, enum token token, char sign) {
  return token == TOKEN_SIGN && *s->token == sign;
}

static bool add_name(struct scan *s, const struct name *name) {
  for (size_t i = 0; i < s->names_len; i++)
    if (s->names[i].section == name->section && s->names[i].len == name->len &&
        memcmp(s->names[i].text, name->text, name->len) == 0) {
      bad(s, name->line, "%.*s: expected once, found before on line %u",
          (int)name->len, name->text, s->names[i].line);
      return false;
    }
  if (s->names_len == NAMES_MAX) {
    bad(s, name->line, "expected at most %d keys in a section", NAMES_MAX);
    return false;
  }
  s->names[s->names_len++] = *name;
  return true;
}

/* After KEY and '='. What is wrong in a list is left to libconfuse. */
static enum token skip_value(struct scan *s, const struct name *key) {
  enum token token = next(s);

  if (!is_sign(s, token, '{'))
    return token;
  if (!s->is_list(key->text, key->len))
    return bad(s, key->line, "%.*s: expected one value, found {", (int)key->len,
               key->text);
  do {
    token = next(s);
    if (token == TOKEN_END)
      return bad(s, s->line, "list: expected }, found the end of the file");
  } while (token != TOKEN_BAD && !is_sign(s, token, '}'));
  return token;
}

static bool begin_section(struct scan *s, const struct name *name) {
  if (s->depth == DEPTH_MAX) {
    bad(s, name->line, "%.*s: expected sections at most %d deep",
        (int)name->len, name->text, DEPTH_MAX);
    return false;
  }
  s->open[++s->depth] = *name;
  s->open[s->depth].section = ++s->sections;
  s->names_before[s->depth] = s->names_len;
  return true;
}

/* A statement that begins with a word. */
static bool statement(struct scan *s) {
  struct name name = {.text = s->token,
                      .len = s->token_len,
                      .line = s->line,
                      .section = s->open[s->depth].section};
  enum token token = next(s);

  if (is_sign(s, token, '='))
    return add_name(s, &name) && skip_value(s, &name) != TOKEN_BAD;
  if (is_sign(s, token, '{'))
    return add_name(s, &name) && begin_section(s, &name);
  if (token == TOKEN_WORD || token == TOKEN_STRING) {
    token = next(s); /* libconfuse finds doubled titles */
    if (is_sign(s, token, '{'))
      return begin_section(s, &name);
  }
  if (token != TOKEN_BAD)
    bad(s, name.line, "%.*s: expected = or {", (int)name.len, name.text);
  return false;
}

static bool statements(struct scan *s) {
  for (;;) {
    enum token token = next(s);
    if (token == TOKEN_END && s->depth > 0) {
      const struct name *open_one = &s->open[s->depth];
      bad(s, open_one->line, "%.*s: expected }, found the end of the file",
          (int)open_one->len, open_one->text);
      return false;
    }
    if (token == TOKEN_END)
      return true;
    if (token == TOKEN_BAD)
      return false;
    if (token == TOKEN_WORD) {
      if (!statement(s))
        return false;
    } else if (is_sign(s, token, '}') && s->depth > 0) {
      s->names_len = s->names_before[s->depth--];
    } else {
      bad(s, s->line, "%.*s: expected a key or a section", (int)s->token_len,
          s->token);
      return false;
    }
  }
}

int config_text_check(const char *text, config_is_list_fn *is_list,
                      char **ret_text, struct config_problem *ret_problem) {
  struct scan s = {
      .at = text, .line = 1, .problem = ret_problem, .is_list = is_list};
  int rc = -ENOMEM;

  s.out = malloc(2 * strlen(text) + 1); /* every '$' may gain a '\' */
  s.names = calloc(NAMES_MAX, sizeof(*s.names));
  if (s.out == NULL || s.names == NULL)
    goto out;
  rc = statements(&s) ? 0 : -EINVAL;
  if (rc != 0)
    goto out;
  s.out[s.out_len] = '\0';
  *ret_text = s.out;
  s.out = NULL;

out:
  free(s.out);
  free(s.names);
  return rc;
}
