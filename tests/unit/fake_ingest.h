/* An ingest that keeps what sources hand in, and knows of hosts what the test
 * and the reports say. Included by one file of a program. */
#ifndef PDNA_FAKE_INGEST_H
#define PDNA_FAKE_INGEST_H

#include <stdlib.h>
#include <string.h>

#include "correlator/ingest.h"

enum { FAKE_REPORTS_MAX = 1024, FAKE_AGENTS_MAX = 1024 };

struct ingest {
  struct report *reports[FAKE_REPORTS_MAX];
  size_t reports_len;
  struct {
    char host[REPORT_NAME_MAX + 1];
    struct ingest_agent agent;
  } agents[FAKE_AGENTS_MAX];
  size_t agents_len;
};

static inline struct ingest_agent *fake_agent(struct ingest *ingest,
                                              const char *host) {
  for (size_t i = 0; i < ingest->agents_len; i++)
    if (strcmp(ingest->agents[i].host, host) == 0)
      return &ingest->agents[i].agent;
  if (ingest->agents_len == FAKE_AGENTS_MAX)
    abort();
  memcpy(ingest->agents[ingest->agents_len].host, host, strlen(host) + 1);
  return &ingest->agents[ingest->agents_len++].agent;
}

void ingest_report(struct ingest *ingest, struct report **report) {
  struct report *r = *report;
  struct ingest_agent *agent = fake_agent(ingest, r->host);

  *report = NULL;
  if (ingest->reports_len == FAKE_REPORTS_MAX)
    abort();
  ingest->reports[ingest->reports_len++] = r;
  agent->last_observed_us = r->observed_us;
  if (r->identity.id[0] != '\0')
    agent->boot_s = r->identity.boot_s;
  if (!r->relayed)
    memcpy(agent->signer, r->signer, sizeof(agent->signer));
}

bool ingest_agent(struct ingest *ingest, const struct ingest_key *key,
                  struct ingest_agent *ret_agent) {
  for (size_t i = 0; i < ingest->agents_len; i++) {
    if (strcmp(ingest->agents[i].host, key->host) != 0)
      continue;
    *ret_agent = ingest->agents[i].agent;
    return true;
  }
  return false;
}

static inline void fake_ingest_clear(struct ingest *ingest) {
  for (size_t i = 0; i < ingest->reports_len; i++)
    report_free(ingest->reports[i]);
  *ingest = (struct ingest){0};
}

#endif
