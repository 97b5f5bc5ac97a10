/* process-dna-correlator alerts */
#include <getopt.h>
#include <stdio.h>

#include "correlator/cmd_common.h"

static const char help[] =
    "Usage: process-dna-correlator alerts [--all] [--json]\n"
    "       process-dna-correlator alerts --restart-pending [--json]\n"
    "\n"
    "List the open alerts, the most severe first. `explain ID` tells what one\n"
    "is about and what to do.\n"
    "\n"
    "Options:\n"
    "  -a, --all              the resolved and accepted ones as well\n"
    "      --restart-pending  instead, executables whose processes still run\n"
    "                         the image from before an update\n"
    "      --json             one JSON array, with every column in full\n"
    "  -h, --help             this text\n"
    "\n"
    "Digests are cut to 12 digits in the table. Text from hosts that could\n"
    "upset a terminal is escaped.\n"
    "\n"
    "Exit status: 0 listed (also an empty list), 2 wrong usage, 3 no "
    "database.\n";

/* "@KEY:/path" in a container, as the collectd identifiers have it. */
#define EXECUTABLE                                                             \
  "CASE WHEN container <> '' THEN '@' || container || ':' ELSE '' END || path"

static const struct table_column columns[] = {
    {"alert_id", "ID", TABLE_NUMBER, 0, false},
    {"severity", "SEVERITY", TABLE_SEVERITY, 0, false},
    {"state", "STATE", TABLE_TEXT, 0, false},
    {"host", "HOST", TABLE_TEXT, 12, false},
    {"executable", "EXECUTABLE", TABLE_TEXT, 20, false},
    {"verdict", "VERDICT", TABLE_TEXT, 0, false},
    {"last_seen", "LAST SEEN", TABLE_TIME, 0, false},
    {"observed_sha256", "DIGEST", TABLE_DIGEST, 0, true},
    {"first_seen", "FIRST SEEN", TABLE_TIME, 0, true},
    {"count", "COUNT", TABLE_NUMBER, 0, true},
    {"pid", "PID", TABLE_NUMBER, 0, true},
    {"package", "PACKAGE", TABLE_TEXT, 12, true},
    {"baseline_sha256", "TRUSTED", TABLE_DIGEST, 0, true},
};

struct options {
  bool all, restart_pending, json;
};

/* Gives -1 if the command is to go on. */
static int read_options(int argc, char **argv, struct options *ret) {
  static const struct option options[] = {
      {"all", no_argument, NULL, 'a'},
      {"restart-pending", no_argument, NULL, 'r'},
      {"json", no_argument, NULL, 'j'},
      {"help", no_argument, NULL, 'h'},
      {0}};
  int c;

  optind = 0; /* main has scanned already: start afresh */
  while ((c = getopt_long(argc, argv, "ah", options, NULL)) != -1)
    switch (c) {
    case 'a':
      ret->all = true;
      break;
    case 'r':
      ret->restart_pending = true;
      break;
    case 'j':
      ret->json = true;
      break;
    case 'h':
      fputs(help, stdout);
      return cmd_finish(EXIT_DONE);
    default:
      return cmd_usage("alerts", "alerts: wrong usage");
    }
  if (optind < argc)
    return cmd_usage("alerts", "alerts: unknown argument \"%s\"", argv[optind]);
  return -1;
}

int command_alerts(const struct config *config, int argc, char **argv) {
  struct options options = {0};
  struct cmd cmd = {0};
  PGresult *result = NULL;
  int status = read_options(argc, argv, &options);

  if (status >= 0)
    return status;
  status = cmd_open(config, &cmd);
  if (status != EXIT_DONE)
    goto out;

  const char *params[] = {cmd.tenant, options.all ? "t" : "f",
                          options.restart_pending ? "t" : "f"};
  status = cmd_query(&cmd,
                     options.json ? "SELECT coalesce(json_agg(t), '[]') "
                                    "FROM process_dna.list_alerts($1, $2, $3) t"
                                  : "SELECT *, " EXECUTABLE " AS executable "
                                    "FROM process_dna.list_alerts($1, $2, $3)",
                     3, params, &result);
  if (status != EXIT_DONE)
    goto out;
  status = options.json ? cmd_print_json(result)
                        : cmd_print_table(result, columns,
                                          sizeof(columns) / sizeof(*columns),
                                          options.restart_pending
                                              ? "nothing waits for a restart"
                                          : options.all ? "no alerts"
                                                        : "no open alerts");
out:
  PQclear(result);
  cmd_close(&cmd);
  return status;
}
