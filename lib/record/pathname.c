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

bool pathname_is_shortened(const char *text) {
  /* Cutting between codes takes at most two bytes off either end. */
  enum { SLACK = CODE_LEN - 1 };

  for (size_t head = HEAD_MAX + 1; head-- > 0;) {
    const char *hash;
    size_t tail;

    if (strnlen(text, head + 1) <= head || text[head] != '~')
      continue;
    hash = text + head + 1;
    if (strspn(hash, "0123456789abcdef") != HASH_LEN || hash[HASH_LEN] != '~')
      continue;
    tail = strlen(hash + HASH_LEN + 1);
    if (tail <= TAIL_MAX && tail >= TAIL_MAX - SLACK)
      return true;
  }
  return false;
}

/* The instance shortened: head, hash of the whole, tail. */
static int shorten(const char *instance, size_t len,
                   char ret_instance[static PATHNAME_MAX + 1]) {
  size_t head = HEAD_MAX;
  size_t tail = TAIL_MAX;
  char hex[DIGEST_HEX_LEN + 1];
  struct digest d;
  int r;

  r = digest_of(instance, len, &d);
  if (r < 0)
    return r;
  digest_to_hex(&d, hex);
  for (size_t back = 1; back < CODE_LEN; back++) {
    if (instance[HEAD_MAX - back] == '%')
      head = HEAD_MAX - back;
    if (instance[len - TAIL_MAX - back] == '%')
      tail = TAIL_MAX - (CODE_LEN - back);
  }
  snprintf(ret_instance, PATHNAME_MAX + 1, "%.*s~%.*s~%s", (int)head, instance,
           HASH_LEN, hex, instance + len - tail);
  return 0;
}

static void replace(char *text, char from, char to) {
  for (; *text != '\0'; text++) {
    if (*text == from)
      *text = to;
  }
}

int pathname_to_instance(const char *container, const char *text,
                         char ret_instance[static PATHNAME_MAX + 1]) {
  char *whole;
  int len, r;

  if (!container_key_valid(container))
    return -EINVAL;
  r = decode(text, NULL);
  if (r < 0)
    return r;
  len = asprintf(&whole, "%s%s%s", container[0] != '\0' ? "@" : "", container,
                 text);
  if (len < 0)
    return -ENOMEM;
  replace(whole, '/', ':');
  if (len <= PATHNAME_MAX)
    memcpy(ret_instance, whole, (size_t)len + 1);
  else
    r = shorten(whole, (size_t)len, ret_instance);
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
