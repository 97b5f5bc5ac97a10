/* process-dna-correlator addresses */
#include <stdio.h>
#include <string.h>

#include "correlator/cmd_common.h"

static const char help[] =
    "Usage: process-dna-correlator addresses [--json] [AGENT]\n"
    "       process-dna-correlator addresses add AGENT ADDRESS|NAME...\n"
    "       process-dna-correlator addresses remove AGENT ADDRESS|NAME...\n"
    "\n"
    "List the addresses that agents have or had: those they report, and those\n"
    "added here, which an agent can't know itself (behind NAT). By them the\n"
    "hosts are known that logins come from. NAME is another name that a host\n"
    "has in its logs; with or without its domain it is known anyway. An\n"
    "address that is removed stays in the list as past; what an agent reports\n"
    "itself comes back.\n"
    "\n"
    "Options:\n"
    "      --json  one JSON array\n"
    "  -h, --help  this text\n"
    "\n"
    "Exit status: 0 done, 1 no such agent, address or name, 2 wrong usage,\n"
    "3 no database.\n";

static const struct table_column columns[] = {
    {"agent", "AGENT", TABLE_TEXT, 12, false},
    {"shown", "ADDRESS", TABLE_TEXT, 12, false},
    {"state", "STATE", TABLE_TEXT, 0, false},
    {"source", "SOURCE", TABLE_TEXT, 0, false},
    {"first_seen", "FIRST SEEN", TABLE_TIME, 0, true},
    {"last_seen", "LAST SEEN", TABLE_TIME, 0, true},
    {"added_by", "ADDED BY", TABLE_TEXT, 12, true},
};

static int list(struct cmd *cmd, const char *agent, bool json) {
  const char *params[] = {cmd->tenant, agent};
  PGresult *result;
  int status = cmd_query(cmd,
                         json ? "SELECT coalesce(json_agg(t), '[]') "
                                "FROM process_dna.list_addresses($1, $2) t"
                              : "SELECT *, coalesce(address, name) AS shown, "
                                "CASE WHEN present THEN 'present' "
                                "ELSE 'past' END AS state "
                                "FROM process_dna.list_addresses($1, $2)",
                         2, params, &result);

  if (status != EXIT_DONE)
    return status;
  if (json)
    status = cmd_print_json(result);
  if (agent != NULL && cmd_is_empty(result, json)) {
    cmd_error("agent \"%s\": no such agent, or it has no addresses", agent);
    status = EXIT_NO;
  } else if (!json) {
    status = cmd_print_table(
        result, columns, sizeof(columns) / sizeof(*columns), "no addresses");
  }
  PQclear(result);
  return status;
}

struct change {
  bool add; /* or remove */
  const char *agent;
};

/* One address or name. */
static int change(struct cmd *cmd, const char *address, const void *with) {
  const struct change *c = with;
  char who[CMD_WHO_MAX];
  const char *params[] = {cmd->tenant, c->agent, address, who};
  PGresult *result;
  int status;

  cmd_who(who);
  status =
      cmd_query(cmd,
                c->add ? "SELECT process_dna.address_add($1, $2, $3, $4)"
                       : "SELECT process_dna.address_remove($1, $2, $3, $4)",
                4, params, &result);
  if (status != EXIT_DONE)
    return status;
  if (strcmp(PQgetvalue(result, 0, 0), "done") == 0) {
    printf("%s: %s %s\n", c->agent, address, c->add ? "added" : "removed");
  } else {
    cmd_error("%s: %s: %s", c->agent, address, PQgetvalue(result, 0, 0));
    status = EXIT_NO;
  }
  PQclear(result);
  return status;
}

int command_addresses(const struct config *config, int argc, char **argv) {
  bool json = false;
  struct cmd cmd = {0};
  const struct cmd_syntax syntax = {
      "addresses", help, {{"json", 0, &json, NULL}}};
  int first, status = cmd_options(&syntax, argc, argv, &first);

  if (status >= 0)
    return status;
  argv += first;
  argc -= first;
  bool add = argc > 0 && strcmp(argv[0], "add") == 0;
  bool remove = argc > 0 && strcmp(argv[0], "remove") == 0;
  if ((add || remove) && argc < 3)
    return cmd_usage("addresses",
                     "addresses %s: AGENT and ADDRESS or NAME expected",
                     argv[0]);
  if (!add && !remove && argc > 1)
    return cmd_unknown("addresses", argv[1]);

  if (add || remove) {
    const struct change with = {add, argv[1]};

    return cmd_for_each(config, argv + 2, (size_t)argc - 2, change, &with);
  }
  status = cmd_open(config, &cmd);
  if (status == EXIT_DONE)
    status = list(&cmd, argc > 0 ? argv[0] : NULL, json);
  cmd_close(&cmd);
  return status;
}
