#include "correlator/manifest_tar.h"

#include <errno.h>
#include <string.h>

#include "correlator/manifest_archive.h"

/* What tar(5) and the kinds of compression begin with. */
static const struct magic {
  size_t offset, len;
  const char *bytes;
} magics[] = {
    {257, 5, "ustar"},
    {0, 2, "\x1F\x8B"},
    {0, 3, "BZh"},
    {0, 6,
     "\xFD"
     "7zXZ"},
    {0, 4, "\x28\xB5\x2F\xFD"},
    {0, 4, "\x04\x22\x4D\x18"},
    {0, 4, "LZIP"},
    {0, 3, "\x5D\x00\x00"},
    {0, 2, "\x1F\x9D"},
};

static bool matches(const uint8_t *head, size_t len) {
  for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++)
    if (len >= magics[i].offset + magics[i].len &&
        memcmp(head + magics[i].offset, magics[i].bytes, magics[i].len) == 0)
      return true;
  return false;
}

static int read_tar(struct manifest_reading *r, struct manifest *m) {
  struct manifest_stream file = manifest_stream_file(r), unpacked;
  struct manifest_members *members = manifest_members_new();
  struct archive *raw = NULL;
  bool ended = false;
  int error = members == NULL ? manifest_fail(r, -ENOMEM)
                              : manifest_archive_unpack(&file, &raw, &unpacked);

  if (error == 0)
    error = manifest_archive_members(&unpacked, archive_read_support_format_tar,
                                     members, &ended);
  if (error == 0 && !ended)
    error =
        manifest_broken(r, "is cut off: a tarball ends with blocks of zeros");
  if (error == 0)
    error = manifest_archive_drain(&unpacked);
  if (error == 0)
    error = manifest_members_list(members, r, m);
  if (error == 0 && m->entries_len == 0)
    error = manifest_broken(r, "has no executables in it");
  (void)archive_read_free(raw);
  manifest_members_free(members);
  return error;
}

const struct manifest_format manifest_tar = {
    .name = "tar", .matches = matches, .read = read_tar};
