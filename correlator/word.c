#include "correlator/word.h"

#include <string.h>

char *word_trim(char *text) {
  static const char blanks[] = " \t\r";
  size_t len;

  text += strspn(text, blanks);
  len = strlen(text);
  while (len > 0 && strchr(blanks, text[len - 1]) != NULL)
    text[--len] = '\0';
  return text;
}

bool word_is_plain(const char *word, const char *also) {
  static const char alnum[] = "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

  if (strspn(word, alnum) == 0)
    return false;
  for (const char *c = word; *c != '\0'; c++)
    if (strchr(alnum, *c) == NULL && strchr(also, *c) == NULL)
      return false;
  return true;
}

bool word_is_printable(const char *word, const char *but) {
  for (const char *c = word; *c != '\0'; c++)
    if (*c <= ' ' || *c > '~' || strchr(but, *c) != NULL)
      return false;
  return true;
}
