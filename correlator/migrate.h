/* The schema of the database, and whether it is the one of this program. */
#ifndef PDNA_MIGRATE_H
#define PDNA_MIGRATE_H

#include "correlator/db.h"

/* The schema version that this program works with: the number of its last
 * migration. */
unsigned migrate_version(void);

/* The database's schema version; 0 if there is none. */
enum db_error migrate_installed(struct db *db, unsigned *ret_version);

#endif
