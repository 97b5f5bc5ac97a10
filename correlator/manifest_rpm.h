/* Packages of rpm as manifests: a struct manifest_format (manifest_reader.h).
 *
 * Digests are those of the header where they are SHA-256, which the package's
 * own digests and signatures cover, or of the files in the payload. What is
 * executable is said by the header's modes and file classes, or by the content
 * where it has no classes. %ghost files are none, %config files conffiles. */
#ifndef PDNA_MANIFEST_RPM_H
#define PDNA_MANIFEST_RPM_H

#include <string.h>

#include "correlator/manifest_reader.h"

extern const struct manifest_format manifest_rpm;

/* Is it a file of public keys for `keyring` of struct manifest_reading:
 * OpenPGP certificates, binary or in ASCII armour? Returns 0, -EINVAL (none is
 * in it, or one that can't be used), -ENOSYS (this build has no librpm),
 * -ENOMEM, or what reading it gave. */
int manifest_rpm_check_keyring(const char *file);

/* Do the bytes begin as the lead of each package does (rpm's format.md)? */
static inline bool manifest_rpm_matches(const uint8_t *head, size_t len) {
  static const uint8_t magic[] = {0xED, 0xAB, 0xEE, 0xDB};

  return len >= sizeof(magic) && memcmp(head, magic, sizeof(magic)) == 0;
}

#endif
