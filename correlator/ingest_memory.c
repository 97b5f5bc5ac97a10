#include "correlator/ingest_memory.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct agent {
  struct ingest_agent known;
  int64_t agent_id; /* 0: not known yet */
  struct digest identity;
  bool settled;  /* identity is valid: equal scans are dropped */
  bool touching; /* touch waits for the writer */
  struct ingest_touch touch;
  uint64_t serial;
  const char *source; /* static storage */
  char host[REPORT_NAME_MAX + 1];
};

struct ingest_memory {
  pthread_mutex_t lock;
  struct agent **agents; /* sorted by host and source */
  size_t len;
  size_t capacity;
  size_t max;
};

struct ingest_memory *ingest_memory_new(size_t agents_max) {
  struct ingest_memory *m = calloc(1, sizeof(*m));

  if (m == NULL)
    return NULL;
  m->max = agents_max;
  (void)pthread_mutex_init(&m->lock, NULL);
  return m;
}

void ingest_memory_free(struct ingest_memory *m) {
  if (m == NULL)
    return;
  for (size_t i = 0; i < m->len; i++)
    free(m->agents[i]);
  free(m->agents);
  (void)pthread_mutex_destroy(&m->lock);
  free(m);
}

static int compare(const struct ingest_key *key, const struct agent *agent) {
  int order = strcmp(key->host, agent->host);

  return order != 0 ? order : strcmp(key->source, agent->source);
}

/* Where the host is, or where it belongs. */
static size_t position(const struct ingest_memory *m,
                       const struct ingest_key *key, bool *ret_found) {
  size_t low = 0;
  size_t high = m->len;

  *ret_found = false;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = compare(key, m->agents[middle]);
    if (order == 0) {
      *ret_found = true;
      return middle;
    }
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

static struct agent *find(const struct ingest_memory *m,
                          const struct ingest_key *key) {
  bool found;
  size_t i = position(m, key, &found);

  return found ? m->agents[i] : NULL;
}

/* NULL if there is no room. */
static struct agent *find_or_add(struct ingest_memory *m,
                                 const struct ingest_key *key) {
  bool found;
  size_t i = position(m, key, &found);

  if (found)
    return m->agents[i];
  if (m->len == m->max)
    return NULL;
  if (m->len == m->capacity) {
    size_t capacity = m->capacity == 0 ? 64 : 2 * m->capacity;
    struct agent **grown =
        reallocarray(m->agents, capacity, sizeof(struct agent *));
    if (grown == NULL)
      return NULL;
    m->agents = grown;
    m->capacity = capacity;
  }
  struct agent *agent = calloc(1, sizeof(*agent));
  if (agent == NULL)
    return NULL;
  (void)snprintf(agent->host, sizeof(agent->host), "%s", key->host);
  agent->source = key->source;
  memmove(&m->agents[i + 1], &m->agents[i],
          (m->len - i) * sizeof(struct agent *));
  m->agents[i] = agent;
  m->len++;
  return agent;
}

bool ingest_memory_agent(struct ingest_memory *m, const struct ingest_key *key,
                         struct ingest_agent *ret_agent) {
  (void)pthread_mutex_lock(&m->lock);
  const struct agent *agent = find(m, key);
  if (agent != NULL)
    *ret_agent = agent->known;
  (void)pthread_mutex_unlock(&m->lock);
  return agent != NULL;
}

/* Move on what replays are told by. */
static void advance(struct ingest_agent *known, const struct report *report) {
  int64_t boot_s = report->identity.boot_s;
  bool booted =
      known->boot_s != 0 && boot_s > known->boot_s + REPORT_BOOT_TREMBLE_S;

  if (boot_s > known->boot_s)
    known->boot_s = boot_s;
  if (booted || report->observed_us > known->last_observed_us)
    known->last_observed_us = report->observed_us;
  if (known->signer[0] == '\0' && !report->relayed)
    memcpy(known->signer, report->signer, sizeof(known->signer));
}

bool ingest_memory_take(struct ingest_memory *m, const struct report *report,
                        const struct digest *identity,
                        struct ingest_ticket *ret_ticket) {
  const struct ingest_key key = {report->host, report->source};
  bool equal = false;

  *ret_ticket = (struct ingest_ticket){.identity = *identity};
  (void)pthread_mutex_lock(&m->lock);
  struct agent *agent = find_or_add(m, &key);
  if (agent == NULL)
    goto out;
  advance(&agent->known, report);
  equal = report->complete && agent->settled &&
          digest_equal(&agent->identity, identity);
  if (equal) {
    agent->touch = (struct ingest_touch){
        .agent_id = agent->agent_id,
        .source = agent->source,
        .observed_us = report->observed_us,
        .arrived_us = report->arrived_us,
        .sequence = report->figures.sequence,
    };
  } else {
    /* Until this one is judged nothing is known to be settled. */
    agent->settled = false;
    ret_ticket->serial = ++agent->serial;
  }
  agent->touching = equal;

out:
  (void)pthread_mutex_unlock(&m->lock);
  return equal;
}

void ingest_memory_judged(struct ingest_memory *m, const struct ingest_key *key,
                          const struct ingest_ticket *ticket, int64_t agent_id,
                          bool settled) {
  (void)pthread_mutex_lock(&m->lock);
  struct agent *agent = find(m, key);
  if (agent != NULL) {
    agent->agent_id = agent_id;
    if (agent->serial == ticket->serial) {
      agent->identity = ticket->identity;
      agent->settled = settled;
    }
  }
  (void)pthread_mutex_unlock(&m->lock);
}

void ingest_memory_invalidate(struct ingest_memory *m, int64_t agent_id) {
  (void)pthread_mutex_lock(&m->lock);
  for (size_t i = 0; i < m->len; i++)
    if (agent_id == 0 || m->agents[i]->agent_id == agent_id)
      m->agents[i]->settled = false;
  (void)pthread_mutex_unlock(&m->lock);
}

void ingest_memory_load(struct ingest_memory *m, const struct ingest_key *key,
                        int64_t agent_id, const struct ingest_agent *agent) {
  (void)pthread_mutex_lock(&m->lock);
  struct agent *a = find_or_add(m, key);
  if (a != NULL) {
    if (a->agent_id != agent_id)
      a->settled = false;
    a->agent_id = agent_id;
    /* What came in here may be ahead of the database, but not if another user
     * sent it, or if the agent was reset. */
    if (strcmp(a->known.signer, agent->signer) != 0 ||
        agent->last_observed_us == 0 ||
        agent->boot_s > a->known.boot_s + REPORT_BOOT_TREMBLE_S ||
        (agent->boot_s >= a->known.boot_s - REPORT_BOOT_TREMBLE_S &&
         agent->last_observed_us > a->known.last_observed_us)) {
      a->known.boot_s = agent->boot_s;
      a->known.last_observed_us = agent->last_observed_us;
    }
    memcpy(a->known.signer, agent->signer, sizeof(a->known.signer));
  }
  (void)pthread_mutex_unlock(&m->lock);
}

int ingest_memory_touches(struct ingest_memory *m,
                          struct ingest_touch **ret_touches, size_t *ret_len) {
  int rc = 0;
  size_t len = 0;

  (void)pthread_mutex_lock(&m->lock);
  struct ingest_touch *touches = calloc(m->len + 1, sizeof(*touches));
  if (touches == NULL) {
    rc = -ENOMEM;
    goto out;
  }
  for (size_t i = 0; i < m->len; i++)
    if (m->agents[i]->touching)
      touches[len++] = m->agents[i]->touch;
  *ret_touches = touches;
  *ret_len = len;

out:
  (void)pthread_mutex_unlock(&m->lock);
  return rc;
}

void ingest_memory_touched(struct ingest_memory *m,
                           const struct ingest_touch *touches, size_t len) {
  size_t next = 0; /* both are sorted by host and source */

  (void)pthread_mutex_lock(&m->lock);
  for (size_t i = 0; i < m->len && next < len; i++) {
    struct agent *agent = m->agents[i];
    if (agent->agent_id != touches[next].agent_id ||
        strcmp(agent->source, touches[next].source) != 0)
      continue;
    if (agent->touch.observed_us == touches[next].observed_us)
      agent->touching = false;
    next++;
  }
  (void)pthread_mutex_unlock(&m->lock);
}
