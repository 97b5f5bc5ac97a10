/* process-dna-correlator alerts */
#include <stdio.h>

#include "correlator/cmd_common.h"

static const char help[] =
    "Usage: process-dna-correlator alerts [--all] [--json]\n"
    "       process-dna-correlator alerts --restart-pending [--json]\n"
    "\n"
    "List the open alerts, the newest last. `explain ID` tells what one is\n"
    "about and what to do.\n"
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
#define TABLE_SQL(more)                                                        \
  "SELECT *, CASE WHEN container <> '' THEN '@' || container || ':' ELSE '' "  \
  "END || path AS executable, host || coalesce(' -> ' || peer_host, '') AS "   \
  "hosts, CASE WHEN kind = 'lateral-movement' OR verdict = '' THEN kind ELSE " \
  "verdict END AS reason" more " FROM process_dna.list_alerts($1, $2, $3)"

static const struct table_column columns[] = {
    {"alert_id", "ID", TABLE_NUMBER, 0, false},
    {"severity", "SEVERITY", TABLE_SEVERITY, 0, false},
    {"shown_state", "STATE", TABLE_TEXT, 0, false},
    {"hosts", "HOST", TABLE_TEXT, 12, false},
    {"executable", "EXECUTABLE", TABLE_TEXT, 20, false},
    {"reason", "REASON", TABLE_TEXT, 0, false},
    {"last_seen", "LAST SEEN", TABLE_TIME, 0, true},
    {"observed_sha256", "DIGEST", TABLE_DIGEST, 0, true},
    {"first_seen", "FIRST SEEN", TABLE_TIME, 0, true},
    {"count", "SCANS", TABLE_NUMBER, 0, true},
    {"pid", "PID", TABLE_NUMBER, 0, true},
    {"package", "PACKAGE", TABLE_TEXT, 12, true},
    {"baseline_sha256", "TRUSTED", TABLE_DIGEST, 0, true},
};

static const struct table_column restart_columns[] = {
    {"host", "HOST", TABLE_TEXT, 12, false},
    {"executable", "EXECUTABLE", TABLE_TEXT, 20, false},
    {"pid", "PID", TABLE_NUMBER, 0, false},
    {"package", "PACKAGE", TABLE_TEXT, 12, true},
    {"first_seen", "SEEN SINCE", TABLE_TIME, 0, true},
    {"observed_sha256", "RUNS", TABLE_DIGEST, 0, true},
    {"baseline_sha256", "TRUSTED", TABLE_DIGEST, 0, true},
};

int command_alerts(const struct config *config, int argc, char **argv) {
  bool all = false, restart_pending = false, json = false;
  const struct cmd_syntax syntax = {
      "alerts",
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
    return cmd_unknown("alerts", argv[first]);
  if (all && restart_pending)
    return cmd_usage("alerts",
                     "alerts: expected one of --all and --restart-pending");
  status = cmd_open(config, &cmd);
  if (status != EXIT_DONE)
    goto out;

  const char *params[] = {cmd.tenant, all ? "t" : "f",
                          restart_pending ? "t" : "f"};
  const char *sql =
      json  ? "SELECT coalesce(json_agg(t), '[]') "
              "FROM process_dna.list_alerts($1, $2, $3) t"
      : all ? TABLE_SQL(", state AS shown_state") /* else all are open */
            : TABLE_SQL("");
  status = cmd_query(&cmd, sql, 3, params, &result);
  if (status != EXIT_DONE)
    goto out;
  if (json)
    status = cmd_print_json(result);
  else if (restart_pending)
    status = cmd_print_table(result, restart_columns,
                             sizeof(restart_columns) / sizeof(*restart_columns),
                             "nothing waits for a restart");
  else
    status =
        cmd_print_table(result, columns, sizeof(columns) / sizeof(*columns),
                        all ? "no alerts" : "no open alerts");
out:
  PQclear(result);
  cmd_close(&cmd);
  return status;
}
