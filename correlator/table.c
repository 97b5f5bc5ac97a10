#include "correlator/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "correlator/text.h"

enum {
  COLUMNS_MAX = 24,
  GAP = 2, /* between two columns */
  DIGEST_SHOWN = 12,
};

/* A table on its way to the paper: cells[row * columns_len + column], the
 * headings not among them. */
struct sheet {
  const struct table_column *columns[COLUMNS_MAX];
  unsigned widths[COLUMNS_MAX];
  size_t columns_len;
  size_t rows;
  char **cells;
};

struct table_style table_style_of(FILE *out) {
  struct table_style style = {0};
  struct winsize size;
  const char *no_color = secure_getenv("NO_COLOR");
  const char *term = secure_getenv("TERM");

  if (!isatty(fileno(out)))
    return style;
  style.width = 80;
  if (ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    style.width = size.ws_col;
  style.color = (no_color == NULL || *no_color == '\0') && term != NULL &&
                strcmp(term, "dumb") != 0;
  return style;
}

/* "2026-05-25 09:14:02.123+00" becomes "2026-05-25T09:14:02Z"; any other text
 * ("infinity") stays as it is. */
static void shorten_time(char *text) {
  enum { DATE = 10, SECONDS = 19 };
  size_t len = strlen(text);

  if (len < SECONDS + 3 || text[DATE] != ' ' ||
      strcmp(text + len - 3, "+00") != 0)
    return;
  text[DATE] = 'T';
  text[SECONDS] = 'Z';
  text[SECONDS + 1] = '\0';
}

/* The biggest unit of which there are two at least. */
static char *age_cell(long long seconds) {
  static const struct {
    const char *name;
    long long seconds;
  } units[] = {{"d", 86400}, {"h", 3600}, {"m", 60}};
  char *cell;

  for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
    if (seconds >= 2 * units[i].seconds)
      return asprintf(&cell, "%lld%s", seconds / units[i].seconds,
                      units[i].name) < 0
                 ? NULL
                 : cell;
  return asprintf(&cell, "%llds", seconds) < 0 ? NULL : cell;
}

char *table_cell(enum table_kind kind, const char *value) {
  char *cell, *end;

  if (kind == TABLE_AGE) {
    long long seconds = strtoll(value, &end, 10);

    if (end != value && *end == '\0')
      return age_cell(seconds);
  }
  cell = text_printable(value);
  if (cell == NULL)
    return NULL;
  if (kind == TABLE_TIME)
    shorten_time(cell);
  else if (kind == TABLE_DIGEST && strlen(cell) > DIGEST_SHOWN)
    cell[DIGEST_SHOWN] = '\0';
  return cell;
}

static char *read_cell(const PGresult *result, int row,
                       const struct table_column *column) {
  int field = PQfnumber(result, column->name);
  const char *value = PQgetvalue(result, row, field);

  if (PQgetisnull(result, row, field) || *value == '\0')
    value = "-";
  return table_cell(column->kind, value);
}

static void sheet_clear(struct sheet *sheet) {
  if (sheet->cells != NULL)
    for (size_t i = 0; i < sheet->rows * sheet->columns_len; i++)
      free(sheet->cells[i]);
  free(sheet->cells);
}

static int sheet_fill(struct sheet *sheet, const PGresult *result) {
  sheet->rows = (size_t)PQntuples(result);
  sheet->cells =
      calloc(sheet->rows * sheet->columns_len + 1, sizeof(*sheet->cells));
  if (sheet->cells == NULL)
    return -ENOMEM;
  for (size_t c = 0; c < sheet->columns_len; c++)
    sheet->widths[c] = (unsigned)text_columns(sheet->columns[c]->title);

  for (size_t i = 0; i < sheet->rows * sheet->columns_len; i++) {
    size_t c = i % sheet->columns_len;
    unsigned width;

    sheet->cells[i] =
        read_cell(result, (int)(i / sheet->columns_len), sheet->columns[c]);
    if (sheet->cells[i] == NULL)
      return -ENOMEM;
    width = (unsigned)text_columns(sheet->cells[i]);
    if (width > sheet->widths[c])
      sheet->widths[c] = width;
  }
  return 0;
}

static unsigned sheet_width(const struct sheet *sheet) {
  unsigned width = 0;

  for (size_t c = 0; c < sheet->columns_len; c++)
    if (sheet->widths[c] > 0)
      width += sheet->widths[c] + GAP;
  return width > GAP ? width - GAP : 0;
}

/* Cut the widest of the columns that may be cut, by one. */
static bool shrink_widest(struct sheet *sheet) {
  unsigned *widest = NULL;

  for (size_t c = 0; c < sheet->columns_len; c++) {
    unsigned least = sheet->columns[c]->least;

    if (least > 0 && sheet->widths[c] > least &&
        (widest == NULL || sheet->widths[c] > *widest))
      widest = &sheet->widths[c];
  }
  if (widest == NULL)
    return false;
  --*widest;
  return true;
}

/* Leave out the last column that may be; a width of 0 says so. */
static bool drop_last(struct sheet *sheet) {
  for (size_t c = sheet->columns_len; c-- > 0;)
    if (sheet->columns[c]->spare && sheet->widths[c] > 0) {
      sheet->widths[c] = 0;
      return true;
    }
  return false;
}

static void sheet_fit(struct sheet *sheet, unsigned width) {
  unsigned full[COLUMNS_MAX];

  if (width == 0)
    return;
  memcpy(full, sheet->widths, sizeof(full));
  for (;;) {
    while (sheet_width(sheet) > width && shrink_widest(sheet))
      ;
    if (sheet_width(sheet) <= width || !drop_last(sheet))
      return;
    /* What was cut before a column went may have its room. */
    for (size_t c = 0; c < sheet->columns_len; c++)
      if (sheet->widths[c] > 0)
        sheet->widths[c] = full[c];
  }
}

static const char *severity_color(const char *severity) {
  if (strcmp(severity, "critical") == 0)
    return "\033[1;31m";
  if (strcmp(severity, "warning") == 0)
    return "\033[33m";
  return "";
}

static void put_cell(FILE *out, const struct table_column *column,
                     const char *text, unsigned width, bool color, bool last) {
  size_t columns = text_columns(text);
  int pad = columns < width ? (int)(width - columns) : 0;
  bool right = column->kind == TABLE_NUMBER || column->kind == TABLE_AGE;
  const char *paint =
      color && column->kind == TABLE_SEVERITY ? severity_color(text) : "";

  if (right)
    fprintf(out, "%*s", pad, "");
  fputs(paint, out);
  text_put_cut(out, text, width);
  if (*paint != '\0')
    fputs("\033[0m", out);
  if (!last)
    fprintf(out, "%*s", (right ? 0 : pad) + GAP, "");
}

/* `cells` NULL: the headings. */
static void put_row(FILE *out, const struct sheet *sheet, char **cells,
                    bool color) {
  size_t last = 0;

  for (size_t c = 0; c < sheet->columns_len; c++)
    if (sheet->widths[c] > 0)
      last = c;
  for (size_t c = 0; c <= last; c++)
    if (sheet->widths[c] > 0)
      put_cell(out, sheet->columns[c],
               cells != NULL ? cells[c] : sheet->columns[c]->title,
               sheet->widths[c], color, c == last);
  fputc('\n', out);
}

int table_print(FILE *out, const PGresult *result,
                const struct table_column *columns, size_t columns_len,
                struct table_style style) {
  struct sheet sheet = {0};
  int r;

  for (size_t c = 0; c < columns_len && sheet.columns_len < COLUMNS_MAX; c++)
    if (PQfnumber(result, columns[c].name) >= 0)
      sheet.columns[sheet.columns_len++] = &columns[c];
  if (sheet.columns_len == 0)
    return 0;
  r = sheet_fill(&sheet, result);
  if (r < 0)
    goto out;

  sheet_fit(&sheet, style.width);
  put_row(out, &sheet, NULL, style.color);
  for (size_t row = 0; row < sheet.rows; row++)
    put_row(out, &sheet, sheet.cells + row * sheet.columns_len, style.color);
out:
  sheet_clear(&sheet);
  return r;
}
