#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/scan/mounts.h"
#include "lib/scan/proc.h"

enum {
  FIELD_ID = 0,
  FIELD_POINT = 4,
  FIELD_OPTIONAL = 6, /* any number of fields from here, then "-" */
};

static const char *const remote_types[] = {
    "9p",    "afs",   "beegfs", "ceph",  "cifs",   "coda", "davfs",
    "fhgfs", "gpfs",  "lustre", "ncpfs", "nfs",    "nfs4", "orangefs",
    "panfs", "pvfs2", "smb3",   "smbfs", "wekafs",
};

/* Of fuse.*, those that are the way to another machine. */
static const char *const remote_fuse_types[] = {
    "blobfuse", "blobfuse2", "ceph",      "ceph-fuse", "curlftpfs",
    "davfs2",   "gcsfuse",   "glusterfs", "goofys",    "hdfs",
    "juicefs",  "mfs",       "moosefs",   "mount-s3",  "quobyte",
    "rclone",   "s3fs",      "seaweedfs", "sshfs",
};

struct mount {
  uint64_t id;
  enum mount_kind kind;
};

struct mounts {
  struct mount *mounts; /* sorted by id */
  size_t len;
};

bool mount_field_is(const struct mount_field *field, const char *text) {
  return field->len == strlen(text) &&
         memcmp(field->text, text, field->len) == 0;
}

static bool field_in(const struct mount_field *field, const char *const *texts,
                     size_t texts_len) {
  for (size_t i = 0; i < texts_len; i++) {
    if (mount_field_is(field, texts[i]))
      return true;
  }
  return false;
}

enum mount_kind mount_kind_of(const struct mount_field *type) {
  static const char fuse[] = "fuse";
  const size_t fuse_len = sizeof(fuse) - 1;
  struct mount_field sub;

  if (field_in(type, remote_types, sizeof(remote_types) / sizeof(char *)))
    return MOUNT_REMOTE;
  if (mount_field_is(type, "autofs") || mount_field_is(type, "virtiofs"))
    return MOUNT_FUSE;
  if (type->len < fuse_len || memcmp(type->text, fuse, fuse_len) != 0)
    return MOUNT_LOCAL;
  if (type->len == fuse_len || type->text[fuse_len] != '.')
    return MOUNT_FUSE;
  sub.text = type->text + fuse_len + 1;
  sub.len = type->len - fuse_len - 1;
  return field_in(&sub, remote_fuse_types,
                  sizeof(remote_fuse_types) / sizeof(char *))
             ? MOUNT_REMOTE
             : MOUNT_FUSE;
}

static bool next_field(const char **line, size_t *len,
                       struct mount_field *ret) {
  const char *space;

  if (*len == 0)
    return false;
  space = memchr(*line, ' ', *len);
  ret->text = *line;
  ret->len = space != NULL ? (size_t)(space - *line) : *len;
  *line += ret->len;
  *len -= ret->len;
  if (space != NULL) {
    (*line)++;
    (*len)--;
  }
  return true;
}

static bool parse_id(const struct mount_field *field, uint64_t *ret_id) {
  uint64_t id = 0;

  if (field->len == 0 || field->len > 19)
    return false;
  for (size_t i = 0; i < field->len; i++) {
    if (field->text[i] < '0' || field->text[i] > '9')
      return false;
    id = id * 10 + (uint64_t)(field->text[i] - '0');
  }
  *ret_id = id;
  return true;
}

static bool parse_line(const char *line, size_t len, struct mount_line *ret) {
  struct mount_field field;
  struct mount_field source;

  for (int i = 0; i < FIELD_OPTIONAL; i++) {
    if (!next_field(&line, &len, &field))
      return false;
    if (i == FIELD_ID && !parse_id(&field, &ret->id))
      return false;
    if (i == FIELD_POINT)
      ret->point = field;
  }
  do {
    if (!next_field(&line, &len, &field))
      return false;
  } while (!mount_field_is(&field, "-"));
  if (!next_field(&line, &len, &ret->type) || !next_field(&line, &len, &source))
    return false;
  if (!next_field(&line, &len, &ret->options))
    ret->options = (struct mount_field){line, 0};
  return true;
}

bool mount_next(const char **text, size_t *len, struct mount_line *ret) {
  const char *line;
  size_t line_len;

  while (proc_next_line(text, len, &line, &line_len)) {
    if (parse_line(line, line_len, ret))
      return true;
  }
  return false;
}

static int compare(const void *a, const void *b) {
  const struct mount *x = a;
  const struct mount *y = b;

  return (x->id > y->id) - (x->id < y->id);
}

static size_t count_lines(const char *text, size_t len) {
  struct mount_line line;
  size_t n = 0;

  while (mount_next(&text, &len, &line))
    n++;
  return n;
}

int mounts_read(int dirfd, const char *path, struct mounts **ret) {
  struct mounts *m = NULL;
  struct mount_line line;
  char *text = NULL;
  const char *rest;
  size_t len;
  int r;

  r = proc_read_all(dirfd, path, MOUNTINFO_MAX, &text, &len);
  if (r < 0)
    return r;
  r = -ENOMEM;
  m = calloc(1, sizeof(*m));
  if (m == NULL)
    goto out;
  m->mounts = calloc(count_lines(text, len) + 1, sizeof(*m->mounts));
  if (m->mounts == NULL)
    goto out;
  for (rest = text; mount_next(&rest, &len, &line); m->len++) {
    m->mounts[m->len].id = line.id;
    m->mounts[m->len].kind = mount_kind_of(&line.type);
  }
  qsort(m->mounts, m->len, sizeof(*m->mounts), compare);
  *ret = m;
  m = NULL;
  r = 0;

out:
  mounts_free(m);
  free(text);
  return r;
}

void mounts_free(struct mounts *m) {
  if (m == NULL)
    return;
  free(m->mounts);
  free(m);
}

bool mounts_find(const struct mounts *m, uint64_t id, enum mount_kind *ret) {
  struct mount key = {.id = id};
  const struct mount *found =
      bsearch(&key, m->mounts, m->len, sizeof(key), compare);

  if (found == NULL)
    return false;
  *ret = found->kind;
  return true;
}
