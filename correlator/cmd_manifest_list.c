/* process-dna-correlator manifest list */
#include <stdio.h>

#include "correlator/cmd_common.h"
#include "correlator/cmd_manifest.h"

static const char help[] =
    "Usage: process-dna-correlator manifest list [--json] [PACKAGE]\n"
    "       process-dna-correlator manifest list --requests [--json]\n"
    "\n"
    "List the manifests: of which versions of packages it is known what they\n"
    "ship, who vouches for that and where it came from. Releases of your own,\n"
    "which have no package, come first. What vouches:\n"
    "  signed-index    the package is the one that a signed index names\n"
    "  signed-package  it is signed itself\n"
    "  file            nothing but whoever imported it\n"
    "\n"
    "Options:\n"
    "      --requests  instead, the package versions whose manifest is "
    "wanted,\n"
    "                  and how it stands with them\n"
    "      --json      one JSON array, with every column in full\n"
    "  -h, --help      this text\n"
    "\n"
    "Exit status: 0 listed, 1 no manifest of that package, 2 wrong usage, 3 "
    "no\n"
    "database.\n";

static const struct table_column columns[] = {
    {"package_id", "ID", TABLE_NUMBER, 0, false},
    {"package", "PACKAGE", TABLE_TEXT, 12, false},
    {"version", "VERSION", TABLE_TEXT, 12, false},
    {"arch", "ARCH", TABLE_TEXT, 0, false},
    {"files", "FILES", TABLE_NUMBER, 0, false},
    {"provenance", "VOUCHED BY", TABLE_TEXT, 0, false},
    {"added_at", "ADDED", TABLE_TIME, 0, true},
    {"expires_at", "EXPIRES", TABLE_TIME, 0, true},
    {"path_glob", "HOLDS AT", TABLE_TEXT, 12, true},
    {"origin", "FROM", TABLE_TEXT, 20, true},
    {"added_by", "BY", TABLE_TEXT, 12, true},
    {"manager", "MANAGER", TABLE_TEXT, 0, true},
};

static const struct table_column request_columns[] = {
    {"package", "PACKAGE", TABLE_TEXT, 12, false},
    {"version", "VERSION", TABLE_TEXT, 12, false},
    {"arch", "ARCH", TABLE_TEXT, 0, false},
    {"state", "STATE", TABLE_TEXT, 0, false},
    {"requested_at", "WANTED SINCE", TABLE_TIME, 0, true},
    {"attempts", "TRIES", TABLE_NUMBER, 0, true},
    {"due_at", "NEXT", TABLE_TIME, 0, true},
    {"error", "WHY", TABLE_TEXT, 20, true},
    {"manager", "MANAGER", TABLE_TEXT, 0, true},
};

static int list_manifests(struct cmd *cmd, const char *package, bool json) {
  const char *params[] = {cmd->tenant, package};
  PGresult *result;
  int status =
      cmd_query(cmd,
                json ? "SELECT coalesce(json_agg(t), '[]') "
                       "FROM process_dna.list_manifests($1, $2) t"
                     : "SELECT * FROM process_dna.list_manifests($1, $2)",
                2, params, &result);

  if (status != EXIT_DONE)
    return status;
  if (json)
    status = cmd_print_json(result);
  if (package != NULL && cmd_is_empty(result, json)) {
    cmd_error("package \"%s\": no manifest of it", package);
    status = EXIT_NO;
  } else if (!json) {
    status =
        cmd_print_table(result, columns, sizeof(columns) / sizeof(*columns),
                        "no manifests yet; see 'manifest import --help'");
  }
  PQclear(result);
  return status;
}

static int list_requests(struct cmd *cmd, bool json) {
  const char *params[] = {cmd->tenant};
  PGresult *result;
  int status =
      cmd_query(cmd,
                json ? "SELECT coalesce(json_agg(t), '[]') "
                       "FROM process_dna.list_manifest_requests($1) t"
                     : "SELECT * FROM process_dna.list_manifest_requests($1)",
                1, params, &result);

  if (status != EXIT_DONE)
    return status;
  status =
      json ? cmd_print_json(result)
           : cmd_print_table(result, request_columns,
                             sizeof(request_columns) / sizeof(*request_columns),
                             "no manifest is wanted");
  PQclear(result);
  return status;
}

int command_manifest_list(const struct config *config, int argc, char **argv) {
  bool json = false, requests = false;
  const struct cmd_syntax syntax = {
      "manifest list",
      help,
      {{"requests", 0, &requests, NULL}, {"json", 0, &json, NULL}}};
  struct cmd cmd = {0};
  int first, status = cmd_options(&syntax, argc, argv, &first);

  if (status >= 0)
    return status;
  if (argc - first > (requests ? 0 : 1))
    return cmd_unknown("manifest list", argv[argc - 1]);
  status = cmd_open(config, &cmd);
  if (status == EXIT_DONE)
    status = requests ? list_requests(&cmd, json)
                      : list_manifests(&cmd, first < argc ? argv[first] : NULL,
                                       json);
  cmd_close(&cmd);
  return status;
}
