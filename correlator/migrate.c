#include "correlator/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/cmd_common.h"
#include "correlator/commands.h"
#include "correlator/log.h"
#include "lib/record/digest.h"
#include "lib/record/version.h"

/* From sql/embed.sh: migrations in order, then functions, then nulls. */
extern const struct {
  const char *name;
  const char *text;
} sql_files[];

#define MIGRATIONS "sql/migrations/"

/* The number of a migration file, 0 for any other. */
static unsigned migration_number(const char *name) {
  if (strncmp(name, MIGRATIONS, strlen(MIGRATIONS)) != 0)
    return 0;
  return (unsigned)strtoul(name + strlen(MIGRATIONS), NULL, 10);
}

/* The schema version that this program works with: the number of its last
 * migration. */
static unsigned own_version(void) {
  unsigned version = 0;

  for (size_t i = 0; sql_files[i].name != NULL; i++)
    if (migration_number(sql_files[i].name) > version)
      version = migration_number(sql_files[i].name);
  return version;
}

/* The digest of the digests of this program's functions, in order. */
static enum db_error own_functions(char ret_hex[static DIGEST_HEX_LEN + 1]) {
  struct digest digests[2]; /* of all so far, of the next one */

  memset(digests, 0, sizeof(digests));
  for (size_t i = 0; sql_files[i].name != NULL; i++) {
    const char *text = sql_files[i].text;
    if (migration_number(sql_files[i].name) == 0 &&
        (digest_of(text, strlen(text), &digests[1]) != 0 ||
         digest_of(digests, sizeof(digests), &digests[0]) != 0))
      return DB_AWAY;
  }
  digest_to_hex(&digests[0], ret_hex);
  return DB_OK;
}

/* The database's schema version; 0 if there is none. */
static enum db_error installed_version(struct db *db, unsigned *ret_version) {
  PGresult *result = NULL;

  enum db_error error = db_query(
      db, "SELECT to_regclass('process_dna.schema_version') IS NOT NULL", 0,
      NULL, &result);
  if (error != DB_OK)
    return error;
  bool exists = strcmp(PQgetvalue(result, 0, 0), "t") == 0;
  PQclear(result);
  if (!exists) {
    *ret_version = 0;
    return DB_OK;
  }
  error = db_query(db,
                   "SELECT coalesce(max(version), 0)"
                   " FROM process_dna.schema_version",
                   0, NULL, &result);
  if (error != DB_OK)
    return error;
  *ret_version = (unsigned)strtoul(PQgetvalue(result, 0, 0), NULL, 10);
  PQclear(result);
  return DB_OK;
}

enum db_error migrate_check(struct db *db) {
  unsigned installed;
  char functions[DIGEST_HEX_LEN + 1];
  const char *params[] = {functions};
  PGresult *result = NULL;

  enum db_error error = installed_version(db, &installed);
  if (error != DB_OK)
    return error;
  if (installed != own_version()) {
    log_error("schema: expected version %u, found %u: %s", own_version(),
              installed,
              installed < own_version()
                  ? "run process-dna-correlator migrate"
                  : "this process-dna-correlator is older than the database, "
                    "which a newer one has migrated");
    return DB_REFUSED;
  }
  if ((error = own_functions(functions)) != DB_OK ||
      (error = db_query(db,
                        "SELECT program, applied_at"
                        " FROM process_dna.schema_functions WHERE sha256 <> $1",
                        1, params, &result)) != DB_OK)
    return error;
  bool same = PQntuples(result) == 0;
  if (!same)
    log_error("schema: expected the functions of this program (%s), found "
              "others, of version %s, made %s: run 'process-dna-correlator "
              "migrate' of the newer one, and no other on this database",
              PDNA_VERSION, PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1));
  PQclear(result);
  return same ? DB_OK : DB_REFUSED;
}

/* One migration and its row. */
static enum db_error apply_migration(struct db *db, const char *name,
                                     const char *text) {
  char number[16];
  const char *params[] = {number, name + strlen(MIGRATIONS)};

  (void)snprintf(number, sizeof(number), "%u", migration_number(name));
  enum db_error error = db_script(db, text);
  if (error == DB_OK)
    error = db_query(db,
                     "INSERT INTO process_dna.schema_version (version, name)"
                     " VALUES ($1, $2)",
                     2, params, NULL);
  return error;
}

static enum db_error note_functions(struct db *db) {
  char functions[DIGEST_HEX_LEN + 1];
  const char *params[] = {functions, PDNA_VERSION};

  enum db_error error = own_functions(functions);
  if (error == DB_OK)
    error = db_script(db, "DELETE FROM process_dna.schema_functions");
  if (error == DB_OK)
    error = db_query(db,
                     "INSERT INTO process_dna.schema_functions"
                     " (sha256, program) VALUES ($1, $2)",
                     2, params, NULL);
  return error;
}

/* Within a transaction that holds the lock. *ret_file is what is applied. */
static enum db_error apply(struct db *db, unsigned *ret_installed,
                           const char **ret_file) {
  /* Two programs at once: the second waits, and finds nothing to do. */
  enum db_error error = db_script(
      db, "SELECT pg_advisory_xact_lock(hashtext('process_dna.migrate'))");
  if (error == DB_OK)
    error = installed_version(db, ret_installed);
  if (error != DB_OK || *ret_installed > own_version())
    return error;
  for (size_t i = 0; error == DB_OK && sql_files[i].name != NULL; i++) {
    *ret_file = sql_files[i].name;
    unsigned number = migration_number(sql_files[i].name);
    if (number == 0)
      error = db_script(db, sql_files[i].text);
    else if (number > *ret_installed)
      error = apply_migration(db, sql_files[i].name, sql_files[i].text);
  }
  return error == DB_OK ? note_functions(db) : error;
}

/* All or nothing. */
static int migrate(struct db *db) {
  unsigned installed = 0;
  const char *file = "";

  enum db_error error = db_script(db, "BEGIN");
  if (error == DB_OK)
    error = apply(db, &installed, &file);
  if (error == DB_OK && installed > own_version()) {
    log_error("schema: expected version %u or older, found %u: this program "
              "is older than the database",
              own_version(), installed);
    return EXIT_NO;
  }
  if (error == DB_OK)
    error = db_script(db, "COMMIT");
  if (error != DB_OK) {
    log_error("%s: %s", file, db_message(db));
    return error == DB_AWAY ? EXIT_DATABASE : EXIT_NO;
  }
  if (installed == own_version())
    (void)printf("schema: version %u, as before; functions renewed\n",
                 installed);
  else
    (void)printf("schema: version %u, was %u\n", own_version(), installed);
  return EXIT_DONE;
}

static const char help[] =
    "Usage: process-dna-correlator migrate\n"
    "\n"
    "Bring the database's schema to the version of this program: all of it, "
    "or\n"
    "nothing where something fails. Done again it renews the functions.\n"
    "\n"
    "Options:\n"
    "  -h, --help  this text\n"
    "\n"
    "Exit status: 0 done, 1 said no, such as a newer schema, 2 wrong usage,\n"
    "3 no database.\n";

int command_migrate(const struct config *config, int argc, char **argv) {
  const struct cmd_syntax syntax = {"migrate", help, {{0}}};
  struct db *db = NULL;
  int first, status = cmd_options(&syntax, argc, argv, &first);

  if (status >= 0)
    return status;
  if (first < argc)
    return cmd_unknown("migrate", argv[first]);
  status = EXIT_DATABASE;
  if (db_open(config->database, &db) == DB_OK)
    status = migrate(db);
  else
    log_error("database: %s", db_message(db));
  db_close(db);
  return status;
}
