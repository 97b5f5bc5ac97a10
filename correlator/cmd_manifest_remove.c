/* process-dna-correlator manifest remove */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/cmd_common.h"
#include "correlator/cmd_manifest.h"
#include "correlator/text.h"

static const char help[] =
    "Usage: process-dna-correlator manifest remove ID... --why TEXT\n"
    "\n"
    "Take back a manifest that should not have been imported: it explains and\n"
    "contradicts nothing from now on. What hosts run because of it is listed.\n"
    "That stays trusted, but no longer vouched for, so look at it: another\n"
    "manifest may confirm it, or contradict it, which is Critical. ID is the\n"
    "number that `manifest list` shows. Who did it, when and why is kept.\n"
    "\n"
    "Options:\n"
    "  -w, --why TEXT  the reason, for whoever asks later\n"
    "  -h, --help      this text\n"
    "\n"
    "Exit status: 0 all removed, 1 no such manifest, 2 wrong usage, 3 no\n"
    "database.\n";

/* Print a column's value, and what comes before it where there is one. */
static int print_value(const PGresult *result, int row, const char *name,
                       const char *before) {
  const char *value = db_text(result, row, name);
  char *text;

  if (*value == '\0')
    return EXIT_DONE;
  text = text_printable(value);
  if (text == NULL) {
    cmd_error("out of memory");
    return EXIT_NO;
  }
  printf("%s%s", before, text);
  free(text);
  return EXIT_DONE;
}

/* What was removed, and a line for each executable that it explained. */
static int tell(const PGresult *result, const char *id) {
  int status;

  printf("%s: ", id);
  status = print_value(result, 0, "manifest", "");
  puts(status == EXIT_DONE ? ", removed" : "");
  for (int i = 0; i < PQntuples(result) && status == EXIT_DONE; i++) {
    if (db_value(result, i, "host") == NULL)
      break; /* none */
    status = print_value(result, i, "host", "  ");
    if (status == EXIT_DONE)
      status = print_value(result, i, "path", ": ");
    if (status == EXIT_DONE)
      status = print_value(result, i, "container", " in container ");
    if (status == EXIT_DONE)
      status = print_value(result, i, "sha256", " ");
    putchar('\n');
  }
  return status;
}

static int remove_manifest(struct cmd *cmd, const char *id, const void *with) {
  const char *why = with;
  char who[CMD_WHO_MAX];
  const char *params[] = {cmd->tenant, id, who, why};
  PGresult *result;
  int status;

  cmd_who(who);
  status = cmd_query(
      cmd, "SELECT * FROM process_dna.manifest_remove($1, $2, $3, $4)", 4,
      params, &result);
  if (status != EXIT_DONE)
    return status;
  if (PQntuples(result) == 0) {
    cmd_error("manifest %s: no such manifest", id);
    status = EXIT_NO;
  } else {
    status = tell(result, id);
  }
  PQclear(result);
  return status;
}

/* A number that the database has room for. */
static bool is_id(const char *text) {
  size_t len = strspn(text, "0123456789");

  return len > 0 && len <= 9 && text[len] == '\0';
}

int command_manifest_remove(const struct config *config, int argc,
                            char **argv) {
  const char *why = NULL;
  const struct cmd_syntax syntax = {
      "manifest remove", help, {{"why", 'w', NULL, &why}}};
  int first, status = cmd_options(&syntax, argc, argv, &first);

  if (status >= 0)
    return status;
  if (first == argc)
    return cmd_usage("manifest remove",
                     "manifest remove: the ID of a manifest expected");
  for (int i = first; i < argc; i++)
    if (!is_id(argv[i]))
      return cmd_usage("manifest remove",
                       "manifest remove: \"%s\": the number of a manifest "
                       "expected, see 'manifest list'",
                       argv[i]);
  status = cmd_check_why("manifest remove", why);
  if (status != EXIT_DONE)
    return status;
  return cmd_for_each(config, argv + first, (size_t)(argc - first),
                      remove_manifest, why);
}
