/* Questions to an rpm database through librpm. One query is open at a time;
 * librpm keeps state of its own for the process. */
#ifndef PDNA_RPM_QUERY_H
#define PDNA_RPM_QUERY_H

#include "lib/record/record.h"

struct rpm_query;

/* Open the database in the folder `db_fd`, read only; there is one, for rpm's
 * backend of that name. Returns 0,
 * -ENOSYS (this build has no librpm), -ELIBACC (librpm can't be loaded),
 * -EBUSY (a thread that was left behind is in librpm), -EIO (librpm can't read
 * the database) or -ENOMEM. */
int rpm_query_open(int db_fd, const char *backend, struct rpm_query **ret);

/* The package that has installed the file at `path`, or at what is the same
 * folder on this host; of several the one that was added last. Its version is
 * what `rpm -q --qf '%{EVR}'` gives. in_transaction is set if two versions of
 * one package have the path, as between the steps of an upgrade. Returns 1, 0
 * (no package has it), or a negative errno. */
int rpm_query_owner(struct rpm_query *q, const char *path, struct package *ret);

void rpm_query_close(struct rpm_query *q);

#endif
