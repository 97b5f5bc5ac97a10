/* What the commands that only ask and tell share: the connection, messages,
 * output. Functions that give an int give an exit status (commands.h); unless
 * it is EXIT_DONE, they have printed why to standard error. */
#ifndef PDNA_CMD_COMMON_H
#define PDNA_CMD_COMMON_H

#include <stdbool.h>
#include <stddef.h>

#include "correlator/commands.h"
#include "correlator/db.h"
#include "correlator/table.h"

/* A command under way. */
struct cmd {
  const struct config *config;
  struct db *db;
  char tenant[16]; /* its number, for the functions' p_tenant */
};

/* Print "process-dna-correlator: ..." as a line to standard error. */
void cmd_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same for a wrong command line, with a hint at --help. Gives EXIT_USAGE.
 */
int cmd_usage(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same for an argument that the command does not take. */
int cmd_unknown(const char *command, const char *argument);

/* A long option of a command: a flag, or one with a value. */
struct cmd_option {
  const char *name;
  char letter; /* 0: none */
  bool *ret_given;
  const char **ret_value;
};

/* What a command takes besides --help, which every command has. */
struct cmd_syntax {
  const char *command; /* as it is typed, such as "manifest import" */
  const char *help;
  struct cmd_option options[10]; /* the unused ones last, zero */
};

/* Read the options. Gives -1 if the command is to go on, its arguments from
 * argv[*ret_first] on. */
int cmd_options(const struct cmd_syntax *syntax, int argc, char **argv,
                int *ret_first);

/* Check the text of --why, which is kept as long as the database is. */
int cmd_check_why(const char *command, const char *why);

/* Connect and find the tenant. Close it with cmd_close in any case. */
int cmd_open(const struct config *config, struct cmd *ret_cmd);
void cmd_close(struct cmd *cmd);

/* What is done with an argument, and what else that takes. */
typedef int cmd_act_fn(struct cmd *cmd, const char *argument, const void *with);

/* Connect, do something with each of the arguments, and close. EXIT_NO does not
 * keep the others from being tried; the worst status is given. */
int cmd_for_each(const struct config *config, char *const *arguments,
                 size_t arguments_len, cmd_act_fn *act, const void *with);

/* Ask with text parameters (NULL: SQL null). The result is the caller's to
 * PQclear. */
int cmd_query(struct cmd *cmd, const char *sql, size_t params_len,
              const char *const *params, PGresult **ret_result);

/* Print the one value of the result, a JSON document. Gives EXIT_DONE, or
 * EXIT_NO if it can't be written. */
int cmd_print_json(const PGresult *result);
/* Has a listing, as a table or as one JSON array, nothing in it? */
bool cmd_is_empty(const PGresult *result, bool json);

/* Print a table to standard output, or, where there is no row, `empty` to
 * standard error. */
int cmd_print_table(const PGresult *result, const struct table_column *columns,
                    size_t columns_len, const char *empty);

/* To be given at the end: EXIT_NO if standard output could not be written,
 * else `status`. */
int cmd_finish(int status);

enum { CMD_WHO_MAX = 512 };
/* Who is at the keyboard, as "USER@HOST". */
void cmd_who(char ret_who[static CMD_WHO_MAX]);

#endif
