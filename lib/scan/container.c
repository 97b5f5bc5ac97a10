#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/record/digest.h"
#include "lib/scan/container.h"
#include "lib/scan/mounts.h"
#include "lib/scan/proc.h"

enum {
  KEY_HEX = 12, /* hex digits of a key that is a digest or an id */
  ID_LEN = 64,  /* hex digits of a container's id */
  CGROUP_MAX = 1 << 20,
};

/* Take the next piece up to a separator that has no backslash before it. */
static bool next_piece(struct mount_field *rest, char separator,
                       struct mount_field *ret) {
  size_t i = 0;

  if (rest->len == 0)
    return false;
  while (i < rest->len &&
         (rest->text[i] != separator || (i > 0 && rest->text[i - 1] == '\\')))
    i++;
  *ret = (struct mount_field){rest->text, i};
  if (i < rest->len)
    i++;
  rest->text += i;
  rest->len -= i;
  return true;
}

static bool take_prefix(struct mount_field *field, const char *prefix) {
  size_t len = strlen(prefix);

  if (field->len < len || memcmp(field->text, prefix, len) != 0)
    return false;
  field->text += len;
  field->len -= len;
  return true;
}

static bool contains(const struct mount_field *field, const char *text) {
  return memmem(field->text, field->len, text, strlen(text)) != NULL;
}

/* Lower layers, topmost first, each ended by a newline. */
struct layers {
  char *text;
  size_t len;
  size_t count;
  size_t first_len; /* of the topmost with its newline */
  bool init;        /* docker's own layer was told by its name */
};

static void add_layers(struct layers *layers, struct mount_field value) {
  struct mount_field layer;

  while (next_piece(&value, ':', &layer)) {
    if (layer.len == 0)
      continue;
    if (contains(&layer, "-init/")) {
      layers->init = true;
      continue;
    }
    memcpy(layers->text + layers->len, layer.text, layer.len);
    layers->len += layer.len;
    layers->text[layers->len++] = '\n';
    if (layers->count++ == 0)
      layers->first_len = layers->len;
  }
}

/* The key of an overlay's options. */
static int key_of_overlay(struct mount_field options, bool docker,
                          char *ret_key) {
  struct layers layers = {.text = malloc(options.len + 1)};
  struct mount_field option;
  struct digest digest;
  char hex[DIGEST_HEX_LEN + 1];
  size_t skip = 0;
  bool overlay2 = false;
  int ret;

  if (layers.text == NULL)
    return -ENOMEM;
  while (next_piece(&options, ',', &option)) {
    if (take_prefix(&option, "lowerdir=") || take_prefix(&option, "lowerdir+="))
      add_layers(&layers, option);
    else if (take_prefix(&option, "upperdir="))
      overlay2 = contains(&option, "/overlay2/");
  }
  /* Mostly docker shows its -init layer by a link whose name says nothing. */
  if ((docker || overlay2) && !layers.init && layers.count > 1)
    skip = layers.first_len;
  ret = layers.count > 0
            ? digest_of(layers.text + skip, layers.len - skip, &digest)
            : -ENOENT;
  free(layers.text);
  if (ret < 0)
    return ret;
  digest_to_hex(&digest, hex);
  memcpy(ret_key, hex, KEY_HEX);
  ret_key[KEY_HEX] = '\0';
  return 0;
}

int container_from_mountinfo(const char *text, size_t len, bool docker,
                             char ret_key[static CONTAINER_MAX + 1]) {
  struct mount_line line;
  struct mount_line root;
  bool found = false;

  /* Of several mounts on the root, the last is the topmost. */
  while (mount_next(&text, &len, &line)) {
    if (mount_field_is(&line.point, "/")) {
      root = line;
      found = true;
    }
  }
  if (!found || !mount_field_is(&root.type, "overlay"))
    return -ENOENT;
  return key_of_overlay(root.options, docker, ret_key);
}

/* Find a run of exactly 64 lower-case hex digits. */
static const char *find_id(const char *text, size_t len) {
  size_t run = 0;

  for (size_t i = 0; i <= len; i++) {
    if (i < len && (isdigit((unsigned char)text[i]) ||
                    (text[i] >= 'a' && text[i] <= 'f'))) {
      run++;
      continue;
    }
    if (run == ID_LEN)
      return text + i - ID_LEN;
    run = 0;
  }
  return NULL;
}

static bool ends_with(const struct mount_field *field, const char *end) {
  size_t len = strlen(end);

  return field->len >= len &&
         memcmp(field->text + field->len - len, end, len) == 0;
}

/* A unit's name as a key: other characters as '_', and one that is too long
 * told from its likes by a digest. */
static int key_of_unit(const struct mount_field *unit, char *ret_key) {
  size_t len = unit->len < CONTAINER_MAX ? unit->len : CONTAINER_MAX;

  for (size_t i = 0; i < len; i++) {
    char c = unit->text[i];

    ret_key[i] = isalnum((unsigned char)c) || c == '.' || c == '-' ? c : '_';
  }
  ret_key[len] = '\0';
  if (unit->len > CONTAINER_MAX) {
    struct digest digest;
    char hex[DIGEST_HEX_LEN + 1];
    int ret = digest_of(unit->text, unit->len, &digest);

    if (ret < 0)
      return ret;
    digest_to_hex(&digest, hex);
    memcpy(ret_key + CONTAINER_MAX - KEY_HEX, hex, KEY_HEX);
    ret_key[CONTAINER_MAX - KEY_HEX - 1] = '-';
  }
  return 0;
}

/* The outermost, since what is inside belongs to whoever runs there. */
static bool find_unit(struct mount_field path, struct mount_field *ret_unit) {
  while (next_piece(&path, '/', ret_unit)) {
    if (ret_unit->text[0] != '.' &&
        (ends_with(ret_unit, ".service") || ends_with(ret_unit, ".scope")))
      return true;
  }
  return false;
}

int container_from_cgroup(const char *text, size_t len, bool *ret_docker,
                          char ret_key[static CONTAINER_MAX + 1]) {
  struct mount_field unit = {NULL, 0};
  const char *line;
  size_t line_len;

  *ret_docker = false;
  while (proc_next_line(&text, &len, &line, &line_len)) {
    struct mount_field rest = {line, line_len};
    struct mount_field hierarchy;
    struct mount_field controllers;
    const char *id;

    if (!next_piece(&rest, ':', &hierarchy) ||
        !next_piece(&rest, ':', &controllers))
      continue;
    id = find_id(rest.text, rest.len);
    if (id != NULL) {
      struct mount_field before = {rest.text, (size_t)(id - rest.text)};

      *ret_docker =
          ends_with(&before, "/docker/") || ends_with(&before, "docker-");
      memcpy(ret_key, id, KEY_HEX);
      ret_key[KEY_HEX] = '\0';
      return 0;
    }
    if (unit.len == 0 && !find_unit(rest, &unit))
      unit.len = 0;
  }
  return unit.len > 0 ? key_of_unit(&unit, ret_key) : -ENOENT;
}

void container_from_root(const struct file_id *root,
                         char ret_key[static CONTAINER_MAX + 1]) {
  (void)snprintf(ret_key, CONTAINER_MAX + 1, "%u.%u-%" PRIu64, major(root->dev),
                 minor(root->dev), root->ino);
}

int container_read(int pid_fd, const struct file_id *root,
                   char ret_key[static CONTAINER_MAX + 1]) {
  char group_key[CONTAINER_MAX + 1];
  bool docker = false;
  bool grouped = false;
  char *text;
  size_t len;
  int ret;

  ret = proc_read_all(pid_fd, "cgroup", CGROUP_MAX, &text, &len);
  if (ret == 0) {
    ret = container_from_cgroup(text, len, &docker, group_key);
    grouped = ret == 0;
    free(text);
  }
  if (ret == -ENOMEM || ret == -ESRCH)
    return ret;
  ret = proc_read_all(pid_fd, "mountinfo", MOUNTINFO_MAX, &text, &len);
  if (ret == 0) {
    ret = container_from_mountinfo(text, len, docker, ret_key);
    free(text);
  }
  if (ret == 0 || ret == -ENOMEM || ret == -ESRCH)
    return ret;
  if (grouped)
    memcpy(ret_key, group_key, sizeof(group_key));
  else
    container_from_root(root, ret_key);
  return 0;
}
