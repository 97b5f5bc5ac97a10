#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/record/address.h"
#include "lib/scan/host.h"

/* What ethtool(8) -i says of interfaces that belong to containers or virtual
 * machines. */
static const char *const foreign_drivers[] = {"veth", "vxlan", "macvtap"};

/* Made by orchestrators of a driver that says nothing. */
static const char *const foreign_names[] = {
    "docker",  "cni",    "cali", "cilium",       "lxc",
    "flannel", "podman", "kube", "nodelocaldns", "virbr"};

/* The driver's name, or "". */
static void read_driver(int sock, const char *interface, char *ret_driver,
                        size_t size) {
  struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
  struct ifreq request = {0};

  ret_driver[0] = '\0';
  if (strlen(interface) >= sizeof(request.ifr_name))
    return;
  memcpy(request.ifr_name, interface, strlen(interface));
  request.ifr_data = (void *)&info;
  if (ioctl(sock, SIOCETHTOOL, &request) == 0)
    (void)snprintf(ret_driver, size, "%.*s", (int)sizeof(info.driver),
                   info.driver);
}

/* Does a bridge have a port that is hardware? Then it has the address that the
 * port would have (hypervisors do so). */
static bool has_hardware(const char *bridge) {
  char path[128];
  struct dirent *port;
  bool found = false;
  DIR *dir;

  (void)snprintf(path, sizeof(path), "/sys/class/net/%s/brif", bridge);
  dir = opendir(path);
  if (dir == NULL)
    return false;
  while (!found && (port = readdir(dir)) != NULL) {
    (void)snprintf(path, sizeof(path), "/sys/class/net/%.32s/device",
                   port->d_name);
    found = port->d_name[0] != '.' && access(path, F_OK) == 0;
  }
  (void)closedir(dir);
  return found;
}

static bool is_hosts(int sock, const struct ifaddrs *a) {
  char driver[64];

  if ((a->ifa_flags & IFF_LOOPBACK) != 0)
    return false;
  for (size_t i = 0; i < sizeof(foreign_names) / sizeof(char *); i++) {
    if (strncmp(a->ifa_name, foreign_names[i], strlen(foreign_names[i])) == 0)
      return false;
  }
  read_driver(sock, a->ifa_name, driver, sizeof(driver));
  for (size_t i = 0; i < sizeof(foreign_drivers) / sizeof(char *); i++) {
    if (strcmp(driver, foreign_drivers[i]) == 0)
      return false;
  }
  return strcmp(driver, "bridge") != 0 || has_hardware(a->ifa_name);
}

/* The text of an address that others can reach. */
static bool to_text(const struct sockaddr *sa, char *ret_text, size_t size) {
  if (sa == NULL)
    return false;
  if (sa->sa_family == AF_INET) {
    struct sockaddr_in in;

    memcpy(&in, sa, sizeof(in));
    return address_to_text((const uint8_t *)&in.sin_addr, sizeof(in.sin_addr),
                           ret_text, size);
  }
  if (sa->sa_family == AF_INET6) {
    struct sockaddr_in6 in;

    memcpy(&in, sa, sizeof(in));
    return address_to_text(in.sin6_addr.s6_addr, sizeof(in.sin6_addr), ret_text,
                           size);
  }
  return false;
}

static int compare(const void *a, const void *b) {
  const struct host_address *x = a;
  const struct host_address *y = b;

  return strcmp(x->text, y->text);
}

static size_t unique(struct host_address *addresses, size_t len) {
  size_t kept = 0;

  for (size_t i = 0; i < len; i++) {
    if (kept == 0 || compare(&addresses[kept - 1], &addresses[i]) != 0)
      addresses[kept++] = addresses[i];
  }
  return kept;
}

int host_addresses(struct host_address **ret_addresses, size_t *ret_len) {
  struct host_address *addresses = NULL;
  struct ifaddrs *all = NULL;
  const struct ifaddrs *a;
  int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  size_t len = 0;
  int ret = 0;

  if (sock < 0 || getifaddrs(&all) < 0) {
    ret = -errno;
    goto out;
  }
  for (a = all; a != NULL; a = a->ifa_next)
    len++;
  addresses = calloc(len + 1, sizeof(*addresses));
  if (addresses == NULL) {
    ret = -ENOMEM;
    goto out;
  }
  len = 0;
  for (a = all; a != NULL; a = a->ifa_next) {
    if (to_text(a->ifa_addr, addresses[len].text,
                sizeof(addresses[len].text)) &&
        is_hosts(sock, a))
      len++;
  }
  qsort(addresses, len, sizeof(*addresses), compare);
  *ret_len = unique(addresses, len);
  *ret_addresses = addresses;

out:
  freeifaddrs(all);
  if (sock >= 0)
    close(sock);
  return ret;
}
