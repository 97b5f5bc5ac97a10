#include "correlator/manifest_progress.h"

#include <stdlib.h>
#include <unistd.h>

#include "correlator/table.h"
#include "correlator/text.h"
#include "lib/record/clock.h"

enum { MS_PER_S = 1000, REDRAW_MS = 100, BAR_LEN = 20 };

void manifest_progress_begin(struct manifest_progress *p, FILE *out,
                             bool wanted, uint64_t total) {
  *p = (struct manifest_progress){
      .out = wanted && isatty(fileno(out)) ? out : NULL,
      .total = total,
      .begun_ms = clock_monotonic_ms(),
  };
}

/* "1.2 GiB" */
static void put_bytes(double bytes, char *ret, size_t size) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;

  while (bytes >= 1024 && unit + 1 < sizeof(units) / sizeof(*units)) {
    bytes /= 1024;
    unit++;
  }
  (void)snprintf(ret, size, unit == 0 ? "%.0f %s" : "%.1f %s", bytes,
                 units[unit]);
}

void manifest_progress_text(const struct manifest_progress *p,
                            int64_t elapsed_ms, unsigned columns, char *ret,
                            size_t ret_size) {
  uint64_t done = p->done < p->total ? p->done : p->total;
  double part = p->total > 0 ? (double)done / (double)p->total : 1;
  double rate = elapsed_ms > 0 ? (double)done * MS_PER_S / (double)elapsed_ms
                               : 0; /* bytes a second */
  char bar[BAR_LEN + 1], done_text[32], total_text[32], rate_text[32];
  char left[32] = "--:--";

  for (int i = 0; i < BAR_LEN; i++)
    bar[i] = part * BAR_LEN > i ? '#' : '.';
  bar[BAR_LEN] = '\0';
  put_bytes((double)done, done_text, sizeof(done_text));
  put_bytes((double)p->total, total_text, sizeof(total_text));
  put_bytes(rate, rate_text, sizeof(rate_text));
  if (rate > 0 && (double)(p->total - done) / rate < 100.0 * 3600) {
    long s = (long)((double)(p->total - done) / rate);

    (void)snprintf(left, sizeof(left), "%02ld:%02ld", s / 60, s % 60);
  }
  (void)snprintf(ret, ret_size, "%3.0f%% [%s] %s of %s, %s/s, %s left  %s",
                 part * 100, bar, done_text, total_text, rate_text, left,
                 p->what != NULL ? p->what : "");
  /* Cut by columns, and never within a character. */
  for (size_t i = 0, column = 0; ret[i] != '\0'; i++) {
    column += ((unsigned char)ret[i] & 0xC0U) != 0x80;
    if (column > columns) {
      ret[i] = '\0';
      break;
    }
  }
}

void manifest_progress_show(struct manifest_progress *p) {
  int64_t now = clock_monotonic_ms();
  struct manifest_progress drawn = *p;
  char line[512], *what;
  unsigned width;

  if (p->out == NULL || (p->shown && now - p->drawn_ms < REDRAW_MS))
    return;
  width = table_style_of(p->out).width;
  what = text_printable(p->what != NULL ? p->what : "");
  drawn.what = what;
  manifest_progress_text(&drawn, now - p->begun_ms, width > 1 ? width - 1 : 79,
                         line, sizeof(line));
  free(what);
  (void)fprintf(p->out, "\r\033[K%s", line);
  (void)fflush(p->out);
  p->drawn_ms = now;
  p->shown = true;
}

void manifest_progress_hide(struct manifest_progress *p) {
  if (!p->shown)
    return;
  (void)fputs("\r\033[K", p->out);
  (void)fflush(p->out);
  p->shown = false;
}
