#include <errno.h>
#include <fcntl.h>
#include <rpm/rpmpgp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "correlator/rpm_package.h"

enum { KEYRING_MAX = 1 << 20 }; /* bytes of a file */

static const char armour[] = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

/* Returns how many keys there are now, with its subkeys, or -EINVAL. */
static int add_certificate(rpmKeyring keyring, const uint8_t *data,
                           size_t len) {
  rpmPubkey key = rpmPubkeyNew(data, len);
  rpmPubkey *subkeys;
  int subkeys_len = 0;

  if (key == NULL)
    return -EINVAL;
  (void)rpmKeyringAddKey(keyring, key);
  subkeys = rpmGetSubkeys(key, &subkeys_len);
  for (int i = 0; i < subkeys_len; i++) {
    (void)rpmKeyringAddKey(keyring, subkeys[i]);
    rpmPubkeyFree(subkeys[i]);
  }
  free(subkeys);
  rpmPubkeyFree(key);
  return 0;
}

static int add_certificates(rpmKeyring keyring, const uint8_t *data,
                            size_t len) {
  while (len > 0) {
    size_t one = 0;
    int r;

    if (pgpPubKeyCertLen(data, len, &one) != 0 || one == 0 || one > len)
      return -EINVAL;
    if ((r = add_certificate(keyring, data, one)) < 0)
      return r;
    data += one;
    len -= one;
  }
  return 0;
}

/* `text` may hold several blocks, with any text between them. */
static int add_armoured(rpmKeyring keyring, const char *text) {
  int r = -EINVAL;

  for (text = strstr(text, armour); text != NULL;
       text = strstr(text + 1, armour)) {
    uint8_t *data = NULL;
    size_t len = 0;

    r = -EINVAL;
    if (pgpParsePkts(text, &data, &len) == PGPARMOR_PUBKEY)
      r = add_certificates(keyring, data, len);
    free(data);
    if (r < 0)
      return r;
  }
  return r;
}

static int read_file(const char *file, char **ret, size_t *ret_len) {
  int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  struct stat st;
  char *data = NULL;
  size_t len = 0;
  ssize_t n = 1;
  int r;

  if (fd < 0)
    return -errno;
  r = -EINVAL;
  if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > KEYRING_MAX)
    goto out;
  r = -ENOMEM;
  if ((data = calloc(1, KEYRING_MAX + 1)) == NULL)
    goto out;
  while (len < KEYRING_MAX && (n = read(fd, data + len, KEYRING_MAX - len)) > 0)
    len += (size_t)n;
  r = n < 0 ? -errno : 0;
out:
  (void)close(fd);
  if (r < 0) {
    free(data);
    return r;
  }
  *ret = data;
  *ret_len = len;
  return 0;
}

int rpm_package_keyring(const char *file, rpmKeyring *ret) {
  rpmKeyring keyring = NULL;
  char *data = NULL;
  size_t len = 0;
  int r = read_file(file, &data, &len);

  if (r < 0)
    return r;
  r = -ENOMEM;
  if ((keyring = rpmKeyringNew()) == NULL)
    goto out;
  r = -EINVAL;
  if (len == 0)
    goto out;
  /* Bit 7 starts each packet, and no text. */
  r = (data[0] & 0x80) != 0
          ? add_certificates(keyring, (const uint8_t *)data, len)
          : add_armoured(keyring, data);
out:
  free(data);
  if (r < 0)
    rpmKeyringFree(keyring);
  else
    *ret = keyring;
  return r;
}
