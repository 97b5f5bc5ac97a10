/* process-dna-correlator status */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/cmd_common.h"
#include "correlator/counters.h"
#include "correlator/text.h"

static const char help[] =
    "Usage: process-dna-correlator status [--json]\n"
    "\n"
    "Tell which correlators run, what they have counted since they started\n"
    "(what is zero is left out), and what the database holds. A correlator\n"
    "that has not reported for a minute does not run.\n"
    "\n"
    "Options:\n"
    "      --json  one JSON object: running, correlators, status\n"
    "  -h, --help  this text\n"
    "\n"
    "Exit status: 0 a correlator runs, 1 none runs, 2 wrong usage,\n"
    "3 no database. Fit for a check by a monitoring system.\n";

#define RUNNING "reported_at > now() - interval '1 minute'"

static const struct table_column correlator_columns[] = {
    {"instance", "CORRELATOR", TABLE_TEXT, 12, false},
    {"state", "STATE", TABLE_TEXT, 0, false},
    {"age", "REPORTED AGO", TABLE_AGE, 0, false},
    {"host", "HOST", TABLE_TEXT, 12, true},
    {"pid", "PID", TABLE_NUMBER, 0, true},
    {"version", "VERSION", TABLE_TEXT, 0, true},
    {"started_at", "STARTED", TABLE_TIME, 0, true},
};

static const struct table_column status_columns[] = {
    {"key", "DATABASE", TABLE_TEXT, 0, false},
    {"value", "VALUE", TABLE_TEXT, 0, false},
};

/* What a counter of that name counts; "" for one of another version. */
static const char *describe(const char *name) {
  for (int c = 0; c < COUNTER_MAX; c++)
    if (strcmp(name, counters_name((enum counter)c)) == 0)
      return counters_description((enum counter)c);
  return "";
}

static int print_counters(struct cmd *cmd) {
  PGresult *result;
  int status = cmd_query(
      cmd,
      "SELECT c.instance, n.key, n.value FROM process_dna.list_correlators() c,"
      " jsonb_each_text(c.counters) n WHERE c." RUNNING
      " AND n.value NOT IN ('0', '') ORDER BY c.instance, n.key",
      0, NULL, &result);
  const char *last = "";

  if (status != EXIT_DONE)
    return status;
  for (int row = 0; row < PQntuples(result); row++) {
    const char *instance = PQgetvalue(result, row, 0);
    const char *name = PQgetvalue(result, row, 1);
    char *title = table_cell(TABLE_TEXT, instance);
    char *shown = table_cell(TABLE_TEXT, name);
    char *value = table_cell(TABLE_TEXT, PQgetvalue(result, row, 2));

    if (title != NULL && strcmp(instance, last) != 0)
      printf("\nCOUNTED BY %s\n", title);
    if (shown != NULL && value != NULL)
      printf("%-22s  %12s  %s\n", shown, value, describe(name));
    free(title);
    free(shown);
    free(value);
    last = instance;
  }
  PQclear(result);
  return EXIT_DONE;
}

static int print_correlators(struct cmd *cmd, bool *ret_running) {
  PGresult *result;
  int status = cmd_query(
      cmd,
      "SELECT *, CASE WHEN " RUNNING " THEN 'running' ELSE 'gone' END AS state,"
      " extract(epoch FROM now() - reported_at)::bigint AS age,"
      " bool_or(" RUNNING ") OVER () AS any_running"
      " FROM process_dna.list_correlators()",
      0, NULL, &result);

  if (status != EXIT_DONE)
    return status;
  *ret_running = PQntuples(result) > 0 &&
                 strcmp(db_value(result, 0, "any_running"), "t") == 0;
  status =
      cmd_print_table(result, correlator_columns,
                      sizeof(correlator_columns) / sizeof(*correlator_columns),
                      "no correlator has ever run on this database");
  PQclear(result);
  return status;
}

static int print_status(struct cmd *cmd) {
  const char *params[] = {cmd->tenant};
  PGresult *result;
  int status = cmd_query(cmd, "SELECT * FROM process_dna.list_status($1)", 1,
                         params, &result);

  if (status != EXIT_DONE)
    return status;
  putchar('\n');
  status = cmd_print_table(result, status_columns,
                           sizeof(status_columns) / sizeof(*status_columns),
                           "nothing in the database");
  PQclear(result);
  return status;
}

static int print_json(struct cmd *cmd, bool *ret_running) {
  const char *params[] = {cmd->tenant};
  PGresult *result;
  int status =
      cmd_query(cmd,
                "WITH c AS MATERIALIZED (SELECT *, " RUNNING " AS running"
                " FROM process_dna.list_correlators())"
                " SELECT json_build_object("
                "'running', (SELECT coalesce(bool_or(running), false) FROM c),"
                "'correlators', (SELECT coalesce(json_agg(c), '[]') FROM c),"
                "'status', (SELECT json_object_agg(key, value)"
                " FROM process_dna.list_status($1))),"
                " (SELECT coalesce(bool_or(running), false) FROM c)",
                1, params, &result);

  if (status != EXIT_DONE)
    return status;
  *ret_running = strcmp(PQgetvalue(result, 0, 1), "t") == 0;
  status = cmd_print_json(result);
  PQclear(result);
  return status;
}

int command_status(const struct config *config, int argc, char **argv) {
  bool json = false, running = false;
  struct cmd cmd = {0};
  const struct cmd_syntax syntax = {"status", help, {{"json", 0, &json, NULL}}};
  int first, status = cmd_options(&syntax, argc, argv, &first);

  if (status >= 0)
    return status;
  if (first < argc)
    return cmd_unknown("status", argv[first]);
  status = cmd_open(config, &cmd);
  if (status != EXIT_DONE)
    goto out;

  if (json) {
    status = print_json(&cmd, &running);
  } else {
    status = print_correlators(&cmd, &running);
    if (status == EXIT_DONE)
      status = print_counters(&cmd);
    if (status == EXIT_DONE)
      status = print_status(&cmd);
  }
  if (status == EXIT_DONE && !running) {
    cmd_error("no correlator is running");
    status = EXIT_NO;
  }
  status = cmd_finish(status);
out:
  cmd_close(&cmd);
  return status;
}
