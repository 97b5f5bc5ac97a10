/* The command line, as Net-SNMP's own agents have it. */
#ifndef PDNA_AGENTX_OPTIONS_H
#define PDNA_AGENTX_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

enum { EXIT_DONE = 0, EXIT_NO = 1, EXIT_USAGE = 2 };

/* A directive that was given as --NAME=VALUE. */
struct override {
  const char *directive, *text; /* text: argv's */
};

struct options {
  const char *socket; /* NULL: the default */
  bool foreground;
  bool scan;                  /* --scan */
  bool logs;                  /* -L was given */
  struct override *overrides; /* owned */
  size_t overrides_len;
};

/* Read argv; what concerns Net-SNMP (-c, -C, -D, -L) is handed on to it.
 * Returns -1 to go on, or an exit status. */
int options_parse(int argc, char **argv, struct options *ret);

void options_clear(struct options *options);

#endif
