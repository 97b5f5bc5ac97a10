#include "correlator/syslog_line.h"

#include <limits.h>
#include <string.h>

/* The reader's place in a line. */
struct cursor {
  const char *at, *end;
};

static size_t left(const struct cursor *c) { return (size_t)(c->end - c->at); }

static bool skip(struct cursor *c, char wanted) {
  if (c->at == c->end || *c->at != wanted)
    return false;
  c->at++;
  return true;
}

/* What stands before the next blank, which is skipped too. False: there is no
 * blank, or nothing before it. */
static bool word(struct cursor *c, struct auth_text *ret) {
  const char *blank = memchr(c->at, ' ', left(c));

  if (blank == NULL || blank == c->at)
    return false;
  *ret = (struct auth_text){c->at, (size_t)(blank - c->at)};
  c->at = blank + 1;
  return true;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool syslog_number(struct auth_text text, uint32_t most, uint32_t *ret) {
  uint64_t value = 0;

  if (text.len == 0 || text.len > 10) /* those of UINT32_MAX */
    return false;
  for (size_t i = 0; i < text.len; i++) {
    if (!is_digit(text.at[i]))
      return false;
    value = value * 10 + (uint64_t)(text.at[i] - '0');
  }
  if (value > most)
    return false;
  *ret = (uint32_t)value;
  return true;
}

/* "<38>", or nothing. False: it begins like one and is none. */
static bool priority(struct cursor *c) {
  enum { LOCAL7_DEBUG = 191 };
  uint32_t value;

  if (c->at == c->end || *c->at != '<')
    return true;
  const char *end = memchr(c->at, '>', left(c) < 5 ? left(c) : 5);
  if (end == NULL ||
      !syslog_number((struct auth_text){c->at + 1, (size_t)(end - c->at) - 1},
                     LOCAL7_DEBUG, &value))
    return false;
  c->at = end + 1;
  return true;
}

/* What host names are made of. */
static const bool in_host[UCHAR_MAX + 1] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
    ['-'] = true,         ['.'] = true,         ['_'] = true,
};

bool syslog_line_is_host(struct auth_text text) {
  struct in6_addr address;
  size_t i = 0;

  while (i < text.len && in_host[(unsigned char)text.at[i]])
    i++;
  return i == text.len || auth_address_parse(text, &address);
}

/* "sshd[123]:" or "sshd:". */
static bool tag(struct auth_text text, struct syslog_line *ret) {
  if (text.len < 2 || text.at[text.len - 1] != ':')
    return false;
  text.len--;
  ret->program = text;
  const char *open = memchr(text.at, '[', text.len);
  if (open == NULL || text.at[text.len - 1] != ']')
    return open == NULL;
  ret->program.len = (size_t)(open - text.at);
  struct auth_text pid = {open + 1, text.len - ret->program.len - 2};
  return ret->program.len > 0 && syslog_number(pid, UINT32_MAX, &ret->pid);
}

static bool is_one_of(struct auth_text word, const char *const *names) {
  for (; *names != NULL; names++)
    if (auth_text_is(word, *names))
      return true;
  return false;
}

/* "auth.info", which BusyBox's syslogd has between the host and the tag. */
static bool is_priority_name(struct auth_text text) {
  static const char *const facilities[] = {
      "kern",   "user",   "mail",   "daemon",   "auth",   "syslog", "lpr",
      "news",   "uucp",   "cron",   "authpriv", "ftp",    "local0", "local1",
      "local2", "local3", "local4", "local5",   "local6", "local7", NULL};
  static const char *const levels[] = {
      "emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", NULL};
  const char *dot = memchr(text.at, '.', text.len);

  if (dot == NULL)
    return false;
  struct auth_text facility = {text.at, (size_t)(dot - text.at)};
  struct auth_text level = {dot + 1, text.len - facility.len - 1};
  return is_one_of(facility, facilities) && is_one_of(level, levels);
}

static bool is_repeat(const struct cursor *c) {
  static const char words[] = "last message repeated ";

  return left(c) >= sizeof(words) - 1 &&
         memcmp(c->at, words, sizeof(words) - 1) == 0;
}

/* "[PRIORITY ]TAG " behind a host. */
static bool behind_host(struct cursor *c, struct syslog_line *ret) {
  struct auth_text next;

  return word(c, &next) &&
         (tag(next, ret) ||
          (is_priority_name(next) && word(c, &next) && tag(next, ret)));
}

/* "[HOST ]TAG MESSAGE". The first word is the host's name unless it can only be
 * a tag. */
static bool host_and_tag(struct cursor *c, struct syslog_line *ret) {
  struct auth_text first;

  if (!is_repeat(c)) {
    if (!word(c, &first))
      return false;
    if (syslog_line_is_host(first)) {
      ret->host = first;
      if (!is_repeat(c) && !behind_host(c, ret))
        return false;
    } else if (!tag(first, ret)) {
      return false;
    }
  }
  ret->message = (struct auth_text){c->at, left(c)};
  return true;
}

/* A word of RFC 5424's header; "-" is none. */
static bool field(struct cursor *c, struct auth_text *ret) {
  if (!word(c, ret))
    return false;
  if (ret->len == 1 && ret->at[0] == '-')
    ret->len = 0;
  return true;
}

/* "[id name=\"value\" ...]..." or "-". In a value, a backslash goes before what
 * would end it. */
static bool structured_data(struct cursor *c) {
  if (skip(c, '-'))
    return true;
  if (c->at == c->end || *c->at != '[')
    return false;
  while (skip(c, '[')) {
    bool quoted = false;
    for (; c->at < c->end && (quoted || *c->at != ']'); c->at++) {
      if (*c->at == '"')
        quoted = !quoted;
      else if (quoted && *c->at == '\\' && ++c->at == c->end)
        return false;
    }
    if (!skip(c, ']'))
      return false;
  }
  return true;
}

/* What follows "<PRI>1 ". */
static bool rfc5424(struct cursor *c, struct syslog_line *ret) {
  static const char mark[] = "\xef\xbb\xbf";
  struct auth_text stamp, pid, id;

  if (!field(c, &stamp) || !field(c, &ret->host) || !field(c, &ret->program) ||
      !field(c, &pid) || !field(c, &id) || !structured_data(c) ||
      (ret->host.len > 0 && !syslog_line_is_host(ret->host)))
    return false;
  if (stamp.len > 0 &&
      syslog_stamp_rfc3339(stamp.at, stamp.len, &ret->stamp) != stamp.len)
    return false;
  /* A process need not tell its number. */
  (void)syslog_number(pid, UINT32_MAX, &ret->pid);
  if (c->at < c->end && !skip(c, ' '))
    return false;
  if (left(c) >= sizeof(mark) - 1 && memcmp(c->at, mark, sizeof(mark) - 1) == 0)
    c->at += sizeof(mark) - 1;
  /* rsyslog leaves in a message the blank that RFC 3164 has before it. */
  (void)skip(c, ' ');
  ret->message = (struct auth_text){c->at, left(c)};
  return true;
}

static size_t read_stamp(const struct cursor *c, struct syslog_stamp *ret) {
  size_t len = 0;

  if (c->at == c->end)
    return 0;
  if (is_digit(*c->at)) {
    len = syslog_stamp_rfc3339(c->at, left(c), ret);
    return len > 0 ? len : syslog_stamp_unix(c->at, left(c), ret);
  }
  if (*c->at == '[')
    return syslog_stamp_monotonic(c->at, left(c), ret);
  len = syslog_stamp_bsd(c->at, left(c), ret);
  return len > 0 ? len : syslog_stamp_full(c->at, left(c), ret);
}

/* Whatever a header need not have. The rest of *ret is not touched, since this
 * is done for every line. */
static void set_none(struct syslog_line *ret) {
  ret->stamp.month = 0;
  ret->stamp.zoned = false;
  ret->host = ret->program = (struct auth_text){NULL, 0};
  ret->pid = 0;
}

bool syslog_line_parse(const char *line, size_t len, struct syslog_line *ret) {
  struct cursor c = {line, line + len};

  while (c.end > c.at &&
         (c.end[-1] == '\n' || c.end[-1] == '\r' || c.end[-1] == '\0'))
    c.end--;
  set_none(ret);
  if (!priority(&c))
    return false;
  if (c.at > line && left(&c) >= 2 && c.at[0] == '1' && c.at[1] == ' ') {
    c.at += 2;
    return rfc5424(&c, ret);
  }
  size_t stamp_len = read_stamp(&c, &ret->stamp);
  c.at += stamp_len;
  return c.at > line && (stamp_len == 0 || skip(&c, ' ')) &&
         host_and_tag(&c, ret);
}

bool syslog_line_repeats(const struct syslog_line *line, unsigned *ret_times) {
  static const char head[] = "last message repeated ", tail[] = " time";
  struct auth_text m = line->message;
  uint32_t times;

  if (m.len > 0 && m.at[m.len - 1] == 's') /* BSD's daemons write "1 time" */
    m.len--;
  if ((line->program.len > 0 && !auth_text_is(line->program, "syslogd")) ||
      m.len <= sizeof(head) + sizeof(tail) - 2 ||
      memcmp(m.at, head, sizeof(head) - 1) != 0 ||
      memcmp(m.at + m.len - (sizeof(tail) - 1), tail, sizeof(tail) - 1) != 0)
    return false;
  m.at += sizeof(head) - 1;
  m.len -= sizeof(head) + sizeof(tail) - 2;
  if (!syslog_number(m, UINT32_MAX, &times) || times == 0)
    return false;
  *ret_times = times;
  return true;
}
