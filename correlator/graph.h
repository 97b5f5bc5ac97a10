/* Detections as a graph of hosts and logins, in the language of Graphviz'
 * dot(1). What names, paths and users say is shown and never obeyed: it gets
 * into labels only, printable (text.h), cut where it is long, and escaped. The
 * same rows give the same text. */
#ifndef PDNA_GRAPH_H
#define PDNA_GRAPH_H

#include <libpq-fe.h>
#include <stdio.h>

/* Print a graph of
 *   hosts   rows of process_dna.detection_hosts, in the order of their names'
 *           bytes: of each host one for each of its changes
 *   logins  rows of process_dna.detection_edges; one from or to a host that is
 *           not among `hosts`, since it is newer than those, is left out
 * Returns 0 or -ENOMEM. */
int graph_print(FILE *out, const PGresult *hosts, const PGresult *logins);

#endif
