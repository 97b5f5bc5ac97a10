/* Drawings by Graphviz, whose program dot(1) is run: it is looked for in the
 * absolute folders of $PATH, and gets a clean environment, a minute, 64 MiB for
 * what it draws, and no file. */
#ifndef PDNA_GRAPHVIZ_H
#define PDNA_GRAPHVIZ_H

enum { GRAPHVIZ_REASON_MAX = 512 }; /* bytes of a reason, with its zero */

/* Draw a graph in dot's language as SVG into `file`, which is written as a
 * whole or not at all, or, if it is NULL, to standard output. Returns 0, or a
 * negative errno and a reason: -ENOENT if there is no dot. */
int graphviz_svg(const char *graph, const char *file,
                 char ret_reason[static GRAPHVIZ_REASON_MAX]);

#endif
