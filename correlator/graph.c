#include "correlator/graph.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/table.h"
#include "correlator/text.h"

enum {
  LABEL_COLUMNS = 60, /* of a line; what is longer is cut in its middle */
  CHANGES_MAX = 6,    /* that a host shows, and then how many more */
};

#define RED "#b3261e"
#define AMBER "#b26a00"
#define GREY "#757575"

/* A value by its column's name; "" if it is null or there is none. */
static const char *value(const PGresult *result, int row, const char *column) {
  int field = PQfnumber(result, column);

  return field < 0 ? "" : PQgetvalue(result, row, field);
}

static bool is_true(const PGresult *result, int row, const char *column) {
  return strcmp(value(result, row, column), "t") == 0;
}

/* A piece of a label, inside "...". dot reads backslashes and the entities of
 * HTML there; < and > mean nothing to it. */
static void put_escaped(FILE *out, const char *text) {
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\')
      fputc('\\', out);
    fputc(*text, out);
    if (*text == '&')
      fputs("amp;", out);
  }
}

/* Text as a table would show it. Returns 0 or -ENOMEM. */
static int put_text(FILE *out, enum table_kind kind, const char *raw) {
  char *cell = table_cell(kind, raw), *cut = NULL;
  size_t size;
  FILE *memory = cell != NULL ? open_memstream(&cut, &size) : NULL;
  int r = -ENOMEM;

  if (memory != NULL) {
    text_put_cut(memory, cell, LABEL_COLUMNS);
    r = fclose(memory) == 0 ? 0 : -ENOMEM;
  }
  if (r == 0)
    put_escaped(out, cut);
  free(cell);
  free(cut);
  return r;
}

/* A line of a label: `before`, a value of a row, `after`. These two are ours.
 */
static int put_line(FILE *out, const char *before, enum table_kind kind,
                    const char *raw, const char *after) {
  fputs(before, out);
  int r = put_text(out, kind, raw);
  fputs(after, out);
  return r;
}

/* What changed: the path, then the digests, the verdict and the alert. */
static int put_change(FILE *out, const PGresult *hosts, int row) {
  const char *container = value(hosts, row, "container");
  const char *trusted = value(hosts, row, "baseline_sha256");
  const char *observed = value(hosts, row, "observed_sha256");
  int r = put_line(out, "\\l", TABLE_TEXT, value(hosts, row, "path"), "");

  if (r == 0 && *container != '\0')
    r = put_line(out, " in container ", TABLE_TEXT, container, "");
  fputs("\\l  ", out);
  if (r == 0 && *trusted != '\0')
    r = put_line(out, "", TABLE_DIGEST, trusted, " -> ");
  if (r == 0)
    r = put_line(out, "", TABLE_DIGEST, *observed != '\0' ? observed : "?",
                 ", ");
  if (r == 0)
    r = put_line(out, "", TABLE_TEXT, value(hosts, row, "verdict"), ", alert ");
  return r == 0 ? put_text(out, TABLE_TEXT, value(hosts, row, "alert_id")) : r;
}

/* How many rows from `row` on are of one host. */
static int rows_of_host(const PGresult *hosts, int row) {
  const char *name = value(hosts, row, "host");
  int n = 1;

  while (row + n < PQntuples(hosts) &&
         strcmp(value(hosts, row + n, "host"), name) == 0)
    n++;
  return n;
}

/* The node of a host, whose rows begin at `row`: n and that number. */
static int put_host(FILE *out, const PGresult *hosts, int row, int rows) {
  const char *address = value(hosts, row, "address");
  bool changed = *value(hosts, row, "alert_id") != '\0';
  int r;

  fprintf(out, "  n%d [label=\"", row);
  r = put_text(out, TABLE_TEXT, value(hosts, row, "host"));
  if (r == 0 && *address != '\0')
    r = put_line(out, "\\l", TABLE_TEXT, address, "");
  for (int i = 0; changed && r == 0 && i < rows && i < CHANGES_MAX; i++)
    r = put_change(out, hosts, row + i);
  if (rows > CHANGES_MAX)
    fprintf(out, "\\land %d more", rows - CHANGES_MAX);
  fprintf(out, "\\l\"%s];\n",
          changed ? ", color=\"" RED "\", fillcolor=\"#fbe9e7\", penwidth=2"
                  : "");
  return r;
}

/* The first row of a host; -1 if there is none. */
static int find_host(const PGresult *hosts, const char *name) {
  int low = 0, high = PQntuples(hosts);

  while (low < high) {
    int middle = low + (high - low) / 2;

    if (strcmp(value(hosts, middle, "host"), name) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low < PQntuples(hosts) && strcmp(value(hosts, low, "host"), name) == 0
             ? low
             : -1;
}

/* When, and how often. */
static int put_times(FILE *out, const PGresult *logins, int row) {
  const char *count = value(logins, row, "logins");
  const char *last = value(logins, row, "last_login");
  int r = 0;

  fputs("\\l", out);
  if (strcmp(count, "1") != 0)
    r = put_line(out, "", TABLE_NUMBER, count, " logins, ");
  if (r == 0)
    r = put_text(out, TABLE_TIME, value(logins, row, "first_login"));
  if (r == 0 && strcmp(count, "1") != 0)
    r = put_line(out, "\\lto ", TABLE_TIME, last, "");
  return r;
}

static const char *color_of(const PGresult *logins, int row) {
  if (!is_true(logins, row, "open"))
    return "color=\"" GREY "\", fontcolor=\"" GREY "\", style=dashed";
  return strcmp(value(logins, row, "severity"), "critical") == 0
             ? "color=\"" RED "\", penwidth=2"
             : "color=\"" AMBER "\"";
}

static int put_login(FILE *out, const PGresult *logins, int row, int from,
                     int to) {
  const char *method = value(logins, row, "method");
  int r;

  fprintf(out, "  n%d -> n%d [label=\"", from, to);
  r = put_text(out, TABLE_TEXT, value(logins, row, "auth_user"));
  if (r == 0 && *method != '\0')
    r = put_line(out, ", ", TABLE_TEXT, method, "");
  if (r == 0)
    r = put_times(out, logins, row);
  if (is_true(logins, row, "first_time"))
    fputs("\\lfirst time in 30 days", out);
  if (is_true(logins, row, "ambiguous"))
    fputs("\\lfrom an address of several hosts", out);
  fprintf(out, "\\l\", %s];\n", color_of(logins, row));
  return r;
}

int graph_print(FILE *out, const PGresult *hosts, const PGresult *logins) {
  int r = 0;

  fputs("digraph detections {\n"
        "  graph [rankdir=LR, ranksep=1, fontname=\"sans-serif\"];\n"
        "  node [shape=box, style=\"filled,rounded\", fillcolor=white,"
        " fontname=\"sans-serif\", fontsize=11];\n"
        "  edge [fontname=\"sans-serif\", fontsize=10];\n",
        out);
  for (int row = 0, rows; r == 0 && row < PQntuples(hosts); row += rows) {
    rows = rows_of_host(hosts, row);
    r = put_host(out, hosts, row, rows);
  }
  for (int row = 0; r == 0 && row < PQntuples(logins); row++) {
    int from = find_host(hosts, value(logins, row, "source"));
    int to = find_host(hosts, value(logins, row, "target"));

    if (from >= 0 && to >= 0)
      r = put_login(out, logins, row, from, to);
  }
  fputs("}\n", out);
  return r;
}
