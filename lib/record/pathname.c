#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/digest.h"
#include "lib/record/pathname.h"
#include "lib/record/record.h"

enum {
  HEAD_MAX = 60,
  TAIL_MAX = 49,
  SNMP_HEAD_MAX = 260,
  SNMP_TAIL_MAX = 234,
  HASH_LEN = 16,
  CODE_LEN = 3, /* "%XX" */
};

static const char hex_digits[] = "0123456789ABCDEF";

static bool must_encode(unsigned char c) {
  return c <= ' ' || c > 0x7E || c == ':' || c == '%' || c == '"' || c == '\\';
}

int pathname_encode(const char *raw, char **ret_text) {
  char *text, *out;

  if (raw[0] != '/')
    return -EINVAL;
  text = malloc(CODE_LEN * strlen(raw) + 1);
  if (text == NULL)
    return -ENOMEM;
  out = text;
  for (const char *in = raw; *in != '\0'; in++) {
    unsigned char c = (unsigned char)*in;

    if (must_encode(c)) {
      *out++ = '%';
      *out++ = hex_digits[c >> 4];
      *out++ = hex_digits[c & 15];
    } else {
      *out++ = *in;
    }
  }
  *out = '\0';
  *ret_text = text;
  return 0;
}

/* The byte that the code at `in` stands for, or -1 if it is no code that the
 * encoder writes there. */
static int decode_code(const char *in) {
  const char *high, *low;
  int c;

  if (in[1] == '\0' || in[2] == '\0')
    return -1;
  high = strchr(hex_digits, in[1]);
  low = strchr(hex_digits, in[2]);
  if (high == NULL || low == NULL)
    return -1;
  c = (int)((high - hex_digits) << 4 | (low - hex_digits));
  return c != 0 && must_encode((unsigned char)c) ? c : -1;
}

/* Decode into `out` unless it is NULL. */
static int decode(const char *text, char *out) {
  const char *in = text;

  if (*in != '/')
    return -EINVAL;
  while (*in != '\0') {
    int c = (unsigned char)*in;

    if (c == '%') {
      c = decode_code(in);
      if (c < 0)
        return -EINVAL;
      in += CODE_LEN;
    } else {
      if (must_encode((unsigned char)c))
        return -EINVAL;
      in++;
    }
    if (out != NULL)
      *out++ = (char)c;
  }
  if (out != NULL)
    *out = '\0';
  return 0;
}

int pathname_decode(const char *text, char **ret_raw) {
  char *raw;
  int r;

  raw = malloc(strlen(text) + 1);
  if (raw == NULL)
    return -ENOMEM;
  r = decode(text, raw);
  if (r < 0) {
    free(raw);
    return r;
  }
  *ret_raw = raw;
  return 0;
}

int pathname_merge_usr(const char *raw, char **ret_merged) {
  static const char *const folders[] = {"/bin",   "/sbin",   "/lib",   "/lib32",
                                        "/lib64", "/libx32", "/libo32"};
  size_t first = raw[0] == '/' ? 1 + strcspn(raw + 1, "/") : 0;
  char *merged;

  for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
    if (strlen(folders[i]) == first && memcmp(raw, folders[i], first) == 0) {
      if (asprintf(&merged, "/usr%s", raw) < 0)
        return -ENOMEM;
      *ret_merged = merged;
      return 0;
    }
  }
  merged = strdup(raw);
  if (merged == NULL)
    return -ENOMEM;
  *ret_merged = merged;
  return 0;
}

/* Cutting between codes takes at most two bytes off either end. */
enum { CUT_MAX = CODE_LEN - 1 };

/* The hash in a shortened text whose head has from `least` to `most` bytes and
 * whose tail at most `tail_max`. NULL: it is no such text. */
static const char *find_hash(const char *text, size_t least, size_t most,
                             size_t tail_max) {
  size_t len = strlen(text);

  for (size_t head = most + 1; head-- > least;) {
    const char *hash;
    size_t tail;

    if (len <= head || text[head] != '~')
      continue;
    hash = text + head + 1;
    if (strspn(hash, "0123456789abcdef") != HASH_LEN || hash[HASH_LEN] != '~')
      continue;
    tail = strlen(hash + HASH_LEN + 1);
    if (tail <= tail_max && tail >= tail_max - CUT_MAX)
      return hash;
  }
  return NULL;
}

bool pathname_is_shortened(const char *text) {
  /* In a container the key's part of the head is gone. */
  return find_hash(text, 0, HEAD_MAX, TAIL_MAX) != NULL;
}

/* How much of `text` to take, at most `max` bytes, not to cut a code. */
static size_t head_of(const char *text, size_t max) {
  for (size_t back = 1; back < CODE_LEN; back++) {
    if (text[max - back] == '%')
      return max - back;
  }
  return max;
}

/* The last bytes of a text that ends at `end`, at most `max`, likewise. */
static const char *tail_of(const char *end, size_t max) {
  const char *tail = end - max;

  for (size_t back = 1; back < CODE_LEN; back++) {
    if (tail[-(ptrdiff_t)back] == '%')
      return tail + CODE_LEN - back;
  }
  return tail;
}

static int hash_of(const char *instance, char ret_hash[static HASH_LEN + 1]) {
  char hex[DIGEST_HEX_LEN + 1];
  struct digest d;
  int r = digest_of(instance, strlen(instance), &d);

  if (r < 0)
    return r;
  digest_to_hex(&d, hex);
  memcpy(ret_hash, hex, HASH_LEN);
  ret_hash[HASH_LEN] = '\0';
  return 0;
}

/* An instance from the beginning and the end of the whole one. */
static void join(const char *beginning, const char *hash, const char *end,
                 char ret_instance[static PATHNAME_MAX + 1]) {
  snprintf(ret_instance, PATHNAME_MAX + 1, "%.*s~%.*s~%s",
           (int)head_of(beginning, HEAD_MAX), beginning, HASH_LEN, hash,
           tail_of(end, TAIL_MAX));
}

static void replace(char *text, char from, char to) {
  for (; *text != '\0'; text++) {
    if (*text == from)
      *text = to;
  }
}

/* The whole instance, unshortened. The caller frees *ret_whole. */
static int whole_instance(const char *container, const char *text,
                          char **ret_whole) {
  int r;

  if (!container_key_valid(container))
    return -EINVAL;
  r = decode(text, NULL);
  if (r < 0)
    return r;
  if (asprintf(ret_whole, "%s%s%s", container[0] != '\0' ? "@" : "", container,
               text) < 0)
    return -ENOMEM;
  replace(*ret_whole, '/', ':');
  return 0;
}

int pathname_to_instance(const char *container, const char *text,
                         char ret_instance[static PATHNAME_MAX + 1]) {
  char hash[HASH_LEN + 1];
  char *whole;
  size_t len;
  int r;

  r = whole_instance(container, text, &whole);
  if (r < 0)
    return r;
  len = strlen(whole);
  if (len <= PATHNAME_MAX)
    memcpy(ret_instance, whole, len + 1);
  else
    r = hash_of(whole, hash);
  if (len > PATHNAME_MAX && r == 0)
    join(whole, hash, whole + len, ret_instance);
  free(whole);
  return r;
}

int pathname_from_instance(const char *instance, char *ret_container,
                           char ret_identity[static PATHNAME_MAX + 1]) {
  char container[CONTAINER_MAX + 1] = "";
  char identity[PATHNAME_MAX + 1];
  const char *path = instance;
  size_t len;

  if (instance[0] == '@') {
    len = strcspn(instance + 1, ":");
    if (len == 0 || len > CONTAINER_MAX)
      return -EINVAL;
    memcpy(container, instance + 1, len);
    container[len] = '\0';
    if (!container_key_valid(container))
      return -EINVAL;
    path = instance + 1 + len;
  }
  len = strlen(path);
  if (len > PATHNAME_MAX)
    return -EINVAL;
  memcpy(identity, path, len + 1);
  if (strchr(identity, '/') != NULL)
    return -EINVAL;
  replace(identity, ':', '/');
  if (decode(identity, NULL) < 0)
    return -EINVAL;
  memcpy(ret_container, container, sizeof(container));
  memcpy(ret_identity, identity, sizeof(identity));
  return 0;
}

int pathname_to_identity(const char *container, const char *text,
                         char ret_identity[static PATHNAME_MAX + 1]) {
  char instance[PATHNAME_MAX + 1];
  char ignored[CONTAINER_MAX + 1];
  int r;

  r = pathname_to_instance(container, text, instance);
  if (r < 0)
    return r;
  return pathname_from_instance(instance, ignored, ret_identity);
}

int pathname_to_snmp(const char *container, const char *text,
                     char ret_snmp[static PATHNAME_SNMP_MAX + 1]) {
  char hash[HASH_LEN + 1];
  size_t len = strlen(text);
  char *whole;
  int r;

  r = whole_instance(container, text, &whole);
  if (r < 0)
    return r;
  if (len <= PATHNAME_SNMP_MAX)
    memcpy(ret_snmp, text, len + 1);
  else
    r = hash_of(whole, hash);
  free(whole);
  if (len > PATHNAME_SNMP_MAX && r == 0)
    snprintf(ret_snmp, PATHNAME_SNMP_MAX + 1, "%.*s~%s~%s",
             (int)head_of(text, SNMP_HEAD_MAX), text, hash,
             tail_of(text + len, SNMP_TAIL_MAX));
  return r;
}

int pathname_from_snmp(const char *container, const char *snmp,
                       char ret_identity[static PATHNAME_MAX + 1]) {
  char ignored[CONTAINER_MAX + 1], instance[PATHNAME_MAX + 1];
  const char *hash;
  char *whole;
  int r;

  if (strlen(snmp) > PATHNAME_SNMP_MAX)
    return -EINVAL;
  hash = find_hash(snmp, SNMP_HEAD_MAX - CUT_MAX, SNMP_HEAD_MAX, SNMP_TAIL_MAX);
  if (hash == NULL)
    return pathname_to_identity(container, snmp, ret_identity);
  /* What is left of the whole begins and ends as the whole does. */
  r = whole_instance(container, snmp, &whole);
  if (r < 0)
    return r;
  join(whole, hash, whole + strlen(whole), instance);
  free(whole);
  return pathname_from_instance(instance, ignored, ret_identity);
}
