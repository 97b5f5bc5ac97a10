#include "correlator/worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "correlator/counters.h"
#include "correlator/log.h"
#include "correlator/manifest_fetch.h"
#include "correlator/migrate.h"
#include "lib/record/clock.h"
#include "lib/record/version.h"

enum {
  WORK_INTERVAL_MS = 5000,
  LOAD_INTERVAL_MS = 60000,
  REGISTER_INTERVAL_MS = 3600000,
  PARTITIONS_INTERVAL_MS = 3600000, /* which are made days ahead */
  NUMBER_MAX = 24,                  /* a 64-bit number as text */
};

void worker_init(struct worker *w, const struct config *config,
                 struct ingest_memory *memory) {
  *w = (struct worker){.config = config, .memory = memory};
  w->started_us = clock_wall_us();
  if (gethostname(w->host, sizeof(w->host) - 1) != 0)
    (void)snprintf(w->host, sizeof(w->host), "localhost");
  (void)snprintf(w->instance, sizeof(w->instance), "%s:%ld:%" PRId64, w->host,
                 (long)getpid(), w->started_us / 1000000);
}

bool worker_has_more(const struct worker *w) {
  return w->next_work_ms == 0 || w->next_lateral_ms == 0;
}

void worker_reload(struct worker *w) { w->next_load_ms = 0; }

static enum db_error configure_tenant(struct worker *w, struct db *db) {
  const struct policy_config *policy = &w->config->policy;
  const struct lateral_config *lateral = &w->config->lateral;
  const unsigned numbers[] = {
      policy->silent_s,  policy->learning_s,  policy->manifest_wait_s,
      lateral->window_s, lateral->max_skew_s, policy->auth_retention_d};
  char texts[sizeof(numbers) / sizeof(numbers[0])][NUMBER_MAX];
  struct db_array managers = {0};
  PGresult *result = NULL;

  for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
    (void)snprintf(texts[i], sizeof(texts[i]), "%u", numbers[i]);
  manifest_fetch_managers(w->config, &managers);
  const char *params[] = {w->config->tenant,
                          texts[0],
                          texts[1],
                          texts[2],
                          policy->unverified_update,
                          db_array_text(&managers),
                          texts[3],
                          texts[4],
                          texts[5]};
  enum db_error error =
      params[5] == NULL
          ? DB_AWAY
          : db_query(db,
                     "SELECT process_dna.configure_tenant($1, $2, $3, $4, $5,"
                     " $6, $7, $8, $9)",
                     9, params, &result);
  if (error == DB_OK)
    w->tenant = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
  PQclear(result);
  db_array_free(&managers);
  return error;
}

static enum db_error register_sinks(struct worker *w, struct db *db) {
  struct db_array sinks = {0};
  char tenant[NUMBER_MAX];

  for (size_t i = 0; i < w->config->sinks_len; i++)
    db_array_add_text(&sinks, w->config->sinks[i].name);
  (void)snprintf(tenant, sizeof(tenant), "%d", w->tenant);
  const char *params[] = {tenant, w->instance, db_array_text(&sinks)};
  enum db_error error =
      params[2] == NULL
          ? DB_AWAY
          : db_query(db, "SELECT process_dna.register_sinks($1, $2, $3)", 3,
                     params, NULL);
  db_array_free(&sinks);
  return error;
}

static void load_row(struct worker *w, const PGresult *result, int row) {
  const char *source = report_source(PQgetvalue(result, row, 5));
  const struct ingest_key key = {PQgetvalue(result, row, 1), source};
  struct ingest_agent agent = {0};

  if (source == NULL)
    return; /* a way of another version */

  (void)snprintf(agent.signer, sizeof(agent.signer), "%s",
                 PQgetvalue(result, row, 2));
  agent.boot_s = strtoll(PQgetvalue(result, row, 3), NULL, 10);
  agent.last_observed_us = strtoll(PQgetvalue(result, row, 4), NULL, 10);
  ingest_memory_load(w->memory, &key,
                     strtoll(PQgetvalue(result, row, 0), NULL, 10), &agent);
}

static enum db_error load_agents(struct worker *w, struct db *db) {
  char tenant[NUMBER_MAX];
  const char *params[] = {tenant};
  PGresult *result = NULL;

  (void)snprintf(tenant, sizeof(tenant), "%d", w->tenant);
  enum db_error error =
      db_query(db,
               "SELECT agent_id, name, signer, floor(extract(epoch FROM boot)),"
               " floor(extract(epoch FROM last_observed) * 1000000), source"
               " FROM process_dna.agents_state($1)",
               1, params, &result);
  if (error != DB_OK)
    return error;
  for (int row = 0; row < PQntuples(result); row++)
    load_row(w, result, row);
  PQclear(result);
  return DB_OK;
}

/* The names of counters need no escapes. Returns NULL if memory ran out. */
static char *counters_json(void) {
  char *text = NULL;
  size_t len = 0;
  FILE *stream = open_memstream(&text, &len);

  if (stream == NULL)
    return NULL;
  for (int i = 0; i < COUNTER_MAX; i++)
    (void)fprintf(stream, "%s\"%s\": %" PRIu64, i == 0 ? "{" : ", ",
                  counters_name((enum counter)i),
                  counters_get((enum counter)i));
  (void)fputs("}", stream);
  bool failed = ferror(stream) != 0;
  if (fclose(stream) == 0 && !failed)
    return text;
  free(text);
  return NULL;
}

static enum db_error report_correlator(struct worker *w, struct db *db) {
  char pid[NUMBER_MAX];
  char started[NUMBER_MAX];
  char *counters = counters_json();
  const char *params[] = {w->instance,  w->host, pid,
                          PDNA_VERSION, started, counters};

  (void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
  (void)snprintf(started, sizeof(started), "%" PRId64, w->started_us);
  enum db_error error =
      counters == NULL
          ? DB_AWAY
          : db_query(db,
                     "SELECT process_dna.report_correlator($1, $2, $3, $4,"
                     " to_timestamp($5::numeric / 1000000), $6)",
                     6, params, NULL);
  free(counters);
  return error;
}

/* Silence is counted from the connection on: what agents said while the
 * database was away may still be with another correlator. */
static enum db_error work(struct worker *w, struct db *db) {
  char tenant[NUMBER_MAX];
  char since[NUMBER_MAX];
  const char *params[] = {tenant, since};
  PGresult *result = NULL;

  (void)snprintf(tenant, sizeof(tenant), "%d", w->tenant);
  (void)snprintf(since, sizeof(since), "%" PRId64, w->connected_us);
  enum db_error error = db_query(
      db,
      "SELECT resolved, silent, released, more FROM process_dna.work($1,"
      " to_timestamp($2::numeric / 1000000))",
      2, params, &result);
  if (error == DB_OK && PQntuples(result) == 1) {
    log_debug("work: %s alerts resolved, %s agents silent, %s held released",
              PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1),
              PQgetvalue(result, 0, 2));
    if (*PQgetvalue(result, 0, 3) == 't')
      w->next_work_ms = 0; /* after the reports that wait */
  }
  PQclear(result);
  return error;
}

/* Counted is what is found, not what of it is worth a trap. */
static enum db_error lateral_work(struct worker *w, struct db *db) {
  char tenant[NUMBER_MAX];
  const char *params[] = {tenant};
  PGresult *result = NULL;

  (void)snprintf(tenant, sizeof(tenant), "%d", w->tenant);
  enum db_error error = db_query(
      db, "SELECT detections, raised, more FROM process_dna.lateral_work($1)",
      1, params, &result);
  if (error == DB_OK && PQntuples(result) == 1) {
    const char *found = PQgetvalue(result, 0, 0);
    counters_add(COUNTER_DETECTIONS, strtoull(found, NULL, 10));
    log_debug("lateral work: %s detections, %s alerts raised", found,
              PQgetvalue(result, 0, 1));
    if (*PQgetvalue(result, 0, 2) == 't')
      w->next_lateral_ms = 0; /* after the events that wait */
  }
  PQclear(result);
  return error;
}

static enum db_error make_partitions(struct db *db) {
  return db_query(db, "SELECT process_dna.auth_partitions()", 0, NULL, NULL);
}

enum db_error worker_begin(struct worker *w, struct db *db) {
  enum db_error error = migrate_check(db);

  if (error != DB_OK)
    return error;
  w->connected_us = clock_wall_us();
  w->next_work_ms = 0;
  w->next_load_ms = 0;
  w->next_lateral_ms = 0;
  w->next_register_ms = clock_monotonic_ms() + REGISTER_INTERVAL_MS;
  w->next_partitions_ms = clock_monotonic_ms() + PARTITIONS_INTERVAL_MS;
  if ((error = configure_tenant(w, db)) != DB_OK ||
      (error = make_partitions(db)) != DB_OK ||
      (error = register_sinks(w, db)) != DB_OK ||
      (error = db_script(db, "LISTEN process_dna_baselines;"
                             "LISTEN " WORKER_REQUESTS_CHANNEL)) != DB_OK ||
      (error = load_agents(w, db)) != DB_OK ||
      (error = report_correlator(w, db)) != DB_OK) {
    log_error("database: %s", db_message(db));
    return error;
  }
  /* What was notified before LISTEN is not known. */
  ingest_memory_invalidate(w->memory, 0);
  w->next_load_ms = clock_monotonic_ms() + LOAD_INTERVAL_MS;
  return DB_OK;
}

enum db_error worker_tick(struct worker *w, struct db *db) {
  int64_t now_ms = clock_monotonic_ms();
  enum db_error error = DB_OK;

  if (now_ms >= w->next_load_ms) {
    w->next_load_ms = now_ms + LOAD_INTERVAL_MS;
    error = load_agents(w, db);
  }
  if (error == DB_OK && now_ms >= w->next_register_ms) {
    w->next_register_ms = now_ms + REGISTER_INTERVAL_MS;
    error = register_sinks(w, db);
  }
  if (error == DB_OK && now_ms >= w->next_partitions_ms) {
    w->next_partitions_ms = now_ms + PARTITIONS_INTERVAL_MS;
    error = make_partitions(db);
  }
  if (error == DB_OK && now_ms >= w->next_lateral_ms) {
    w->next_lateral_ms = now_ms + 1000 * (int64_t)w->config->lateral.cadence_s;
    error = lateral_work(w, db);
  }
  if (error == DB_OK && now_ms >= w->next_work_ms) {
    w->next_work_ms = now_ms + WORK_INTERVAL_MS;
    error = work(w, db);
    if (error == DB_OK)
      error = report_correlator(w, db);
  }
  return error;
}
