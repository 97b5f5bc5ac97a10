#include "correlator/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record/pathname.h"

size_t text_read_utf8(const char *text, size_t text_len, uint32_t *ret_code) {
  const unsigned char *s = (const unsigned char *)text;
  uint32_t code, least;
  size_t len;

  if (text_len == 0)
    return 0;
  if (s[0] < 0x80) {
    *ret_code = s[0];
    return 1;
  }
  if (s[0] >= 0xC2 && s[0] <= 0xDF) {
    len = 2, code = s[0] & 0x1FU, least = 0x80;
  } else if ((s[0] & 0xF0U) == 0xE0) {
    len = 3, code = s[0] & 0x0FU, least = 0x800;
  } else if (s[0] >= 0xF0 && s[0] <= 0xF4) {
    len = 4, code = s[0] & 0x07U, least = 0x10000;
  } else {
    return 0;
  }
  if (len > text_len)
    return 0;
  for (size_t i = 1; i < len; i++) {
    if ((s[i] & 0xC0U) != 0x80)
      return 0;
    code = code << 6 | (s[i] & 0x3FU);
  }
  if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
    return 0;
  *ret_code = code;
  return len;
}

/* Can the character change how the text around it is shown? */
static bool is_treacherous(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0xAD ||
         code == 0x061C || code == 0x180E ||
         (code >= 0x200B && code <= 0x200F) ||
         (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF ||
         (code >= 0xFFF9 && code <= 0xFFFB) ||
         (code >= 0xE0000 && code <= 0xE007F);
}

static char *put_hex(char *out, unsigned char byte) {
  static const char digits[] = "0123456789abcdef";

  *out++ = '\\';
  *out++ = 'x';
  *out++ = digits[byte >> 4];
  *out++ = digits[byte & 15];
  return out;
}

char *text_printable(const char *text) {
  const char *end = text + strlen(text);
  char *copy = malloc((size_t)(end - text) * 4 + 1), *out = copy;

  if (copy == NULL)
    return NULL;
  while (text < end) {
    uint32_t code;
    size_t len = text_read_utf8(text, (size_t)(end - text), &code);
    bool escape = len == 0 || is_treacherous(code);

    for (len += len == 0; len > 0; len--, text++) {
      if (escape)
        out = put_hex(out, (unsigned char)*text);
      else
        *out++ = *text;
    }
  }
  *out = '\0';
  return copy;
}

size_t text_columns(const char *text) {
  size_t columns = 0;

  for (; *text != '\0'; text++)
    columns += ((unsigned char)*text & 0xC0U) != 0x80;
  return columns;
}

/* `n` columns of printable text, from column `from`. */
static void put_columns(FILE *out, const char *text, size_t from, size_t n) {
  for (size_t column = 0; *text != '\0'; text++) {
    column += ((unsigned char)*text & 0xC0U) != 0x80;
    if (column > from && column <= from + n)
      fputc(*text, out);
  }
}

void text_put_cut(FILE *out, const char *text, size_t columns) {
  static const char mark[] = "..";
  size_t all = text_columns(text), head;

  if (all <= columns) {
    fputs(text, out);
    return;
  }
  head = (columns - strlen(mark)) / 3;
  put_columns(out, text, 0, head);
  fputs(mark, out);
  put_columns(out, text, all - (columns - strlen(mark) - head), all);
}

char *text_shell_quote(const char *raw) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789%+,-./:=@_";
  bool ansi = false;
  char *word, *out;

  if (*raw != '\0' && raw[strspn(raw, plain)] == '\0')
    return strdup(raw);
  for (const char *p = raw; *p != '\0'; p++)
    ansi |= (unsigned char)*p < 0x20 || (unsigned char)*p > 0x7E;
  /* One byte becomes four at most: \ooo, or '\''. What comes around takes $'',
   * a NUL, and so the four of one byte more. */
  out = word = calloc(strlen(raw) + 1, 4);
  if (word == NULL)
    return NULL;
  if (ansi)
    *out++ = '$';
  *out++ = '\'';
  for (const char *p = raw; *p != '\0'; p++) {
    unsigned char byte = (unsigned char)*p;

    if (byte < 0x20 || byte > 0x7E) {
      /* Octal: how many digits \x takes differs between shells. */
      *out++ = '\\';
      *out++ = (char)('0' + (byte >> 6));
      *out++ = (char)('0' + (byte >> 3 & 7));
      *out++ = (char)('0' + (byte & 7));
    } else if (ansi && (byte == '\'' || byte == '\\')) {
      *out++ = '\\';
      *out++ = *p;
    } else if (byte == '\'') {
      memcpy(out, "'\\''", 4);
      out += 4;
    } else {
      *out++ = *p;
    }
  }
  *out = '\'';
  return word;
}

int text_shell_path(const char *prefix, const char *identity, char **ret_word) {
  char *raw, *whole, *word;
  int r;

  if (pathname_is_shortened(identity))
    return -EINVAL;
  r = pathname_decode(identity, &raw);
  if (r < 0)
    return r;
  r = asprintf(&whole, "%s%s", prefix, raw);
  free(raw);
  if (r < 0)
    return -ENOMEM;
  word = text_shell_quote(whole);
  free(whole);
  if (word == NULL)
    return -ENOMEM;
  *ret_word = word;
  return 0;
}

void text_wrap(FILE *out, const char *head, const char *paragraph,
               unsigned indent) {
  size_t column = 0; /* of this line's text; 0: none yet */

  for (const char *word = paragraph; *word != '\0';) {
    size_t len = strcspn(word, " "), columns = 0;

    for (size_t i = 0; i < len; i++)
      columns += ((unsigned char)word[i] & 0xC0U) != 0x80;
    if (column > 0 && indent + column + 1 + columns > TEXT_WIDTH) {
      fputc('\n', out);
      column = 0;
      head = "";
    }
    if (len > 0) {
      if (column == 0)
        fprintf(out, "%-*s", (int)indent, head);
      else
        column++, fputc(' ', out);
      fwrite(word, 1, len, out);
      column += columns;
    }
    word += len + (word[len] == ' ');
  }
  if (column > 0)
    fputc('\n', out);
}
