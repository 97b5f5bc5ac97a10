/* Goal: the texts of proc are read right, and believed in nothing that whoever
 * runs there can write into them. */
#include <errno.h>
#include <string.h>

#include "lib/scan/container.h"
#include "lib/scan/mounts.h"
#include "lib/scan/proc.h"
#include "lib/scan/spoof.h"
#include "tests/unit/unit.h"

#define REST                                                                   \
  " S 17 1 1 0 -1 4194560 6203 1 2 3 4 5 6 7 20 0 3 0 5 173408256 3215 "       \
  "18446744073709551615 94 95 96 0 0 0 0 0 0 0 0 0 17 1\n"

static int parse_stat(const char *text, struct proc_stat *ret) {
  return proc_parse_stat(text, strlen(text), ret);
}

static void stat_is_read_field_by_field(void **state) {
  struct proc_stat s;

  (void)state;
  assert_int_equal(parse_stat("42 (nginx)" REST, &s), 0);
  assert_string_equal(s.comm, "nginx");
  assert_int_equal(s.state, 'S');
  assert_int_equal(s.ppid, 17);
  assert_false(s.kernel_thread);
  assert_int_equal(s.num_threads, 3);
  assert_int_equal(s.start_ticks, 5);
  assert_int_equal(s.rss_pages, 3215);
  assert_int_equal(s.start_code, 94);
}

static void kernel_thread_is_told_by_its_flag(void **state) {
  struct proc_stat s;

  (void)state;
  assert_int_equal(parse_stat("2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 "
                              "0 20 0 1 0 1 0 0 184 1 1 0 0\n",
                              &s),
                   0);
  assert_true(s.kernel_thread);
}

static void name_may_hold_anything(void **state) {
  static const char *const names[] = {"",     ")",       "a) R 1 2 3 (b",
                                      "a\nb", ") S 1 1", "((((((((((((((("};
  struct proc_stat s;
  char text[512];

  (void)state;
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    snprintf(text, sizeof(text), "42 (%s)" REST, names[i]);
    assert_int_equal(parse_stat(text, &s), 0);
    assert_string_equal(s.comm, names[i]);
    assert_int_equal(s.ppid, 17);
  }
}

static void long_name_is_cut(void **state) {
  struct proc_stat s;
  char name[201];
  char text[512];

  (void)state;
  memset(name, 'n', sizeof(name) - 1);
  name[sizeof(name) - 1] = '\0';
  snprintf(text, sizeof(text), "42 (%s)" REST, name);
  assert_int_equal(parse_stat(text, &s), 0);
  assert_int_equal(strlen(s.comm), COMM_MAX);
}

static void stat_cut_anywhere_is_refused(void **state) {
  static const char text[] = "42 (a) S 17 1 1 0 -1 4194560 6203 1 2 3 4 5 6 7 "
                             "20 0 3 0 5 173408256 3215 1 94";
  struct proc_stat s;

  (void)state;
  assert_int_equal(proc_parse_stat(text, sizeof(text) - 1, &s), 0);
  for (size_t len = 0; len < sizeof(text) - 3; len++)
    assert_int_equal(proc_parse_stat(text, len, &s), -EINVAL);
}

static void numbers_that_are_none_are_refused(void **state) {
  static const char *const bad[] = {
      "1 (a) S x 1 1 0 -1 1 6 1 2 3 4 5 6 7 20 0 3 0 5 1 3 1 94\n",
      ("1 (a) S 99999999999999999999999 1 1 0 -1 1 6 1 2 3 4 5 6 7 20 0 3 0 5 "
       "1 "
       "3 1 94\n"),
      "1 (a) S 4294967296 1 1 0 -1 1 6 1 2 3 4 5 6 7 20 0 3 0 5 1 3 1 94\n",
      "1 (a) S  1 1 1 0 -1 1 6 1 2 3 4 5 6 7 20 0 3 0 5 1 3 1 94\n",
      "1 (a) S - 1 1 0 -1 1 6 1 2 3 4 5 6 7 20 0 3 0 5 1 3 1 94\n",
  };
  struct proc_stat s;

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(parse_stat(bad[i], &s), -EINVAL);
}

static void pid_is_digits_and_no_more(void **state) {
  static const char *const bad[] = {
      "", "0", "01", "1a", "-1", "2147483648", "99999999999999999999"};
  pid_t pid;

  (void)state;
  assert_true(proc_parse_pid("2147483647", &pid));
  assert_int_equal(pid, 2147483647);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_false(proc_parse_pid(bad[i], &pid));
}

static void boot_time_is_found_on_its_line(void **state) {
  static const char text[] = "cpu  1 2\nintr btime 3\nbtime 1795423139\nx 1\n";
  int64_t s;

  (void)state;
  assert_int_equal(proc_parse_btime(text, sizeof(text) - 1, &s), 0);
  assert_int_equal(s, 1795423139);
  assert_int_equal(proc_parse_btime("cpu 1\n", 6, &s), -EINVAL);
  assert_int_equal(proc_parse_btime("btime x\n", 8, &s), -EINVAL);
}

static void statm_has_the_resident_pages(void **state) {
  static const char text[] = "730 457 429 5 0 89 0\n";
  static const char *const bad[] = {"",      "730",      "730 ",
                                    "x 457", "730\n457", "-1 2"};
  uint64_t pages = 0;

  (void)state;
  assert_int_equal(proc_parse_statm(text, sizeof(text) - 1, &pages), 0);
  assert_int_equal(pages, 457);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(proc_parse_statm(bad[i], strlen(bad[i]), &pages), -EINVAL);
}

static void mounts_are_read_past_optional_fields(void **state) {
  static const char text[] =
      "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n"
      "garbage\n"
      "28 27 0:25 / /mnt\\040a rw shared:1 master:2 - nfs4 srv:/x rw,vers=4\n"
      "x 27 0:25 / /b rw - tmpfs none rw\n"
      "30 27 0:25 / /c rw shared:1\n"
      "31 27 0:26 / /d rw - tmpfs none\n";
  const char *p = text;
  size_t len = sizeof(text) - 1;
  struct mount_line line;

  (void)state;
  assert_true(mount_next(&p, &len, &line));
  assert_int_equal(line.id, 27);
  assert_true(mount_field_is(&line.point, "/"));
  assert_true(mount_next(&p, &len, &line));
  assert_int_equal(line.id, 28);
  assert_true(mount_field_is(&line.point, "/mnt\\040a"));
  assert_true(mount_field_is(&line.type, "nfs4"));
  assert_true(mount_field_is(&line.options, "rw,vers=4"));
  assert_true(mount_next(&p, &len, &line));
  assert_int_equal(line.id, 31);
  assert_int_equal(line.options.len, 0);
  assert_false(mount_next(&p, &len, &line));
}

static void file_systems_are_told_apart(void **state) {
  static const struct {
    const char *type;
    enum mount_kind kind;
  } cases[] = {
      {"ext4", MOUNT_LOCAL},
      {"overlay", MOUNT_LOCAL},
      {"nfs", MOUNT_REMOTE},
      {"nfs4", MOUNT_REMOTE},
      {"cifs", MOUNT_REMOTE},
      {"9p", MOUNT_REMOTE},
      {"ceph", MOUNT_REMOTE},
      {"fuse.sshfs", MOUNT_REMOTE},
      {"fuse.s3fs", MOUNT_REMOTE},
      {"fuse", MOUNT_FUSE},
      {"fuse.bindfs", MOUNT_FUSE},
      {"fuseblk", MOUNT_FUSE},
      {"autofs", MOUNT_FUSE},
      {"nfsd", MOUNT_LOCAL},
      {"fuse.glusterfs", MOUNT_REMOTE},
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct mount_field type = {cases[i].type, strlen(cases[i].type)};

    assert_int_equal(mount_kind_of(&type), cases[i].kind);
  }
}

static int key_of(const char *options, bool docker, char *ret_key) {
  char text[2048];

  snprintf(text, sizeof(text),
           ("1 0 0:1 / /proc rw - proc proc rw\n"
            "2 0 0:2 / / rw,relatime master:1 - overlay overlay %s\n"
            "3 2 0:3 / /dev rw - tmpfs tmpfs rw\n"),
           options);
  return container_from_mountinfo(text, strlen(text), docker, ret_key);
}

static void layers_make_the_key_and_nothing_else_does(void **state) {
  char first[CONTAINER_MAX + 1];
  char second[CONTAINER_MAX + 1];

  (void)state;
  assert_int_equal(
      key_of("rw,lowerdir=/a:/b,upperdir=/u1,workdir=/w1", false, first), 0);
  assert_int_equal(strlen(first), 12);
  assert_int_equal(
      key_of("ro,lowerdir=/a:/b,upperdir=/u2,workdir=/w2", false, second), 0);
  assert_string_equal(first, second);
  assert_int_equal(key_of("rw,lowerdir+=/a,lowerdir+=/b", false, second), 0);
  assert_string_equal(first, second);
  assert_int_equal(key_of("rw,lowerdir=/b:/a", false, second), 0);
  assert_string_not_equal(first, second);
  assert_int_equal(key_of("rw,lowerdir=/a:/b/c", false, second), 0);
  assert_string_not_equal(first, second);
}

/* Docker puts a layer of the container's own on top of the image's. */
static void layer_of_dockers_own_is_left_out(void **state) {
  static const char *const same[] = {
      /* overlay2, as links: told by where the upper folder is */
      "rw,lowerdir=/d/overlay2/l/INIT1:/d/overlay2/l/A:/d/overlay2/l/"
      "B,upperdir=/d/overlay2/c1/diff",
      ("rw,lowerdir=/d/overlay2/l/INIT2:/d/overlay2/l/A:/d/overlay2/l/"
       "B,upperdir=/d/overlay2/c2/diff"),
      /* told by its name */
      "rw,lowerdir=/d/c3-init/diff:/d/overlay2/l/A:/d/overlay2/l/"
      "B,upperdir=/d/overlay2/c3/diff",
  };
  char first[CONTAINER_MAX + 1];
  char key[CONTAINER_MAX + 1];

  (void)state;
  assert_int_equal(key_of(same[0], false, first), 0);
  for (size_t i = 1; i < sizeof(same) / sizeof(same[0]); i++) {
    assert_int_equal(key_of(same[i], false, key), 0);
    assert_string_equal(key, first);
  }
  /* containerd's snapshots: told by the cgroup alone */
  assert_int_equal(key_of("lowerdir=/s/9/fs:/s/2/fs", true, first), 0);
  assert_int_equal(key_of("lowerdir=/s/8/fs:/s/2/fs", true, key), 0);
  assert_string_equal(key, first);
  assert_int_equal(key_of("lowerdir=/s/8/fs:/s/2/fs", false, key), 0);
  assert_string_not_equal(key, first);
}

static void root_that_is_no_overlay_has_no_key_of_layers(void **state) {
  static const char text[] = "2 0 0:2 / / rw - ext4 /dev/a rw\n"
                             "3 2 0:3 / /x rw - overlay o lowerdir=/a\n";
  static const char covered[] = "2 0 0:2 / / rw - overlay o lowerdir=/a\n"
                                "3 2 0:3 / / rw - tmpfs tmpfs rw\n";
  char key[CONTAINER_MAX + 1];

  (void)state;
  assert_int_equal(container_from_mountinfo(text, sizeof(text) - 1, false, key),
                   -ENOENT);
  assert_int_equal(
      container_from_mountinfo(covered, sizeof(covered) - 1, false, key),
      -ENOENT);
  assert_int_equal(key_of("rw,upperdir=/u", false, key), -ENOENT);
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

static void cgroup_names_the_container(void **state) {
  static const struct {
    const char *text;
    const char *key; /* NULL: none */
    bool docker;
  } cases[] = {
      {"0::/\n", NULL, false},
      {"", NULL, false},
      {"garbage\n", NULL, false},
      {"0::/system.slice/docker-" ID ".scope\n", "0123456789ab", true},
      {"4:memory:/docker/" ID "\n0::/\n", "0123456789ab", true},
      {"0::/kubepods.slice/cri-containerd-" ID ".scope\n", "0123456789ab",
       false},
      {"0::/machine.slice/libpod-" ID ".scope/container\n", "0123456789ab",
       false},
      /* what runs inside may make groups with any name */
      {"0::/docker/" ID "/docker/" OTHER "\n", "0123456789ab", true},
      {"0::/docker/" ID "0\n", NULL, false},
      {"0::/system.slice/foo.service\n", "foo.service", false},
      {"0::/system.slice/foo@a:b.service/evil.service\n", "foo_a_b.service",
       false},
      {"0::/user.slice/user@1000.service/app.slice/x.scope\n",
       "user_1000.service", false},
      {"0::/a.slice/.service\n", NULL, false},
  };
  char key[CONTAINER_MAX + 1];
  bool docker;

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    int ret = container_from_cgroup(cases[i].text, strlen(cases[i].text),
                                    &docker, key);

    assert_int_equal(ret, cases[i].key != NULL ? 0 : -ENOENT);
    assert_int_equal(docker, cases[i].docker);
    if (cases[i].key != NULL)
      assert_string_equal(key, cases[i].key);
  }
}

static void long_unit_names_stay_apart(void **state) {
  char text[2][300];
  char keys[2][CONTAINER_MAX + 1];
  bool docker;

  (void)state;
  for (int i = 0; i < 2; i++) {
    snprintf(text[i], sizeof(text[i]), "0::/system.slice/%0200d%d.service\n", 0,
             i);
    assert_int_equal(
        container_from_cgroup(text[i], strlen(text[i]), &docker, keys[i]), 0);
    assert_int_equal(strlen(keys[i]), CONTAINER_MAX);
    assert_true(container_key_valid(keys[i]));
  }
  assert_string_not_equal(keys[0], keys[1]);
}

static void root_makes_a_key(void **state) {
  struct file_id root = {.dev = UINT64_MAX, .ino = UINT64_MAX};
  char key[CONTAINER_MAX + 1];

  (void)state;
  container_from_root(&root, key);
  assert_true(container_key_valid(key));
}

static void mapping_is_read(void **state) {
  struct spoof_mapping m;

  (void)state;
  assert_int_equal(
      spoof_parse_mapping("56496f269000-56496f27f000 r-xp 00004000 fe:00 "
                          "248056                     /usr/bin/a b",
                          &m),
      0);
  assert_string_equal(m.range, "56496f269000-56496f27f000");
  assert_true(m.executable);
  assert_int_equal(m.ino, 248056);
  assert_string_equal(m.path, "/usr/bin/a b");
  assert_int_equal(spoof_parse_mapping("7ffd5-7ffd7 rw-p 00000000 00:00 0", &m),
                   0);
  assert_false(m.executable);
  assert_int_equal(m.ino, 0);
  assert_string_equal(m.path, "");
}

static void mapping_that_is_none_is_refused(void **state) {
  static const char *const bad[] = {
      "",
      " ",
      "abc",
      "1-2",
      "1-2 r-x",
      "1-2 r-xp",
      "1-2 r-xp 0 0:0",
      "1-2 r-xp 0 0:0 x",
      "../../../../etc/passwd r-xp 0 0:0 1 /a",
      "00000000000000000000000000000000000000000000-1 r-xp 0 0:0 1 /a",
      "1-2 r-xp 0 0:0 99999999999999999999999999 /a",
  };
  struct spoof_mapping m;

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(spoof_parse_mapping(bad[i], &m), -EINVAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(statm_has_the_resident_pages),
      cmocka_unit_test(stat_is_read_field_by_field),
      cmocka_unit_test(kernel_thread_is_told_by_its_flag),
      cmocka_unit_test(name_may_hold_anything),
      cmocka_unit_test(long_name_is_cut),
      cmocka_unit_test(stat_cut_anywhere_is_refused),
      cmocka_unit_test(numbers_that_are_none_are_refused),
      cmocka_unit_test(pid_is_digits_and_no_more),
      cmocka_unit_test(boot_time_is_found_on_its_line),
      cmocka_unit_test(mounts_are_read_past_optional_fields),
      cmocka_unit_test(file_systems_are_told_apart),
      cmocka_unit_test(layers_make_the_key_and_nothing_else_does),
      cmocka_unit_test(layer_of_dockers_own_is_left_out),
      cmocka_unit_test(root_that_is_no_overlay_has_no_key_of_layers),
      cmocka_unit_test(cgroup_names_the_container),
      cmocka_unit_test(long_unit_names_stay_apart),
      cmocka_unit_test(root_makes_a_key),
      cmocka_unit_test(mapping_is_read),
      cmocka_unit_test(mapping_that_is_none_is_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
