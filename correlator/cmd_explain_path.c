/* process-dna-correlator explain HOST PATH */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "correlator/cmd_common.h"
#include "correlator/cmd_explain.h"
#include "correlator/explain.h"
#include "lib/record/pathname.h"

/* The identities that a path may be meant by: the text as listings show it, and
 * the raw path; and both where /bin is a link into /usr. Gives 0, -EINVAL or
 * -ENOMEM. */
static int identities_of(const struct explain_place *place,
                         struct db_array *ret) {
  char *merged = NULL, *raw = NULL, *text = NULL;
  char identity[PATHNAME_MAX + 1];
  int error = pathname_merge_usr(place->path, &merged);
  const char *typed[] = {place->path, merged};

  for (size_t i = 0; i < 2 && error == 0; i++) {
    if ((pathname_is_shortened(typed[i]) ||
         pathname_decode(typed[i], &raw) == 0) &&
        pathname_to_identity(place->container, typed[i], identity) == 0)
      db_array_add_text(ret, identity);
    error = pathname_encode(typed[i], &text);
    if (error == 0)
      error = pathname_to_identity(place->container, text, identity);
    if (error == 0)
      db_array_add_text(ret, identity);
    free(raw);
    free(text);
    raw = text = NULL;
  }
  free(merged);
  return error == 0 && db_array_text(ret) == NULL ? -ENOMEM : error;
}

/* Where it is in the database: *ret_found has agent_id and path. */
static int find_path(struct cmd *cmd, const struct explain_place *place,
                     const char *identities, PGresult **ret_found) {
  const char *params[] = {cmd->tenant, place->host, place->container,
                          identities};
  int status =
      cmd_query(cmd, "SELECT * FROM process_dna.path_find($1, $2, $3, $4)", 4,
                params, ret_found);
  const char *near = db_text(*ret_found, 0, "near");

  if (status != EXIT_DONE || db_value(*ret_found, 0, "path") != NULL)
    return status;
  if (db_value(*ret_found, 0, "agent_id") == NULL)
    cmd_error("host %s: no such host%s%s", place->host,
              *near != '\0' ? "; it may be " : ", see `agents`", near);
  else
    cmd_error("%s: never seen to run on %s%s%s%s%s", place->path, place->host,
              *place->container != '\0' ? " in container " : "",
              place->container, *near != '\0' ? "; of that name there is " : "",
              near);
  return EXIT_NO;
}

static const char json_sql[] =
    "SELECT json_build_object('host', $5::text, 'container', $3::text,"
    " 'path', $4::text,"
    " 'baselines', (SELECT coalesce(json_agg(b), '[]')"
    "  FROM process_dna.path_baselines($1, $2, $3, $4) b),"
    " 'running', (SELECT coalesce(json_agg(r), '[]')"
    "  FROM process_dna.path_running($1, $2, $3, $4) r),"
    " 'events', (SELECT coalesce(json_agg(e), '[]')"
    "  FROM process_dna.path_events($1, $2, $3, $4) e))";

static int print_json(struct cmd *cmd, const struct explain_place *place,
                      const char *agent) {
  const char *params[] = {cmd->tenant, agent, place->container, place->path,
                          place->host};
  PGresult *result = NULL;
  int status = cmd_query(cmd, json_sql, 5, params, &result);

  if (status == EXIT_DONE)
    status = cmd_print_json(result);
  PQclear(result);
  return status;
}

static int print_text(struct cmd *cmd, const struct explain_place *place,
                      const char *agent) {
  enum { BASELINES, RUNNING, EVENTS, LEN };
  static const char *const queries[LEN] = {
      [BASELINES] = "SELECT * FROM process_dna.path_baselines($1, $2, $3, $4)",
      [RUNNING] = "SELECT * FROM process_dna.path_running($1, $2, $3, $4)",
      [EVENTS] = "SELECT * FROM process_dna.path_events($1, $2, $3, $4)"};
  const char *params[] = {cmd->tenant, agent, place->container, place->path};
  PGresult *results[LEN] = {NULL};
  int status = EXIT_DONE;

  for (size_t i = 0; i < LEN && status == EXIT_DONE; i++)
    status = cmd_query(cmd, queries[i], 4, params, &results[i]);
  if (status == EXIT_DONE) {
    const struct explain_path path = {.host = place->host,
                                      .container = place->container,
                                      .path = place->path,
                                      .baselines = results[BASELINES],
                                      .running = results[RUNNING],
                                      .events = results[EVENTS]};

    if (explain_path_print(stdout, &path) == 0) {
      status = cmd_finish(EXIT_DONE);
    } else {
      cmd_error("out of memory");
      status = EXIT_NO;
    }
  }
  for (size_t i = 0; i < LEN; i++)
    PQclear(results[i]);
  return status;
}

static int explain(struct cmd *cmd, const struct explain_place *place,
                   const char *identities, bool json) {
  PGresult *found = NULL;
  int status = find_path(cmd, place, identities, &found);

  if (status == EXIT_DONE) {
    const struct explain_place known = {place->host, place->container,
                                        db_text(found, 0, "path")};

    status = (json ? print_json : print_text)(cmd, &known,
                                              db_text(found, 0, "agent_id"));
  }
  PQclear(found);
  return status;
}

int cmd_explain_path(const struct config *config,
                     const struct explain_place *place, bool json) {
  struct cmd cmd = {0};
  struct db_array identities = {0};
  int status, error = identities_of(place, &identities);

  if (error == -EINVAL) {
    status = cmd_usage(
        "explain", "explain: \"%s\": no absolute path%s%s", place->path,
        *place->container != '\0' ? ", or no container's key: " : "",
        place->container);
  } else if (error < 0) {
    cmd_error("out of memory");
    status = EXIT_NO;
  } else {
    status = cmd_open(config, &cmd);
    if (status == EXIT_DONE)
      status = explain(&cmd, place, db_array_text(&identities), json);
  }
  db_array_free(&identities);
  cmd_close(&cmd);
  return status;
}
