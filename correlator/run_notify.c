#include "correlator/run_notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void run_notify(const char *state) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const char *path = secure_getenv("NOTIFY_SOCKET");

  if (path == NULL || (path[0] != '/' && path[0] != '@') ||
      strlen(path) >= sizeof(address.sun_path))
    return;
  memcpy(address.sun_path, path, strlen(path));
  if (path[0] == '@')
    address.sun_path[0] = '\0'; /* an abstract socket */
  socklen_t len =
      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;
  (void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL,
                (const struct sockaddr *)&address, len);
  (void)close(fd);
}
