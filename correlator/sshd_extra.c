#include "correlator/sshd_extra.h"

#include <string.h>

enum {
  MESSAGE_MAX = 500, /* what sshd hands to syslog(3) */
  VERB_MAX = 10,     /* "Postponed " */
  SHA256_LEN = 43,   /* in base64, without padding */
  MD5_LEN = 47,      /* 16 pairs of digits, and colons */
};

static bool is_id(struct auth_text word) { return auth_text_is(word, "ID"); }

static bool takes_key(struct auth_text method) {
  return auth_text_is(method, "publickey") ||
         auth_text_is(method, "hostbased") || auth_text_is(method, "rsa");
}

/* Take what stands before the next blank, or the end. */
static struct auth_text next_word(struct auth_text *rest) {
  const char *blank = memchr(rest->at, ' ', rest->len);
  struct auth_text word = {rest->at, rest->len};

  if (blank != NULL)
    word.len = (size_t)(blank - rest->at);
  size_t taken = word.len + (blank != NULL);
  rest->at += taken;
  rest->len -= taken;
  return word;
}

static bool is_type(struct auth_text word) {
  for (size_t i = 0; i < word.len; i++)
    if ((word.at[i] < 'A' || word.at[i] > 'Z') &&
        (word.at[i] < '0' || word.at[i] > '9') && word.at[i] != '-')
      return false;
  return word.len > 0;
}

static bool is_certificate(struct auth_text type) {
  static const char tail[] = "-CERT", old[] = "-V00";
  size_t len = sizeof(tail) - 1, old_len = sizeof(old) - 1;

  /* RSA-CERT-V00, before OpenSSH 7.0 */
  if (type.len > old_len &&
      memcmp(type.at + type.len - old_len, old, old_len) == 0)
    type.len -= old_len;
  return type.len > len && memcmp(type.at + type.len - len, tail, len) == 0;
}

static bool is_base64(struct auth_text text) {
  for (size_t i = 0; i < text.len; i++) {
    char c = text.at[i];
    if ((c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') &&
        c != '+' && c != '/')
      return false;
  }
  return true;
}

static bool is_hex_pairs(struct auth_text text) {
  for (size_t i = 0; i < text.len; i++) {
    char c = text.at[i];
    if (i % 3 == 2 ? c != ':' : (c < '0' || c > '9') && (c < 'a' || c > 'f'))
      return false;
  }
  return true;
}

/* A whole one: "SHA256:...", "MD5:..." or, before OpenSSH 6.8, MD5's digits. */
static bool is_fingerprint(struct auth_text word) {
  static const char sha256[] = "SHA256:", md5[] = "MD5:";
  enum { SHA256_HEAD = sizeof(sha256) - 1, MD5_HEAD = sizeof(md5) - 1 };

  if (word.len == SHA256_HEAD + SHA256_LEN &&
      memcmp(word.at, sha256, SHA256_HEAD) == 0)
    return is_base64((struct auth_text){word.at + SHA256_HEAD, SHA256_LEN});
  if (word.len == MD5_HEAD + MD5_LEN && memcmp(word.at, md5, MD5_HEAD) == 0) {
    word.at += MD5_HEAD;
    word.len -= MD5_HEAD;
  }
  return word.len == MD5_LEN && is_hex_pairs(word);
}

/* "N) CA TYPE FP" */
static bool is_tail(struct auth_text rest) {
  struct auth_text serial = next_word(&rest);
  struct auth_text ca = next_word(&rest), type = next_word(&rest);

  if (serial.len < 2 || serial.at[serial.len - 1] != ')')
    return false;
  for (size_t i = 0; i + 1 < serial.len; i++)
    if (serial.at[i] < '0' || serial.at[i] > '9')
      return false;
  return auth_text_is(ca, "CA") && is_type(type) && is_fingerprint(rest);
}

/* "ID (serial N) CA TYPE FP": the last "(serial " is sshd's. */
static void read_id(struct auth_text rest, struct auth_event *event) {
  static const char serial[] = " (serial ";
  size_t len = sizeof(serial) - 1;

  for (size_t i = rest.len; i >= len; i--) {
    if (memcmp(rest.at + i - len, serial, len) != 0)
      continue;
    if (is_tail((struct auth_text){rest.at + i, rest.len - i}))
      event->cert_id = (struct auth_text){rest.at, i - len};
    return;
  }
}

void sshd_extra_read(struct auth_event *event) {
  struct auth_text rest = event->extra;

  if (rest.len == 0 || !takes_key(event->method))
    return;
  const char *end = rest.at + rest.len;
  struct auth_text type = next_word(&rest);
  if (!is_type(type) || rest.len == 0)
    return;
  struct auth_text before = rest;
  struct auth_text word = next_word(&rest);
  bool certificate = is_certificate(type);
  if (certificate && is_id(word)) {
    rest = before; /* before OpenSSH 7.6 there is no fingerprint of the key */
  } else {
    /* A host's key is followed by ", client user". */
    if (word.len > 0 && word.at[word.len - 1] == ',')
      word.len--;
    if (!is_fingerprint(word))
      return;
    event->key = word;
  }
  event->key_type = type;
  /* With a host's certificate both ends are the client's, and the last one is
   * no fingerprint. */
  if (!certificate ||
      (size_t)(end - event->method.at) + VERB_MAX >= MESSAGE_MAX ||
      !is_id(next_word(&rest)))
    return;
  read_id(rest, event);
}
