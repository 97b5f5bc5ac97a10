/* Packages of rpm whose digests fit whatever header and payload they have:
 * those are the input, as who makes a hostile package would have them. */
#include <openssl/evp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "correlator/manifest_rpm.h"
#include "tests/fuzz/fuzz.h"

enum { LEAD = 96, SIGNATURE = 48, MD5_LEN = 16, INPUT_MAX = 1 << 16 };

/* A lead of version 3, and a signature header with one tag: the MD5 digest of
 * all that follows. */
static const uint8_t lead[LEAD] = {
    0xED, 0xAB, 0xEE, 0xDB, 3, 0, 0, 0, 0, 1, 'x', 0, [77] = 1, [79] = 5};
static const uint8_t signature[SIGNATURE - MD5_LEN] = {
    0x8E, 0xAD, 0xE8, 1,    0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, MD5_LEN,
    0,    0,    3,    0xEC, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, MD5_LEN};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const struct manifest_limits limits = {.unpacked_bytes = 1 << 20,
                                                .entries = 1000,
                                                .path_bytes = 4095,
                                                .control_bytes = 1 << 16,
                                                .time_s = 60};
  struct manifest_reading r = {.limits = &limits};
  struct manifest m = {0};
  uint8_t md5[EVP_MAX_MD_SIZE];

  r.fd = memfd_create("package", MFD_CLOEXEC);
  if (r.fd >= 0 && size <= INPUT_MAX &&
      EVP_Digest(data, size, md5, NULL, EVP_md5(), NULL) &&
      write(r.fd, lead, LEAD) == LEAD &&
      write(r.fd, signature, sizeof(signature)) == sizeof(signature) &&
      write(r.fd, md5, MD5_LEN) == MD5_LEN &&
      write(r.fd, data, size) == (ssize_t)size)
    (void)manifest_read(&r, &manifest_rpm, &m);
  manifest_clear(&m);
  if (r.fd >= 0)
    (void)close(r.fd);
  return 0;
}
