#include "correlator/snmp_engine.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "correlator/log.h"

/* Net-SNMP's application type: the name of the persistent file. */
#define APPLICATION "process-dna-correlator"

enum {
  /* Net-SNMP puts paths of its files into 300 bytes and cuts what is longer. */
  DIRECTORY_MAX = 250
};

static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;

void snmp_engine_lock(void) { (void)pthread_mutex_lock(&library_lock); }

void snmp_engine_unlock(void) { (void)pthread_mutex_unlock(&library_lock); }

static int on_log(int major, int minor, void *server_arg, void *client_arg) {
  (void)major;
  (void)minor;
  (void)client_arg;
  const struct snmp_log_message *m = server_arg;
  size_t len = strcspn(m->msg, "\n");

  if (m->priority <= LOG_ERR)
    log_limited("net-snmp", "", "Net-SNMP: %.*s", (int)len, m->msg);
  else
    log_debug("Net-SNMP: %.*s", (int)len, m->msg);
  return SNMP_ERR_NOERROR;
}

/* Absolute, since Net-SNMP takes a relative path for one below the root. */
static int make_directory(const char *state_dir,
                          char ret_dir[static DIRECTORY_MAX + 1]) {
  char dir[DIRECTORY_MAX + 1];
  int n = snprintf(dir, sizeof(dir), "%s/snmp", state_dir);
  if (n < 0 || (size_t)n >= sizeof(dir))
    return -ENAMETOOLONG;
  if (mkdir(dir, 0700) < 0 && errno != EEXIST)
    return -errno;
  char *path = realpath(dir, NULL);
  if (path == NULL)
    return -errno;
  /* A colon parts directories in the library's search path. */
  int r = strlen(path) > DIRECTORY_MAX ? -ENAMETOOLONG
          : strchr(path, ':') != NULL  ? -EINVAL
                                       : 0;
  if (r == 0)
    (void)snprintf(ret_dir, DIRECTORY_MAX + 1, "%s", path);
  free(path);
  return r;
}

/* Nothing but our own persistent file may be read: /etc/snmp/snmp.conf and
 * ~/.snmp may hold defaults for users, versions and MIBs. The environment is
 * the only way past the library's search path. */
static int set_paths(const char *dir) {
  /* NOLINTBEGIN(concurrency-mt-unsafe): no other thread runs yet */
  if (setenv("SNMPCONFPATH", dir, 1) < 0 || setenv("MIBDIRS", dir, 1) < 0 ||
      setenv("MIBS", "", 1) < 0 || unsetenv("MIBFILES") < 0 ||
      unsetenv("SNMP_PERSISTENT_FILE") < 0)
    return -ENOMEM;
  /* NOLINTEND(concurrency-mt-unsafe) */
  return netsnmp_ds_set_string(NETSNMP_DS_LIBRARY_ID,
                               NETSNMP_DS_LIB_PERSISTENT_DIR,
                               dir) == SNMPERR_SUCCESS
             ? 0
             : -ENOMEM;
}

/* snmp_store says nothing about what it could not write. */
static int check_stored(const char *dir) {
  char path[DIRECTORY_MAX + sizeof(APPLICATION) + sizeof("/.conf")];
  char line[256];
  unsigned long stored = 0;

  (void)snprintf(path, sizeof(path), "%s/" APPLICATION ".conf", dir);
  FILE *f = fopen(path, "re");
  if (f == NULL) {
    int error = errno;
    log_error("%s: can't be read back: %s", path, strerrordesc_np(error));
    return -error;
  }
  while (fgets(line, sizeof(line), f) != NULL)
    if (strncmp(line, "engineBoots ", strlen("engineBoots ")) == 0)
      stored = strtoul(line + strlen("engineBoots "), NULL, 10);
  (void)fclose(f);
  if (stored != snmpv3_local_snmpEngineBoots()) {
    log_error("%s: engineBoots: expected %lu, found %lu", path,
              snmpv3_local_snmpEngineBoots(), stored);
    return -EIO;
  }
  return 0;
}

static void log_identity(void) {
  u_char id[USM_MAX_ID_LENGTH];
  char hex[2 * sizeof(id) + 1] = "";
  size_t len = snmpv3_get_engineID(id, sizeof(id));

  for (size_t i = 0; i < len; i++)
    (void)snprintf(hex + 2 * i, 3, "%02x", id[i]);
  log_info("SNMP engine 0x%s, boots %lu: what receivers of v3 traps must know "
           "their users by",
           hex, snmpv3_local_snmpEngineBoots());
}

int snmp_engine_start(const char *state_dir) {
  char dir[DIRECTORY_MAX + 1];

  int r = make_directory(state_dir, dir);
  if (r < 0) {
    log_error("%s/snmp: expected a directory that can be made, of less than %d "
              "bytes and without a colon: %s",
              state_dir, DIRECTORY_MAX, strerrordesc_np(-r));
    return r;
  }
  r = set_paths(dir);
  if (r < 0)
    return r;
  snmp_disable_stderrlog();
  (void)snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_LOGGING,
                               on_log, NULL);
  snmp_enable_calllog();
  init_snmp(APPLICATION);
  snmp_store(APPLICATION);
  r = check_stored(dir);
  if (r < 0) {
    snmp_engine_stop();
    return r;
  }
  log_identity();
  return 0;
}

void snmp_engine_stop(void) { snmp_shutdown(APPLICATION); }
