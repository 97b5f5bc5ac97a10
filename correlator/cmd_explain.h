/* `explain` of a host's path, beside that of an alert. */
#ifndef PDNA_CMD_EXPLAIN_H
#define PDNA_CMD_EXPLAIN_H

#include <stdbool.h>

#include "correlator/commands.h"

/* An executable as it is asked for; `container` is "" for the host. */
struct explain_place {
  const char *host, *container, *path;
};

/* Gives an exit status. */
int cmd_explain_path(const struct config *config,
                     const struct explain_place *place, bool json);

#endif
