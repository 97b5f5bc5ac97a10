/* How far a long command is: a bar on a terminal, nothing elsewhere. */
#ifndef PDNA_MANIFEST_PROGRESS_H
#define PDNA_MANIFEST_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct manifest_progress {
  FILE *out;        /* NULL: no bar */
  uint64_t total;   /* bytes */
  uint64_t done;    /* bytes of what is finished, and of what is under way */
  const char *what; /* under way; not owned */
  int64_t begun_ms;
  int64_t drawn_ms;
  bool shown;
};

/* On `out` if that is a terminal and `wanted`. */
void manifest_progress_begin(struct manifest_progress *p, FILE *out,
                             bool wanted, uint64_t total);
/* Draw it, unless it was drawn just now. */
void manifest_progress_show(struct manifest_progress *p);
/* Take the bar off the terminal, so that a line can be written. */
void manifest_progress_hide(struct manifest_progress *p);

/* The bar (`what` printable) as a text of at most `columns` columns, after
 * `elapsed_ms`. */
void manifest_progress_text(const struct manifest_progress *p,
                            int64_t elapsed_ms, unsigned columns, char *ret,
                            size_t ret_size);

#endif
