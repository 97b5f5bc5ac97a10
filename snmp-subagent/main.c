/* process-dna-agentx: PROCESS-DNA-MIB as a subagent of snmpd. */
#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "snmp-subagent/agent.h"
#include "snmp-subagent/once.h"
#include "snmp-subagent/settings_file.h"

static int scan_once(const struct scan_settings *settings) {
  struct scan_options options = scan_settings_options(settings);
  char where[SCAN_WHERE_MAX];
  int r = once_run(&options, stdout, isatty(STDERR_FILENO) ? stderr : NULL);

  if (r < 0) {
    scan_settings_where(&options, where);
    snmp_log(LOG_ERR, "can't scan %s: %s\n", where, strerrordesc_np(-r));
  }
  return r < 0 ? EXIT_NO : EXIT_DONE;
}

/* Go to the background unless told otherwise. Returns -1 to go on. */
static int detach(const struct options *options) {
  if (options->foreground)
    return -1;
  if (netsnmp_daemonize(/* quit_immediately = */ 1, /* stderr_log = */ 0) !=
      0) {
    snmp_log(LOG_ERR, "can't go to the background: %s\n",
             strerrordesc_np(errno));
    return EXIT_NO;
  }
  if (!options->logs) {
    snmp_disable_stderrlog();
    snmp_enable_syslog_ident(AGENTX_APPLICATION, LOG_DAEMON);
  }
  return -1;
}

int main(int argc, char **argv) {
  struct options options;
  struct scan_settings settings;
  int status;

  /* Both threads share one heap, which is smaller than two. */
  (void)mallopt(M_ARENA_MAX, 1);
  scan_settings_init(&settings);
  status = options_parse(argc, argv, &options);
  if (status >= 0)
    return status;
  status = agent_init(&options, &settings);
  if (status < 0 && options.scan)
    status = scan_once(&settings);
  if (status < 0)
    status = detach(&options);
  if (status < 0)
    status = agent_run(&settings);
  agent_close();
  scan_settings_clear(&settings);
  options_clear(&options);
  return status;
}
