/* A folder stands for all files below it, in one order, whatever lies there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "correlator/manifest_walk.h"
#include "tests/unit/unit.h"

static char folder[] = "build/walk-XXXXXX";
static char troubles[1024];

static int make_folder(void **state) {
  (void)state;
  return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int remove_folder(void **state) {
  (void)state;
  return system("rm -rf \"$PWD\"");
}

static void on_trouble(void *arg, const char *path, int error) {
  size_t len = strlen(troubles);

  (void)arg;
  (void)snprintf(troubles + len, sizeof(troubles) - len, "%s: %s\n", path,
                 strerrorname_np(error));
}

static void expect(const char *path, const char *files, const char *trouble) {
  struct manifest_files found = {0};
  char text[1024] = "";

  troubles[0] = '\0';
  assert_int_equal(manifest_walk(&found, path, on_trouble, NULL), 0);
  for (size_t i = 0; i < found.len; i++) {
    size_t len = strlen(text);

    (void)snprintf(text + len, sizeof(text) - len, "%s %llu%s\n",
                   found.files[i].path, (unsigned long long)found.files[i].size,
                   found.files[i].named ? " named" : "");
  }
  assert_string_equal(text, files);
  assert_string_equal(troubles, trouble);
  manifest_files_clear(&found);
}

static void files_come_in_one_order(void **state) {
  (void)state;
  assert_int_equal(system("mkdir -p a/b a/a.d && printf 1 >a/z && "
                          "printf 22 >a/b/y && printf 333 >a/a.d/x && "
                          "printf 4444 >a/B && mkfifo a/fifo"),
                   0);
  expect("a", "a/B 4\na/a.d/x 3\na/b/y 2\na/z 1\n", "");
  expect("a/b/", "a/b/y 2\n", "");
  expect("a/z", "a/z 1 named\n", "");
}

static void symbolic_links_are_followed_once(void **state) {
  (void)state;
  assert_int_equal(system("mkdir -p l/real && printf 1 >l/real/f && "
                          "ln -s . l/loop && ln -s real l/again && "
                          "ln -s real/f l/file && ln -s self l/self && "
                          "ln -s nowhere l/broken"),
                   0);
  expect("l", "l/again/f 1\nl/file 1\n", "l/broken: ENOENT\nl/self: ELOOP\n");
}

static void what_cannot_be_read_is_told(void **state) {
  (void)state;
  assert_int_equal(system("mkfifo fifo"), 0);
  expect("nowhere", "", "nowhere: ENOENT\n");
  expect("fifo", "", "fifo: EINVAL\n");
}

static void folders_in_folders_have_an_end(void **state) {
  (void)state;
  assert_int_equal(
      system("p=d; i=0; while [ $i -lt 70 ]; do p=$p/d; i=$((i+1)); done; "
             "mkdir -p $p && printf 1 >$p/f"),
      0);
  struct manifest_files found = {0};

  troubles[0] = '\0';
  assert_int_equal(manifest_walk(&found, "d", on_trouble, NULL), 0);
  assert_int_equal(found.len, 0);
  assert_non_null(strstr(troubles, "ELOOP"));
  manifest_files_clear(&found);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(files_come_in_one_order),
      cmocka_unit_test(symbolic_links_are_followed_once),
      cmocka_unit_test(what_cannot_be_read_is_told),
      cmocka_unit_test(folders_in_folders_have_an_end),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
