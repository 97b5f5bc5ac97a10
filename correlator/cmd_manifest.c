/* process-dna-correlator manifest: which of its commands is meant */
#include "correlator/cmd_manifest.h"

#include <stdio.h>
#include <string.h>

#include "correlator/cmd_common.h"

static const struct {
  const char *name;
  command_fn *run;
} commands[] = {
    {"import", command_manifest_import},
    {"list", command_manifest_list},
    {"fetch", command_manifest_fetch},
    {"remove", command_manifest_remove},
};

static const char help[] =
    "Usage: process-dna-correlator manifest import [OPTION...] PATH...\n"
    "       process-dna-correlator manifest list [OPTION...] [PACKAGE]\n"
    "       process-dna-correlator manifest fetch [PACKAGE=VERSION[:ARCH]...]\n"
    "       process-dna-correlator manifest remove ID... --why TEXT\n"
    "\n"
    "What packages and releases of your own ship: executables whose digests\n"
    "are found there become trusted without an alert, and those that are not\n"
    "what their package ships are Critical.\n"
    "  import  read packages, lists of digests and tarballs\n"
    "  list    what is known, and what is wanted\n"
    "  fetch   download packages, verified, and read them\n"
    "  remove  take back what should not have been imported\n"
    "\n"
    "Each has --help.\n"
    "\n"
    "Exit status: 0 done, 1 said no, 2 wrong usage, 3 no database.\n";

int command_manifest(const struct config *config, int argc, char **argv) {
  if (argc > 1 &&
      (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
    fputs(help, stdout);
    return cmd_finish(EXIT_DONE);
  }
  if (argc < 2)
    return cmd_usage("manifest", "manifest: a command expected");
  for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
    if (strcmp(argv[1], commands[i].name) == 0)
      return commands[i].run(config, argc - 1, argv + 1);
  return cmd_usage("manifest", "manifest: unknown command \"%s\"", argv[1]);
}
