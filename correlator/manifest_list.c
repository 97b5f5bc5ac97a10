#include "correlator/manifest_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/text.h"
#include "lib/record/pathname.h"

static const char tag[] = "SHA256 (", tag_end[] = ") = ";

/* Hex digits of either case, as sha256sum -c takes them. */
static int read_digest(char *hex, struct digest *ret_digest) {
  for (size_t i = 0; i < DIGEST_HEX_LEN && hex[i] != '\0'; i++)
    if (hex[i] >= 'A' && hex[i] <= 'F')
      hex[i] = (char)(hex[i] - 'A' + 'a');
  return digest_from_hex(hex, strnlen(hex, DIGEST_HEX_LEN), ret_digest) < 0
             ? -EBADMSG
             : 0;
}

/* What sha256sum writes for '\\', '\n' and '\r' in a name. */
static int unescape(char *name) {
  char *out = name;

  for (const char *in = name; *in != '\0'; in++) {
    if (*in != '\\') {
      *out++ = *in;
      continue;
    }
    in++;
    if (*in == 'n')
      *out++ = '\n';
    else if (*in == 'r')
      *out++ = '\r';
    else if (*in == '\\')
      *out++ = '\\';
    else
      return -EBADMSG;
  }
  *out = '\0';
  return 0;
}

/* "SHA256 (NAME) = DIGEST": a name may have ") = " in it, a digest not. */
static int split_tagged(char *line, char **ret_name, char **ret_hex) {
  char *name = line + strlen(tag), *end = NULL;

  for (char *p = name; (p = strstr(p, tag_end)) != NULL; p++)
    end = p;
  if (end == NULL || strlen(end + strlen(tag_end)) != DIGEST_HEX_LEN)
    return -EBADMSG;
  *end = '\0';
  *ret_name = name;
  *ret_hex = end + strlen(tag_end);
  return 0;
}

/* "DIGEST  NAME", or "DIGEST *NAME" in binary mode. */
static int split_plain(char *line, char **ret_name, char **ret_hex) {
  if (strnlen(line, DIGEST_HEX_LEN + 2) < DIGEST_HEX_LEN + 2 ||
      line[DIGEST_HEX_LEN] != ' ' ||
      (line[DIGEST_HEX_LEN + 1] != ' ' && line[DIGEST_HEX_LEN + 1] != '*'))
    return -EBADMSG;
  *ret_name = line + DIGEST_HEX_LEN + 2;
  *ret_hex = line;
  return 0;
}

int manifest_list_line(char *line, char **ret_name, struct digest *ret_digest) {
  size_t len = strlen(line);
  struct digest digest;
  char *name, *hex;
  bool escaped;
  int error;

  if (len > 0 && line[len - 1] == '\r')
    line[--len] = '\0';
  if (line[strspn(line, " \t")] == '\0' || line[0] == '#')
    return 0;
  escaped = line[0] == '\\';
  line += escaped;
  error = strncmp(line, tag, strlen(tag)) == 0 ? split_tagged(line, &name, &hex)
                                               : split_plain(line, &name, &hex);
  if (error == 0)
    error = read_digest(hex, &digest);
  if (error == 0 && escaped)
    error = unescape(name);
  if (error < 0 || *name == '\0')
    return -EBADMSG;
  *ret_name = name;
  *ret_digest = digest;
  return 1;
}

static void put_escaped(FILE *out, const char *name) {
  for (; *name != '\0'; name++)
    if (*name == '\n')
      (void)fputs("\\n", out);
    else if (*name == '\r')
      (void)fputs("\\r", out);
    else if (*name == '\\')
      (void)fputs("\\\\", out);
    else
      (void)fputc(*name, out);
}

int manifest_list_write(FILE *out, const struct manifest_entry *entry,
                        bool for_terminal) {
  char hex[DIGEST_HEX_LEN + 1], *name = NULL;
  int error = pathname_is_shortened(entry->path)
                  ? -EINVAL
                  : pathname_decode(entry->path, &name);

  if (error == -EINVAL)
    name = strdup(entry->path);
  if (name != NULL && for_terminal) {
    char *printable = text_printable(name);

    free(name);
    name = printable;
  }
  if (name == NULL)
    return -ENOMEM;
  digest_to_hex(&entry->digest, hex);
  (void)fprintf(out, "%s%s  ", strpbrk(name, "\\\n\r") != NULL ? "\\" : "",
                hex);
  put_escaped(out, name);
  (void)fputc('\n', out);
  free(name);
  return 0;
}

static bool matches(const uint8_t *head, size_t len) {
  char text[MANIFEST_HEAD + 1], *save = NULL, *name;
  struct digest digest;

  if (len > MANIFEST_HEAD || memchr(head, '\0', len) != NULL)
    return false;
  memcpy(text, head, len);
  text[len] = '\0';
  for (char *line = strtok_r(text, "\n", &save); line != NULL;
       line = strtok_r(NULL, "\n", &save)) {
    int kind = manifest_list_line(line, &name, &digest);

    if (kind != 0)
      return kind > 0;
  }
  return false;
}

static int add_line(struct manifest_reading *r, struct manifest *m, char *line,
                    uint64_t number) {
  struct manifest_entry entry = {0};
  char *name, *path;
  int kind = manifest_list_line(line, &name, &entry.digest), error;

  if (kind == 0)
    return 0;
  if (kind < 0)
    return manifest_broken(r, "line %llu: not as sha256sum writes it",
                           (unsigned long long)number);
  error = manifest_path(r, name, &path);
  if (error < 0)
    return error;
  error = strcmp(path, "/") == 0
              ? manifest_broken(r, "line %llu: no name of a file",
                                (unsigned long long)number)
              : manifest_add(r, m, path, &entry);
  free(path);
  return error;
}

/* A line that is being put together from blocks. */
struct line {
  char *text;
  size_t len;
  size_t size; /* allocated */
  uint64_t number;
};

static int take_line(struct manifest_reading *r, struct manifest *m,
                     struct line *l) {
  int error = manifest_spend_member(r);

  l->number++;
  l->text[l->len] = '\0';
  l->len = 0;
  return error < 0 ? error : add_line(r, m, l->text, l->number);
}

static int take_block(struct manifest_reading *r, struct manifest *m,
                      struct line *l, const char *block, size_t len) {
  for (size_t i = 0; i < len; i++) {
    int error = 0;

    if (block[i] == '\0')
      return manifest_broken(r, "line %llu: has a NUL byte (sha256sum -z?)",
                             (unsigned long long)l->number + 1);
    if (block[i] == '\n')
      error = take_line(r, m, l);
    else if (l->len + 1 < l->size)
      l->text[l->len++] = block[i];
    else
      error = manifest_broken(r, "line %llu: longer than %zu bytes",
                              (unsigned long long)l->number + 1, l->size - 1);
    if (error < 0)
      return error;
  }
  return 0;
}

static int read_list(struct manifest_reading *r, struct manifest *m) {
  /* Each byte of a name may be escaped; the digest, the tag and its end. */
  struct line l = {.size = 2 * r->limits->path_bytes + DIGEST_HEX_LEN +
                           sizeof(tag) + sizeof(tag_end)};
  const void *block;
  int n, error = 0;

  l.text = calloc(1, l.size);
  if (l.text == NULL)
    return manifest_fail(r, -ENOMEM);
  while (error == 0 && (n = manifest_next_block(r, &block)) > 0)
    error = take_block(r, m, &l, block, (size_t)n);
  if (r->error == 0 && l.len > 0)
    (void)take_line(r, m, &l); /* the last one without a newline */
  if (r->error == 0 && m->entries_len == 0)
    (void)manifest_broken(r, "lists nothing");
  free(l.text);
  return r->error;
}

const struct manifest_format manifest_list = {
    .name = "list", .matches = matches, .read = read_list};
