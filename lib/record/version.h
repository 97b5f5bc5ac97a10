/* The version of all programs. */
#ifndef PDNA_VERSION_H
#define PDNA_VERSION_H

#define PDNA_VERSION "0.1"

#endif
