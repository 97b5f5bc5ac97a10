#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "correlator/auth_source.h"
#include "correlator/cmd_common.h"
#include "correlator/collectd_source.h"
#include "correlator/commands.h"
#include "correlator/fetch_worker.h"
#include "correlator/ingest_memory.h"
#include "correlator/log.h"
#include "correlator/run_notify.h"
#include "correlator/snmp_engine.h"
#include "correlator/snmp_source.h"
#include "correlator/syslog_source.h"
#include "correlator/traps.h"
#include "correlator/writer.h"

enum { AGENTS_MAX = 100000 };

struct run {
  const struct config *config;
  struct ingest_memory *memory;
  struct writer *writer;
  struct ingest *ingest;
  struct event_base *base;
  struct event *terminate;
  struct event *interrupt;
  struct event *hangup;
  struct traps *traps;
  struct collectd_source *source;
  struct snmp_source *polls;
  struct syslog_source *syslog;
  struct auth_source *logs;
  struct fetch_worker *fetches;
  bool snmp; /* Net-SNMP is set up */
};

static void on_end(evutil_socket_t signal_number, short events, void *arg) {
  (void)signal_number;
  (void)events;
  (void)event_base_loopbreak(arg);
}

static void on_hangup(evutil_socket_t signal_number, short events, void *arg) {
  (void)signal_number;
  (void)events;
  (void)arg;
  log_info("SIGHUP: the auth-file and the files of TLS are read again whenever "
           "they change; other changes need a restart");
}

static struct event *add_signal(struct event_base *base, int number,
                                event_callback_fn callback) {
  struct event *event = evsignal_new(base, number, callback, base);

  if (event != NULL && evsignal_add(event, NULL) != 0) {
    event_free(event);
    return NULL;
  }
  return event;
}

static void remove_signal(struct event *event) {
  if (event != NULL)
    event_free(event);
}

static int start_loop(struct run *run) {
  run->base = event_base_new();
  if (run->base == NULL)
    return -ENOMEM;
  run->terminate = add_signal(run->base, SIGTERM, on_end);
  run->interrupt = add_signal(run->base, SIGINT, on_end);
  run->hangup = add_signal(run->base, SIGHUP, on_hangup);
  return run->terminate == NULL || run->interrupt == NULL || run->hangup == NULL
             ? -ENOMEM
             : 0;
}

/* The parts that the sources need: who remembers, who writes. */
static int start_ingest(struct run *run) {
  run->memory = ingest_memory_new(AGENTS_MAX);
  if (run->memory == NULL)
    return -ENOMEM;
  int rc = writer_start(run->config, run->memory, &run->writer);
  if (rc != 0)
    return rc;
  run->ingest = ingest_new(run->memory, run->writer);
  return run->ingest == NULL ? -ENOMEM : 0;
}

static int start_sources(struct run *run) {
  const struct syslog_config *syslog = &run->config->syslog;
  int rc = 0;

  if (run->config->collectd.listen_len > 0)
    rc = collectd_source_new(run->base, &run->config->collectd, run->ingest,
                             &run->source);
  if (rc == 0 && run->config->polls_len > 0)
    rc = snmp_source_new(run->base, run->config, run->ingest, &run->polls);
  if (rc == 0 &&
      syslog->listen_udp_len + syslog->listen_tcp_len + syslog->listen_tls_len >
          0)
    rc = syslog_source_new(run->base, syslog, run->ingest, &run->syslog);
  if (rc == 0 && run->config->auth_logs_len > 0)
    rc = auth_source_new(run->base, run->config, run->ingest, &run->logs);
  if (rc == 0 && run->config->fetches_len > 0)
    rc = fetch_worker_new(run->base, run->config,
                          writer_requests_fd(run->writer), &run->fetches);
  return rc;
}

/* Before any thread runs. */
static int start_snmp(struct run *run) {
  if (run->config->sinks_len == 0 && run->config->polls_len == 0)
    return 0;
  int rc = snmp_engine_start(run->config->state_dir);
  run->snmp = rc == 0;
  if (rc == 0 && run->config->sinks_len > 0)
    rc = traps_new(run->config, &run->traps);
  return rc;
}

/* After the sources: the library parses their session strings with state of
 * its own that no lock guards. */
static int start_traps(struct run *run) {
  return run->traps == NULL
             ? 0
             : traps_start(run->traps, writer_instance(run->writer));
}

/* Add what is listened to, each with `what` before it. */
static void list_listeners(FILE *out, const char *what, char **listen,
                           size_t len) {
  for (size_t i = 0; i < len; i++)
    (void)fprintf(out, "%s%s%s", ftell(out) > 0 ? ", " : "", what, listen[i]);
}

static void say_ready(const struct config *config) {
  const struct syslog_config *syslog = &config->syslog;
  char where[1024] = "";
  FILE *out = fmemopen(where, sizeof(where), "we");

  if (out != NULL) {
    list_listeners(out, "", config->collectd.listen,
                   config->collectd.listen_len);
    list_listeners(out, "syslog udp ", syslog->listen_udp,
                   syslog->listen_udp_len);
    list_listeners(out, "syslog tcp ", syslog->listen_tcp,
                   syslog->listen_tcp_len);
    list_listeners(out, "syslog tls ", syslog->listen_tls,
                   syslog->listen_tls_len);
    (void)fclose(out);
  }
  log_info("ready: listening on %s", where[0] != '\0' ? where : "nothing");
  if (config->polls_len > 0)
    log_info("ready: asking %zu SNMP agents", config->polls_len);
  if (config->auth_logs_len > 0)
    log_info("ready: following %zu logs", config->auth_logs_len);
  run_notify("READY=1");
}

/* systemd makes it where it is asked to; elsewhere the last folder of the
 * path is made here. */
static int make_state_dir(const char *dir) {
  if (mkdir(dir, 0700) == 0 || errno == EEXIST)
    return 0;
  int rc = -errno;
  log_error("state-dir %s: %s", dir, strerrordesc_np(-rc));
  return rc;
}

static const char help[] =
    "Usage: process-dna-correlator run\n"
    "\n"
    "Take scans, judge them and send traps, in the foreground, until SIGTERM\n"
    "or SIGINT.\n"
    "\n"
    "Options:\n"
    "  -h, --help  this text\n"
    "\n"
    "Exit status: 0 ended, 1 said no, such as a schema of another version,\n"
    "2 wrong usage or configuration.\n";

int command_run(const struct config *config, int argc, char **argv) {
  const struct cmd_syntax syntax = {"run", help, {{0}}};
  struct run run = {.config = config};
  int first, status = cmd_options(&syntax, argc, argv, &first);
  int rc;

  if (status >= 0)
    return status;
  if (first < argc)
    return cmd_unknown("run", argv[first]);

  /* A peer that goes while it is written to is an error of its own. */
  (void)signal(SIGPIPE, SIG_IGN);
  if ((rc = make_state_dir(config->state_dir)) != 0 ||
      (rc = start_snmp(&run)) != 0 || (rc = start_loop(&run)) != 0 ||
      (rc = start_ingest(&run)) != 0 || (rc = start_sources(&run)) != 0 ||
      (rc = start_traps(&run)) != 0)
    goto out;
  say_ready(config);
  if (event_base_dispatch(run.base) < 0)
    rc = -EIO;
  run_notify("STOPPING=1");
  log_info("ending: what waits is written");

out:
  fetch_worker_free(run.fetches);
  auth_source_free(run.logs);
  snmp_source_free(run.polls);
  syslog_source_free(run.syslog);
  collectd_source_free(run.source);
  traps_stop(run.traps);
  if (run.snmp)
    snmp_engine_stop();
  ingest_free(run.ingest);
  writer_stop(run.writer);
  ingest_memory_free(run.memory);
  remove_signal(run.hangup);
  remove_signal(run.interrupt);
  remove_signal(run.terminate);
  if (run.base != NULL)
    event_base_free(run.base);
  if (rc == -ENOMEM || rc == -EIO)
    log_error("run: %s", strerrordesc_np(-rc)); /* others are said already */
  return rc == 0 ? EXIT_DONE : rc == -EPROTO ? EXIT_NO : EXIT_USAGE;
}
