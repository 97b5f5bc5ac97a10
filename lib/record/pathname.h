/* Paths of executables as text that every consumer can carry.
 *
 * Canonical text: the raw path with ':', '%', '"', '\\', space, control bytes
 * and bytes over 0x7E written as %XX (two upper-case hex digits); '/' is kept,
 * and stands first. Encoding is exact both ways; the decoder takes only what
 * the encoder writes.
 *
 * Instance: how collectd carries (container, path): '@' and the container key
 * if there is one, then the canonical text with ':' for '/'. An instance
 * longer than PATHNAME_MAX is shortened: at most the first 60 bytes, '~', 16
 * hex digits of the SHA-256 of the whole instance, '~', at most the last 49
 * bytes, cut between %XX codes. A shortened path can't be decoded to raw
 * bytes; it is stored and shown as it is.
 *
 * Identity: the canonical text as it comes back out of an instance. Whatever
 * way a host is seen, this is the path that its executable has in the
 * database.
 *
 * SNMP text: the canonical text, or, where that is longer than
 * PATHNAME_SNMP_MAX, at most its first 260 bytes, '~', the 16 hex digits that
 * its shortened instance has, '~', at most its last 234 bytes. That is enough
 * to make the identity from it.
 */
#ifndef PDNA_PATHNAME_H
#define PDNA_PATHNAME_H

#include <stdbool.h>
#include <stddef.h>

enum {
  PATHNAME_MAX = 127,      /* an identity, an instance */
  PATHNAME_SNMP_MAX = 512, /* pdnaExePath, pdnaProcExePath */
};

/* Encode a raw path as canonical text, unshortened. The caller frees
 * *ret_text. Returns 0, -EINVAL (no leading '/') or -ENOMEM. */
int pathname_encode(const char *raw, char **ret_text);

/* Decode canonical text to raw bytes, NUL-terminated; the caller frees
 * *ret_raw. Returns 0, -EINVAL (no canonical text, or a code for NUL),
 * -ENOMEM. */
int pathname_decode(const char *text, char **ret_raw);

/* Write a raw path as it is where /bin, /sbin, /lib and the like are links into
 * /usr (merged /usr): "/bin/sh" is "/usr/bin/sh". Others stay as they are. The
 * caller frees *ret_merged. Returns 0 or -ENOMEM. */
int pathname_merge_usr(const char *raw, char **ret_merged);

/* Is this an identity that was shortened? */
bool pathname_is_shortened(const char *text);

/* Write the instance of a canonical text (of any length) in a container
 * ("" for the host). Returns 0 or -EINVAL (bad key or text). */
int pathname_to_instance(const char *container, const char *text,
                         char ret_instance[static PATHNAME_MAX + 1]);

/* Split an instance into container key (CONTAINER_MAX + 1 bytes) and
 * identity. Returns 0 or -EINVAL. */
int pathname_from_instance(const char *instance, char *ret_container,
                           char ret_identity[static PATHNAME_MAX + 1]);

/* Write the identity of a canonical text (of any length): what
 * pathname_from_instance gives for its instance. Returns 0 or -EINVAL. */
int pathname_to_identity(const char *container, const char *text,
                         char ret_identity[static PATHNAME_MAX + 1]);

/* Write the SNMP text of a canonical text (of any length) in a container.
 * Returns 0, -EINVAL (bad key or text) or -ENOMEM. */
int pathname_to_snmp(const char *container, const char *text,
                     char ret_snmp[static PATHNAME_SNMP_MAX + 1]);

/* Write the identity of what an SNMP text was made from:
 * pathname_to_identity's. Returns 0, -EINVAL (bad key or text) or -ENOMEM. */
int pathname_from_snmp(const char *container, const char *snmp,
                       char ret_identity[static PATHNAME_MAX + 1]);

#endif
