#include "correlator/auth_queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "correlator/counters.h"
#include "correlator/log.h"
#include "correlator/spool_auth.h"
#include "lib/record/clock.h"

enum {
  LEN_MAX = 20000, /* in memory; there is room again at half of it */
  BYTES_MAX = 32 << 20,
  BATCH_BYTES_MAX = 1 << 20, /* or one event */
};

struct node {
  STAILQ_ENTRY(node) next;
  struct auth_item item;
  size_t bytes;     /* as the queue counts them */
  int64_t since_ms; /* monotonic */
};

struct auth_queue {
  pthread_mutex_t lock;
  STAILQ_HEAD(nodes, node) nodes;
  size_t len;
  size_t bytes;
  bool away;
  bool room;       /* as room_fd shows it */
  bool from_spool; /* the batch that was taken last */
  int event_fd;
  int room_fd;
  struct spool *spool;
  struct auth_positions *positions;
};

static size_t bytes_of(const struct auth_item *item) {
  return sizeof(struct node) +
         (item->record == NULL ? 0 : auth_record_size(item->record));
}

/* With the lock held, as all that is static here. Room ends where the queue is
 * full, and comes back when half of it is free. */
static void settle_room(struct auth_queue *q) {
  bool full = q->away || q->len >= LEN_MAX || q->bytes >= BYTES_MAX;
  bool roomy = !q->away && q->len <= LEN_MAX / 2 && q->bytes <= BYTES_MAX / 2;
  eventfd_t count;

  if (q->room && full) {
    q->room = false;
    (void)eventfd_read(q->room_fd, &count);
  } else if (!q->room && roomy) {
    q->room = true;
    (void)eventfd_write(q->room_fd, 1);
  }
}

static void push(struct auth_queue *q, struct node *node,
                 const struct auth_item *item) {
  node->item = *item;
  node->bytes = bytes_of(item);
  node->since_ms = clock_monotonic_ms();
  STAILQ_INSERT_TAIL(&q->nodes, node, next);
  q->len++;
  q->bytes += node->bytes;
}

static struct auth_item pop(struct auth_queue *q) {
  struct node *node = STAILQ_FIRST(&q->nodes);
  struct auth_item item = node->item;

  STAILQ_REMOVE_HEAD(&q->nodes, next);
  q->len--;
  q->bytes -= node->bytes;
  free(node);
  return item;
}

/* The record's memory is whose it was. */
static int to_spool(struct auth_queue *q, const struct auth_record *record) {
  int rc = spool_auth_append(q->spool, record);

  if (rc == 0)
    counters_add(COUNTER_AUTH_SPOOLED, 1);
  return rc;
}

static void lose(const struct auth_record *record, int rc) {
  counters_add(COUNTER_AUTH_SPOOL_LOST, 1);
  log_limited("auth-spool", "", "auth-spool: event of %.*s lost: %s",
              (int)record->event.host.len, record->event.host.at,
              rc == -ENOSPC ? "spool-size is reached" : strerrordesc_np(-rc));
}

/* What is in memory is to survive a long outage, and us: to the spool with it
 * as far as it has room. What it has none for stays. */
static void spool_all(struct auth_queue *q) {
  int rc = 0;
  size_t len = q->len;

  for (size_t i = 0; i < len; i++) {
    struct node *node = STAILQ_FIRST(&q->nodes);
    STAILQ_REMOVE_HEAD(&q->nodes, next);
    bool file = node->item.file != AUTH_NO_FILE;
    if (!file && rc == 0)
      rc = to_spool(q, node->item.record);
    if (!file && rc != 0) {
      STAILQ_INSERT_TAIL(&q->nodes, node, next);
      continue;
    }
    q->len--;
    q->bytes -= node->bytes;
    auth_record_free(node->item.record);
    free(node);
  }
}

static void go_away(struct auth_queue *q) {
  q->away = true;
  auth_positions_forget_all(q->positions);
  spool_all(q);
  settle_room(q);
}

int auth_queue_new(const char *state_dir, uint64_t spool_max_bytes,
                   struct auth_positions *positions,
                   struct auth_queue **ret_queue) {
  struct auth_queue *q = calloc(1, sizeof(*q));

  if (q == NULL)
    return -ENOMEM;
  (void)pthread_mutex_init(&q->lock, NULL);
  STAILQ_INIT(&q->nodes);
  q->away = true;
  q->positions = positions;
  q->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  q->room_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int rc = q->event_fd < 0 || q->room_fd < 0 ? -errno : 0;
  if (rc == 0)
    rc = spool_open(state_dir, "auth-spool", spool_max_bytes, &q->spool);
  if (rc == 0)
    *ret_queue = q;
  else
    auth_queue_free(q);
  return rc;
}

void auth_queue_free(struct auth_queue *q) {
  if (q == NULL)
    return;
  if (q->spool != NULL)
    spool_all(q);
  while (!STAILQ_EMPTY(&q->nodes)) {
    struct auth_item item = pop(q);
    lose(item.record, -ENOSPC);
    auth_record_free(item.record);
  }
  spool_close(q->spool);
  if (q->room_fd >= 0)
    (void)close(q->room_fd);
  if (q->event_fd >= 0)
    (void)close(q->event_fd);
  (void)pthread_mutex_destroy(&q->lock);
  free(q);
}

static void wake(struct auth_queue *q) { (void)eventfd_write(q->event_fd, 1); }

static bool put(struct auth_queue *q, struct auth_record **record) {
  const struct auth_item item = {.record = *record, .file = AUTH_NO_FILE};
  struct node *node = q->room ? calloc(1, sizeof(*node)) : NULL;

  if (node == NULL)
    return false;
  push(q, node, &item);
  settle_room(q);
  *record = NULL;
  return true;
}

bool auth_queue_put(struct auth_queue *q, struct auth_record **record) {
  (void)pthread_mutex_lock(&q->lock);
  bool taken = put(q, record);
  (void)pthread_mutex_unlock(&q->lock);
  if (taken)
    wake(q);
  else
    counters_add(COUNTER_AUTH_WAITS, 1);
  return taken;
}

void auth_queue_put_spooled(struct auth_queue *q, struct auth_record **record) {
  (void)pthread_mutex_lock(&q->lock);
  int rc = put(q, record) ? 0 : to_spool(q, *record);
  (void)pthread_mutex_unlock(&q->lock);
  if (rc != 0)
    lose(*record, rc);
  auth_record_free(*record);
  *record = NULL;
  wake(q);
}

static bool put_file(struct auth_queue *q, struct auth_item *items,
                     size_t len) {
  struct nodes fresh = STAILQ_HEAD_INITIALIZER(fresh);
  struct node *node;
  size_t made = 0;

  for (; made < len && (node = calloc(1, sizeof(*node))) != NULL; made++)
    STAILQ_INSERT_TAIL(&fresh, node, next);
  for (size_t i = 0; i < made; i++) {
    node = STAILQ_FIRST(&fresh);
    STAILQ_REMOVE_HEAD(&fresh, next);
    if (made < len)
      free(node);
    else
      push(q, node, &items[i]);
  }
  settle_room(q);
  return made == len;
}

bool auth_queue_put_file(struct auth_queue *q, struct auth_item *items,
                         size_t len) {
  assert(len > 0);
  (void)pthread_mutex_lock(&q->lock);
  bool taken = q->room &&
               auth_positions_current(q->positions, (size_t)items[0].file,
                                      items[0].generation) &&
               put_file(q, items, len);
  (void)pthread_mutex_unlock(&q->lock);
  for (size_t i = 0; taken && i < len; i++)
    items[i].record = NULL;
  if (taken)
    wake(q);
  else
    counters_add(COUNTER_AUTH_WAITS, 1);
  return taken;
}

int auth_queue_room_fd(const struct auth_queue *q) { return q->room_fd; }

int auth_queue_fd(const struct auth_queue *q) { return q->event_fd; }

void auth_queue_woken(struct auth_queue *q) {
  eventfd_t count;

  (void)eventfd_read(q->event_fd, &count);
}

int auth_queue_due_ms(struct auth_queue *q) {
  int due_ms = -1;

  (void)pthread_mutex_lock(&q->lock);
  const struct node *first = STAILQ_FIRST(&q->nodes);
  if (!spool_is_empty(q->spool) || q->len >= AUTH_BATCH_LEN ||
      q->bytes >= BATCH_BYTES_MAX) {
    due_ms = 0;
  } else if (first != NULL) {
    int64_t left_ms =
        first->since_ms + AUTH_BATCH_WAIT_MS - clock_monotonic_ms();
    due_ms = left_ms > 0 ? (int)left_ms : 0;
  }
  (void)pthread_mutex_unlock(&q->lock);
  return due_ms;
}

/* Was what it says read from a place that no longer counts? */
static bool is_stale(const struct auth_queue *q, const struct auth_item *item) {
  return item->file != AUTH_NO_FILE &&
         !auth_positions_current(q->positions, (size_t)item->file,
                                 item->generation);
}

static size_t take_nodes(struct auth_queue *q, struct auth_item *items) {
  size_t len = 0;
  size_t bytes = 0;

  while (!STAILQ_EMPTY(&q->nodes) && len < AUTH_BATCH_LEN) {
    const struct node *first = STAILQ_FIRST(&q->nodes);
    if (is_stale(q, &first->item)) {
      auth_record_free(pop(q).record);
      continue;
    }
    if (len > 0 && bytes + first->bytes > BATCH_BYTES_MAX)
      break;
    bytes += first->bytes;
    items[len++] = pop(q);
  }
  return len;
}

static size_t take_spooled(struct auth_queue *q, struct auth_item *items) {
  size_t len = 0;
  size_t bytes = 0;
  uint64_t skipped = 0;
  struct auth_record *record;

  while (len < AUTH_BATCH_LEN && bytes < BATCH_BYTES_MAX &&
         spool_auth_next(q->spool, &record, &skipped) == 0) {
    items[len] = (struct auth_item){
        .record = record, .file = AUTH_NO_FILE, .again = true};
    bytes += bytes_of(&items[len++]);
  }
  if (skipped > 0) {
    counters_add(COUNTER_AUTH_SPOOL_LOST, skipped);
    log_error("auth-spool: %llu damaged entries skipped",
              (unsigned long long)skipped);
  }
  return len;
}

size_t auth_queue_take(struct auth_queue *q, struct auth_item *items) {
  (void)pthread_mutex_lock(&q->lock);
  q->from_spool =
      !spool_is_empty(q->spool) && (STAILQ_EMPTY(&q->nodes) || !q->from_spool);
  size_t len = q->from_spool ? take_spooled(q, items) : take_nodes(q, items);
  if (q->from_spool && len == 0)
    spool_commit(q->spool); /* nothing but damage was left in it */
  settle_room(q);
  (void)pthread_mutex_unlock(&q->lock);
  return len;
}

static void free_items(struct auth_item *items, size_t len) {
  for (size_t i = 0; i < len; i++) {
    auth_record_free(items[i].record);
    items[i].record = NULL;
  }
}

void auth_queue_done(struct auth_queue *q, struct auth_item *items,
                     size_t len) {
  if (q->from_spool)
    spool_commit(q->spool);
  free_items(items, len);
}

/* Those of the batch come back as new nodes; without memory for one they are
 * spooled or lost. */
static void put_back(struct auth_queue *q, struct auth_item *item) {
  struct node *node = calloc(1, sizeof(*node));

  item->again = true;
  if (node != NULL) {
    push(q, node, item);
    item->record = NULL;
    return;
  }
  int rc = to_spool(q, item->record);
  if (rc != 0)
    lose(item->record, rc);
}

void auth_queue_give_back(struct auth_queue *q, struct auth_item *items,
                          size_t len, size_t done) {
  (void)pthread_mutex_lock(&q->lock);
  if (q->from_spool)
    spool_rewind(q->spool);
  for (size_t i = done; i < len && !q->from_spool; i++)
    if (items[i].file == AUTH_NO_FILE)
      put_back(q, &items[i]);
  go_away(q);
  (void)pthread_mutex_unlock(&q->lock);
  free_items(items, len);
}

void auth_queue_set_away(struct auth_queue *q, bool away) {
  (void)pthread_mutex_lock(&q->lock);
  if (away)
    go_away(q);
  q->away = away;
  settle_room(q);
  (void)pthread_mutex_unlock(&q->lock);
}

void auth_queue_sync(struct auth_queue *q) {
  if (spool_sync(q->spool) != 0)
    log_limited("auth-spool", "sync", "auth-spool: %s", strerrordesc_np(errno));
}

size_t auth_queue_len(struct auth_queue *q) {
  (void)pthread_mutex_lock(&q->lock);
  size_t len = q->len;
  (void)pthread_mutex_unlock(&q->lock);
  return len;
}
