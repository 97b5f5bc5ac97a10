/* process-dna-correlator accept */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/cmd_common.h"
#include "correlator/text.h"

static const char help[] =
    "Usage: process-dna-correlator accept ID... --why TEXT\n"
    "\n"
    "Declare what an open alert reports to be in order: its digest becomes\n"
    "the trusted one for that executable of that host, the alert closes, any\n"
    "lateral movement from there with it, and a clear goes out. A spoofed or\n"
    "unreadable executable has no digest to trust: its alert just stays\n"
    "closed for as long as that lasts. Of lateral movement nothing becomes\n"
    "trusted: the alert stays closed while further such logins come. Who did\n"
    "it, when and why is kept. ID is a number from `alerts`, or the\n"
    "pdnaAlertKey of a trap.\n"
    "\n"
    "Options:\n"
    "  -w, --why TEXT  the reason, for whoever asks later\n"
    "  -h, --help      this text\n"
    "\n"
    "Exit status: 0 all accepted, 1 at least one was not, 2 wrong usage,\n"
    "3 no database.\n";

static void tell_digests(const char *observed, const char *baseline) {
  printf("  trusted from now on:  %s\n", observed);
  if (*baseline != '\0' && strcmp(baseline, observed) != 0)
    printf("  trusted until now:    %s\n", baseline);
}

/* The facts that are told. */
enum {
  VERDICT,
  ID,
  HOST,
  CONTAINER,
  PATH,
  OBSERVED,
  BASELINE,
  PEER,
  RELATED,
  LEN
};
static const char *const names[LEN] = {
    [VERDICT] = "verdict",
    [ID] = "alert_id",
    [HOST] = "host",
    [CONTAINER] = "container",
    [PATH] = "path",
    [OBSERVED] = "observed_sha256",
    [BASELINE] = "baseline_sha256",
    [PEER] = "peer_host",
    [RELATED] = "related_id",
};

/* What was done, from the facts before it. */
static int tell(const PGresult *facts, const char *who, const char *why) {
  char *text[LEN] = {0};
  int status = EXIT_DONE;

  for (size_t i = 0; i < LEN; i++) {
    text[i] = text_printable(db_text(facts, 0, names[i]));
    if (text[i] == NULL) {
      cmd_error("out of memory");
      status = EXIT_NO;
      goto out;
    }
  }
  printf("alert %s: accepted by %s: %s\n", text[ID], who, why);
  printf("  %s: %s%s%s\n", text[HOST], text[PATH],
         *text[CONTAINER] != '\0' ? " in container " : "", text[CONTAINER]);
  if (*text[PEER] != '\0')
    printf("  quiet about logins from there to %s because of alert %s\n",
           text[PEER], text[RELATED]);
  else if (strcmp(text[VERDICT], "spoofed") == 0 ||
           strcmp(text[VERDICT], "unreadable") == 0)
    printf("  %s: nothing becomes trusted; quiet for as long as it lasts\n",
           text[VERDICT]);
  else
    tell_digests(text[OBSERVED], text[BASELINE]);
  puts("  The clear goes to the trap sinks as soon as a correlator runs.");
out:
  for (size_t i = 0; i < LEN; i++)
    free(text[i]);
  return status;
}

static int accept_facts(struct cmd *cmd, const PGresult *facts,
                        const char *why) {
  char who[CMD_WHO_MAX];
  const char *id = db_value(facts, 0, "alert_id");
  const char *params[] = {cmd->tenant, id, who, why};
  PGresult *result;
  int status;

  cmd_who(who);
  status = cmd_query(cmd, "SELECT process_dna.accept($1, $2, $3, $4)", 4,
                     params, &result);
  if (status != EXIT_DONE)
    return status;
  if (strcmp(PQgetvalue(result, 0, 0), "accepted") == 0) {
    status = tell(facts, who, why);
  } else {
    cmd_error("alert %s: not accepted: %s", id, PQgetvalue(result, 0, 0));
    status = EXIT_NO;
  }
  PQclear(result);
  return status;
}

static int accept_alert(struct cmd *cmd, const char *alert, const void *why) {
  const char *params[] = {cmd->tenant, alert};
  PGresult *facts;
  int status = cmd_query(cmd, "SELECT * FROM process_dna.alert_facts($1, $2)",
                         2, params, &facts);

  if (status != EXIT_DONE)
    return status;
  if (db_value(facts, 0, "alert_id") == NULL) {
    cmd_error("alert %s: no such alert", alert);
    status = EXIT_NO;
  } else {
    status = accept_facts(cmd, facts, why);
  }
  PQclear(facts);
  return status;
}

int command_accept(const struct config *config, int argc, char **argv) {
  const char *why = NULL;
  const struct cmd_syntax syntax = {"accept", help, {{"why", 'w', NULL, &why}}};
  int first, status = cmd_options(&syntax, argc, argv, &first);

  if (status >= 0)
    return status;
  if (first == argc)
    return cmd_usage("accept", "accept: the ID of an alert expected");
  status = cmd_check_why("accept", why);
  if (status != EXIT_DONE)
    return status;
  return cmd_for_each(config, argv + first, (size_t)(argc - first),
                      accept_alert, why);
}
