/* Is the header of a package of rpm made as librpm believes? Its functions
 * take types and counts of tags on trust, and read or free what is not theirs
 * where a hostile header has others. */
#ifndef PDNA_RPM_HEADER_H
#define PDNA_RPM_HEADER_H

#include <rpm/header.h>
#include <stdbool.h>

/* Each known tag is of its own type, each tag that tells of files has a value
 * for each file, and no index leads out of its table. */
bool rpm_header_is_sane(Header h);

#endif
