/* The commands of `manifest`, each with what follows its name, argv[0] being
 * that name. They are commands like any other (commands.h). */
#ifndef PDNA_CMD_MANIFEST_H
#define PDNA_CMD_MANIFEST_H

#include "correlator/commands.h"

command_fn command_manifest_import;
command_fn command_manifest_list;
command_fn command_manifest_fetch;
command_fn command_manifest_remove;

#endif
