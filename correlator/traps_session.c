#include "correlator/traps_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "correlator/traps.h"

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

struct complaint {
  char *text;
  size_t size;
};

/* A macro, so that who reads or analyses a caller sees that it is not 0. */
#define complain(c, ...)                                                       \
  ((void)snprintf((c)->text, (c)->size, __VA_ARGS__), -EINVAL)

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Copy one word from *text, which is at its first character, to `out`, which
 * has room for all of it, and move *text behind it. */
static int take_word(const char **text, char *out,
                     const struct complaint *complaint) {
  char quote = '\0';
  const char *p = *text;

  for (; *p != '\0' && (quote != '\0' || !is_space(*p)); p++) {
    if (quote == '\0' && (*p == '\'' || *p == '"')) {
      quote = *p;
    } else if (quote != '\0' && *p == quote) {
      quote = '\0';
    } else {
      if (*p == '\\' && quote != '\'' && *++p == '\0')
        return complain(complaint, "a backslash at the end escapes nothing");
      *out++ = *p;
    }
  }
  if (quote != '\0')
    return complain(complaint, "a quotation mark is not closed");
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
                 const struct complaint *complaint) {
  for (;;) {
    while (is_space(*text))
      text++;
    if (*text == '\0')
      return 0;
    if (words->len == WORDS_MAX)
      return complain(complaint, "more than %d words", WORDS_MAX);
    char *word = calloc(1, strlen(text) + 1);
    if (word == NULL)
      return -ENOMEM;
    words->word[words->len++] = word;
    int r = take_word(&text, word, complaint);
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
                      const struct complaint *complaint) {
  for (size_t i = 0; i < words->len; i++) {
    char *word = words->word[i];
    size_t number = i + 1;
    if (word[0] != '-') {
      if (parsed->host != NULL)
        return complain(complaint,
                        "word %zu: one host expected, found a second word "
                        "that belongs to no option",
                        number);
      parsed->host = word;
      continue;
    }
    if (!is_option(word[1]))
      return complain(complaint,
                      "word %zu: expected one of -v -c -u -l -a -A -x -X -n "
                      "-e -E -t -r -C, found another option",
                      number);
    if (parsed->value[(unsigned char)word[1]] != NULL)
      return complain(complaint, "-%c is there twice", word[1]);
    if (word[2] != '\0')
      parsed->value[(unsigned char)word[1]] = word + 2;
    else if (++i < words->len)
      parsed->value[(unsigned char)word[1]] = words->word[i];
    else
      return complain(complaint, "-%c has no argument", word[1]);
  }
  if (parsed->host == NULL)
    return complain(complaint, "no host is named");
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
static int check_host(const char *host, const struct complaint *complaint) {
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
      return complain(complaint, "the host's bracket is not closed");
    port = *++port == '\0' ? NULL : port;
  }
  if (name[0] == '\0' || name == port ||
      (port != NULL && (*port != ':' || !is_number(port + 1, 1, 65535))))
    return complain(complaint, "host: expected [udp:|udp6:|tcp:|tcp6:]HOST"
                               "[:PORT], an IPv6 address in brackets");
  return 0;
}

static int check_engine_id(const char *text, char letter,
                           const struct complaint *complaint) {
  const char *hex = strncasecmp(text, "0x", 2) == 0 ? text + 2 : text;
  size_t len = strlen(hex);

  if (len % 2 != 0 || len < 2 * (size_t)ENGINE_ID_MIN ||
      len > 2 * (size_t)ENGINE_ID_MAX ||
      strspn(hex, "0123456789abcdefABCDEF") != len)
    return complain(complaint,
                    "-%c: expected an engine id of %d to %d octets "
                    "in hexadecimal digits",
                    letter, ENGINE_ID_MIN, ENGINE_ID_MAX);
  return 0;
}

static int check_passphrase(const char *text, char letter, const char *level,
                            const struct complaint *complaint) {
  if (text == NULL)
    return complain(complaint, "-l %s needs a passphrase (-%c)", level, letter);
  if (strlen(text) < PASSPHRASE_MIN)
    return complain(complaint, "-%c: a passphrase has at least %d characters",
                    letter, PASSPHRASE_MIN);
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
                           const struct complaint *complaint) {
  int r = check_passphrase(p->value['A'], 'A', p->value['l'], complaint);
  if (r < 0)
    return r;
  if (p->value['a'] == NULL || usm_lookup_auth_type(p->value['a']) <= 0)
    return complain(complaint, "-a: expected an authentication protocol, such "
                               "as SHA-256");
  if (level != SNMP_SEC_LEVEL_AUTHPRIV)
    return 0;
  r = check_passphrase(p->value['X'], 'X', p->value['l'], complaint);
  if (r < 0)
    return r;
  if (p->value['x'] == NULL || usm_lookup_priv_type(p->value['x']) <= 0)
    return complain(complaint, "-x: expected a privacy protocol, such as AES");
  return 0;
}

static int check_v3(const struct parsed *p, const struct complaint *complaint) {
  int level = p->value['l'] == NULL ? 0 : security_level(p->value['l']);

  if (p->value['u'] == NULL || p->value['u'][0] == '\0' ||
      strlen(p->value['u']) > 32 /* RFC 3414, usmUserName */)
    return complain(complaint, "-v 3 needs a user of up to 32 characters (-u)");
  if (level == 0)
    return complain(complaint, "-v 3 needs -l noAuthNoPriv, authNoPriv or "
                               "authPriv");
  if ((level < SNMP_SEC_LEVEL_AUTHNOPRIV &&
       (p->value['a'] != NULL || p->value['A'] != NULL)) ||
      (level < SNMP_SEC_LEVEL_AUTHPRIV &&
       (p->value['x'] != NULL || p->value['X'] != NULL)))
    return complain(complaint,
                    "-l %s makes no use of the passphrases and "
                    "protocols that are there",
                    p->value['l']);
  for (const char *letter = "eE"; *letter != '\0'; letter++) {
    const char *id = p->value[(unsigned char)*letter];
    int r = id == NULL ? 0 : check_engine_id(id, *letter, complaint);
    if (r < 0)
      return r;
  }
  return level == SNMP_SEC_LEVEL_NOAUTH ? 0
                                        : check_protocols(p, level, complaint);
}

static int check(const struct parsed *p, const struct complaint *complaint) {
  const char *version = p->value['v'];

  if (version != NULL && strcmp(version, "1") == 0)
    return complain(complaint, "SNMP version 1 is not offered: expected -v 2c "
                               "or -v 3");
  if (version == NULL ||
      (strcasecmp(version, "2c") != 0 && strcmp(version, "3") != 0))
    return complain(complaint, "expected -v 2c or -v 3");
  bool v3 = strcmp(version, "3") == 0;
  for (const char *o = v3 ? options_v2c : options_v3; *o != '\0'; o++)
    if (p->value[(unsigned char)*o] != NULL)
      return complain(complaint, "-%c does not go with -v %s", *o, version);
  if (p->value['t'] != NULL && !is_number(p->value['t'], 1, TIMEOUT_MAX_S))
    return complain(complaint, "-t: expected 1 to %d seconds", TIMEOUT_MAX_S);
  if (p->value['r'] != NULL && !is_number(p->value['r'], 0, RETRIES_MAX))
    return complain(complaint, "-r: expected 0 to %d", RETRIES_MAX);
  if (p->value['C'] != NULL && strcmp(p->value['C'], "i") != 0)
    return complain(complaint, "-C: expected i, for informs");
  int r = check_host(p->host, complaint);
  if (r < 0)
    return r;
  if (v3)
    return check_v3(p, complaint);
  if (p->value['c'] == NULL || p->value['c'][0] == '\0')
    return complain(complaint, "-v 2c needs a community (-c)");
  return 0;
}

/* The words move into the session, the host to the end. */
static struct traps_session *build(struct words *words,
                                   const struct parsed *p) {
  struct traps_session *session = calloc(1, sizeof(*session));
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
  session->argv = argv;
  session->v3 = strcmp(p->value['v'], "3") == 0;
  session->inform = p->value['C'] != NULL;
  session->has_timeout = p->value['t'] != NULL;
  session->has_retries = p->value['r'] != NULL;
  return session;
}

int traps_session_parse(const char *text, char *message, size_t message_size,
                        struct traps_session **ret_session) {
  struct words words = {0};
  struct parsed parsed = {0};
  struct complaint complaint = {message, message_size};

  int r = split(text, &words, &complaint);
  if (r == 0)
    r = sort_words(&words, &parsed, &complaint);
  if (r == 0)
    r = check(&parsed, &complaint);
  if (r == 0) {
    struct traps_session *session = build(&words, &parsed);
    if (session == NULL)
      r = -ENOMEM;
    else
      *ret_session = session;
  }
  if (r == -ENOMEM)
    (void)snprintf(message, message_size, "out of memory");
  words_clear(&words);
  return r;
}

void traps_session_free(struct traps_session *session) {
  if (session == NULL)
    return;
  for (int i = 0; i < session->argc; i++) {
    explicit_bzero(session->argv[i], strlen(session->argv[i]));
    free(session->argv[i]);
  }
  free(session->argv);
  free(session);
}

int traps_check_session(const char *session, char *message, size_t message_size,
                        bool *ret_inform) {
  struct traps_session *parsed = NULL;
  int r = traps_session_parse(session, message, message_size, &parsed);
  if (parsed == NULL)
    return r;
  *ret_inform = parsed->inform;
  traps_session_free(parsed);
  return 0;
}
