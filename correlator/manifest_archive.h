/* Archives through libarchive, one stream in another, never on disk: a file's
 * bytes, a member of an archive, what is compressed in either.
 *
 * Only what libarchive unpacks itself is taken: it would start programs for
 * other kinds of compression. What is compressed twice is refused. */
#ifndef PDNA_MANIFEST_ARCHIVE_H
#define PDNA_MANIFEST_ARCHIVE_H

#include <archive.h>

#include "correlator/manifest_members.h"
#include "correlator/manifest_reader.h"

/* Bytes from somewhere. The next ones stay until the next call; gives how
 * many, 0 at the end, or the error. */
struct manifest_stream {
  struct manifest_reading *r;
  struct archive *archive; /* of MEMBER and UNPACK, not owned */
  int (*next)(struct manifest_stream *stream, const void **ret_block);
};

/* The file itself. */
struct manifest_stream manifest_stream_file(struct manifest_reading *r);
/* The data of the member at which an archive is. */
struct manifest_stream manifest_stream_member(struct manifest_reading *r,
                                              struct archive *archive);

/* A new archive that takes the formats of `format` (an
 * archive_read_support_format_*) from the stream, which must stay. The caller
 * frees *ret_archive. Returns 0 or the error. */
int manifest_archive_open(struct manifest_stream *stream,
                          int (*format)(struct archive *),
                          struct archive **ret_archive);

/* What the stream holds, unpacked if it is compressed; each byte is spent
 * (manifest_spend). The caller frees *ret_archive, which is where the new
 * stream comes from. Returns 0 or the error. */
int manifest_archive_unpack(struct manifest_stream *stream,
                            struct archive **ret_archive,
                            struct manifest_stream *ret_stream);

/* The next member. Returns 1, 0 at the end, or the error. */
int manifest_archive_next(struct manifest_reading *r, struct archive *archive,
                          struct archive_entry **ret_entry);

/* Read the rest of a stream, so that its checksums are checked. */
int manifest_archive_drain(struct manifest_stream *stream);

/* The data of the member at which an archive is, at most `max` bytes, and a
 * NUL. The caller frees *ret_text. Returns 0 or the error. */
int manifest_archive_text(struct manifest_reading *r, struct archive *archive,
                          size_t max, char **ret_text);

/* Go through all members of a tar or cpio archive (`format` as above): each
 * executable regular file and shared object goes to `members` with its digest.
 * *ret_ended says whether the archive had its end, rather than its last member
 * being all there was. Returns 0 or the error. */
int manifest_archive_members(struct manifest_stream *stream,
                             int (*format)(struct archive *),
                             struct manifest_members *members, bool *ret_ended);

#endif
