/* The commands of process-dna-correlator. Each takes the arguments after its
 * name (argv[0] is the name) and returns an exit status. */
#ifndef PDNA_COMMANDS_H
#define PDNA_COMMANDS_H

#include "correlator/config.h"

enum exit_status {
  EXIT_DONE = 0,
  EXIT_NO = 1,    /* said no: nothing of that name, refused */
  EXIT_USAGE = 2, /* usage or configuration */
  EXIT_DATABASE = 3,
};

typedef int command_fn(const struct config *config, int argc, char **argv);

command_fn command_run;
command_fn command_migrate;
command_fn command_status;
command_fn command_agents;
command_fn command_alerts;
command_fn command_explain;
command_fn command_accept;
command_fn command_detections;
command_fn command_addresses;
command_fn command_auth_test; /* takes no configuration: NULL will do */
command_fn command_manifest;  /* its own commands: cmd_manifest.h */

#endif
