/* Query results as tables. On a terminal a table is fitted to its width and
 * severities are coloured (unless NO_COLOR is set); in a pipe or a file its
 * cells are whole and nothing is coloured, so that they can be searched. */
#ifndef PDNA_TABLE_H
#define PDNA_TABLE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>

enum table_kind {
  TABLE_TEXT,
  TABLE_NUMBER, /* aligned to the right */
  TABLE_DIGEST, /* its first 12 digits */
  TABLE_TIME,   /* a timestamptz of a UTC session, as 2026-05-25T09:14:02Z */
  TABLE_AGE,    /* seconds, as 41s, 12m, 3h or 5d; aligned to the right */
  TABLE_SEVERITY,
};

struct table_column {
  const char *name;  /* the column of the result; one it has not is left out */
  const char *title; /* the heading */
  enum table_kind kind;
  unsigned least; /* columns to which it may be cut in the middle; 0: never */
  bool spare;     /* may be left out on a narrow terminal, the last first */
};

struct table_style {
  unsigned width; /* columns; 0: without limit */
  bool color;
};

/* What fits the place where `out` goes. */
struct table_style table_style_of(FILE *out);

/* Print a heading and every row of the result. Text is made printable
 * (text.h); SQL null is "-". Returns 0 or -ENOMEM. */
int table_print(FILE *out, const PGresult *result,
                const struct table_column *columns, size_t columns_len,
                struct table_style style);

/* One value as a cell of that kind shows it. The caller frees it. NULL: out
 * of memory. */
char *table_cell(enum table_kind kind, const char *value);

#endif
