#include "correlator/apt_answer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/word.h"

/* The next of fields parted by " | ", without the spaces around it. */
static const char *take_field(const char **rest, size_t *ret_len) {
  const char *field = *rest + strspn(*rest, " ");
  size_t len = strcspn(field, "|\n");

  *rest = field + len + (field[len] == '|');
  while (len > 0 && field[len - 1] == ' ')
    len--;
  *ret_len = len;
  return field;
}

bool apt_answer_place(const char *listing, const char *version, char *ret_place,
                      size_t size) {
  for (const char *line = listing; *line != '\0';) {
    size_t name_len;
    size_t version_len;
    size_t place_len;
    const char *rest = line;
    (void)take_field(&rest, &name_len);
    const char *found = take_field(&rest, &version_len);
    const char *place = take_field(&rest, &place_len);
    if (version_len == strlen(version) &&
        memcmp(found, version, version_len) == 0 && place_len > 0) {
      (void)snprintf(ret_place, size, "%.*s", (int)place_len, place);
      return true;
    }
    line += strcspn(line, "\n");
    line += *line == '\n';
  }
  return false;
}

static bool is_plain_name(const char *name) {
  return *name != '\0' && *name != '.' && *name != '-' &&
         word_is_printable(name, "/");
}

static void take_digest(const char *digest, struct fetch_item *item) {
  struct digest ignored;

  if (strncmp(digest, "SHA256:", 7) == 0 &&
      digest_from_hex(digest + 7, strlen(digest + 7), &ignored) == 0)
    memcpy(item->sha256, digest + 7, DIGEST_HEX_LEN + 1);
}

bool apt_answer_item(const char *line, struct fetch_item *ret_item) {
  struct fetch_item item = {0};
  char uri[FETCH_ORIGIN_MAX];
  char digest[192] = "";
  unsigned long long size;
  int end = 0;

  if (sscanf(line, "'%1023[^'\n]' %255s %llu %191s%n", uri, item.file, &size,
             digest, &end) < 4 ||
      line[end + (int)strspn(line + end, "\n")] != '\0' ||
      !is_plain_name(item.file))
    return false;
  for (char *c = uri; *c != '\0'; c++)
    if (*c <= ' ' || *c > '~')
      *c = '?';
  memcpy(item.origin, uri, sizeof(uri));
  item.size = size;
  take_digest(digest, &item);
  *ret_item = item;
  return true;
}

/* Append the lines that begin so. */
static void append_lines(const char *messages, const char *begin, char *reason,
                         size_t *len) {
  for (const char *line = messages; *line != '\0';) {
    size_t n = strcspn(line, "\n");
    if (strncmp(line, begin, strlen(begin)) == 0 && *len < FETCH_REASON_MAX) {
      int added = snprintf(reason + *len, FETCH_REASON_MAX - *len, "%s%.*s",
                           *len == 0 ? "" : "; ", (int)n, line);
      *len += added < 0 ? 0 : (size_t)added;
    }
    line += n + (line[n] == '\n');
  }
}

void apt_answer_reason(const char *messages, const char *fallback,
                       char *reason) {
  char found[FETCH_REASON_MAX] = "";
  size_t len = 0;

  append_lines(messages, "E:", found, &len);
  append_lines(messages, "W:", found, &len);
  (void)fetch_reason(reason, "%s", *found == '\0' ? fallback : found);
}
