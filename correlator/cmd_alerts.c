/* process-dna-correlator alerts */
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

int command_alerts(const struct config *config, int argc, char **argv) {
  bool all = false, restart_pending = false, json = false;
  const struct cmd_syntax syntax = {
      help,
      {{"all", 'a', &all, NULL},
       {"restart-pending", 0, &restart_pending, NULL},
       {"json", 0, &json, NULL}}};
  struct cmd cmd = {0};
  PGresult *result = NULL;
  int first, status = cmd_options(&syntax, argc, argv, &first);

  if (status >= 0)
    return status;
  if (first < argc)
    return cmd_usage("alerts", "alerts: unknown argument \"%s\"", argv[first]);
  status = cmd_open(config, &cmd);
  if (status != EXIT_DONE)
    goto out;

  const char *params[] = {cmd.tenant, all ? "t" : "f",
                          restart_pending ? "t" : "f"};
  status = cmd_query(&cmd,
                     json ? "SELECT coalesce(json_agg(t), '[]') "
                            "FROM process_dna.list_alerts($1, $2, $3) t"
                          : "SELECT *, " EXECUTABLE " AS executable "
                            "FROM process_dna.list_alerts($1, $2, $3)",
                     3, params, &result);
  if (status != EXIT_DONE)
    goto out;
  status =
      json
          ? cmd_print_json(result)
          : cmd_print_table(result, columns, sizeof(columns) / sizeof(*columns),
                            restart_pending ? "nothing waits for a restart"
                            : all           ? "no alerts"
                                            : "no open alerts");
out:
  PQclear(result);
  cmd_close(&cmd);
  return status;
}
