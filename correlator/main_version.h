/* The version of the correlator. */
#ifndef PDNA_MAIN_VERSION_H
#define PDNA_MAIN_VERSION_H

#define PDNA_VERSION "0.1"

#endif
