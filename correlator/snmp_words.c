#include "correlator/snmp_words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

enum {
  WORDS_MAX = 40,
  PASSPHRASE_MIN = 8, /* RFC 3414, 11.2 */
  ENGINE_ID_MIN = 5,  /* RFC 3411, SnmpEngineID */
  ENGINE_ID_MAX = 32,
  TIMEOUT_MAX_S = 60,
  RETRIES_MAX = 10,
  LETTERS = 128
};

/* The options that are taken, in which versions. Each has an argument. */
static const char options_any[] = "vtrC";
static const char options_v2c[] = "c";
static const char options_v3[] = "ulaAxXneE";

struct words {
  size_t len;
  char *word[WORDS_MAX];
};

/* The words again, as options and host. Nothing is owned. */
struct parsed {
  const char *value[LETTERS]; /* by option letter; NULL: not given */
  char *host;
};

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Copy one word from *text, which is at its first character, to `out`, which
 * has room for all of it, and move *text behind it. */
static int take_word(const char **text, char *out,
                     struct snmp_message *message) {
  char quote = '\0';
  const char *p = *text;

  for (; *p != '\0' && (quote != '\0' || !is_space(*p)); p++) {
    if (quote == '\0' && (*p == '\'' || *p == '"')) {
      quote = *p;
    } else if (quote != '\0' && *p == quote) {
      quote = '\0';
    } else {
      if (*p == '\\' && quote != '\'' && *++p == '\0')
        return snmp_complain(message, "a backslash at the end escapes nothing");
      *out++ = *p;
    }
  }
  if (quote != '\0')
    return snmp_complain(message, "a quotation mark is not closed");
  *out = '\0';
  *text = p;
  return 0;
}

static void words_clear(struct words *words) {
  for (size_t i = 0; i < words->len; i++) {
    explicit_bzero(words->word[i], strlen(words->word[i]));
    free(words->word[i]);
  }
  words->len = 0;
}

static int split(const char *text, struct words *words,
                 struct snmp_message *message) {
  for (;;) {
    while (is_space(*text))
      text++;
    if (*text == '\0')
      return 0;
    if (words->len == WORDS_MAX)
      return snmp_complain(message, "more than %d words", WORDS_MAX);
    char *word = calloc(1, strlen(text) + 1);
    if (word == NULL)
      return -ENOMEM;
    words->word[words->len++] = word;
    int r = take_word(&text, word, message);
    if (r < 0)
      return r;
  }
}

static bool is_option(char letter) {
  return letter != '\0' && (strchr(options_any, letter) != NULL ||
                            strchr(options_v2c, letter) != NULL ||
                            strchr(options_v3, letter) != NULL);
}

/* Options and the host, as getopt would find them. Words are named by their
 * number only, since a stray one may be part of a passphrase. */
static int sort_words(const struct words *words, struct parsed *parsed,
                      struct snmp_message *message) {
  for (size_t i = 0; i < words->len; i++) {
    char *word = words->word[i];
    size_t number = i + 1;
    if (word[0] != '-') {
      if (parsed->host != NULL)
        return snmp_complain(message,
                             "word %zu: one host expected, found a second word "
                             "that belongs to no option",
                             number);
      parsed->host = word;
      continue;
    }
    if (!is_option(word[1]))
      return snmp_complain(
          message,
          "word %zu: expected one of -v -c -u -l -a -A -x -X -n "
          "-e -E -t -r -C, found another option",
          number);
    if (parsed->value[(unsigned char)word[1]] != NULL)
      return snmp_complain(message, "-%c is there twice", word[1]);
    if (word[2] != '\0')
      parsed->value[(unsigned char)word[1]] = word + 2;
    else if (++i < words->len)
      parsed->value[(unsigned char)word[1]] = words->word[i];
    else
      return snmp_complain(message, "-%c has no argument", word[1]);
  }
  if (parsed->host == NULL)
    return snmp_complain(message, "no host is named");
  return 0;
}

static bool is_number(const char *text, unsigned long min, unsigned long max) {
  char *end = NULL;
  if (text[0] < '0' || text[0] > '9')
    return false;
  errno = 0;
  unsigned long n = strtoul(text, &end, 10);
  return errno == 0 && *end == '\0' && n >= min && n <= max;
}

/* [TRANSPORT:]HOST[:PORT] with a transport that goes over UDP or TCP: others
 * would write to files or to standard output. */
static int check_host(const char *host, struct snmp_message *message) {
  static const char *const transports[] = {"udp", "udp6", "udpv6", "udpipv6",
                                           "tcp", "tcp6", "tcpv6", "tcpipv6"};
  const char *colon = strchr(host, ':');
  const char *name = host;

  if (colon != NULL)
    for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++)
      if (strlen(transports[i]) == (size_t)(colon - host) &&
          strncasecmp(host, transports[i], (size_t)(colon - host)) == 0)
        name = colon + 1;
  const char *port = strchr(name, ':');
  if (name[0] == '[') {
    port = strchr(name, ']');
    if (port == NULL)
      return snmp_complain(message, "the host's bracket is not closed");
    port = *++port == '\0' ? NULL : port;
  }
  if (name[0] == '\0' || name == port ||
      (port != NULL && (*port != ':' || !is_number(port + 1, 1, 65535))))
    return snmp_complain(message, "host: expected [udp:|udp6:|tcp:|tcp6:]HOST"
                                  "[:PORT], an IPv6 address in brackets");
  return 0;
}

static int check_engine_id(const char *text, char letter,
                           struct snmp_message *message) {
  const char *hex = strncasecmp(text, "0x", 2) == 0 ? text + 2 : text;
  size_t len = strlen(hex);

  if (len % 2 != 0 || len < 2 * (size_t)ENGINE_ID_MIN ||
      len > 2 * (size_t)ENGINE_ID_MAX ||
      strspn(hex, "0123456789abcdefABCDEF") != len)
    return snmp_complain(message,
                         "-%c: expected an engine id of %d to %d octets "
                         "in hexadecimal digits",
                         letter, ENGINE_ID_MIN, ENGINE_ID_MAX);
  return 0;
}

static int check_passphrase(const char *text, char letter, const char *level,
                            struct snmp_message *message) {
  if (text == NULL)
    return snmp_complain(message, "-l %s needs a passphrase (-%c)", level,
                         letter);
  if (strlen(text) < PASSPHRASE_MIN)
    return snmp_complain(message,
                         "-%c: a passphrase has at least %d characters", letter,
                         PASSPHRASE_MIN);
  return 0;
}

/* As snmp_parse_args reads it. Returns SNMP_SEC_LEVEL_..., 0 if it is none. */
static int security_level(const char *text) {
  static const struct {
    const char *name;
    int level;
  } names[] = {{"noAuthNoPriv", SNMP_SEC_LEVEL_NOAUTH},
               {"nanp", SNMP_SEC_LEVEL_NOAUTH},
               {"authNoPriv", SNMP_SEC_LEVEL_AUTHNOPRIV},
               {"anp", SNMP_SEC_LEVEL_AUTHNOPRIV},
               {"authPriv", SNMP_SEC_LEVEL_AUTHPRIV},
               {"ap", SNMP_SEC_LEVEL_AUTHPRIV}};
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    if (strcasecmp(text, names[i].name) == 0)
      return names[i].level;
  return 0;
}

/* The protocols must be named: Net-SNMP's default is whatever snmp.conf says,
 * which is not read here, or the weakest. */
static int check_protocols(const struct parsed *p, int level,
                           struct snmp_message *message) {
  int r = check_passphrase(p->value['A'], 'A', p->value['l'], message);
  if (r < 0)
    return r;
  if (p->value['a'] == NULL || usm_lookup_auth_type(p->value['a']) <= 0)
    return snmp_complain(message,
                         "-a: expected an authentication protocol, such "
                         "as SHA-256");
  if (level != SNMP_SEC_LEVEL_AUTHPRIV)
    return 0;
  r = check_passphrase(p->value['X'], 'X', p->value['l'], message);
  if (r < 0)
    return r;
  if (p->value['x'] == NULL || usm_lookup_priv_type(p->value['x']) <= 0)
    return snmp_complain(message,
                         "-x: expected a privacy protocol, such as AES");
  return 0;
}

static int check_v3(const struct parsed *p, struct snmp_message *message) {
  int level = p->value['l'] == NULL ? 0 : security_level(p->value['l']);

  if (p->value['u'] == NULL || p->value['u'][0] == '\0' ||
      strlen(p->value['u']) > 32 /* RFC 3414, usmUserName */)
    return snmp_complain(message,
                         "-v 3 needs a user of up to 32 characters (-u)");
  if (level == 0)
    return snmp_complain(message, "-v 3 needs -l noAuthNoPriv, authNoPriv or "
                                  "authPriv");
  if ((level < SNMP_SEC_LEVEL_AUTHNOPRIV &&
       (p->value['a'] != NULL || p->value['A'] != NULL)) ||
      (level < SNMP_SEC_LEVEL_AUTHPRIV &&
       (p->value['x'] != NULL || p->value['X'] != NULL)))
    return snmp_complain(message,
                         "-l %s makes no use of the passphrases and "
                         "protocols that are there",
                         p->value['l']);
  for (const char *letter = "eE"; *letter != '\0'; letter++) {
    const char *id = p->value[(unsigned char)*letter];
    int r = id == NULL ? 0 : check_engine_id(id, *letter, message);
    if (r < 0)
      return r;
  }
  return level == SNMP_SEC_LEVEL_NOAUTH ? 0
                                        : check_protocols(p, level, message);
}

static int check(const struct parsed *p, enum snmp_use use,
                 struct snmp_message *message) {
  const char *version = p->value['v'];

  if (version != NULL && strcmp(version, "1") == 0)
    return snmp_complain(message,
                         "SNMP version 1 is not offered: expected -v 2c "
                         "or -v 3");
  if (version == NULL ||
      (strcasecmp(version, "2c") != 0 && strcmp(version, "3") != 0))
    return snmp_complain(message, "expected -v 2c or -v 3");
  bool v3 = strcmp(version, "3") == 0;
  for (const char *o = v3 ? options_v2c : options_v3; *o != '\0'; o++)
    if (p->value[(unsigned char)*o] != NULL)
      return snmp_complain(message, "-%c does not go with -v %s", *o, version);
  if (p->value['t'] != NULL && !is_number(p->value['t'], 1, TIMEOUT_MAX_S))
    return snmp_complain(message, "-t: expected 1 to %d seconds",
                         TIMEOUT_MAX_S);
  if (p->value['r'] != NULL && !is_number(p->value['r'], 0, RETRIES_MAX))
    return snmp_complain(message, "-r: expected 0 to %d", RETRIES_MAX);
  if (p->value['C'] != NULL && use == SNMP_USE_POLL)
    return snmp_complain(message, "-C is for sinks: an agent is asked, it gets "
                                  "no informs");
  if (p->value['C'] != NULL && strcmp(p->value['C'], "i") != 0)
    return snmp_complain(message, "-C: expected i, for informs");
  if (use == SNMP_USE_POLL && strncasecmp(p->host, "tcp", 3) == 0 &&
      strchr(p->host, ':') != NULL)
    return snmp_complain(message, "host: agents are asked over udp or udp6");
  int r = check_host(p->host, message);
  if (r < 0)
    return r;
  if (v3)
    return check_v3(p, message);
  if (p->value['c'] == NULL || p->value['c'][0] == '\0')
    return snmp_complain(message, "-v 2c needs a community (-c)");
  return 0;
}

/* The words move into the session, the host to the end. */
static struct snmp_words *build(struct words *words, const struct parsed *p,
                                enum snmp_use use) {
  struct snmp_words *session = calloc(1, sizeof(*session));
  char **argv = calloc(words->len + 2, sizeof(*argv));
  char *name = strdup("process-dna-correlator");

  if (session == NULL || argv == NULL || name == NULL) {
    free(session);
    free(argv);
    free(name);
    return NULL;
  }
  argv[session->argc++] = name;
  for (size_t i = 0; i < words->len; i++)
    if (words->word[i] != p->host)
      argv[session->argc++] = words->word[i];
  argv[session->argc++] = p->host;
  words->len = 0;
  session->use = use;
  session->argv = argv;
  session->v3 = strcmp(p->value['v'], "3") == 0;
  session->inform = p->value['C'] != NULL;
  session->has_timeout = p->value['t'] != NULL;
  session->has_retries = p->value['r'] != NULL;
  return session;
}

int snmp_words_parse(const char *text, enum snmp_use use,
                     struct snmp_message *message,
                     struct snmp_words **ret_words) {
  struct words words = {0};
  struct parsed parsed = {0};

  int r = split(text, &words, message);
  if (r == 0)
    r = sort_words(&words, &parsed, message);
  if (r == 0)
    r = check(&parsed, use, message);
  if (r == 0) {
    struct snmp_words *built = build(&words, &parsed, use);
    if (built == NULL)
      r = -ENOMEM;
    else
      *ret_words = built;
  }
  if (r == -ENOMEM)
    (void)snmp_complain(message, "out of memory");
  words_clear(&words);
  return r;
}

void snmp_words_free(struct snmp_words *words) {
  if (words == NULL)
    return;
  for (int i = 0; i < words->argc; i++) {
    explicit_bzero(words->argv[i], strlen(words->argv[i]));
    free(words->argv[i]);
  }
  free(words->argv);
  free(words);
}

int snmp_words_check(const char *text, enum snmp_use use,
                     struct snmp_message *message, bool *ret_inform) {
  struct snmp_words *words = NULL;
  int r = snmp_words_parse(text, use, message, &words);
  if (words == NULL)
    return r;
  *ret_inform = words->inform;
  snmp_words_free(words);
  return 0;
}
