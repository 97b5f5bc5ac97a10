#include "correlator/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/commands.h"
#include "correlator/log.h"

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

unsigned migrate_version(void) {
  unsigned version = 0;

  for (size_t i = 0; sql_files[i].name != NULL; i++)
    if (migration_number(sql_files[i].name) > version)
      version = migration_number(sql_files[i].name);
  return version;
}

enum db_error migrate_installed(struct db *db, unsigned *ret_version) {
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

/* Within a transaction that holds the lock. *ret_file is what is applied. */
static enum db_error apply(struct db *db, unsigned *ret_installed,
                           const char **ret_file) {
  /* Two programs at once: the second waits, and finds nothing to do. */
  enum db_error error = db_script(
      db, "SELECT pg_advisory_xact_lock(hashtext('process_dna.migrate'))");
  if (error == DB_OK)
    error = migrate_installed(db, ret_installed);
  if (error != DB_OK || *ret_installed > migrate_version())
    return error;
  for (size_t i = 0; error == DB_OK && sql_files[i].name != NULL; i++) {
    *ret_file = sql_files[i].name;
    unsigned number = migration_number(sql_files[i].name);
    if (number == 0)
      error = db_script(db, sql_files[i].text);
    else if (number > *ret_installed)
      error = apply_migration(db, sql_files[i].name, sql_files[i].text);
  }
  return error;
}

/* All or nothing. */
static int migrate(struct db *db) {
  unsigned installed = 0;
  const char *file = "";

  enum db_error error = db_script(db, "BEGIN");
  if (error == DB_OK)
    error = apply(db, &installed, &file);
  if (error == DB_OK && installed > migrate_version()) {
    log_error("schema: expected version %u or older, found %u: this program "
              "is older than the database",
              migrate_version(), installed);
    return EXIT_NO;
  }
  if (error == DB_OK)
    error = db_script(db, "COMMIT");
  if (error != DB_OK) {
    log_error("%s: %s", file, db_message(db));
    return error == DB_AWAY ? EXIT_DATABASE : EXIT_NO;
  }
  if (installed == migrate_version())
    (void)printf("schema: version %u, as before; functions renewed\n",
                 installed);
  else
    (void)printf("schema: version %u, was %u\n", migrate_version(), installed);
  return EXIT_DONE;
}

int command_migrate(const struct config *config, int argc, char **argv) {
  struct db *db = NULL;
  int status = EXIT_DATABASE;

  if (argc > 1) {
    bool help = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
    (void)fprintf(help ? stdout : stderr,
                  "usage: process-dna-correlator migrate\n"
                  "Bring the database's schema to the version of this program."
                  "\n");
    return help ? EXIT_DONE : EXIT_USAGE;
  }
  if (db_open(config->database, &db) == DB_OK)
    status = migrate(db);
  else
    log_error("database: %s", db_message(db));
  db_close(db);
  return status;
}
