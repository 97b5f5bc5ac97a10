/* Every key and every section that correlator.conf may have. */
#ifndef PDNA_CONFIG_KEYS_H
#define PDNA_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "correlator/config_check.h"

enum config_type { KEY_TEXT, KEY_NUMBER, KEY_LEVEL, KEY_LIST };

/* A section is named as libconfuse names it, "root" for what is in none;
 * offsets are into the section's struct. */
struct config_key {
  const char *section;
  const char *name;
  const char *fallback; /* NULL: none */
  size_t offset;
  size_t len_offset;      /* lists only */
  config_check_fn *check; /* texts, and each element of a list */
  unsigned min, max;      /* numbers only */
  enum config_type type;
  bool required;
  bool secret; /* what is found is not said */
};

/* A section in a section. Where its struct is in that of its parent: itself,
 * or, of sections with a title, an array of them and its length. */
struct config_section {
  const char *name;
  const char *parent;
  size_t offset;
  size_t len_offset;
  size_t size;                  /* of one struct */
  size_t title_offset;          /* in it: a char * */
  config_check_fn *check_title; /* NULL: has no title, and is there once */
};

extern const struct config_key config_keys[];
extern const size_t config_keys_len;
extern const struct config_section config_sections[];

enum { CONFIG_SECTIONS_LEN = 9 };

const struct config_key *config_find_key(const char *section, const char *name);

/* Does any section have a list of this name, `len` bytes at `name`? */
bool config_is_list(const char *name, size_t len);

#endif
