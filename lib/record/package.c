#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/record/digest.h"
#include "lib/record/package.h"

#define ALNUM                                                                  \
  "0123456789abcdefghijklmnopqrstuvwxyz"                                       \
  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* What Debian's and rpm's policies allow. */
static const char name_chars[] = ALNUM "._+-";
static const char version_chars[] = ALNUM "._+-~^:";

enum {
  HASH_LEN = 16, /* hex digits */
  MARK_LEN = 1 + HASH_LEN,
  SEPARATORS = 3, /* in the text of the four */
};

static bool is_made_of(const char *text, const char *chars) {
  return text[0] != '\0' && text[strspn(text, chars)] == '\0';
}

/* A text of at most `max` characters in place of a longer one. */
static int set_short(char *field, const char *text, size_t max) {
  char hex[DIGEST_HEX_LEN + 1];
  struct digest d;
  size_t len = strlen(text);
  int r;

  if (len <= max) {
    memcpy(field, text, len + 1);
    return 0;
  }
  r = digest_of(text, len, &d);
  if (r < 0)
    return r;
  digest_to_hex(&d, hex);
  memcpy(field, text, max - MARK_LEN);
  field[max - MARK_LEN] = '~';
  memcpy(field + max - HASH_LEN, hex, HASH_LEN);
  field[max] = '\0';
  return 0;
}

int package_set(struct package *ret, const char *manager, const char *name,
                const char *version, const char *arch) {
  struct package p = {.manager = ""};
  size_t left;
  int r;

  if (!is_made_of(manager, name_chars) || !is_made_of(name, name_chars) ||
      !is_made_of(version, version_chars) || !is_made_of(arch, name_chars) ||
      strlen(manager) > PACKAGE_MANAGER_MAX || strlen(arch) > PACKAGE_ARCH_MAX)
    return -EINVAL;
  memcpy(p.manager, manager, strlen(manager) + 1);
  memcpy(p.arch, arch, strlen(arch) + 1);
  r = set_short(p.name, name, PACKAGE_NAME_MAX);
  if (r < 0)
    return r;
  /* At the worst 36 characters are left for the version. */
  left = PACKAGE_TEXT_MAX - SEPARATORS - strlen(manager) - strlen(p.name) -
         strlen(arch);
  r = set_short(p.version, version,
                left < PACKAGE_VERSION_MAX ? left : PACKAGE_VERSION_MAX);
  if (r < 0)
    return r;
  *ret = p;
  return 0;
}

/* A mark at the end; a version is long even with it. */
bool package_is_short(const char *name, const char *version) {
  enum { VERSION_MIN = 36 };
  size_t len = strlen(version);
  const char *mark = version + (len < VERSION_MIN ? len : len - MARK_LEN);

  return strchr(name, '~') != NULL ||
         (*mark == '~' && strspn(mark + 1, "0123456789abcdef") == HASH_LEN);
}

/* Only the mark of a shortened name has a '~'. */
static bool name_valid(const char *name) {
  size_t len = strspn(name, name_chars);

  if (len == 0 || name[len] == '\0')
    return len > 0;
  return name[len] == '~' && strlen(name) == PACKAGE_NAME_MAX &&
         strspn(name + len + 1, "0123456789abcdef") == HASH_LEN &&
         name[len + MARK_LEN] == '\0';
}

bool package_valid(const struct package *p) {
  return is_made_of(p->manager, name_chars) && name_valid(p->name) &&
         is_made_of(p->version, version_chars) &&
         is_made_of(p->arch, name_chars);
}
