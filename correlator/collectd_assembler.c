#include "correlator/collectd_assembler.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/collectd_content.h"
#include "correlator/collectd_hash.h"

enum { BUCKETS = 8192, SHARES = 1024 };

const struct collectd_assembler_limits collectd_assembler_limits_default = {
    .scans = 16384,
    .scans_per_signer = 8192,
    .scans_per_host = 4,
    .rows = 524288,
    .rows_per_signer = 262144,
    .rows_per_scan = 65536,
    .timeout_ms = 10000,
};

/* What a signer holds. Signers whose hashes meet have one together. */
struct share {
  size_t scans_len;
  size_t rows_len;
};

struct collectd_scan {
  struct collectd_scan *next; /* of the bucket */
  struct collectd_scan *opened_before, *opened_after;
  char host[REPORT_NAME_MAX + 1];
  char signer[REPORT_NAME_MAX + 1];
  struct share *share;
  uint64_t time;
  struct collectd_scan_start start;
  unsigned interval_s;
  size_t rows_len; /* as the assembler counts them */
  struct collectd_content content;
};

struct collectd_assembler {
  struct collectd_assembler_limits limits;
  collectd_report_fn *report;
  void *context;
  struct collectd_hash_key key;
  struct collectd_scan *buckets[BUCKETS]; /* by host */
  struct collectd_scan *first, *last;     /* in the order of opening */
  size_t scans_len;
  size_t rows_len;
  struct share shares[SHARES];
};

int collectd_assembler_new(const struct collectd_assembler_limits *limits,
                           collectd_report_fn *report, void *context,
                           struct collectd_assembler **ret_assembler) {
  struct collectd_assembler *a = calloc(1, sizeof(*a));
  int r;

  if (!a)
    return -ENOMEM;
  r = collectd_hash_key_new(&a->key);
  if (r != 0) {
    free(a);
    return r;
  }
  a->limits = *limits;
  a->report = report;
  a->context = context;
  *ret_assembler = a;
  return 0;
}

static size_t bucket(const struct collectd_assembler *a, const char *host) {
  return collectd_hash(&a->key, host, strlen(host)) % BUCKETS;
}

static struct collectd_scan *find(const struct collectd_assembler *a,
                                  const struct collectd_scan_key *key,
                                  size_t *ret_of_host) {
  struct collectd_scan *s;

  *ret_of_host = 0;
  for (s = a->buckets[bucket(a, key->host)]; s; s = s->next) {
    if (strcmp(s->host, key->host) != 0)
      continue;
    if (s->time == key->time && strcmp(s->signer, key->signer) == 0)
      return s;
    ++*ret_of_host;
  }
  return NULL;
}

bool collectd_assembler_has(const struct collectd_assembler *assembler,
                            const struct collectd_scan_key *key) {
  size_t of_host;

  return find(assembler, key, &of_host) != NULL;
}

static void link_scan(struct collectd_assembler *a, struct collectd_scan *s) {
  struct collectd_scan **head = &a->buckets[bucket(a, s->host)];

  s->next = *head;
  *head = s;
  s->opened_before = a->last;
  *(a->last ? &a->last->opened_after : &a->first) = s;
  a->last = s;
  a->scans_len++;
  s->share->scans_len++;
}

static void unlink_scan(struct collectd_assembler *a, struct collectd_scan *s) {
  struct collectd_scan **p = &a->buckets[bucket(a, s->host)];

  while (*p != s)
    p = &(*p)->next;
  *p = s->next;
  if (s->opened_before)
    s->opened_before->opened_after = s->opened_after;
  else
    a->first = s->opened_after;
  if (s->opened_after)
    s->opened_after->opened_before = s->opened_before;
  else
    a->last = s->opened_before;
  a->scans_len--;
  s->share->scans_len--;
}

static struct share *share_of(struct collectd_assembler *a,
                              const char *signer) {
  return &a->shares[collectd_hash(&a->key, signer, strlen(signer)) % SHARES];
}

int collectd_assembler_open(struct collectd_assembler *assembler,
                            const struct collectd_scan_key *key,
                            const struct collectd_scan_start *start,
                            struct collectd_scan **ret_scan) {
  struct collectd_assembler *a = assembler;
  size_t of_host;
  struct collectd_scan *s = find(a, key, &of_host);

  if (!s) {
    struct share *share = share_of(a, key->signer);

    if (a->scans_len >= a->limits.scans ||
        share->scans_len >= a->limits.scans_per_signer ||
        of_host >= a->limits.scans_per_host)
      return -ENOBUFS;
    s = calloc(1, sizeof(*s));
    if (!s)
      return -ENOMEM;
    memcpy(s->host, key->host, strlen(key->host) + 1);
    memcpy(s->signer, key->signer, strlen(key->signer) + 1);
    s->share = share;
    s->time = key->time;
    s->start = *start;
    link_scan(a, s);
  }
  *ret_scan = s;
  return 0;
}

uint64_t collectd_assembler_identity(const struct collectd_assembler *assembler,
                                     const struct wire_list *list) {
  char text[1 + sizeof(list->plugin_instance) + sizeof(list->type_instance)];
  const size_t plugin_len = strlen(list->plugin_instance) + 1;
  const size_t type_len = strlen(list->type_instance);

  text[0] = (char)list->type;
  memcpy(text + 1, list->plugin_instance, plugin_len);
  memcpy(text + 1 + plugin_len, list->type_instance, type_len);
  return collectd_hash(&assembler->key, text, 1 + plugin_len + type_len);
}

int collectd_assembler_add(struct collectd_assembler *assembler,
                           struct collectd_scan *scan, uint64_t identity,
                           const struct wire_item *item) {
  int r;

  if (assembler->rows_len >= assembler->limits.rows ||
      scan->share->rows_len >= assembler->limits.rows_per_signer ||
      scan->rows_len >= assembler->limits.rows_per_scan)
    return -ENOBUFS;
  r = collectd_content_add(&scan->content, identity, item);
  if (r == -EEXIST)
    return 0;
  if (r == 0) {
    scan->rows_len++;
    scan->share->rows_len++;
    assembler->rows_len++;
  }
  return r;
}

void collectd_assembler_set_interval(struct collectd_scan *scan,
                                     unsigned interval_s) {
  scan->interval_s = interval_s;
}

/* Takes over a scan that is not linked any more. A report that cannot be made
 * for want of memory is lost, like a packet. */
static void hand_out(struct collectd_assembler *a, struct collectd_scan *s) {
  struct report *r = report_new();

  a->rows_len -= s->rows_len;
  s->share->rows_len -= s->rows_len;
  if (r) {
    memcpy(r->host, s->host, sizeof(r->host));
    memcpy(r->signer, s->signer, sizeof(r->signer));
    r->relayed = s->start.relayed;
    r->source = REPORT_SOURCE_COLLECTD;
    r->observed_us = s->start.observed_us;
    r->arrived_us = s->start.arrived_us;
    r->interval_s = s->interval_s;
    r->complete = collectd_content_complete(&s->content);
    collectd_content_give(&s->content, r);
    a->report(a->context, &r);
    report_free(r);
  }
  collectd_content_clear(&s->content);
  free(s);
}

/* The oldest open scan of the host and signer of `s` that is older than it. */
static struct collectd_scan *oldest_before(const struct collectd_assembler *a,
                                           const struct collectd_scan *s) {
  struct collectd_scan *other, *oldest = NULL;

  for (other = a->buckets[bucket(a, s->host)]; other; other = other->next) {
    if (other->time < s->time && strcmp(other->host, s->host) == 0 &&
        strcmp(other->signer, s->signer) == 0 &&
        (!oldest || other->time < oldest->time))
      oldest = other;
  }
  return oldest;
}

static void hand_out_in_order(struct collectd_assembler *a,
                              struct collectd_scan *s) {
  struct collectd_scan *older;

  unlink_scan(a, s);
  while ((older = oldest_before(a, s))) {
    unlink_scan(a, older);
    hand_out(a, older);
  }
  hand_out(a, s);
}

void collectd_assembler_settle(struct collectd_assembler *assembler,
                               const struct collectd_scan_key *key) {
  size_t of_host;
  struct collectd_scan *s = find(assembler, key, &of_host);

  if (s && collectd_content_complete(&s->content))
    hand_out_in_order(assembler, s);
}

/* The scan that was opened first, or NULL. */
static struct collectd_scan *first(const struct collectd_assembler *a) {
  assert(!a->first || !a->first->opened_before);
  return a->first;
}

void collectd_assembler_expire(struct collectd_assembler *assembler,
                               int64_t now_ms) {
  struct collectd_scan *s;

  while ((s = first(assembler)) &&
         now_ms - s->start.now_ms >= assembler->limits.timeout_ms)
    hand_out_in_order(assembler, s);
}

void collectd_assembler_free(struct collectd_assembler *assembler) {
  struct collectd_scan *s;

  if (!assembler)
    return;
  while ((s = first(assembler)))
    hand_out_in_order(assembler, s);
  free(assembler);
}
