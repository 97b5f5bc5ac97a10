/* The text of a configuration file, checked for what libconfuse lets pass:
 * doubled keys and sections, sections, strings and comments without an end,
 * characters that it drops. */
#ifndef PDNA_CONFIG_TEXT_H
#define PDNA_CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum { CONFIG_TEXT_MAX = 1 << 20, CONFIG_PROBLEM_MAX = 512 };

struct config_problem {
  unsigned line; /* 0: of the file as a whole */
  char what[CONFIG_PROBLEM_MAX];
};

/* Read a file of at most CONFIG_TEXT_MAX bytes, and what fstat(2) says of it.
 * The caller frees *ret_text, which is NUL-terminated. Returns 0 or a negative
 * errno (-EFBIG, and -EILSEQ if there is a NUL in it, among them). */
int config_text_read(const char *file, char **ret_text, struct stat *ret_stat);

/* May the key of `len` bytes at `name` have a list? */
typedef bool config_is_list_fn(const char *name, size_t len);

/* Check `text` and give a copy, line by line the same, in which libconfuse
 * finds no ${VARIABLE} to put in. The caller frees *ret_text. Returns 0,
 * -EINVAL with *ret_problem, or -ENOMEM. */
int config_text_check(const char *text, config_is_list_fn *is_list,
                      char **ret_text, struct config_problem *ret_problem);

#endif
