/* Tarballs: releases without a package. Their members' names are the paths. A
 * tarball has to end as tar(5) has it, so that one that was cut off between
 * two members is known for broken. */
#ifndef PDNA_MANIFEST_TAR_H
#define PDNA_MANIFEST_TAR_H

#include "correlator/manifest_reader.h"

extern const struct manifest_format manifest_tar;

#endif
