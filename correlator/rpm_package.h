/* A package file of rpm, through librpm: only in builds that found it. Nothing
 * of rpm's configuration is read, and none of its databases. */
#ifndef PDNA_RPM_PACKAGE_H
#define PDNA_RPM_PACKAGE_H

#include <rpm/header.h>
#include <rpm/rpmfi.h>
#include <rpm/rpmfiles.h>
#include <rpm/rpmkeyring.h>
#include <stdbool.h>

/* The public keys in a file: OpenPGP certificates, as they are or in ASCII
 * armour, any number of them. Returns 0, -EINVAL (none, or one that librpm
 * can't use), -ENOMEM, or what reading the file gave. */
int rpm_package_keyring(const char *file, rpmKeyring *ret);

struct rpm_package {
  Header header;
  rpmfiles files;
  bool is_signed; /* header and payload, by a key of the keyring */

  /* The rest is rpm_package.c's. */
  FD_t fd;
  rpmts ts;
  rpmfi payload;
};

/* Read the header of the package in `fd`, which is read from where it stands
 * and stays open, and check header and payload against the digests and the
 * signatures in it. `keyring` may be NULL: nothing is signed then. Returns 0,
 * or -EBADMSG: no package, a source package, or broken: truncated, another
 * digest, a signature of a key of the keyring that is wrong. Then *ret_why, for
 * the caller to free, says what (NULL: no memory). */
int rpm_package_open(int fd, rpmKeyring keyring, struct rpm_package **ret,
                     char **ret_why);

/* Go to the next file that the payload holds the content of: of hard links,
 * one. Returns 1 and its index in `files`, 0 at the end, or -EBADMSG. */
int rpm_package_next(struct rpm_package *p, int *ret_index);

/* Read some of that file. Returns the number of bytes, 0 at its end, or
 * -EBADMSG. */
ssize_t rpm_package_read(struct rpm_package *p, void *buf, size_t len);

/* NULL is nothing. */
void rpm_package_close(struct rpm_package *p);

#endif
