#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/record/digest.h"
#include "lib/scan/host.h"
#include "lib/scan/proc.h"

enum {
  MACHINE_ID_LEN = 32,     /* hex digits, machine-id(5) */
  PROC_STAT_MAX = 4 << 20, /* bytes */
};

static int read_machine_id(const char *path, char ret_id[MACHINE_ID_LEN]) {
  char text[MACHINE_ID_LEN + 2];
  size_t len;
  int ret = proc_read(AT_FDCWD, path, text, sizeof(text), &len);

  if (ret < 0)
    return ret;
  if (len < MACHINE_ID_LEN ||
      (len > MACHINE_ID_LEN &&
       (len > MACHINE_ID_LEN + 1 || text[MACHINE_ID_LEN] != '\n')))
    return -EINVAL;
  for (size_t i = 0; i < MACHINE_ID_LEN; i++) {
    if (strchr("0123456789abcdef", text[i]) == NULL)
      return -EINVAL;
  }
  memcpy(ret_id, text, MACHINE_ID_LEN);
  return 0;
}

static int read_boot_time(const char *proc_root, int64_t *ret_s) {
  int fd = open(proc_root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  char *text;
  size_t len;
  int ret;

  if (fd < 0)
    return -errno;
  ret = proc_read_all(fd, "stat", PROC_STAT_MAX, &text, &len);
  close(fd);
  if (ret < 0)
    return ret;
  ret = proc_parse_btime(text, len, ret_s);
  free(text);
  return ret;
}

int host_identify(const char *machine_id_path, const char *proc_root,
                  struct wire_host *ret_host) {
  static const char salt[] = "process-dna";
  char text[sizeof(salt) - 1 + MACHINE_ID_LEN];
  struct wire_host host = {0};
  char hex[DIGEST_HEX_LEN + 1];
  struct digest digest;
  int ret;

  /* The machine id itself is confidential (machine-id(5)). */
  memcpy(text, salt, sizeof(salt) - 1);
  ret = read_machine_id(machine_id_path, text + sizeof(salt) - 1);
  if (ret == 0)
    ret = digest_of(text, sizeof(text), &digest);
  if (ret == 0)
    ret = read_boot_time(proc_root, &host.boot_s);
  if (ret < 0)
    return ret;
  digest_to_hex(&digest, hex);
  memcpy(host.id, hex, WIRE_HOST_ID_LEN);
  *ret_host = host;
  return 0;
}
