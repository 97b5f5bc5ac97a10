#include "snmp-subagent/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "snmp-subagent/cycle.h"
#include "snmp-subagent/link.h"
#include "snmp-subagent/settings.h"
#include "snmp-subagent/settings_file.h"
#include "snmp-subagent/tables.h"

/* Seconds between looks whether the master is there: what a restart of snmpd
 * costs at most. The library's own default is 15. */
enum { PING_INTERVAL_S = 5 };

/* Where no master listens. */
#define NOWHERE "unix:/dev/null/none"

static bool stopping;
static const char *master; /* NULL: as the library has it */

static int apply_overrides(const struct options *options,
                           struct scan_settings *settings) {
  char why[SETTINGS_WHY_MAX];
  int status = -1;

  for (size_t i = 0; i < options->overrides_len; i++) {
    const struct override *o = &options->overrides[i];
    int r = settings_set(settings, o->directive, o->text, why);

    if (r == -EINVAL)
      snmp_log(LOG_ERR, "command line: --%s: %s\n", o->directive, why);
    else if (r < 0)
      snmp_log(LOG_ERR, "command line: out of memory\n");
    if (r < 0)
      status = r == -EINVAL ? EXIT_USAGE : EXIT_NO;
  }
  return status;
}

/* Runs before the library's own callback connects to the master. */
static int on_read(int major, int minor, void *server_arg, void *client_arg) {
  (void)major;
  (void)minor;
  (void)server_arg;
  (void)client_arg;
  if (settings_file_faults() > 0)
    master = NOWHERE;
  if (master != NULL)
    (void)netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID,
                                NETSNMP_DS_AGENT_X_SOCKET, master);
  return SNMPERR_SUCCESS;
}

static void set_library_up(const struct options *options) {
  /* The MIB is for managers, and nothing here outlives the process. */
  /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet. */
  (void)setenv("MIBS", "", 1);
  /* As without it, but that localtime(3), which each time in an answer calls,
   * does not look at the file again every time. */
  /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet. */
  (void)setenv("TZ", ":/etc/localtime", /* overwrite = */ 0);
  (void)netsnmp_ds_set_string(NETSNMP_DS_LIBRARY_ID,
                              NETSNMP_DS_LIB_PERSISTENT_DIR, "/dev/null");
  (void)netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID,
                               NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD, 1);
  (void)netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID,
                               NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE, 1);
  (void)netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE,
                               1 /* subagent */);
  /* link.c says it better. */
  (void)netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID,
                               NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS, 1);
  snmp_enable_calllog();
  if (!options->logs)
    snmp_enable_stderrlog();
}

int agent_init(const struct options *options, struct scan_settings *settings) {
  set_library_up(options);
  master = options->scan ? NOWHERE : options->socket;
  (void)netsnmp_register_callback(SNMP_CALLBACK_LIBRARY,
                                  SNMP_CALLBACK_POST_READ_CONFIG, on_read, NULL,
                                  NETSNMP_CALLBACK_HIGHEST_PRIORITY);
  (void)init_agent(AGENTX_APPLICATION);
  (void)netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID,
                           NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL,
                           PING_INTERVAL_S);
  settings_file_register(settings);
  if (!options->scan) {
    /* The library writes to a master that may have gone meanwhile. */
    (void)signal(SIGPIPE, SIG_IGN);
    link_watch();
    if (tables_register(settings) < 0) {
      snmp_log(LOG_ERR, "can't register the tables: out of memory\n");
      return EXIT_NO;
    }
  }
  init_snmp(AGENTX_APPLICATION);
  if (settings_file_faults() > 0) {
    snmp_log(LOG_ERR, "the configuration has faults; nothing was started\n");
    return EXIT_USAGE;
  }
  return apply_overrides(options, settings);
}

static void complain_of_packages(const struct package_db_failure *failure) {
  static bool failing;

  if (failure->manager != NULL && !failing)
    snmp_log(LOG_WARNING, "packages of %s: %s\n", failure->manager,
             package_db_error(failure));
  if (failure->manager == NULL && failing)
    snmp_log(LOG_NOTICE, "all packages can be told\n");
  failing = failure->manager != NULL;
}

static void on_snapshot(int fd, void *arg) {
  static bool failing;
  struct view *view;
  int r = cycle_take(arg, &view);

  (void)fd;
  if (r == -EAGAIN)
    return;
  if (r < 0 && !failing)
    snmp_log(LOG_ERR, "scan: %s\n", strerrordesc_np(-r));
  if (r == 0 && failing)
    snmp_log(LOG_NOTICE, "scan: works again\n");
  failing = r < 0;
  if (r < 0)
    return;
  complain_of_packages(&view->snapshot->packages);
  tables_show(view);
}

static void on_signal(int fd, void *arg) {
  struct signalfd_siginfo signal;

  (void)arg;
  if (read(fd, &signal, sizeof(signal)) != sizeof(signal))
    return;
  if (signal.ssi_signo == SIGHUP)
    netsnmp_logging_restart();
  else
    stopping = true;
}

/* Signals are read between requests. */
static int open_signals(void) {
  sigset_t signals;
  int fd;

  (void)sigemptyset(&signals);
  (void)sigaddset(&signals, SIGTERM);
  (void)sigaddset(&signals, SIGINT);
  (void)sigaddset(&signals, SIGHUP);
  if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
    return -errno;
  fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  return fd < 0 ? -errno : fd;
}

int agent_run(const struct scan_settings *settings) {
  struct scan_options options = scan_settings_options(settings);
  char where[SCAN_WHERE_MAX];
  struct cycle *cycle = NULL;
  int fd = open_signals();
  int r = fd < 0 ? fd : cycle_start(&options, &cycle);

  if (r < 0) {
    scan_settings_where(&options, where);
    snmp_log(LOG_ERR, "can't scan %s: %s\n", where, strerrordesc_np(-r));
    goto out;
  }
  (void)register_readfd(fd, on_signal, NULL);
  (void)register_readfd(cycle_fd(cycle), on_snapshot, cycle);
  link_report();
  while (!stopping)
    (void)agent_check_and_process(/* block = */ 1);
  (void)unregister_readfd(cycle_fd(cycle));
  (void)unregister_readfd(fd);

out:
  cycle_stop(cycle);
  if (fd >= 0)
    close(fd);
  return r < 0 ? EXIT_NO : EXIT_DONE;
}

void agent_close(void) {
  tables_show(NULL);
  snmp_shutdown(AGENTX_APPLICATION);
  shutdown_agent();
  tables_free();
}
