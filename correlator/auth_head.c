#include "correlator/auth_head.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/read_at.h"

int auth_head_read(int fd, uint64_t len, struct auth_head *ret_head) {
  uint8_t bytes[AUTH_HEAD_BYTES];
  struct auth_head head = {.len = len < sizeof(bytes) ? (size_t)len
                                                      : sizeof(bytes)};

  int rc = read_at(fd, 0, bytes, head.len);
  if (rc == 0)
    rc = digest_of(bytes, head.len, &head.digest);
  if (rc == 0)
    *ret_head = head;
  return rc;
}

int auth_head_check(int fd, uint64_t len, struct auth_head *head) {
  uint8_t bytes[AUTH_HEAD_BYTES];
  struct auth_head more = {.len = len < sizeof(bytes) ? (size_t)len
                                                      : sizeof(bytes)};
  struct digest found;

  if (more.len < head->len)
    more.len = head->len;
  int rc = read_at(fd, 0, bytes, more.len);
  if (rc == 0 && head->len > 0)
    rc = digest_of(bytes, head->len, &found);
  if (rc == 0 && head->len > 0 && !digest_equal(&found, &head->digest))
    rc = -ESTALE;
  if (rc == 0 && head->len > 0 && more.len == head->len)
    return 0; /* what was found is what *head says */
  if (rc == 0)
    rc = digest_of(bytes, more.len, &more.digest);
  if (rc == 0)
    *head = more;
  return rc;
}

void auth_head_text(const struct auth_head *head, int64_t mtime_ns,
                    char ret_text[AUTH_HEAD_MAX + 1]) {
  char hex[DIGEST_HEX_LEN + 1];

  digest_to_hex(&head->digest, hex);
  (void)snprintf(ret_text, AUTH_HEAD_MAX + 1, "%zu %s %" PRId64, head->len, hex,
                 mtime_ns);
}

int auth_head_parse(const char *text, struct auth_head *ret_head,
                    int64_t *ret_mtime_ns) {
  struct auth_head head = {0};
  char *end;

  errno = 0;
  unsigned long len = strtoul(text, &end, 10);
  if (errno != 0 || end == text || *end != ' ' || len == 0 ||
      len > AUTH_HEAD_BYTES || strlen(end + 1) <= DIGEST_HEX_LEN ||
      digest_from_hex(end + 1, DIGEST_HEX_LEN, &head.digest) != 0)
    return -EINVAL;
  const char *mtime = end + 1 + DIGEST_HEX_LEN;
  long long mtime_ns = strtoll(mtime, &end, 10);
  if (errno != 0 || *mtime != ' ' || end == mtime || *end != '\0')
    return -EINVAL;
  head.len = len;
  *ret_head = head;
  *ret_mtime_ns = mtime_ns;
  return 0;
}
