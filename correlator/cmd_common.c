#include "correlator/cmd_common.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "correlator/text.h"

#define PROGRAM "process-dna-correlator"

enum { RETRIES = 5 };

__attribute__((format(printf, 1, 0))) static void say(const char *format,
                                                      va_list ap) {
  char *line, *printable = NULL;

  if (vasprintf(&line, format, ap) < 0)
    return;
  (void)fflush(stdout); /* so that both read in order */
  printable = text_printable(line);
  fprintf(stderr, PROGRAM ": %s\n", printable != NULL ? printable : "");
  free(printable);
  free(line);
}

void cmd_error(const char *format, ...) {
  va_list ap;

  va_start(ap, format);
  say(format, ap);
  va_end(ap);
}

static int cmd_hint(const char *command) {
  fprintf(stderr, "Try '" PROGRAM " %s --help'.\n", command);
  return EXIT_USAGE;
}

int cmd_usage(const char *command, const char *format, ...) {
  va_list ap;

  va_start(ap, format);
  say(format, ap);
  va_end(ap);
  return cmd_hint(command);
}

int cmd_unknown(const char *command, const char *argument) {
  return cmd_usage(command, "%s: unknown argument \"%s\"", command, argument);
}

enum {
  OPTIONS_MAX =
      sizeof(((struct cmd_syntax *)0)->options) / sizeof(struct cmd_option)
};

/* The option whose getopt value is `c`, NULL if it is none of them. */
static const struct cmd_option *find_option(const struct cmd_syntax *syntax,
                                            int c) {
  for (int i = 0; i < OPTIONS_MAX && syntax->options[i].name != NULL; i++)
    if (c == CHAR_MAX + 1 + i || (c != 0 && c == syntax->options[i].letter))
      return &syntax->options[i];
  return NULL;
}

/* getopt_long says what is wrong in the name of argv[0]. */
static int scan_options(const struct cmd_syntax *syntax, int argc, char **argv,
                        const char *shorts, const struct option *longs) {
  int c;

  optind = 0; /* main has scanned already: start afresh */
  /* NOLINTNEXTLINE(concurrency-mt-unsafe): the commands have one thread. */
  while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
    const struct cmd_option *option = find_option(syntax, c);

    if (c == 'h') {
      fputs(syntax->help, stdout);
      return cmd_finish(EXIT_DONE);
    }
    if (option == NULL)
      return cmd_hint(syntax->command);
    if (option->ret_value != NULL)
      *option->ret_value = optarg;
    else
      *option->ret_given = true;
  }
  return -1;
}

int cmd_options(const struct cmd_syntax *syntax, int argc, char **argv,
                int *ret_first) {
  struct option longs[OPTIONS_MAX + 2] = {{"help", no_argument, NULL, 'h'}};
  char shorts[1 + 2 * OPTIONS_MAX + 1] = "h", *end = shorts + 1;
  char name[64], *given = argv[0];

  for (int i = 0; i < OPTIONS_MAX && syntax->options[i].name != NULL; i++) {
    const struct cmd_option *o = &syntax->options[i];
    bool valued = o->ret_value != NULL;

    longs[i + 1] =
        (struct option){o->name, valued ? required_argument : no_argument, NULL,
                        CHAR_MAX + 1 + i};
    if (o->letter != 0)
      *end++ = o->letter;
    if (o->letter != 0 && valued)
      *end++ = ':';
  }
  (void)snprintf(name, sizeof(name), PROGRAM ": %s", syntax->command);
  argv[0] = name;
  int status = scan_options(syntax, argc, argv, shorts, longs);
  argv[0] = given;
  if (status < 0)
    *ret_first = optind;
  return status;
}

static int database_away(const struct cmd *cmd) {
  cmd_error("database: %s", db_message(cmd->db));
  fprintf(stderr,
          "Check that PostgreSQL runs, that it lets this user in "
          "(pg_hba.conf, password),\nand that `database` is right in %s\n",
          cmd->config->file);
  return EXIT_DATABASE;
}

int cmd_query(struct cmd *cmd, const char *sql, size_t params_len,
              const char *const *params, PGresult **ret_result) {
  enum db_error error = DB_RETRY;

  for (int i = 0; error == DB_RETRY && i < RETRIES; i++)
    error = db_query(cmd->db, sql, params_len, params, ret_result);
  if (error == DB_OK)
    return EXIT_DONE;
  if (error == DB_AWAY)
    return database_away(cmd);
  cmd_error("database: %s", db_message(cmd->db));
  if (strcmp(db_sqlstate(cmd->db), "42501") == 0) /* insufficient privilege */
    fputs("The database user of this configuration may not do that.\n", stderr);
  return EXIT_DATABASE;
}

/* Without the schema every statement would fail with a message that says less.
 */
static int check_schema(struct cmd *cmd) {
  PGresult *result;
  int status = cmd_query(
      cmd, "SELECT to_regprocedure('process_dna.tenant_id(text)') IS NOT NULL",
      0, NULL, &result);

  if (status != EXIT_DONE)
    return status;
  if (strcmp(PQgetvalue(result, 0, 0), "t") != 0) {
    cmd_error("database: has no schema process_dna yet; run '" PROGRAM
              " migrate' first");
    status = EXIT_DATABASE;
  }
  PQclear(result);
  return status;
}

int cmd_open(const struct config *config, struct cmd *ret_cmd) {
  const char *tenant = config->tenant;
  PGresult *result;
  int status;

  *ret_cmd = (struct cmd){.config = config};
  if (db_open(config->database, &ret_cmd->db) != DB_OK)
    return database_away(ret_cmd);
  status = check_schema(ret_cmd);
  if (status != EXIT_DONE)
    return status;
  status = cmd_query(ret_cmd, "SELECT process_dna.tenant_id($1)", 1, &tenant,
                     &result);
  if (status != EXIT_DONE)
    return status;
  if (PQgetisnull(result, 0, 0)) {
    cmd_error("tenant \"%s\": not in the database; '" PROGRAM
              " run' makes it when it first starts (`tenant` in %s)",
              tenant, config->file);
    status = EXIT_NO;
  } else {
    (void)snprintf(ret_cmd->tenant, sizeof(ret_cmd->tenant), "%s",
                   PQgetvalue(result, 0, 0));
  }
  PQclear(result);
  return status;
}

void cmd_close(struct cmd *cmd) {
  db_close(cmd->db);
  cmd->db = NULL;
}

int cmd_check_why(const char *command, const char *why) {
  enum { WHY_MAX = 1024 }; /* what the database takes */

  if (why == NULL || why[strspn(why, " \t\n")] == '\0')
    return cmd_usage(command, "%s: --why TEXT expected: the reason", command);
  if (strlen(why) > WHY_MAX)
    return cmd_usage(command, "%s: --why: %zu bytes, expected at most %d",
                     command, strlen(why), WHY_MAX);
  return EXIT_DONE;
}

int cmd_for_each(const struct config *config, char *const *arguments,
                 size_t arguments_len, cmd_act_fn *act, const void *with) {
  struct cmd cmd = {0};
  int status = cmd_open(config, &cmd);
  int worst = EXIT_DONE;

  if (status == EXIT_DONE) {
    for (size_t i = 0; i < arguments_len && worst <= EXIT_NO; i++) {
      status = act(&cmd, arguments[i], with);
      worst = status > worst ? status : worst;
    }
    status = cmd_finish(worst);
  }
  cmd_close(&cmd);
  return status;
}

int cmd_finish(int status) {
  if (fflush(stdout) != 0 || ferror(stdout) != 0) {
    cmd_error("standard output: %m");
    return EXIT_NO;
  }
  return status;
}

int cmd_print_json(const PGresult *result) {
  puts(PQgetvalue(result, 0, 0));
  return cmd_finish(EXIT_DONE);
}

bool cmd_is_empty(const PGresult *result, bool json) {
  return json ? strcmp(PQgetvalue(result, 0, 0), "[]") == 0
              : PQntuples(result) == 0;
}

int cmd_print_table(const PGresult *result, const struct table_column *columns,
                    size_t columns_len, const char *empty) {
  if (PQntuples(result) == 0) {
    (void)fflush(stdout);
    fprintf(stderr, "%s\n", empty);
    return EXIT_DONE;
  }
  if (table_print(stdout, result, columns, columns_len,
                  table_style_of(stdout)) < 0) {
    cmd_error("out of memory");
    return EXIT_NO;
  }
  return cmd_finish(EXIT_DONE);
}

void cmd_who(char ret_who[static CMD_WHO_MAX]) {
  enum { WHO_MAX = CMD_WHO_MAX / 2 - 1 };
  char login[WHO_MAX] = "", host[WHO_MAX] = "";
  char buffer[4096]; /* what the entry's strings lie in */
  const char *sudo_user = getuid() == 0 ? secure_getenv("SUDO_USER") : NULL;
  struct passwd entry, *found = NULL;

  if (gethostname(host, sizeof(host) - 1) != 0)
    (void)snprintf(host, sizeof(host), "unknown");
  if (sudo_user != NULL && *sudo_user != '\0')
    (void)snprintf(login, sizeof(login), "%s", sudo_user);
  else if (getlogin_r(login, sizeof(login)) == 0)
    ; /* the login session's user, whoever was switched to since */
  else if (getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) == 0 &&
           found != NULL)
    (void)snprintf(login, sizeof(login), "%s", found->pw_name);
  else
    (void)snprintf(login, sizeof(login), "uid %u", getuid());
  (void)snprintf(ret_who, CMD_WHO_MAX, "%s@%s", login, host);
}
