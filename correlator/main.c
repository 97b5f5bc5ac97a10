/* process-dna-correlator: options of the program, then a command. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/cmd_common.h"
#include "correlator/commands.h"
#include "correlator/log.h"
#include "lib/record/version.h"

static const struct command {
  const char *name;
  command_fn *run;
  const char *what;
} commands[] = {
    {"run", command_run, "take scans, judge them, send traps"},
    {"migrate", command_migrate, "bring the database's schema up to date"},
    {"status", command_status, "what there is, and how it goes"},
    {"agents", command_agents, "list, retire, rebind or reset hosts"},
    {"alerts", command_alerts, "list alerts"},
    {"explain", command_explain,
     "what an alert means, why a change was silent"},
    {"accept", command_accept, "make an alert's executable the baseline"},
    {"detections", command_detections, "list or draw lateral movement"},
    {"manifest", command_manifest, "import, fetch or list what packages ship"},
    {"addresses", command_addresses, "list, add or remove hosts' addresses"},
    {"auth-test", command_auth_test, "show how the lines of a log are read"},
};

struct options {
  const char *file;
  bool verbose;
  bool to_syslog;
};

static void usage(FILE *to) {
  (void)fprintf(
      to, "Usage: process-dna-correlator [OPTION...] COMMAND [ARGUMENT...]\n"
          "  -c, --config FILE  instead of " CONFIG_DEFAULT_FILE "\n"
          "  -v, --verbose      say more\n"
          "      --syslog       messages to syslog, not to standard error\n"
          "  -h, --help         this\n"
          "  -V, --version      version\n"
          "Commands (each has --help):\n");
  for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
    (void)fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].what);
}

static int hint(void) {
  (void)fputs("Try 'process-dna-correlator --help'.\n", stderr);
  return EXIT_USAGE;
}

/* Returns -1 to go on, or an exit status. */
static int parse_options(int argc, char **argv, struct options *options) {
  enum { SYSLOG = 256 };
  static const struct option longs[] = {
      {"config", required_argument, NULL, 'c'},
      {"verbose", no_argument, NULL, 'v'},
      {"syslog", no_argument, NULL, SYSLOG},
      {"help", no_argument, NULL, 'h'},
      {"version", no_argument, NULL, 'V'},
      {NULL, 0, NULL, 0},
  };
  int option;

  /* '+': what follows the command is the command's. */
  /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet. */
  while ((option = getopt_long(argc, argv, "+c:vhV", longs, NULL)) != -1) {
    switch (option) {
    case 'c':
      options->file = optarg;
      break;
    case 'v':
      options->verbose = true;
      break;
    case SYSLOG:
      options->to_syslog = true;
      break;
    case 'h':
      usage(stdout);
      return EXIT_DONE;
    case 'V':
      (void)puts("process-dna-correlator " PDNA_VERSION);
      return EXIT_DONE;
    default: /* getopt_long has said what */
      return hint();
    }
  }
  return -1;
}

static const struct command *find_command(const char *name) {
  for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
    if (strcmp(commands[i].name, name) == 0)
      return &commands[i];
  return NULL;
}

static bool needs_configuration(const struct command *c) {
  return c->run != command_auth_test;
}

/* The help of a command needs no configuration. Only right behind the command,
 * or a command of its own, is --help sure to ask for it: elsewhere it may be
 * the value of an option. */
static bool asks_for_help(int argc, char **argv) {
  int i = argc > 1 && argv[1][0] != '-' ? 2 : 1;

  return argc > i &&
         (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0);
}

int main(int argc, char **argv) {
  struct options options = {.file = CONFIG_DEFAULT_FILE};
  struct config *config = NULL;

  int status = parse_options(argc, argv, &options);
  if (status >= 0)
    return status;
  log_setup(options.to_syslog,
            options.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
  argc -= optind;
  argv += optind;
  if (argc == 0) {
    usage(stderr);
    return EXIT_USAGE;
  }
  const struct command *command = find_command(argv[0]);
  if (command == NULL) {
    cmd_error("unknown command \"%s\"", argv[0]);
    return hint();
  }
  optind = 0; /* the command may have options of its own */
  if (needs_configuration(command) && !asks_for_help(argc, argv) &&
      config_read(options.file, &config) != 0)
    return EXIT_USAGE;
  status = command->run(config, argc, argv);
  config_free(config);
  return status;
}
