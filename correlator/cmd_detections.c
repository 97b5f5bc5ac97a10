/* process-dna-correlator detections */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/cmd_common.h"
#include "correlator/graph.h"
#include "correlator/graphviz.h"

static const char help[] =
    "Usage: process-dna-correlator detections [--all] [--json | --dot]\n"
    "       process-dna-correlator detections [--all] --svg [FILE]\n"
    "\n"
    "List lateral movement, the newest last: from a host with an executable\n"
    "that nothing explains somebody logged on to another host at about the\n"
    "same time. A detection is an alert as well: `explain ID` tells its story\n"
    "and what to do.\n"
    "\n"
    "Options:\n"
    "  -a, --all   those that are over as well\n"
    "      --json  one JSON array, with every column in full and each login\n"
    "      --dot   the graph of hosts and logins, for Graphviz: what changed\n"
    "              stands in the hosts, which are red then, and whoever "
    "logged\n"
    "              on at the arrows\n"
    "      --svg   the same, drawn by Graphviz into FILE, or to standard "
    "output\n"
    "  -h, --help  this text\n"
    "\n"
    "Exit status: 0 listed (also an empty list), 1 not drawn, 2 wrong usage,\n"
    "3 no database.\n";

static const struct table_column columns[] = {
    {"alert_id", "ID", TABLE_NUMBER, 0, false},
    {"severity", "SEVERITY", TABLE_SEVERITY, 0, false},
    {"shown_state", "STATE", TABLE_TEXT, 0, false},
    {"source", "FROM", TABLE_TEXT, 12, false},
    {"targets", "TO", TABLE_TEXT, 12, false},
    {"users", "USER", TABLE_TEXT, 8, false},
    {"last_login", "LAST LOGIN", TABLE_TIME, 0, false},
    {"logins", "LOGINS", TABLE_NUMBER, 0, true},
    {"executable", "CHANGED", TABLE_TEXT, 20, true},
    {"related_id", "ALERT", TABLE_NUMBER, 0, true},
    {"remark", "REMARK", TABLE_TEXT, 0, true},
    {"source_address", "ADDRESS", TABLE_TEXT, 0, true},
};

#define LISTED "process_dna.list_detections($1, $2) d"

/* Behind the target stand those that its hops lead on to. */
#define TABLE_SQL(more)                                                        \
  "SELECT *, target || coalesce(', then ' || (SELECT string_agg(h.target, "    \
  "', ' ORDER BY h.hop) FROM process_dna.detection_hops($1, alert_id) h "      \
  "WHERE h.hop > 1), '') AS targets, array_to_string(auth_users, ', ') AS "    \
  "users, CASE WHEN container <> '' THEN '@' || container || ':' ELSE '' END " \
  "|| path AS executable, concat_ws(', ', CASE WHEN first_time THEN 'first "   \
  "time' END, CASE WHEN ambiguous THEN 'source ambiguous' END) AS "            \
  "remark" more " FROM " LISTED

static int print_table(struct cmd *cmd, const char *all) {
  const char *params[] = {cmd->tenant, all};
  bool every = strcmp(all, "t") == 0;
  PGresult *result;
  int status = cmd_query(
      cmd, every ? TABLE_SQL(", state AS shown_state") : TABLE_SQL(""), 2,
      params, &result);

  if (status != EXIT_DONE)
    return status;
  status = cmd_print_table(result, columns, sizeof(columns) / sizeof(*columns),
                           every ? "no detections" : "no open detections");
  PQclear(result);
  return status;
}

static int print_json(struct cmd *cmd, const char *all) {
  const char *params[] = {cmd->tenant, all};
  PGresult *result;
  int status =
      cmd_query(cmd,
                "SELECT coalesce(json_agg(t), '[]') FROM (SELECT d.*, (SELECT "
                "json_agg(l) FROM process_dna.detection_logins($1, d.alert_id) "
                "l) AS detections FROM " LISTED ") t",
                2, params, &result);

  if (status != EXIT_DONE)
    return status;
  status = cmd_print_json(result);
  PQclear(result);
  return status;
}

/* The graph as text, which the caller frees. */
static int make_graph(struct cmd *cmd, const char *all, char **ret_text) {
  const char *params[] = {cmd->tenant, all};
  PGresult *hosts = NULL, *logins = NULL;
  char *text = NULL;
  size_t size;
  FILE *out;
  int r, status =
             cmd_query(cmd, "SELECT * FROM process_dna.detection_hosts($1, $2)",
                       2, params, &hosts);

  if (status == EXIT_DONE)
    status = cmd_query(cmd, "SELECT * FROM process_dna.detection_edges($1, $2)",
                       2, params, &logins);
  if (status != EXIT_DONE)
    goto out;
  if (PQntuples(hosts) == 0)
    fputs("no detections: the graph is empty\n", stderr);
  out = open_memstream(&text, &size);
  r = out != NULL ? graph_print(out, hosts, logins) : -1;
  if (out != NULL && fclose(out) != 0)
    r = -1;
  if (r < 0) {
    cmd_error("out of memory");
    free(text);
    status = EXIT_NO;
  } else {
    *ret_text = text;
  }
out:
  PQclear(hosts);
  PQclear(logins);
  return status;
}

static int print_graph(struct cmd *cmd, const char *all, bool draw,
                       const char *file) {
  char reason[GRAPHVIZ_REASON_MAX], *text = NULL;
  int status = make_graph(cmd, all, &text);

  if (status != EXIT_DONE)
    return status;
  if (!draw) {
    fputs(text, stdout);
  } else if (graphviz_svg(text, file, reason) < 0) {
    cmd_error("%s", reason);
    status = EXIT_NO;
  }
  free(text);
  return cmd_finish(status);
}

int command_detections(const struct config *config, int argc, char **argv) {
  bool all = false, json = false, dot = false, svg = false;
  const struct cmd_syntax syntax = {"detections",
                                    help,
                                    {{"all", 'a', &all, NULL},
                                     {"json", 0, &json, NULL},
                                     {"dot", 0, &dot, NULL},
                                     {"svg", 0, &svg, NULL}}};
  struct cmd cmd = {0};
  int first, status = cmd_options(&syntax, argc, argv, &first);

  if (status >= 0)
    return status;
  if (json + dot + svg > 1)
    return cmd_usage("detections",
                     "detections: expected one of --json, --dot and --svg");
  if (argc - first > svg)
    return cmd_unknown("detections", argv[first + svg]);
  status = cmd_open(config, &cmd);
  if (status == EXIT_DONE) {
    const char *every = all ? "t" : "f";

    if (json)
      status = print_json(&cmd, every);
    else if (dot || svg)
      status = print_graph(&cmd, every, svg, first < argc ? argv[first] : NULL);
    else
      status = print_table(&cmd, every);
  }
  cmd_close(&cmd);
  return status;
}
