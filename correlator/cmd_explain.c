/* process-dna-correlator explain */
#include <stdio.h>
#include <string.h>

#include "correlator/cmd_common.h"
#include "correlator/cmd_explain.h"
#include "correlator/explain.h"

static const char help[] =
    "Usage: process-dna-correlator explain [--json] KEY|ID\n"
    "       process-dna-correlator explain [OPTION...] HOST PATH\n"
    "\n"
    "Tell in plain language what an alert is about: what changed and since\n"
    "when, the digests, the package, what the other agents have, and what to\n"
    "do next, with the commands; of lateral movement, who logged on from "
    "where\n"
    "to where, and how far the log is to be trusted. ID is a number from\n"
    "`alerts` or `detections`, KEY is the pdnaAlertKey of a trap.\n"
    "\n"
    "With the name of a host and a path there, tell why the executable is in\n"
    "order: what is trusted, which manifest decided that or who, and from\n"
    "where it came; what else runs there, and its alerts; what was trusted\n"
    "before; and what happened. PATH is that of the file, or as it is listed.\n"
    "\n"
    "Options:\n"
    "      --container KEY  the path is one in containers of that image, "
    "whose\n"
    "                       key the listings show\n"
    "      --json           the facts as one JSON object\n"
    "  -h, --help           this text\n"
    "\n"
    "Exit status: 0 explained, 1 no such alert, host or path, 2 wrong usage,\n"
    "3 no database.\n";

static int print_text(const struct cmd *cmd, const PGresult *result,
                      const struct explain_movement *movement) {
  const char *file = cmd->config->file;
  struct explain_facts facts;

  explain_facts_of(result, 0, &facts);
  if (strcmp(file, CONFIG_DEFAULT_FILE) == 0)
    file = NULL;
  if (explain_print(stdout, &facts, movement, file) < 0) {
    cmd_error("out of memory");
    return EXIT_NO;
  }
  return cmd_finish(EXIT_DONE);
}

/* A page shows the first logins; a controller may have thousands. */
static int print_movement(struct cmd *cmd, const PGresult *result) {
  char logins_max[12];
  const char *params[] = {cmd->tenant, db_value(result, 0, "alert_id"),
                          logins_max};
  PGresult *logins = NULL, *hops = NULL;
  int status;

  (void)snprintf(logins_max, sizeof(logins_max), "%d", EXPLAIN_LOGINS_MAX);
  status = cmd_query(
      cmd, "SELECT * FROM process_dna.detection_logins($1, $2) LIMIT $3", 3,
      params, &logins);
  if (status == EXIT_DONE)
    status = cmd_query(cmd, "SELECT * FROM process_dna.detection_hops($1, $2)",
                       2, params, &hops);
  if (status == EXIT_DONE) {
    const struct explain_movement movement = {logins, hops};

    status = print_text(cmd, result, &movement);
  }
  PQclear(logins);
  PQclear(hops);
  return status;
}

/* The facts; of a movement, its logins and hops too. */
#define JSON_SQL                                                               \
  "SELECT row_to_json(t) FROM (SELECT f.*, (SELECT json_agg(l) FROM "          \
  "process_dna.detection_logins($1, f.alert_id) l) AS detections, (SELECT "    \
  "json_agg(h) FROM process_dna.detection_hops($1, f.alert_id) h) AS hops "    \
  "FROM process_dna.alert_facts($1, $2) f) t"

static int explain_alert(struct cmd *cmd, const char *alert, bool json) {
  const char *params[] = {cmd->tenant, alert};
  PGresult *result = NULL;
  int status = cmd_query(
      cmd, json ? JSON_SQL : "SELECT * FROM process_dna.alert_facts($1, $2)", 2,
      params, &result);

  if (status != EXIT_DONE)
    return status;
  if (PQntuples(result) == 0) {
    cmd_error("alert %s: no such alert", alert);
    status = EXIT_NO;
  } else if (json) {
    status = cmd_print_json(result);
  } else if (db_value(result, 0, "peer_host") != NULL) {
    status = print_movement(cmd, result);
  } else {
    status = print_text(cmd, result, NULL);
  }
  PQclear(result);
  return status;
}

int command_explain(const struct config *config, int argc, char **argv) {
  bool json = false;
  const char *container = NULL;
  struct cmd cmd = {0};
  const struct cmd_syntax syntax = {
      "explain",
      help,
      {{"json", 0, &json, NULL}, {"container", 0, NULL, &container}}};
  int first, status = cmd_options(&syntax, argc, argv, &first);

  if (status >= 0)
    return status;
  if (argc - first == 2) {
    const struct explain_place place = {
        argv[first], container != NULL ? container : "", argv[first + 1]};

    return cmd_explain_path(config, &place, json);
  }
  if (argc - first != 1 || container != NULL)
    return cmd_usage("explain", "explain: one alert's ID or KEY expected, or "
                                "HOST and PATH");
  status = cmd_open(config, &cmd);
  if (status == EXIT_DONE)
    status = explain_alert(&cmd, argv[first], json);
  cmd_close(&cmd);
  return status;
}
