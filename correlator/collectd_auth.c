#include "correlator/collectd_auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "correlator/log.h"
#include "correlator/watched_file.h"
#include "lib/record/digest.h"

#define WHITE " \t\v\f\r"

/* The file's content; the passwords lie in `text`. */
struct users {
  char *text;
  size_t text_len;
  struct collectd_user *list; /* sorted by name */
  size_t len;
};

struct collectd_auth {
  char *path;
  struct watched_file file;
  struct users users;
};

static void users_clear(struct users *u) {
  watched_file_free(u->text, u->text_len);
  if (u->list)
    OPENSSL_cleanse(u->list, u->len * sizeof(*u->list));
  free(u->list);
  *u = (struct users){0};
}

static int compare_names(const char *a, size_t a_len, const char *b,
                         size_t b_len) {
  const int r = memcmp(a, b, a_len < b_len ? a_len : b_len);

  return r != 0 ? r : (a_len > b_len) - (a_len < b_len);
}

static int compare_users(const void *a, const void *b) {
  const struct collectd_user *x = a, *y = b;

  return compare_names(x->name, strlen(x->name), y->name, strlen(y->name));
}

/* Read a line as collectd does: the name up to the first ':', the password
 * from the first byte after it that is no space. Returns 1 for a user, 0 for
 * a line without one, or -EINVAL. */
static int user_from_line(char *line, struct collectd_user *ret) {
  struct digest key;
  char *colon, *password;
  size_t len = strlen(line);

  while (len > 0 && line[len - 1] == '\r')
    line[--len] = '\0';
  line += strspn(line, WHITE);
  if (*line == '\0' || *line == '#')
    return 0;
  colon = strchr(line, ':');
  if (!colon)
    return -EINVAL;
  len = (size_t)(colon - line);
  password = colon + 1 + strspn(colon + 1, WHITE);
  if (len == 0 || len > COLLECTD_USER_MAX || *password == '\0')
    return -EINVAL;
  for (size_t i = 0; i < len; i++)
    if (line[i] < ' ' || line[i] > '~')
      return -EINVAL;
  *ret = (struct collectd_user){.password = password,
                                .password_len = strlen(password)};
  memcpy(ret->name, line, len);
  if (digest_of(password, ret->password_len, &key))
    return -ENOMEM;
  memcpy(ret->aes_key, key.bytes, sizeof(ret->aes_key));
  return 1;
}

static int check_doubles(const char *file, const struct users *u) {
  if (u->len == 0) {
    log_error("auth-file %s: no user in it", file);
    return -EINVAL;
  }
  for (size_t i = 1; i < u->len; i++)
    if (compare_users(&u->list[i - 1], &u->list[i]) == 0) {
      log_error("auth-file %s: user %s is there twice", file, u->list[i].name);
      return -EINVAL;
    }
  return 0;
}

/* Fill u->list from u->text, which is cut into lines. */
static int users_parse(const char *file, struct users *u) {
  char *line = u->text, *end = u->text + u->text_len;
  size_t lines = 1;
  int r;

  for (const char *p = u->text; p < end; p++)
    lines += *p == '\n';
  u->list = calloc(lines, sizeof(*u->list));
  if (!u->list)
    return -ENOMEM;
  for (size_t number = 1; line < end; number++) {
    char *next = memchr(line, '\n', (size_t)(end - line));

    if (!next)
      next = end;
    *next = '\0';
    r = strlen(line) == (size_t)(next - line)
            ? user_from_line(line, &u->list[u->len])
            : -EINVAL;
    if (r == -EINVAL)
      log_error("auth-file %s: line %zu is not \"user: password\"", file,
                number);
    if (r < 0)
      return r;
    u->len += (size_t)r;
    line = next + 1;
  }
  qsort(u->list, u->len, sizeof(*u->list), compare_users);
  return check_doubles(file, u);
}

/* `u` is set as far as it came. */
static int load(struct watched_file *file, struct users *u) {
  const int r = watched_file_read(file, &u->text, &u->text_len);

  return r == 0 ? users_parse(file->path, u) : r;
}

int collectd_auth_new(const char *file, struct collectd_auth **ret_auth) {
  struct collectd_auth *a = calloc(1, sizeof(*a));
  int r = -ENOMEM;

  if (!a)
    return -ENOMEM;
  a->path = strdup(file);
  a->file = (struct watched_file){
      .what = "auth-file", .path = a->path, .secret = true};
  if (a->path)
    r = load(&a->file, &a->users);
  if (r != 0) {
    collectd_auth_free(a);
    return r;
  }
  *ret_auth = a;
  return 0;
}

void collectd_auth_free(struct collectd_auth *auth) {
  if (!auth)
    return;
  users_clear(&auth->users);
  free(auth->path);
  free(auth);
}

void collectd_auth_refresh(struct collectd_auth *auth, int64_t now_ms) {
  struct users fresh = {0};

  if (!watched_file_changed(&auth->file, now_ms))
    return;
  if (load(&auth->file, &fresh) != 0) {
    users_clear(&fresh);
    log_warning("auth-file %s: has changed and is refused; the users read "
                "before stay in force",
                auth->path);
  } else {
    users_clear(&auth->users);
    auth->users = fresh;
    log_info("auth-file %s: read again, %zu users", auth->path, fresh.len);
  }
}

const struct collectd_user *collectd_auth_find(const struct collectd_auth *auth,
                                               const void *name, size_t len) {
  size_t low = 0, high = auth->users.len;

  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const struct collectd_user *u = &auth->users.list[middle];
    const int r = compare_names(name, len, u->name, strlen(u->name));

    if (r == 0)
      return u;
    if (r < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return NULL;
}
