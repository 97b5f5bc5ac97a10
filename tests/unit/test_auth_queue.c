/* Goal: an event that was taken over is written, kept in memory or kept on
 * disk; who can wait is told to, and what a file still has is dropped rather
 * than written from a place that no longer counts. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "correlator/auth_queue.h"
#include "correlator/counters.h"
#include "correlator/spool_auth.h"
#include "tests/unit/unit.h"

#include "tests/unit/made_auth.h"

enum { ROOMY = 1 << 20, FILES = 2, MANY = 30000, NAMES_MAX = 8192 };

static char dir[] = "/tmp/pdna-auth-queue-XXXXXX";
static struct auth_item items[AUTH_BATCH_LEN];
static struct auth_positions *positions;

static struct auth_queue *open_queue(uint64_t spool_max_bytes) {
  struct auth_queue *q = NULL;

  assert_int_equal(auth_queue_new(dir, spool_max_bytes, positions, &q), 0);
  return q;
}

static struct auth_queue *open_connected(uint64_t spool_max_bytes) {
  struct auth_queue *q = open_queue(spool_max_bytes);

  auth_queue_set_away(q, false);
  return q;
}

static bool put(struct auth_queue *q, const char *user) {
  struct auth_record *record = made_auth(user, 1);
  bool taken = auth_queue_put(q, &record);

  assert_int_equal(record == NULL, taken);
  auth_record_free(record);
  return taken;
}

static void put_spooled(struct auth_queue *q, const char *user) {
  struct auth_record *record = made_auth(user, 1);

  auth_queue_put_spooled(q, &record);
  assert_null(record);
}

static void load(size_t file, uint64_t offset) {
  auth_positions_load(
      positions, file,
      &(struct auth_position){.inode = 7, .offset = offset, .head = "h"}, 1);
}

static bool put_file(struct auth_queue *q, size_t file, uint64_t generation,
                     const char *user) {
  struct auth_item run[] = {
      {.record = made_auth(user, 1), .file = (int)file},
      {.file = (int)file},
  };

  for (size_t i = 0; i < 2; i++)
    run[i].generation = generation;
  bool taken = auth_queue_put_file(q, run, 2);
  assert_int_equal(run[0].record == NULL, taken);
  auth_record_free(run[0].record);
  return taken;
}

static uint64_t generation_of(size_t file) {
  struct auth_position position;
  uint64_t generation;

  assert_true(auth_positions_get(positions, file, &position, &generation));
  return generation;
}

static bool has_room(const struct auth_queue *q) {
  struct pollfd fd = {.fd = auth_queue_room_fd(q), .events = POLLIN};

  return poll(&fd, 1, 0) == 1;
}

/* The users of a batch, "+" behind those that may have been written before;
 * what is not an event is "-". */
static const char *names(size_t len) {
  static char text[NAMES_MAX];

  text[0] = '\0';
  for (size_t i = 0; i < len; i++) {
    size_t at = strlen(text);
    const struct auth_record *r = items[i].record;
    (void)snprintf(text + at, sizeof(text) - at, "%.*s%s ",
                   r == NULL ? 1 : (int)r->event.user.len,
                   r == NULL ? "-" : r->event.user.at,
                   items[i].again ? "+" : "");
  }
  return text;
}

static const char *take(struct auth_queue *q) {
  size_t len = auth_queue_take(q, items);
  const char *found = names(len);

  if (len > 0)
    auth_queue_done(q, items, len);
  return found;
}

static void events_come_out_in_order(void **state) {
  struct auth_queue *q = open_connected(ROOMY);

  (void)state;
  assert_int_equal(auth_queue_due_ms(q), -1);
  assert_true(put(q, "a"));
  assert_true(put(q, "b"));
  put_spooled(q, "c");
  assert_in_range(auth_queue_due_ms(q), 0, AUTH_BATCH_WAIT_MS);
  assert_int_equal(auth_queue_len(q), 3);
  assert_string_equal(take(q), "a b c ");
  assert_string_equal(take(q), "");
  auth_queue_free(q);
}

static void a_full_queue_has_whoever_can_wait_wait(void **state) {
  struct auth_queue *q = open_connected(ROOMY);
  size_t taken = 0;

  (void)state;
  assert_true(has_room(q));
  while (put(q, "a") && taken < MANY)
    taken++;
  assert_in_range(taken, AUTH_BATCH_LEN, MANY - 1);
  assert_int_equal(auth_queue_due_ms(q), 0);
  /* There is room again when half of it is free, and not at once. */
  size_t left = taken;
  while (!has_room(q)) {
    size_t len = auth_queue_take(q, items);
    assert_in_range(len, 1, AUTH_BATCH_LEN);
    auth_queue_done(q, items, len);
    left -= len;
    assert_int_equal(has_room(q), left <= taken / 2);
  }
  assert_true(put(q, "b"));
  while (*take(q) != '\0')
    ;
  auth_queue_free(q);
}

static void large_events_fill_it_sooner(void **state) {
  enum { LARGE = 60000 };
  static char user[LARGE + 1];
  struct auth_queue *q = open_connected(ROOMY);
  size_t taken = 0;

  (void)state;
  memset(user, 'x', LARGE);
  while (put(q, user) && taken < MANY)
    taken++;
  assert_in_range(taken, 100, 1000);
  size_t len = auth_queue_take(q, items);
  assert_in_range(len, 1, 20); /* a batch is bounded in bytes, too */
  auth_queue_done(q, items, len);
  while ((len = auth_queue_take(q, items)) > 0)
    auth_queue_done(q, items, len);
  auth_queue_free(q);
}

static void while_the_database_is_away_only_the_spool_takes(void **state) {
  struct auth_queue *q = open_queue(ROOMY);
  uint64_t spooled = counters_get(COUNTER_AUTH_SPOOLED);

  (void)state;
  load(0, 0);
  assert_false(has_room(q));
  assert_false(put(q, "a"));
  assert_false(put_file(q, 0, generation_of(0), "a"));
  put_spooled(q, "b");
  assert_int_equal(counters_get(COUNTER_AUTH_SPOOLED), spooled + 1);
  auth_queue_set_away(q, false);
  assert_true(has_room(q));
  assert_int_equal(auth_queue_due_ms(q), 0);
  assert_string_equal(take(q), "b+ ");
  assert_int_equal(auth_queue_due_ms(q), -1);
  auth_queue_free(q);
}

static void what_was_taken_over_survives_an_outage_and_the_end(void **state) {
  struct auth_queue *q = open_connected(ROOMY);

  (void)state;
  assert_true(put(q, "a"));
  size_t len = auth_queue_take(q, items);
  assert_int_equal(len, 1);
  assert_true(put(q, "b"));
  auth_queue_give_back(q, items, len, 0); /* perhaps written */
  assert_int_equal(auth_queue_len(q), 0);
  assert_false(has_room(q));
  auth_queue_free(q);

  q = open_connected(ROOMY);
  assert_true(put(q, "c"));
  /* By turns, so that neither waits for long. */
  assert_string_equal(take(q), "b+ a+ ");
  assert_string_equal(take(q), "c ");
  auth_queue_free(q);
}

static void what_is_done_is_not_given_back(void **state) {
  struct auth_queue *q = open_connected(ROOMY);

  (void)state;
  assert_true(put(q, "a"));
  assert_true(put(q, "b"));
  size_t len = auth_queue_take(q, items);
  auth_queue_give_back(q, items, len, 1);
  auth_queue_set_away(q, false);
  assert_string_equal(take(q), "b+ ");
  auth_queue_free(q);
}

static void a_batch_of_the_spool_that_fails_is_read_again(void **state) {
  struct auth_queue *q = open_queue(ROOMY);

  (void)state;
  put_spooled(q, "a");
  put_spooled(q, "b");
  auth_queue_set_away(q, false);
  size_t len = auth_queue_take(q, items);
  assert_string_equal(names(len), "a+ b+ ");
  auth_queue_give_back(q, items, len, 1);
  auth_queue_set_away(q, false);
  assert_string_equal(take(q), "a+ b+ ");
  auth_queue_free(q);
}

static void a_full_spool_leaves_in_memory_what_it_does_not_take(void **state) {
  struct auth_queue *q = open_connected(1000); /* of some 300 bytes each */
  uint64_t lost = counters_get(COUNTER_AUTH_SPOOL_LOST);

  (void)state;
  for (int i = 0; i < 5; i++)
    assert_true(put(q, "a"));
  auth_queue_set_away(q, true);
  assert_in_range(auth_queue_len(q), 1, 4);
  assert_int_equal(counters_get(COUNTER_AUTH_SPOOL_LOST), lost);
  put_spooled(q, "b");
  assert_int_equal(counters_get(COUNTER_AUTH_SPOOL_LOST), lost + 1);
  auth_queue_set_away(q, false);
  size_t found = 0;
  for (size_t len; (len = auth_queue_take(q, items)) > 0; found += len)
    auth_queue_done(q, items, len);
  assert_int_equal(found, 5);
  auth_queue_free(q);
}

static void what_no_spool_takes_is_known_to_be_perhaps_written(void **state) {
  struct auth_queue *q = open_connected(0);

  (void)state;
  assert_true(put(q, "a"));
  assert_true(put(q, "b"));
  auth_queue_give_back(q, items, auth_queue_take(q, items), 0);
  auth_queue_set_away(q, false);
  assert_true(put(q, "c"));
  assert_string_equal(take(q), "a+ b+ c ");
  auth_queue_free(q);
}

static void a_long_spool_and_what_is_new_take_turns(void **state) {
  struct auth_queue *q = open_queue(ROOMY);

  (void)state;
  for (int i = 0; i < 2 * AUTH_BATCH_LEN; i++)
    put_spooled(q, "s");
  auth_queue_set_away(q, false);
  assert_true(put(q, "a"));
  assert_int_equal(strncmp(take(q), "s+ ", 3), 0);
  assert_string_equal(take(q), "a ");
  assert_int_equal(strncmp(take(q), "s+ ", 3), 0);
  assert_int_equal(auth_queue_due_ms(q), -1);
  auth_queue_free(q);
}

static void a_spool_with_nothing_but_damage_is_done_with(void **state) {
  char path[sizeof(dir) + 16];

  (void)state;
  (void)snprintf(path, sizeof(path), "%s/auth-spool", dir);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs("no entry of a spool", file) >= 0);
  assert_int_equal(fclose(file), 0);
  struct auth_queue *q = open_connected(ROOMY);
  assert_int_equal(auth_queue_due_ms(q), 0);
  assert_string_equal(take(q), "");
  assert_int_equal(auth_queue_due_ms(q), -1);
  auth_queue_free(q);
}

static void a_file_is_its_own_spool(void **state) {
  struct auth_queue *q = open_connected(ROOMY);
  uint64_t spooled = counters_get(COUNTER_AUTH_SPOOLED);

  (void)state;
  load(0, 0);
  load(1, 0);
  uint64_t generation = generation_of(0);
  assert_true(put_file(q, 0, generation, "a"));
  assert_true(put_file(q, 1, generation_of(1), "b"));
  auth_queue_set_away(q, true);
  assert_int_equal(auth_queue_len(q), 0);
  assert_int_equal(counters_get(COUNTER_AUTH_SPOOLED), spooled);
  assert_false(auth_positions_current(positions, 0, generation));
  /* Nothing of before counts now. */
  auth_queue_set_away(q, false);
  load(0, 0);
  load(1, 0);
  assert_false(put_file(q, 0, generation, "a"));
  assert_true(put_file(q, 0, generation_of(0), "a"));
  assert_string_equal(take(q), "a - ");
  auth_queue_free(q);
}

static void what_was_read_from_a_stale_position_is_dropped(void **state) {
  struct auth_queue *q = open_connected(ROOMY);

  (void)state;
  load(0, 0);
  load(1, 0);
  assert_true(put_file(q, 0, generation_of(0), "a"));
  assert_true(put(q, "n"));
  assert_true(put_file(q, 1, generation_of(1), "b"));
  auth_positions_forget(positions, 0);
  load(0, 5);
  assert_true(put_file(q, 0, generation_of(0), "c"));
  assert_string_equal(take(q), "n b - c - ");
  auth_queue_free(q);
}

static void a_position_that_is_known_is_not_loaded_over(void **state) {
  struct auth_position position;
  uint64_t generation;

  (void)state;
  assert_true(auth_positions_wanted(positions));
  load(0, 5);
  assert_true(auth_positions_wanted(positions));
  load(1, 5);
  assert_false(auth_positions_wanted(positions));
  auth_positions_load(positions, 0, &(struct auth_position){.offset = 9}, 9);
  assert_true(auth_positions_get(positions, 0, &position, &generation));
  assert_int_equal(position.offset, 5);
  assert_int_equal(auth_positions_version(positions, 0), 1);
  position.offset = 6;
  auth_positions_written(positions, 0, &position);
  assert_int_equal(auth_positions_version(positions, 0), 2);
  assert_true(auth_positions_current(positions, 0, generation));
  auth_positions_forget(positions, 0);
  assert_false(auth_positions_get(positions, 0, &position, &generation));
  assert_true(auth_positions_wanted(positions));
}

static void an_event_comes_back_from_the_spool_as_it_was(void **state) {
  struct auth_record *record =
      made_auth("o'brien\\303", INT64_C(1700000000123456));
  struct auth_record *back = NULL;
  struct bytes before = {0};
  struct bytes after = {0};

  (void)state;
  spool_auth_encode(record, &before);
  assert_int_equal(spool_auth_decode(before.data, before.len, &back), 0);
  assert_int_equal(back->event.outcome, AUTH_ACCEPTED);
  assert_int_equal(back->event.repeat, 3);
  assert_true(back->event.user_known && back->event.zoned);
  assert_memory_equal(back->event.user.at, "o'brien\\303", 11);
  assert_int_equal(back->event.cert_id.len, 0);
  assert_int_equal(back->event.port, 50022);
  assert_int_equal(back->event.stamped_us, record->event.stamped_us);
  assert_int_equal(back->arrived_us, record->arrived_us);
  assert_int_equal(back->trust, AUTH_TRUST_TLS);
  assert_true(back->has_peer);
  assert_memory_equal(&back->peer, &record->peer, sizeof(back->peer));
  spool_auth_encode(back, &after);
  assert_int_equal(after.len, before.len);
  assert_memory_equal(after.data, before.data, before.len);
  for (size_t len = 0; len < before.len; len++)
    assert_int_equal(spool_auth_decode(before.data, len, &back), -EINVAL);
  bytes_put_u8(&before, 0);
  assert_int_equal(spool_auth_decode(before.data, before.len, &back), -EINVAL);
  auth_record_free(back);
  auth_record_free(record);
  bytes_free(&before);
  bytes_free(&after);
}

static int make_dir(void **state) {
  (void)state;
  return mkdtemp(dir) == NULL ? -1 : 0;
}

static int make_positions(void **state) {
  (void)state;
  positions = auth_positions_new(FILES);
  return positions == NULL ? -1 : 0;
}

static int remove_file(void **state) {
  char path[sizeof(dir) + sizeof("/auth-spool")];

  (void)state;
  auth_positions_free(positions);
  if (snprintf(path, sizeof(path), "%s/auth-spool", dir) < 0)
    return -1;
  return unlink(path) == 0 || errno == ENOENT ? 0 : -1;
}

static int remove_dir(void **state) {
  (void)state;
  return rmdir(dir);
}

#define queue_test(f)                                                          \
  cmocka_unit_test_setup_teardown(f, make_positions, remove_file)

int main(void) {
  const struct CMUnitTest tests[] = {
      queue_test(events_come_out_in_order),
      queue_test(a_full_queue_has_whoever_can_wait_wait),
      queue_test(large_events_fill_it_sooner),
      queue_test(while_the_database_is_away_only_the_spool_takes),
      queue_test(what_was_taken_over_survives_an_outage_and_the_end),
      queue_test(what_is_done_is_not_given_back),
      queue_test(a_batch_of_the_spool_that_fails_is_read_again),
      queue_test(a_full_spool_leaves_in_memory_what_it_does_not_take),
      queue_test(what_no_spool_takes_is_known_to_be_perhaps_written),
      queue_test(a_long_spool_and_what_is_new_take_turns),
      queue_test(a_spool_with_nothing_but_damage_is_done_with),
      queue_test(a_file_is_its_own_spool),
      queue_test(what_was_read_from_a_stale_position_is_dropped),
      queue_test(a_position_that_is_known_is_not_loaded_over),
      cmocka_unit_test(an_event_comes_back_from_the_spool_as_it_was),
  };
  return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
