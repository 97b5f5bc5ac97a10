/* process-dna-correlator agents */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/cmd_common.h"
#include "correlator/text.h"

static const char help[] =
    "Usage: process-dna-correlator agents [--json] [NAME]\n"
    "       process-dna-correlator agents retire NAME...\n"
    "       process-dna-correlator agents rebind [--user USER] NAME...\n"
    "       process-dna-correlator agents reset NAME...\n"
    "\n"
    "List the monitored hosts: when each was last heard, by which ways and "
    "how\n"
    "far each is behind its cycle, who speaks for it there (the collectd "
    "user,\n"
    "the snmp-poll), and how many alerts it has. Or change what is kept of\n"
    "them, by the host names that collectd or sysName gives:\n"
    "  retire  the host is gone: it is no longer missed, its open alerts\n"
    "          close, and what still comes in its name is refused\n"
    "  rebind  another collectd user signs for the host from now on: USER, or\n"
    "          whoever signs for it next; and so may another snmp-poll\n"
    "  reset   the host was installed afresh: what was trusted there is not\n"
    "          any more, what runs at its next scan will be, the alerts about\n"
    "          its executables close; a retired host is back in service\n"
    "\n"
    "Options:\n"
    "  -u, --user USER  with rebind: who, as the auth-file has it\n"
    "      --json       one JSON array\n"
    "  -h, --help       this text\n"
    "\n"
    "Exit status: 0 done, 1 no such agent, 2 wrong usage, 3 no database.\n";

static const struct table_column columns[] = {
    {"name", "NAME", TABLE_TEXT, 12, false},
    {"address", "ADDRESS", TABLE_TEXT, 0, false},
    {"state", "STATE", TABLE_TEXT, 0, false},
    {"last_seen", "LAST HEARD", TABLE_TIME, 0, true},
    {"age", "AGO", TABLE_AGE, 0, false},
    {"open_alerts", "ALERTS", TABLE_NUMBER, 0, false},
    {"ways", "BY", TABLE_TEXT, 0, false},
    {"signer", "SIGNER", TABLE_TEXT, 12, false},
    {"restart_pending", "RESTARTS", TABLE_NUMBER, 0, true},
    {"executables", "EXECUTABLES", TABLE_NUMBER, 0, true},
    {"last_event", "LAST EVENT", TABLE_TEXT, 0, true},
    {"last_event_at", "AT", TABLE_TIME, 0, true},
};

/* An agent as it was before a change. */
struct before {
  char *signer;
  char *open_alerts;
};

typedef void tell_fn(const char *name, const struct before *before,
                     const char *user);

static void tell_retired(const char *name, const struct before *before,
                         const char *user) {
  (void)user;
  printf("%s: retired: it is no longer missed, what still comes in its name is "
         "refused, open alerts closed: %s\n",
         name, before->open_alerts);
}

static void tell_rebound(const char *name, const struct before *before,
                         const char *user) {
  printf("%s: signed for by %s until now, by %s from now on\n", name,
         before->signer, user != NULL ? user : "whoever signs for it next");
}

static void tell_reset(const char *name, const struct before *before,
                       const char *user) {
  (void)before;
  (void)user;
  printf("%s: reset: what was trusted there is not any more, what runs at its "
         "next scan will be; the alerts about its executables are closed\n",
         name);
}

static const struct action {
  const char *name, *sql;
  bool takes_user;
  tell_fn *tell;
} actions[] = {
    {"retire", "SELECT process_dna.agents_retire($1, $2, $3)", false,
     tell_retired},
    {"rebind", "SELECT process_dna.agents_rebind($1, $2, $4, $3)", true,
     tell_rebound},
    {"reset", "SELECT process_dna.agents_reset($1, $2, $3)", false, tell_reset},
};

static const struct action *find_action(const char *name) {
  for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
    if (strcmp(name, actions[i].name) == 0)
      return &actions[i];
  return NULL;
}

static int list(struct cmd *cmd, const char *name, bool json) {
  const char *params[] = {cmd->tenant, name};
  PGresult *result;
  int status = cmd_query(
      cmd,
      json ? "SELECT coalesce(json_agg(t), '[]') "
             "FROM process_dna.list_agents($1, $2) t"
           : "SELECT *, extract(epoch FROM now() - last_seen)::bigint AS age, "
             "(SELECT string_agg(w->>'source' || CASE WHEN "
             "(w->>'late_s')::numeric > 0 THEN ' (' || (w->>'late_s') || "
             "' s late)' ELSE '' END, ', ') "
             "FROM jsonb_array_elements(sources) w) AS ways "
             "FROM process_dna.list_agents($1, $2)",
      2, params, &result);

  if (status != EXIT_DONE)
    return status;
  if (json)
    status = cmd_print_json(result);
  if (name != NULL && cmd_is_empty(result, json)) {
    cmd_error("agent \"%s\": no such agent", name);
    status = EXIT_NO;
  } else if (!json) {
    status =
        cmd_print_table(result, columns, sizeof(columns) / sizeof(*columns),
                        "no agent has reported yet");
  }
  PQclear(result);
  return status;
}

/* Gives EXIT_NO and says so if there is no such agent. */
static int look_before(struct cmd *cmd, const char *name, struct before *ret) {
  const char *params[] = {cmd->tenant, name};
  PGresult *result;
  int status = cmd_query(cmd,
                         "SELECT coalesce(signer, 'nobody'), open_alerts "
                         "FROM process_dna.list_agents($1, $2)",
                         2, params, &result);

  if (status != EXIT_DONE)
    return status;
  if (PQntuples(result) == 0) {
    cmd_error("agent \"%s\": no such agent", name);
    status = EXIT_NO;
    goto out;
  }
  ret->signer = text_printable(PQgetvalue(result, 0, 0));
  ret->open_alerts = text_printable(PQgetvalue(result, 0, 1));
  if (ret->signer == NULL || ret->open_alerts == NULL) {
    cmd_error("out of memory");
    status = EXIT_NO;
  }
out:
  PQclear(result);
  return status;
}

struct change {
  const struct action *action;
  const char *user; /* NULL: none was given */
};

/* One agent. */
static int change(struct cmd *cmd, const char *name, const void *with) {
  const struct change *c = with;
  char who[CMD_WHO_MAX];
  const char *params[] = {cmd->tenant, name, who, c->user};
  struct before before = {0};
  PGresult *result = NULL;
  int status = look_before(cmd, name, &before);

  if (status != EXIT_DONE)
    goto out;
  cmd_who(who);
  status = cmd_query(cmd, c->action->sql, c->action->takes_user ? 4 : 3, params,
                     &result);
  if (status != EXIT_DONE)
    goto out;
  if (strcmp(PQgetvalue(result, 0, 0), "done") == 0) {
    c->action->tell(name, &before, c->user);
  } else {
    cmd_error("agent \"%s\": %s", name, PQgetvalue(result, 0, 0));
    status = EXIT_NO;
  }
out:
  PQclear(result);
  free(before.signer);
  free(before.open_alerts);
  return status;
}

int command_agents(const struct config *config, int argc, char **argv) {
  bool json = false;
  const char *user = NULL;
  const struct cmd_syntax syntax = {
      "agents", help, {{"json", 0, &json, NULL}, {"user", 'u', NULL, &user}}};
  const struct action *action = NULL;
  struct cmd cmd = {0};
  int first, status = cmd_options(&syntax, argc, argv, &first);

  if (status >= 0)
    return status;
  if (first < argc)
    action = find_action(argv[first]);
  if (user != NULL && (action == NULL || !action->takes_user))
    return cmd_usage("agents", "agents: --user goes with rebind only");
  if (action != NULL && argc - first < 2)
    return cmd_usage("agents", "agents %s: NAME expected", action->name);
  if (action == NULL && argc - first > 1)
    return cmd_unknown("agents", argv[first + 1]);

  if (action != NULL) {
    const struct change with = {action, user};

    return cmd_for_each(config, argv + first + 1, (size_t)(argc - first - 1),
                        change, &with);
  }
  status = cmd_open(config, &cmd);
  if (status == EXIT_DONE)
    status = list(&cmd, first < argc ? argv[first] : NULL, json);
  cmd_close(&cmd);
  return status;
}
