/* rpm's database as a struct package_db (package_db.h): in /var/lib/rpm or
 * /usr/lib/sysimage/rpm, of the sqlite, ndb or bdb format. Its files are looked
 * at here, its content through librpm (rpm_query.h), so find also gives
 * rpm_query_open's errors.
 *
 * rpm is at work while another process holds the lock for writing on .rpm.lock
 * beside the database. It writes a package into the database when it has put
 * all of its files into place, so what changed since the database last did may
 * belong to a package or version that is yet to come. Of two versions of a
 * package that own the same file, as until the old one is removed, the new one
 * is reported, in transaction. A transaction that was killed leaves nothing
 * that tells. */
#ifndef PDNA_RPM_H
#define PDNA_RPM_H

#include "lib/scan/package_db.h"

extern const struct package_db rpm_db;

#endif
