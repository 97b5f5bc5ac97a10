/* Packages of dpkg through apt: apt-get update, apt-cache and apt-get download
 * in a root of their own, with none of this machine's apt configuration. */
#ifndef PDNA_MANIFEST_APT_H
#define PDNA_MANIFEST_APT_H

#include "correlator/manifest_fetcher.h"

extern const struct fetcher manifest_apt;

#endif
