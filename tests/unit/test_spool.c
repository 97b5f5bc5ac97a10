/* Goal: what the spool took comes back in order, also after a crash; damage
 * costs what it hit and nothing more. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "correlator/spool.h"
#include "correlator/spool_report.h"
#include "tests/unit/unit.h"

#include "tests/unit/made_report.h"

enum { ROOMY = 1 << 20 };

static char dir[] = "/tmp/pdna-spool-XXXXXX";
static char path[sizeof(dir) + sizeof("/spool")];

static struct spool *open_spool(uint64_t max_bytes) {
  struct spool *s = NULL;

  assert_int_equal(spool_open(dir, "spool", max_bytes, &s), 0);
  return s;
}

static int append(struct spool *s, const char *host) {
  struct report *r = made_report(host, 1);
  int rc = spool_report_append(s, r);

  report_free(r);
  return rc;
}

/* The hosts of what is read, in order, each with a space behind it. */
static const char *hosts(struct spool *s, uint64_t *ret_skipped) {
  static char text[1024];
  struct report *r;

  *ret_skipped = 0;
  text[0] = '\0';
  while (spool_report_next(s, &r, ret_skipped) == 0) {
    size_t len = strlen(text);
    (void)snprintf(text + len, sizeof(text) - len, "%s ", r->host);
    report_free(r);
  }
  return text;
}

static uint64_t file_size(void) {
  struct stat st;

  assert_int_equal(stat(path, &st), 0);
  return (uint64_t)st.st_size;
}

/* Three entries, closed as by an end of the program. */
static void fill(void) {
  struct spool *s = open_spool(ROOMY);

  assert_int_equal(append(s, "a"), 0);
  assert_int_equal(append(s, "b"), 0);
  assert_int_equal(append(s, "c"), 0);
  spool_close(s);
}

static void damage(off_t at, const char *with) {
  int fd = open(path, O_RDWR);

  assert_true(fd >= 0);
  assert_int_equal(pwrite(fd, with, strlen(with), at), strlen(with));
  assert_int_equal(close(fd), 0);
}

static void a_report_comes_back_as_it_was(void **state) {
  struct bytes before = {0};
  struct bytes after = {0};
  struct report *r = made_report("host", INT64_C(1700000000123456));
  struct report *back = NULL;

  (void)state;
  spool_report_encode(r, &before);
  assert_int_equal(spool_report_decode(before.data, before.len, &back), 0);
  assert_string_equal(back->host, "host");
  assert_string_equal(back->signer, "user");
  assert_string_equal(back->source, "collectd");
  assert_string_equal(back->identity.id, "0123456789ab");
  assert_true(back->complete);
  assert_int_equal(back->observed_us, r->observed_us);
  assert_int_equal(back->arrived_us, r->arrived_us);
  assert_string_equal(back->executables[2].path, "/usr/sbin/c");
  assert_string_equal(back->executables[2].package.version, "1:2-3");
  assert_int_equal(back->executables[1].file.ctime_s, 5);
  spool_report_encode(back, &after);
  assert_int_equal(after.len, before.len);
  assert_memory_equal(after.data, before.data, before.len);
  report_free(back);
  report_free(r);
  bytes_free(&before);
  bytes_free(&after);
}

static void bytes_cut_anywhere_are_no_report(void **state) {
  struct bytes b = {0};
  struct report *r = made_report("host", 1);
  struct report *back = NULL;

  (void)state;
  spool_report_encode(r, &b);
  report_free(r);
  for (size_t len = 0; len < b.len; len++)
    assert_int_equal(spool_report_decode(b.data, len, &back), -EINVAL);
  bytes_put_u8(&b, 0);
  assert_int_equal(spool_report_decode(b.data, b.len, &back), -EINVAL);
  bytes_free(&b);
}

static void entries_come_back_in_order_and_the_file_is_emptied(void **state) {
  uint64_t skipped;

  (void)state;
  fill();
  struct spool *s = open_spool(ROOMY);
  assert_false(spool_is_empty(s));
  assert_string_equal(hosts(s, &skipped), "a b c ");
  assert_int_equal(skipped, 0);
  assert_false(spool_is_empty(s));
  spool_commit(s);
  assert_true(spool_is_empty(s));
  assert_int_equal(file_size(), 0);
  assert_int_equal(append(s, "d"), 0);
  assert_string_equal(hosts(s, &skipped), "d ");
  spool_close(s);
}

static void what_is_not_committed_is_read_again(void **state) {
  uint64_t skipped = 0;
  struct report *r = NULL;

  (void)state;
  fill();
  struct spool *s = open_spool(ROOMY);
  assert_int_equal(spool_report_next(s, &r, &skipped), 0);
  report_free(r);
  spool_commit(s);
  assert_string_equal(hosts(s, &skipped), "b c ");
  spool_rewind(s);
  assert_string_equal(hosts(s, &skipped), "b c ");
  spool_unread(s);
  assert_string_equal(hosts(s, &skipped), "c ");
  spool_close(s);
  s = open_spool(ROOMY); /* only an empty file is a commit for good */
  assert_string_equal(hosts(s, &skipped), "a b c ");
  spool_close(s);
}

static void a_full_spool_says_so_and_keeps_what_it_has(void **state) {
  uint64_t skipped;

  (void)state;
  fill();
  uint64_t size = file_size();
  struct spool *s = open_spool(size + 10);
  assert_int_equal(append(s, "d"), -ENOSPC);
  assert_int_equal(file_size(), size);
  assert_string_equal(hosts(s, &skipped), "a b c ");
  assert_int_equal(skipped, 0);
  spool_commit(s);
  assert_int_equal(append(s, "d"), 0);
  spool_close(s);
}

static void a_torn_tail_costs_its_entry_only(void **state) {
  uint64_t skipped;

  (void)state;
  fill();
  uint64_t size = file_size();
  for (uint64_t cut = 1; cut < size / 3; cut += 7) {
    assert_int_equal(unlink(path), 0);
    fill();
    assert_int_equal(truncate(path, (off_t)(size - cut)), 0);
    struct spool *s = open_spool(ROOMY);
    assert_int_equal(append(s, "d"), 0);
    assert_string_equal(hosts(s, &skipped), "a b d ");
    assert_int_equal(skipped, 1);
    spool_commit(s);
    assert_true(spool_is_empty(s));
    spool_close(s);
  }
}

static void a_damaged_entry_is_skipped(void **state) {
  uint64_t skipped;

  (void)state;
  fill();
  off_t second = (off_t)(file_size() / 3);
  /* Its mark, its length, its digest, its report. */
  const off_t hits[] = {second + 2, second + 9, second + 20, second + 100};
  for (size_t i = 0; i < sizeof(hits) / sizeof(hits[0]); i++) {
    assert_int_equal(unlink(path), 0);
    fill();
    damage(hits[i], "\xff\xff");
    struct spool *s = open_spool(ROOMY);
    assert_string_equal(hosts(s, &skipped), "a c ");
    assert_int_equal(skipped, 1);
    spool_close(s);
  }
}

static void what_is_no_spool_at_all_is_left_behind(void **state) {
  uint64_t skipped;

  (void)state;
  /* Sizes around that of the chunks in which an entry is looked for. */
  for (off_t size = 65520; size < 65550; size++) {
    spool_close(open_spool(ROOMY));
    damage(size - 1, "x"); /* after a hole of nulls */
    struct spool *s = open_spool(ROOMY);
    assert_int_equal(append(s, "a"), 0);
    assert_string_equal(hosts(s, &skipped), "a ");
    assert_int_equal(skipped, 1);
    spool_close(s);
    assert_int_equal(unlink(path), 0);
  }
}

static void it_belongs_to_one_at_a_time(void **state) {
  struct spool *s = open_spool(ROOMY);
  struct spool *other = NULL;

  (void)state;
  assert_int_equal(spool_open(dir, "spool", ROOMY, &other), -EBUSY);
  assert_null(other);
  spool_close(s);
}

static int make_dir(void **state) {
  (void)state;
  if (mkdtemp(dir) == NULL)
    return -1;
  return snprintf(path, sizeof(path), "%s/spool", dir) < 0;
}

static int remove_file(void **state) {
  (void)state;
  return unlink(path) == 0 || errno == ENOENT ? 0 : -1;
}

static int remove_dir(void **state) {
  (void)state;
  return rmdir(dir);
}

#define spool_test(f) cmocka_unit_test_teardown(f, remove_file)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_report_comes_back_as_it_was),
      cmocka_unit_test(bytes_cut_anywhere_are_no_report),
      spool_test(entries_come_back_in_order_and_the_file_is_emptied),
      spool_test(what_is_not_committed_is_read_again),
      spool_test(a_full_spool_says_so_and_keeps_what_it_has),
      spool_test(a_torn_tail_costs_its_entry_only),
      spool_test(a_damaged_entry_is_skipped),
      spool_test(what_is_no_spool_at_all_is_left_behind),
      spool_test(it_belongs_to_one_at_a_time),
  };
  return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
