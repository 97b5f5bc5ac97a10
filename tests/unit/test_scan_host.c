/* Goal: a host is known by an id that gives its machine id away to nobody, and
 * by the addresses that others reach it at, not by its containers'. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/record/digest.h"
#include "lib/scan/host.h"
#include "tests/unit/unit.h"

#define MACHINE_ID "0123456789abcdef0123456789abcdef"

static char dir[64];

static void write_text(const char *name, const char *text) {
  char path[128];
  FILE *file;

  snprintf(path, sizeof(path), "%s/%s", dir, name);
  file = fopen(path, "we");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static int identify(const char *machine_id, const char *stat,
                    struct wire_host *ret) {
  char path[128];

  if (machine_id != NULL)
    write_text("machine-id", machine_id);
  write_text("stat", stat);
  snprintf(path, sizeof(path), "%s/%s", dir,
           machine_id != NULL ? "machine-id" : "none");
  return host_identify(path, dir, ret);
}

static void id_is_a_salted_digest(void **state) {
  static const char salted[] = "process-dna" MACHINE_ID;
  struct wire_host host;
  struct digest d;
  char hex[DIGEST_HEX_LEN + 1];

  (void)state;
  assert_int_equal(digest_of(salted, sizeof(salted) - 1, &d), 0);
  digest_to_hex(&d, hex);
  hex[WIRE_HOST_ID_LEN] = '\0';
  assert_int_equal(identify(MACHINE_ID "\n", "cpu 1\nbtime 77\n", &host), 0);
  assert_string_equal(host.id, hex);
  assert_int_equal(host.boot_s, 77);
  assert_int_equal(identify(MACHINE_ID, "btime 77\n", &host), 0);
  assert_string_equal(host.id, hex);
}

static void bad_machine_id_is_refused(void **state) {
  static const char *const bad[] = {
      "",
      "\n",
      "uninitialized\n",
      "0123456789abcdef0123456789abcde\n",
      "0123456789ABCDEF0123456789ABCDEF\n",
      MACHINE_ID "0\n",
      MACHINE_ID "\n\n",
  };
  struct wire_host host;

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(identify(bad[i], "btime 1\n", &host), -EINVAL);
  assert_int_equal(identify(NULL, "btime 1\n", &host), -ENOENT);
  assert_int_equal(identify(MACHINE_ID, "cpu 1\n", &host), -EINVAL);
}

/* In a network namespace with an interface of each kind, made by ip(8). */
static void make_interfaces(void) {
  static const char script[] =
      "set -e; mount -t sysfs sysfs /sys; exec 2>/dev/null;"
      "ip link set lo up;"
      "ip tuntap add eth7 mode tap; ip addr add 192.0.2.7/24 dev eth7;"
      "ip addr add 2001:db8::7/64 dev eth7 nodad;"
      "ip addr add 169.254.1.1/16 dev eth7; ip addr add fe80::1/64 dev eth7;"
      "ip addr add 192.0.2.7/32 dev eth7 label eth7:1 || true;"
      "ip link set eth7 up;"
      "ip link add br0 type bridge; ip addr add 10.1.0.1/24 dev br0;"
      "ip link add v0 type veth peer name v1; ip addr add 10.2.0.1/24 dev v0;"
      "ip tuntap add docker0 mode tap; ip addr add 10.3.0.1/24 dev docker0;"
      "ip link add x0 type vxlan id 7 dstport 4789 dev eth7;"
      "ip addr add 10.4.0.1/24 dev x0;"
      "for i in br0 v0 docker0 x0; do ip link set $i up; done";
  pid_t pid = fork();
  int status;

  if (pid == 0) {
    execl("/bin/sh", "sh", "-c", script, (char *)NULL);
    _exit(127);
  }
  if (waitpid(pid, &status, 0) != pid || status != 0)
    _exit(77);
}

static void check_addresses(void) {
  static const char *const expected[] = {"192.0.2.7", "2001:db8::7"};
  struct host_address *addresses;
  size_t len;

  if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 ||
      mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    _exit(77);
  make_interfaces();
  if (host_addresses(&addresses, &len) < 0 || len != 2)
    _exit(1);
  for (size_t i = 0; i < 2; i++) {
    if (strcmp(addresses[i].text, expected[i]) != 0)
      _exit(2);
  }
  free(addresses);
  _exit(0);
}

static void addresses_are_the_hosts_own(void **state) {
  pid_t pid = fork();
  int status;

  (void)state;
  if (pid == 0)
    check_addresses();
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77)
    skip();
  assert_int_equal(WEXITSTATUS(status), 0);
}

static int make_dir(void **state) {
  (void)state;
  set_text(dir, "/tmp/pdna-host-XXXXXX");
  return mkdtemp(dir) == NULL;
}

static int remove_dir(void **state) {
  char path[128];

  (void)state;
  snprintf(path, sizeof(path), "%s/machine-id", dir);
  (void)unlink(path);
  snprintf(path, sizeof(path), "%s/stat", dir);
  (void)unlink(path);
  return rmdir(dir);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(id_is_a_salted_digest),
      cmocka_unit_test(bad_machine_id_is_refused),
      cmocka_unit_test(addresses_are_the_hosts_own),
  };

  return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
