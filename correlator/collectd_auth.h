/* Users and passwords of the senders, from a file in the format of collectd's
 * AuthFile: lines of "user: password", '#' begins a comment line. It is read
 * again when it changes. */
#ifndef PDNA_COLLECTD_AUTH_H
#define PDNA_COLLECTD_AUTH_H

#include <stddef.h>
#include <stdint.h>

enum {
  COLLECTD_USER_MAX = 127, /* printable ASCII */
  COLLECTD_AES_KEY_LEN = 32,
};

struct collectd_user {
  char name[COLLECTD_USER_MAX + 1];
  const char *password;
  size_t password_len;
  uint8_t aes_key[COLLECTD_AES_KEY_LEN]; /* SHA-256 of the password */
};

struct collectd_auth;

/* Read the file. A file that others than its owner may read, that has a line
 * which is no user, a user twice or no user at all, is refused. What is wrong
 * is logged. Returns 0, -EINVAL, -EACCES (readable by others), -EFBIG,
 * -ENOMEM, or what opening or reading it gave. */
int collectd_auth_new(const char *file, struct collectd_auth **ret_auth);
void collectd_auth_free(struct collectd_auth *auth); /* NULL does nothing */

/* Read the file again if it has changed, looking at most once a second;
 * `now_ms` is a monotonic clock. A new one that is refused is logged, and the
 * old content stays. */
void collectd_auth_refresh(struct collectd_auth *auth, int64_t now_ms);

/* The user of that name, or NULL; valid until the next refresh. */
const struct collectd_user *collectd_auth_find(const struct collectd_auth *auth,
                                               const void *name, size_t len);

#endif
