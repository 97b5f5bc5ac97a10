#include "snmp-subagent/utf8.h"

#include <stdint.h>
#include <string.h>

/* The bytes of the character at `s`, or 0 if there is none. */
static size_t character(const unsigned char *s) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t len = s[0] < 0x80             ? 1
               : (s[0] & 0xE0) == 0xC0 ? 2
               : (s[0] & 0xF0) == 0xE0 ? 3
               : (s[0] & 0xF8) == 0xF0 ? 4
                                       : 0;
  uint32_t code = len == 1 ? s[0] : s[0] & (0x7FU >> len);

  for (size_t i = 1; i < len; i++) {
    if ((s[i] & 0xC0) != 0x80)
      return 0;
    code = code << 6 | (s[i] & 0x3FU);
  }
  if (len == 0 || code < least[len] || code > 0x10FFFF ||
      (code >= 0xD800 && code < 0xE000))
    return 0; /* too long a form, or a surrogate */
  /* C0, DEL, C1 */
  return code < 0x20 || (code >= 0x7F && code < 0xA0) ? 0 : len;
}

void utf8_clean(const char *text, char *ret_text, size_t size) {
  const unsigned char *in = (const unsigned char *)text;
  size_t out = 0;

  while (*in != '\0') {
    size_t len = character(in);

    if (out + (len > 0 ? len : 1) >= size)
      break;
    if (len > 0) {
      memcpy(ret_text + out, in, len);
      out += len;
      in += len;
    } else {
      ret_text[out++] = '?';
      in++;
    }
  }
  ret_text[out] = '\0';
}
