/* Debian's binary packages, deb(5): what control.tar and data.tar say. The
 * members have to come in the order that dpkg-deb(1) wants. */
#ifndef PDNA_MANIFEST_DEB_H
#define PDNA_MANIFEST_DEB_H

#include "correlator/manifest_reader.h"

extern const struct manifest_format manifest_deb;

/* Read Package, Version and Architecture from the text of a control file
 * (deb-control(5)): one paragraph, each of the three once and on one line.
 * Returns 0 or the error. */
int manifest_deb_control(struct manifest_reading *r, const char *text,
                         struct package *ret_package);

#endif
