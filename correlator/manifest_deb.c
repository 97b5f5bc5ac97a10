#include "correlator/manifest_deb.h"

#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "correlator/manifest_archive.h"
#include "correlator/word.h"

static bool matches(const uint8_t *head, size_t len) {
  /* Of the archive, and of its first member's header. */
  static const char ar[] = "!<arch>\n", first[] = "debian-binary";
  const size_t ar_len = strlen(ar), first_len = strlen(first);

  return len >= ar_len + first_len && memcmp(head, ar, ar_len) == 0 &&
         memcmp(head + ar_len, first, first_len) == 0;
}

enum { FIELDS_LEN = 3 };
static const char *const fields[FIELDS_LEN] = {"Package", "Version",
                                               "Architecture"};

/* The field that a line of a control file begins with, or FIELDS_LEN. */
static size_t field_of(const char *line, size_t name_len) {
  for (size_t i = 0; i < FIELDS_LEN; i++)
    if (strlen(fields[i]) == name_len &&
        strncasecmp(line, fields[i], name_len) == 0)
      return i;
  return FIELDS_LEN;
}

/* `last` is the field that the line before belongs to. */
static int control_line(struct manifest_reading *r, char *line, size_t *last,
                        char *values[static FIELDS_LEN]) {
  size_t name_len = strcspn(line, ":");

  if (*line == ' ' || *line == '\t')
    return *last < FIELDS_LEN
               ? manifest_broken(r, "control: %s goes over several lines",
                                 fields[*last])
               : 0;
  if (line[name_len] == '\0' || name_len == 0)
    return manifest_broken(r, "control: a line that is no field");
  *last = field_of(line, name_len);
  if (*last == FIELDS_LEN)
    return 0;
  if (values[*last] != NULL)
    return manifest_broken(r, "control: %s stands there twice", fields[*last]);
  values[*last] = word_trim(line + name_len + 1);
  return 0;
}

/* `text` is changed. */
static int split_control(struct manifest_reading *r, char *text,
                         char *values[static FIELDS_LEN]) {
  size_t last = FIELDS_LEN;
  bool ended = false, begun = false;

  while (text != NULL) {
    char *line = strsep(&text, "\n");
    bool blank = line[strspn(line, " \t\r")] == '\0';

    ended |= begun && blank;
    if (blank || (!begun && *line == '#'))
      continue;
    if (ended)
      return manifest_broken(r, "control: more than one paragraph");
    begun = true;
    if (control_line(r, line, &last, values) < 0)
      return r->error;
  }
  return 0;
}

int manifest_deb_control(struct manifest_reading *r, const char *text,
                         struct package *ret_package) {
  char *copy = strdup(text), *values[FIELDS_LEN] = {0};
  int error =
      copy == NULL ? manifest_fail(r, -ENOMEM) : split_control(r, copy, values);

  for (size_t i = 0; error == 0 && i < FIELDS_LEN; i++)
    if (values[i] == NULL)
      error = manifest_broken(r, "control: has no %s", fields[i]);
  if (error < 0)
    goto out;
  error = package_set(ret_package, "dpkg", values[0], values[1], values[2]);
  if (error == -EINVAL)
    error = manifest_broken(r,
                            "control: no package that dpkg would take: "
                            "%.80s %.80s %.80s",
                            values[0], values[1], values[2]);
out:
  free(copy);
  return error;
}

/* A package while it is read. */
struct deb {
  struct manifest_reading *r;
  struct manifest *m;
  struct archive *ar;
  struct manifest_members *members;
  bool has_control; /* file `control` was in control.tar */
};

static int take_binary(struct deb *deb) {
  enum { BINARY_MAX = 64 };
  char *text;
  int error = manifest_archive_text(deb->r, deb->ar, BINARY_MAX, &text);

  if (error < 0)
    return error;
  if (strncmp(text, "2.", 2) != 0)
    error = manifest_broken(deb->r, "debian-binary: %.8s, expected 2.0", text);
  free(text);
  return error;
}

static int take_conffiles(struct deb *deb, char *text) {
  static const char flag[] = "remove-on-upgrade ";
  char *save = NULL;

  for (char *line = strtok_r(text, "\n", &save); line != NULL;
       line = strtok_r(NULL, "\n", &save)) {
    line = word_trim(line);
    if (strncmp(line, flag, strlen(flag)) == 0)
      line = word_trim(line + strlen(flag));
    if (*line != '\0' &&
        manifest_members_conffile(deb->members, deb->r, line) < 0)
      return deb->r->error;
  }
  return 0;
}

static int take_control_member(struct deb *deb, struct archive *tar,
                               struct archive_entry *entry) {
  struct manifest_reading *r = deb->r;
  bool is_control, is_conffiles;
  char *path, *text;

  if (manifest_path(r, archive_entry_pathname(entry), &path) < 0)
    return r->error;
  is_control = strcmp(path, "/control") == 0;
  is_conffiles = strcmp(path, "/conffiles") == 0;
  free(path);
  if (!is_control && !is_conffiles)
    return 0;
  if (archive_entry_filetype(entry) != AE_IFREG ||
      archive_entry_hardlink(entry) != NULL)
    return manifest_broken(r, "control.tar: control or conffiles is no file");
  if (is_control && deb->has_control)
    return manifest_broken(r, "control.tar: control is in it twice");
  if (manifest_archive_text(r, tar, r->limits->control_bytes, &text) < 0)
    return r->error;
  deb->has_control |= is_control;
  if (is_control)
    (void)manifest_deb_control(r, text, &deb->m->package);
  else
    (void)take_conffiles(deb, text);
  free(text);
  return r->error;
}

static int walk_control(struct deb *deb, struct manifest_stream *unpacked) {
  struct archive_entry *entry;
  struct archive *tar = NULL;

  if (manifest_archive_open(unpacked, archive_read_support_format_tar, &tar) <
      0)
    return deb->r->error;
  while (manifest_archive_next(deb->r, tar, &entry) > 0 &&
         take_control_member(deb, tar, entry) == 0)
    ;
  (void)archive_read_free(tar);
  if (deb->r->error == 0 && !deb->has_control)
    return manifest_broken(deb->r, "control.tar: has no control");
  return deb->r->error;
}

static int walk_data(struct deb *deb, struct manifest_stream *unpacked) {
  bool ended; /* dpkg-deb does not ask; the outer archive knows its length */

  return manifest_archive_members(unpacked, archive_read_support_format_tar,
                                  deb->members, &ended);
}

static int take_tar(struct deb *deb,
                    int (*walk)(struct deb *, struct manifest_stream *)) {
  struct manifest_stream member = manifest_stream_member(deb->r, deb->ar);
  struct manifest_stream unpacked;
  struct archive *raw = NULL;
  int error = manifest_archive_unpack(&member, &raw, &unpacked);

  if (error == 0)
    error = walk(deb, &unpacked);
  if (error == 0)
    error = manifest_archive_drain(&unpacked);
  (void)archive_read_free(raw);
  return error;
}

/* The next member, those left out that dpkg-deb leaves out. Its name begins
 * with `prefix`, or the package is broken. */
static int expect_member(struct deb *deb, const char *prefix) {
  struct archive_entry *entry;
  const char *name;
  int more;

  do {
    more = manifest_archive_next(deb->r, deb->ar, &entry);
    if (more < 0)
      return more;
    if (more == 0)
      return manifest_broken(deb->r, "has no member %s", prefix);
    name = archive_entry_pathname(entry);
  } while (name[0] == '_');
  if (strncmp(name, prefix, strlen(prefix)) != 0)
    return manifest_broken(deb->r, "its member %.80s stands where %s should",
                           name, prefix);
  return 0;
}

/* dpkg-deb takes any after these, for the time to come; but two of one kind
 * would say two things. */
static int check_rest(struct deb *deb) {
  struct archive_entry *entry;
  int more;

  while ((more = manifest_archive_next(deb->r, deb->ar, &entry)) > 0) {
    const char *name = archive_entry_pathname(entry);

    if (strncmp(name, "control.tar", strlen("control.tar")) == 0 ||
        strncmp(name, "data.tar", strlen("data.tar")) == 0)
      return manifest_broken(deb->r, "its member %.80s is one too many", name);
  }
  return more;
}

static int read_members(struct deb *deb) {
  int error = expect_member(deb, "debian-binary");

  if (error == 0)
    error = take_binary(deb);
  if (error == 0)
    error = expect_member(deb, "control.tar");
  if (error == 0)
    error = take_tar(deb, walk_control);
  if (error == 0)
    error = expect_member(deb, "data.tar");
  if (error == 0)
    error = take_tar(deb, walk_data);
  return error == 0 ? check_rest(deb) : error;
}

static int read_deb(struct manifest_reading *r, struct manifest *m) {
  struct manifest_stream file = manifest_stream_file(r);
  struct deb deb = {.r = r, .m = m, .members = manifest_members_new()};
  int error = deb.members == NULL
                  ? manifest_fail(r, -ENOMEM)
                  : manifest_archive_open(&file, archive_read_support_format_ar,
                                          &deb.ar);

  if (error == 0)
    error = read_members(&deb);
  if (error == 0)
    error = manifest_members_list(deb.members, r, m);
  (void)archive_read_free(deb.ar);
  manifest_members_free(deb.members);
  return error;
}

const struct manifest_format manifest_deb = {
    .name = "deb", .is_package = true, .matches = matches, .read = read_deb};
