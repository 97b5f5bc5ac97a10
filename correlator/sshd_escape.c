#include "correlator/sshd_escape.h"

#include <string.h>

/* "303", the byte's octal digits. -1: it is none. */
static int octal(const char *at, size_t len) {
  int value = 0;

  if (len < 3 || at[0] > '3')
    return -1;
  for (size_t i = 0; i < 3; i++) {
    if (at[i] < '0' || at[i] > '7')
      return -1;
    value = value * 8 + (at[i] - '0');
  }
  return value;
}

/* The byte that a letter after the backslash stands for. -1: none. */
static int letter(char c) {
  static const char letters[] = "abtnvfrs0\\", bytes[] = "\a\b\t\n\v\f\r \0\\";
  const char *place = memchr(letters, c, sizeof(letters) - 1);

  return place == NULL ? -1 : bytes[place - letters];
}

size_t sshd_unescape(struct auth_text text, char *to) {
  char *out = to;

  for (size_t i = 0, taken; i < text.len; i += taken) {
    const char *at = text.at + i;
    size_t rest = text.len - i - 1;
    int byte = -1;

    taken = 1;
    if (*at == '\\' && rest > 0 && (byte = octal(at + 1, rest)) >= 0)
      taken += 3;
    else if (*at == '\\' && rest > 0 && (byte = letter(at[1])) >= 0)
      taken += 1;
    *out++ = byte >= 0 ? (char)byte : *at;
  }
  return (size_t)(out - to);
}
