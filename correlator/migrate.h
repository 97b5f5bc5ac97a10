/* The schema of the database, and whether it is the one of this program. */
#ifndef PDNA_MIGRATE_H
#define PDNA_MIGRATE_H

#include "correlator/db.h"

/* Is the database's schema the one of this program: its last migration, and
 * its functions to the letter? DB_REFUSED, with what was found and what to do
 * logged, if not. */
enum db_error migrate_check(struct db *db);

#endif
