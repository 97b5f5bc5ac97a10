#include "correlator/collectd_auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "correlator/log.h"
#include "lib/record/digest.h"

enum { LOOK_AGAIN_MS = 1000 };
#define WHITE " \t\v\f\r"

/* The file's content; the passwords lie in `text`. */
struct users {
  char *text;
  size_t text_len;
  struct collectd_user *list; /* sorted by name */
  size_t len;
};

struct collectd_auth {
  char *file;
  struct stat seen; /* of the last attempt to read it */
  int64_t looked_ms;
  struct users users;
};

static void users_clear(struct users *u) {
  if (u->text)
    OPENSSL_cleanse(u->text, u->text_len);
  free(u->text);
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

static bool same_file(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
         a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
         a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
         a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
         a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
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

static int read_all(int fd, char *text, size_t len) {
  size_t done = 0;

  while (done < len) {
    const ssize_t n = read(fd, text + done, len - done);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return -errno;
    if (n == 0)
      return -EAGAIN; /* it became shorter: someone is writing it */
    done += (size_t)n;
  }
  return 0;
}

static int check_stat(const char *file, const struct stat *st) {
  if (!S_ISREG(st->st_mode)) {
    log_error("auth-file %s: not a regular file", file);
    return -EINVAL;
  }
  if (st->st_mode & 077) {
    log_error("auth-file %s: mode is %04o, others may use it; expected 0600",
              file, (unsigned)(st->st_mode & 07777));
    return -EACCES;
  }
  if (st->st_size > COLLECTD_AUTH_FILE_MAX) {
    log_error("auth-file %s: %lld bytes, at most %d are taken", file,
              (long long)st->st_size, COLLECTD_AUTH_FILE_MAX);
    return -EFBIG;
  }
  return 0;
}

/* `st` and `u` are set as far as it came. */
static int load(const char *file, struct stat *st, struct users *u) {
  struct stat after;
  int fd, r;

  fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0 || fstat(fd, st) != 0) {
    r = -errno;
    log_error("auth-file %s: cannot be opened: %s", file, strerrordesc_np(-r));
    goto out;
  }
  r = check_stat(file, st);
  if (r != 0)
    goto out;
  u->text_len = (size_t)st->st_size;
  u->text = malloc(u->text_len + 1);
  if (!u->text) {
    r = -ENOMEM;
    goto out;
  }
  r = read_all(fd, u->text, u->text_len);
  if (r == 0 && (fstat(fd, &after) != 0 || !same_file(st, &after)))
    r = -EAGAIN;
  if (r != 0) {
    log_error("auth-file %s: cannot be read: %s", file, strerrordesc_np(-r));
    goto out;
  }
  r = users_parse(file, u);
out:
  if (fd >= 0)
    close(fd);
  return r;
}

int collectd_auth_new(const char *file, struct collectd_auth **ret_auth) {
  struct collectd_auth *a = calloc(1, sizeof(*a));
  int r = -ENOMEM;

  if (!a)
    return -ENOMEM;
  a->looked_ms = INT64_MIN;
  a->file = strdup(file);
  if (a->file)
    r = load(file, &a->seen, &a->users);
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
  free(auth->file);
  free(auth);
}

void collectd_auth_refresh(struct collectd_auth *auth, int64_t now_ms) {
  struct users fresh = {0};
  struct stat st = {0};

  if (auth->looked_ms != INT64_MIN && now_ms - auth->looked_ms < LOOK_AGAIN_MS)
    return;
  auth->looked_ms = now_ms;
  /* Away for a moment: an editor is about to rename the new one here. */
  if (stat(auth->file, &st) != 0 || same_file(&st, &auth->seen))
    return;
  if (load(auth->file, &st, &fresh) != 0) {
    users_clear(&fresh);
    log_warning("auth-file %s: has changed and is refused; the users read "
                "before stay in force",
                auth->file);
  } else {
    users_clear(&auth->users);
    auth->users = fresh;
    log_info("auth-file %s: read again, %zu users", auth->file, fresh.len);
  }
  auth->seen = st;
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
