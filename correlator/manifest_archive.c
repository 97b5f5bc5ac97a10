#include "correlator/manifest_archive.h"

#include <archive_entry.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char elf_magic[] = {0x7F, 'E', 'L', 'F'};

static int from_file(struct manifest_stream *stream, const void **ret_block) {
  return manifest_next_block(stream->r, ret_block);
}

/* Note what libarchive says, unless that is our own error come back. */
static int archive_broken(struct manifest_reading *r, struct archive *archive) {
  const char *why = archive_error_string(archive);

  if (archive_errno(archive) == ENOMEM)
    return manifest_fail(r, -ENOMEM);
  return manifest_broken(r, "%s", why != NULL ? why : "can't be unpacked");
}

static int from_archive(struct manifest_stream *stream,
                        const void **ret_block) {
  la_int64_t offset;
  size_t len;
  int status;

  do {
    status = archive_read_data_block(stream->archive, ret_block, &len, &offset);
    if (status == ARCHIVE_EOF)
      return stream->r->error;
    if (status != ARCHIVE_OK || len > INT32_MAX)
      return archive_broken(stream->r, stream->archive);
  } while (len == 0);
  return stream->r->error != 0 ? stream->r->error : (int)len;
}

static int from_unpacked(struct manifest_stream *stream,
                         const void **ret_block) {
  int n = from_archive(stream, ret_block);

  if (n > 0 && manifest_spend(stream->r, (uint64_t)n) < 0)
    return stream->r->error;
  return n;
}

struct manifest_stream manifest_stream_file(struct manifest_reading *r) {
  return (struct manifest_stream){r, NULL, from_file};
}

struct manifest_stream manifest_stream_member(struct manifest_reading *r,
                                              struct archive *archive) {
  return (struct manifest_stream){r, archive, from_archive};
}

static la_ssize_t on_read(struct archive *archive, void *arg,
                          const void **ret_block) {
  struct manifest_stream *stream = arg;
  int n = stream->next(stream, ret_block);

  if (n < 0)
    archive_set_error(archive, -n, "%s", stream->r->why);
  return n;
}

/* Takes over the archive, also where it fails. */
static int open_archive(struct manifest_stream *stream, struct archive *archive,
                        struct archive **ret_archive) {
  struct manifest_reading *r = stream->r;

  if (archive_read_open2(archive, stream, NULL, on_read, NULL, NULL) !=
      ARCHIVE_OK)
    (void)archive_broken(r, archive);
  if (r->error != 0) {
    (void)archive_read_free(archive);
    return r->error;
  }
  *ret_archive = archive;
  return 0;
}

int manifest_archive_open(struct manifest_stream *stream,
                          int (*format)(struct archive *),
                          struct archive **ret_archive) {
  struct archive *archive = archive_read_new();

  if (archive == NULL || format(archive) != ARCHIVE_OK) {
    (void)archive_read_free(archive);
    return manifest_fail(stream->r, -ENOMEM);
  }
  return open_archive(stream, archive, ret_archive);
}

/* The filters that libarchive has within itself. One that it was built without
 * says ARCHIVE_WARN: it would start a program. */
static bool take_filters(struct archive *archive) {
  static int (*const filters[])(struct archive *) = {
      archive_read_support_filter_gzip, archive_read_support_filter_bzip2,
      archive_read_support_filter_xz,   archive_read_support_filter_lzma,
      archive_read_support_filter_lzip, archive_read_support_filter_zstd,
      archive_read_support_filter_lz4,  archive_read_support_filter_compress,
  };

  for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++)
    if (filters[i](archive) != ARCHIVE_OK)
      return false;
  return true;
}

int manifest_archive_unpack(struct manifest_stream *stream,
                            struct archive **ret_archive,
                            struct manifest_stream *ret_stream) {
  enum { FILTERS_MAX = 2 /* one, and what stands for the stream itself */ };
  struct manifest_reading *r = stream->r;
  struct archive *raw = archive_read_new();
  struct archive_entry *entry;

  if (raw == NULL || !take_filters(raw) ||
      archive_read_support_format_raw(raw) != ARCHIVE_OK) {
    (void)archive_read_free(raw);
    return manifest_fail(r, -ENOMEM);
  }
  if (open_archive(stream, raw, &raw) < 0)
    return r->error;
  if (archive_filter_count(raw) > FILTERS_MAX)
    (void)manifest_broken(r, "is compressed twice");
  else if (archive_read_next_header(raw, &entry) != ARCHIVE_OK)
    (void)archive_broken(r, raw);
  if (r->error != 0) {
    (void)archive_read_free(raw);
    return r->error;
  }
  *ret_archive = raw;
  *ret_stream = (struct manifest_stream){r, raw, from_unpacked};
  return 0;
}

int manifest_archive_next(struct manifest_reading *r, struct archive *archive,
                          struct archive_entry **ret_entry) {
  int status = archive_read_next_header(archive, ret_entry);

  if (status == ARCHIVE_EOF)
    return r->error;
  if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
    return archive_broken(r, archive);
  if (manifest_spend_member(r) < 0)
    return r->error;
  if (archive_entry_pathname(*ret_entry) == NULL)
    return manifest_broken(r, "a member has no name");
  return 1;
}

int manifest_archive_drain(struct manifest_stream *stream) {
  const void *block;
  int n;

  while ((n = stream->next(stream, &block)) > 0)
    ;
  return n;
}

int manifest_archive_text(struct manifest_reading *r, struct archive *archive,
                          size_t max, char **ret_text) {
  char *text = malloc(max + 1);
  la_ssize_t n;
  size_t len = 0;

  if (text == NULL)
    return manifest_fail(r, -ENOMEM);
  while ((n = archive_read_data(archive, text + len, max + 1 - len)) > 0 &&
         (len += (size_t)n) <= max)
    ;
  if (n < 0)
    (void)archive_broken(r, archive);
  else if (len > max)
    (void)manifest_broken(r, "a control file has more than %zu bytes", max);
  else if (memchr(text, '\0', len) != NULL)
    (void)manifest_broken(r, "a control file has a NUL byte");
  if (r->error != 0) {
    free(text);
    return r->error;
  }
  text[len] = '\0';
  *ret_text = text;
  return 0;
}

/* A regular file's data on its way through the digest. */
struct file {
  struct manifest_reading *r;
  struct archive *archive;
  EVP_MD_CTX *md;
  int64_t done;     /* bytes */
  size_t magic_len; /* of its first bytes */
  char magic[sizeof(elf_magic)];
};

static int digest_bytes(struct file *f, const void *data, size_t len) {
  size_t magic = sizeof(f->magic) - f->magic_len;

  magic = len < magic ? len : magic;
  memcpy(f->magic + f->magic_len, data, magic);
  f->magic_len += magic;
  f->done += (int64_t)len;
  return EVP_DigestUpdate(f->md, data, len) ? 0 : manifest_fail(f->r, -ENOMEM);
}

/* Up to `end` the file has a hole. */
static int digest_hole(struct file *f, int64_t end) {
  static const char zeros[1 << 16];

  if (end < f->done)
    return manifest_broken(f->r, "a file's data overlap");
  while (f->done < end) {
    int64_t left = end - f->done;
    size_t len = left < (int64_t)sizeof(zeros) ? (size_t)left : sizeof(zeros);

    if (manifest_spend(f->r, len) < 0 || digest_bytes(f, zeros, len) < 0)
      return f->r->error;
  }
  return 0;
}

static bool is_elf(const struct file *f) {
  return f->magic_len == sizeof(elf_magic) &&
         memcmp(f->magic, elf_magic, sizeof(elf_magic)) == 0;
}

/* Returns 1 if all of it was digested, 0 if it turned out to be none that is
 * wanted (it is `executable`, or begins as an ELF file does), or the error. */
static int digest_data(struct file *f, int64_t size, bool executable) {
  const void *block;
  la_int64_t offset;
  size_t len;
  int status;

  while ((status = archive_read_data_block(f->archive, &block, &len,
                                           &offset)) == ARCHIVE_OK) {
    if (digest_hole(f, offset) < 0 || digest_bytes(f, block, len) < 0)
      return f->r->error;
    if (!executable && f->magic_len == sizeof(elf_magic) && !is_elf(f))
      return 0;
  }
  if (status != ARCHIVE_EOF)
    return archive_broken(f->r, f->archive);
  if (digest_hole(f, size) < 0)
    return f->r->error;
  return executable || is_elf(f);
}

static int take_file(struct manifest_reading *r, struct archive *archive,
                     struct archive_entry *entry,
                     struct manifest_members *members) {
  struct file f = {.r = r, .archive = archive, .md = EVP_MD_CTX_new()};
  bool executable = (archive_entry_perm(entry) & 0111) != 0;
  struct digest digest;
  int wanted;

  if (f.md == NULL || !EVP_DigestInit_ex(f.md, EVP_sha256(), NULL)) {
    wanted = manifest_fail(r, -ENOMEM);
    goto out;
  }
  wanted = digest_data(&f, archive_entry_size(entry), executable);
  if (wanted > 0 && !EVP_DigestFinal_ex(f.md, digest.bytes, NULL))
    wanted = manifest_fail(r, -ENOMEM);
  if (wanted >= 0)
    wanted = manifest_members_file(members, r, archive_entry_pathname(entry),
                                   wanted > 0 ? &digest : NULL);
out:
  EVP_MD_CTX_free(f.md);
  return wanted;
}

static int take_member(struct manifest_reading *r, struct archive *archive,
                       struct archive_entry *entry,
                       struct manifest_members *members) {
  const char *name = archive_entry_pathname(entry);
  const char *link = archive_entry_hardlink(entry);
  const char *target = archive_entry_symlink(entry);

  if (link != NULL)
    return manifest_members_link(members, r, name, link);
  if (archive_entry_filetype(entry) == AE_IFREG)
    return take_file(r, archive, entry, members);
  if (archive_entry_filetype(entry) == AE_IFLNK && target != NULL)
    return manifest_members_symlink(members, r, name, target);
  return manifest_members_other(members, r, name);
}

int manifest_archive_members(struct manifest_stream *stream,
                             int (*format)(struct archive *),
                             struct manifest_members *members,
                             bool *ret_ended) {
  struct manifest_reading *r = stream->r;
  struct archive_entry *entry;
  struct archive *archive = NULL;

  if (manifest_archive_open(stream, format, &archive) < 0)
    return r->error;
  while (manifest_archive_next(r, archive, &entry) > 0 &&
         take_member(r, archive, entry, members) == 0)
    ;
  /* What was read behind the last member: the end's blocks, or nothing. */
  *ret_ended =
      archive_filter_bytes(archive, 0) > archive_read_header_position(archive);
  (void)archive_read_free(archive);
  return r->error;
}
