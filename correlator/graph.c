#include "correlator/graph.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/db.h"
#include "correlator/table.h"
#include "correlator/text.h"

enum {
  LABEL_COLUMNS = 60, /* of a line; what is longer is cut in its middle */
  CHANGES_MAX = 6,    /* that a host shows, and then how many more */
};

#define RED "#b3261e"
#define AMBER "#b26a00"
#define GREY "#757575"

/* A graph that is being written. */
struct graph {
  FILE *out;
  bool failed; /* memory ran out */
};

static bool is_true(const PGresult *result, int row, const char *column) {
  return strcmp(db_text(result, row, column), "t") == 0;
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

/* Text as a table would show it. */
static void put_text(struct graph *g, enum table_kind kind, const char *raw) {
  char *cell = table_cell(kind, raw), *cut = NULL;
  size_t size;
  FILE *memory = cell != NULL ? open_memstream(&cut, &size) : NULL;
  bool done = false;

  if (memory != NULL) {
    text_put_cut(memory, cell, LABEL_COLUMNS);
    done = fclose(memory) == 0;
  }
  if (done)
    put_escaped(g->out, cut);
  else
    g->failed = true;
  free(cell);
  free(cut);
}

/* A line of a label: `before`, a value of a row, `after`. These two are ours.
 */
static void put_line(struct graph *g, const char *before, enum table_kind kind,
                     const char *raw, const char *after) {
  fputs(before, g->out);
  put_text(g, kind, raw);
  fputs(after, g->out);
}

/* What changed: the path, then the digests, the verdict and the alert. */
static void put_change(struct graph *g, const PGresult *hosts, int row) {
  const char *container = db_text(hosts, row, "container");
  const char *trusted = db_text(hosts, row, "baseline_sha256");
  const char *observed = db_text(hosts, row, "observed_sha256");

  put_line(g, "\\l", TABLE_TEXT, db_text(hosts, row, "path"), "");
  if (*container != '\0')
    put_line(g, " in container ", TABLE_TEXT, container, "");
  fputs("\\l  ", g->out);
  if (*trusted != '\0')
    put_line(g, "", TABLE_DIGEST, trusted, " -> ");
  put_line(g, "", TABLE_DIGEST, *observed != '\0' ? observed : "?", ", ");
  put_line(g, "", TABLE_TEXT, db_text(hosts, row, "verdict"), ", alert ");
  put_text(g, TABLE_TEXT, db_text(hosts, row, "alert_id"));
}

/* How many rows from `row` on are of one host. */
static int rows_of_host(const PGresult *hosts, int row) {
  const char *name = db_text(hosts, row, "host");
  int n = 1;

  while (row + n < PQntuples(hosts) &&
         strcmp(db_text(hosts, row + n, "host"), name) == 0)
    n++;
  return n;
}

/* The node of a host, whose rows begin at `row`: n and that number. */
static void put_host(struct graph *g, const PGresult *hosts, int row,
                     int rows) {
  const char *address = db_text(hosts, row, "address");
  bool changed = *db_text(hosts, row, "alert_id") != '\0';

  fprintf(g->out, "  n%d [label=\"", row);
  put_text(g, TABLE_TEXT, db_text(hosts, row, "host"));
  if (*address != '\0')
    put_line(g, "\\l", TABLE_TEXT, address, "");
  for (int i = 0; changed && i < rows && i < CHANGES_MAX; i++)
    put_change(g, hosts, row + i);
  if (rows > CHANGES_MAX)
    fprintf(g->out, "\\land %d more", rows - CHANGES_MAX);
  fprintf(g->out, "\\l\"%s];\n",
          changed ? ", color=\"" RED "\", fillcolor=\"#fbe9e7\", penwidth=2"
                  : "");
}

/* The first row of a host; -1 if there is none. */
static int find_host(const PGresult *hosts, const char *name) {
  int low = 0, high = PQntuples(hosts);

  while (low < high) {
    int middle = low + (high - low) / 2;

    if (strcmp(db_text(hosts, middle, "host"), name) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low < PQntuples(hosts) &&
                 strcmp(db_text(hosts, low, "host"), name) == 0
             ? low
             : -1;
}

/* When, and how often. */
static void put_times(struct graph *g, const PGresult *logins, int row) {
  const char *count = db_text(logins, row, "logins");
  const char *last = db_text(logins, row, "last_login");
  bool once = strcmp(count, "1") == 0;

  fputs("\\l", g->out);
  if (!once)
    put_line(g, "", TABLE_NUMBER, count, " logins, ");
  put_text(g, TABLE_TIME, db_text(logins, row, "first_login"));
  if (!once)
    put_line(g, "\\lto ", TABLE_TIME, last, "");
}

static const char *color_of(const PGresult *logins, int row) {
  if (!is_true(logins, row, "open"))
    return "color=\"" GREY "\", fontcolor=\"" GREY "\", style=dashed";
  return strcmp(db_text(logins, row, "severity"), "critical") == 0
             ? "color=\"" RED "\", penwidth=2"
             : "color=\"" AMBER "\"";
}

static void put_login(struct graph *g, const PGresult *logins, int row,
                      int from, int to) {
  const char *method = db_text(logins, row, "method");

  fprintf(g->out, "  n%d -> n%d [label=\"", from, to);
  put_text(g, TABLE_TEXT, db_text(logins, row, "auth_user"));
  if (*method != '\0')
    put_line(g, ", ", TABLE_TEXT, method, "");
  put_times(g, logins, row);
  if (is_true(logins, row, "first_time"))
    fputs("\\lfirst time in 30 days", g->out);
  if (is_true(logins, row, "ambiguous"))
    fputs("\\lfrom an address of several hosts", g->out);
  fprintf(g->out, "\\l\", %s];\n", color_of(logins, row));
}

int graph_print(FILE *out, const PGresult *hosts, const PGresult *logins) {
  struct graph g = {.out = out};

  fputs("digraph detections {\n"
        "  graph [rankdir=LR, ranksep=1, fontname=\"sans-serif\"];\n"
        "  node [shape=box, style=\"filled,rounded\", fillcolor=white,"
        " fontname=\"sans-serif\", fontsize=11];\n"
        "  edge [fontname=\"sans-serif\", fontsize=10];\n",
        out);
  for (int row = 0, rows; row < PQntuples(hosts); row += rows) {
    rows = rows_of_host(hosts, row);
    put_host(&g, hosts, row, rows);
  }
  for (int row = 0; row < PQntuples(logins); row++) {
    int from = find_host(hosts, db_text(logins, row, "source"));
    int to = find_host(hosts, db_text(logins, row, "target"));

    if (from >= 0 && to >= 0)
      put_login(&g, logins, row, from, to);
  }
  fputs("}\n", out);
  return g.failed ? -ENOMEM : 0;
}
