#include "correlator/writer_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "correlator/counters.h"
#include "correlator/log.h"
#include "correlator/spool_report.h"
#include "lib/record/clock.h"

enum {
  ROWS_MAX = 100000,            /* in memory, some 400 bytes each */
  REFUSED_MAX_BYTES = 16 << 20, /* what is kept for a look at it */
};

struct node {
  STAILQ_ENTRY(node) next;
  struct writer_item item;
  int64_t since_ms; /* monotonic */
};

struct writer_queue {
  pthread_mutex_t lock;
  STAILQ_HEAD(nodes, node) nodes;
  size_t len;
  size_t rows;
  bool away;
  bool from_spool; /* the batch that was taken last */
  int event_fd;
  struct spool *spool;
  struct spool *refused;
};

static size_t rows_of(const struct report *report) {
  return report->executables_len + 1;
}

int writer_queue_new(const char *state_dir, uint64_t spool_max_bytes,
                     struct writer_queue **ret_queue) {
  struct writer_queue *q = calloc(1, sizeof(*q));
  int rc = -ENOMEM;

  if (q == NULL)
    return rc;
  (void)pthread_mutex_init(&q->lock, NULL);
  STAILQ_INIT(&q->nodes);
  q->away = true;
  q->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (q->event_fd < 0) {
    rc = -errno;
    goto fail;
  }
  rc = spool_open(state_dir, "spool", spool_max_bytes, &q->spool);
  if (rc == 0)
    rc = spool_open(state_dir, "refused", REFUSED_MAX_BYTES, &q->refused);
  if (rc != 0)
    goto fail;
  *ret_queue = q;
  return 0;

fail:
  writer_queue_free(q);
  return rc;
}

static void to_spool(struct writer_queue *q, const struct report *report) {
  int rc = spool_report_append(q->spool, report);

  if (rc == 0) {
    counters_add(COUNTER_SPOOLED, 1);
    return;
  }
  counters_add(COUNTER_SPOOL_LOST, 1);
  log_limited("spool", "", "spool: scan of %s lost: %s", report->host,
              rc == -ENOSPC ? "spool-size is reached" : strerrordesc_np(-rc));
}

/* With the lock held. */
static struct node *pop(struct writer_queue *q) {
  struct node *node = STAILQ_FIRST(&q->nodes);

  STAILQ_REMOVE_HEAD(&q->nodes, next);
  q->len--;
  q->rows -= rows_of(node->item.report);
  return node;
}

static void spool_all(struct writer_queue *q) {
  while (!STAILQ_EMPTY(&q->nodes)) {
    struct node *node = pop(q);
    to_spool(q, node->item.report);
    report_free(node->item.report);
    free(node);
  }
}

void writer_queue_free(struct writer_queue *q) {
  if (q == NULL)
    return;
  spool_all(q);
  spool_close(q->refused);
  spool_close(q->spool);
  if (q->event_fd >= 0)
    (void)close(q->event_fd);
  (void)pthread_mutex_destroy(&q->lock);
  free(q);
}

void writer_queue_put(struct writer_queue *q, struct report **report,
                      const struct ingest_ticket *ticket) {
  struct node *node = calloc(1, sizeof(*node));

  (void)pthread_mutex_lock(&q->lock);
  if (node == NULL || q->away || !spool_is_empty(q->spool) ||
      q->rows + rows_of(*report) > ROWS_MAX) {
    to_spool(q, *report);
    report_free(*report);
    free(node);
  } else {
    node->item.report = *report;
    node->item.ticket = *ticket;
    node->since_ms = clock_monotonic_ms();
    STAILQ_INSERT_TAIL(&q->nodes, node, next);
    q->len++;
    q->rows += rows_of(*report);
  }
  *report = NULL;
  (void)pthread_mutex_unlock(&q->lock);
  writer_queue_wake(q);
}

int writer_queue_fd(const struct writer_queue *q) { return q->event_fd; }

void writer_queue_wake(struct writer_queue *q) {
  (void)eventfd_write(q->event_fd, 1);
}

void writer_queue_woken(struct writer_queue *q) {
  eventfd_t count;

  (void)eventfd_read(q->event_fd, &count);
}

int writer_queue_due_ms(struct writer_queue *q) {
  int due_ms = -1;

  (void)pthread_mutex_lock(&q->lock);
  const struct node *first = STAILQ_FIRST(&q->nodes);
  if (first != NULL && q->rows < WRITER_BATCH_ROWS) {
    int64_t left_ms =
        first->since_ms + WRITER_BATCH_WAIT_MS - clock_monotonic_ms();
    due_ms = left_ms > 0 ? (int)left_ms : 0;
  } else if (first != NULL || !spool_is_empty(q->spool)) {
    due_ms = 0;
  }
  (void)pthread_mutex_unlock(&q->lock);
  return due_ms;
}

/* Whole reports only; one that is larger than a batch makes its own. */
static bool fits(size_t len, size_t rows, const struct report *report) {
  return len == 0 || (len < WRITER_BATCH_ROWS &&
                      rows + rows_of(report) <= WRITER_BATCH_ROWS);
}

static size_t take_nodes(struct writer_queue *q, struct writer_item *items) {
  size_t len = 0;
  size_t rows = 0;

  while (!STAILQ_EMPTY(&q->nodes) &&
         fits(len, rows, STAILQ_FIRST(&q->nodes)->item.report)) {
    struct node *node = pop(q);
    rows += rows_of(node->item.report);
    items[len++] = node->item;
    free(node);
  }
  return len;
}

static size_t take_spooled(struct writer_queue *q, struct writer_item *items) {
  size_t len = 0;
  size_t rows = 0;
  uint64_t skipped = 0;
  struct report *report;

  while (len < WRITER_BATCH_ROWS &&
         spool_report_next(q->spool, &report, &skipped) == 0) {
    if (!fits(len, rows, report)) {
      spool_unread(q->spool);
      report_free(report);
      break;
    }
    rows += rows_of(report);
    items[len++] = (struct writer_item){.report = report, .spooled = true};
  }
  if (skipped > 0) {
    counters_add(COUNTER_SPOOL_LOST, skipped);
    log_error("spool: %llu damaged entries skipped",
              (unsigned long long)skipped);
  }
  return len;
}

size_t writer_queue_take(struct writer_queue *q, struct writer_item *items) {
  (void)pthread_mutex_lock(&q->lock);
  /* What is in memory beside a spool that has something is older. */
  q->from_spool = STAILQ_EMPTY(&q->nodes);
  size_t len = q->from_spool ? take_spooled(q, items) : take_nodes(q, items);
  if (q->from_spool && len == 0)
    spool_commit(q->spool); /* nothing but damage was left in it */
  (void)pthread_mutex_unlock(&q->lock);
  return len;
}

static void free_items(struct writer_item *items, size_t len) {
  for (size_t i = 0; i < len; i++) {
    report_free(items[i].report);
    items[i].report = NULL;
  }
}

void writer_queue_done(struct writer_queue *q, struct writer_item *items,
                       size_t len) {
  if (q->from_spool)
    spool_commit(q->spool);
  free_items(items, len);
}

void writer_queue_give_back(struct writer_queue *q, struct writer_item *items,
                            size_t len, size_t done) {
  (void)pthread_mutex_lock(&q->lock);
  q->away = true;
  if (q->from_spool)
    spool_rewind(q->spool);
  for (size_t i = done; i < len && !q->from_spool; i++)
    to_spool(q, items[i].report);
  spool_all(q);
  (void)pthread_mutex_unlock(&q->lock);
  free_items(items, len);
}

void writer_queue_set_away(struct writer_queue *q, bool away) {
  (void)pthread_mutex_lock(&q->lock);
  q->away = away;
  if (away)
    spool_all(q);
  (void)pthread_mutex_unlock(&q->lock);
}

int writer_queue_set_aside(struct writer_queue *q, const struct bytes *entry) {
  return spool_append(q->refused, entry);
}

void writer_queue_sync(struct writer_queue *q) {
  if (spool_sync(q->spool) != 0 || spool_sync(q->refused) != 0)
    log_limited("spool", "sync", "spool: %s", strerrordesc_np(errno));
}

bool writer_queue_is_spooling(struct writer_queue *q) {
  return !spool_is_empty(q->spool);
}

size_t writer_queue_len(struct writer_queue *q) {
  (void)pthread_mutex_lock(&q->lock);
  size_t len = q->len;
  (void)pthread_mutex_unlock(&q->lock);
  return len;
}
