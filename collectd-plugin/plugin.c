#include "collectd-plugin/config.h"
#include "collectd-plugin/dispatch.h"
#include "collectd-plugin/notify.h"

#include <stdatomic.h>

#include "plugin.h"
#include "utils/common/common.h"
#include "utils_complain.h"

#define READ_NAME "process_dna"
#define FLUSH_NAME "process_dna/flush"

enum {
  /* After a scan, the network plugin is flushed every half second for as long
   * as a receiver waits for the rest of a scan: each value list passes
   * collectd's write queue first, and stays behind another writer there. */
  FLUSH_INTERVAL_MS = 500,
  FLUSHES = 20,
  /* Scans never share a time. A clock that was set back further than
   * receivers put up with is followed all the same. */
  TIME_STEP_MS = 1,
  TIME_HOLD_MS = 600 * 1000,
};

static struct dna_config config;
static struct scanner *scanner;
static struct dna_notifier *notifier;
static cdtime_t last_time;
static atomic_uint flushes_left;

static int dna_config(oconfig_item_t *block) {
  return dna_config_read(&config, block);
}

static cdtime_t scan_time(void) {
  cdtime_t now = cdtime();

  if (now <= last_time && last_time - now < MS_TO_CDTIME_T(TIME_HOLD_MS))
    now = last_time + MS_TO_CDTIME_T(TIME_STEP_MS);
  last_time = now;
  return now;
}

/* Add what the host itself has to say; what can't be found out is left out. */
static void dispatch(const struct dna_scan *executables) {
  static c_complain_t id_complaint = C_COMPLAIN_INIT_STATIC;
  static c_complain_t addresses_complaint = C_COMPLAIN_INIT_STATIC;
  struct scan_options options = scan_settings_options(&config.scan);
  struct dna_scan scan = *executables;
  struct host_address *addresses = NULL;
  struct wire_host host;
  int r;

  r = host_identify("/etc/machine-id", options.proc_root, &host);
  if (r == 0)
    scan.host = &host;
  else
    c_complain(LOG_WARNING, &id_complaint,
               "process_dna plugin: the host's id: %s", STRERROR(-r));
  r = host_addresses(&addresses, &scan.addresses_len);
  if (r == 0)
    scan.addresses = addresses;
  else
    c_complain(LOG_WARNING, &addresses_complaint,
               "process_dna plugin: the host's addresses: %s", STRERROR(-r));
  dna_dispatch(&scan);
  free(addresses);
}

static void complain_of_rights(const struct snapshot *snapshot) {
  static c_complain_t complaint = C_COMPLAIN_INIT_STATIC;

  if (snapshot->denied > 0)
    c_complain_once(
        LOG_WARNING, &complaint,
        "process_dna plugin: processes left out, since they may not be "
        "looked at: %zu; collectd needs CAP_SYS_PTRACE and "
        "CAP_DAC_READ_SEARCH, which root lacks in most containers",
        snapshot->denied);
  else
    c_release(LOG_INFO, &complaint,
              "process_dna plugin: all processes may be looked at");
}

static void complain_of_packages(const struct snapshot *snapshot) {
  static c_complain_t complaint = C_COMPLAIN_INIT_STATIC;

  if (snapshot->packages.manager != NULL)
    c_complain_once(
        LOG_WARNING, &complaint, "process_dna plugin: packages of %s: %s",
        snapshot->packages.manager, package_db_error(&snapshot->packages));
  else
    c_release(LOG_INFO, &complaint,
              "process_dna plugin: all packages can be told");
}

/* Always gives 0: collectd suspends a read callback that fails. */
static int dna_read(user_data_t *user_data) {
  static c_complain_t complaint = C_COMPLAIN_INIT_STATIC;
  struct dna_scan scan = {
      .time = scan_time(),
      .interval = TIME_T_TO_CDTIME_T(config.scan.scan_interval_s),
  };
  struct snapshot *snapshot;
  int r;

  (void)user_data;
  r = scanner_run(scanner, &snapshot);
  if (r < 0) {
    c_complain(LOG_ERR, &complaint, "process_dna plugin: scan: %s",
               STRERROR(-r));
    return 0;
  }
  c_release(LOG_INFO, &complaint, "process_dna plugin: scan: works again");
  scan.snapshot = snapshot;
  complain_of_rights(snapshot);
  complain_of_packages(snapshot);
  dispatch(&scan);
  atomic_store(&flushes_left, FLUSHES);
  if (dna_notifier_scan(notifier, &scan) < 0)
    ERROR("process_dna plugin: notifications: out of memory");
  snapshot_free(snapshot);
  return 0;
}

/* In a callback of its own, since a flush that follows a dispatch at once
 * leaves behind what is still in the write queue. */
static int dna_flush(user_data_t *user_data) {
  (void)user_data;
  if (atomic_load(&flushes_left) == 0)
    return 0;
  atomic_fetch_sub(&flushes_left, 1);
  /* Does nothing where the network plugin is not loaded. */
  plugin_flush("network", /* timeout = */ 0, /* identifier = */ NULL);
  return 0;
}

static int dna_shutdown(void) {
  scanner_free(scanner);
  scanner = NULL;
  dna_notifier_free(notifier);
  notifier = NULL;
  atomic_store(&flushes_left, 0);
  dna_config_clear(&config);
  return 0;
}

static int register_reads(void) {
  int status;

  status = plugin_register_complex_read(
      /* group = */ NULL, READ_NAME, dna_read,
      TIME_T_TO_CDTIME_T(config.scan.scan_interval_s), /* user_data = */ NULL);
  if (status != 0)
    return status;
  status = plugin_register_complex_read(
      /* group = */ NULL, FLUSH_NAME, dna_flush,
      MS_TO_CDTIME_T(FLUSH_INTERVAL_MS), /* user_data = */ NULL);
  if (status != 0)
    plugin_unregister_read(READ_NAME);
  return status;
}

/* The scanner's thread starts here: collectd forks before it calls init. */
static int dna_init(void) {
  struct scan_options options = scan_settings_options(&config.scan);
  char where[SCAN_WHERE_MAX];
  int r;

  if (config.bad) {
    ERROR("process_dna plugin: does not run with a refused configuration");
    return -1;
  }
  if (scanner != NULL)
    return 0;
  r = scanner_new(&options, &scanner);
  if (r < 0) {
    scan_settings_where(&options, where);
    ERROR("process_dna plugin: can't scan %s: %s", where, STRERROR(-r));
    return -1;
  }
  r = dna_notifier_new(config.notify, &notifier);
  if (r == 0)
    r = register_reads();
  if (r != 0) {
    ERROR("process_dna plugin: can't register its read callbacks");
    dna_notifier_free(notifier);
    notifier = NULL;
    scanner_free(scanner);
    scanner = NULL;
    return -1;
  }
  return 0;
}

__attribute__((visibility("default"))) void module_register(void) {
  dna_config_init(&config);
  last_time = 0;
  plugin_register_complex_config("process_dna", dna_config);
  plugin_register_init("process_dna", dna_init);
  plugin_register_shutdown("process_dna", dna_shutdown);
  /* Now, while collectd has one thread: the table has no lock. */
  if (dna_dispatch_register() != 0)
    ERROR("process_dna plugin: can't register its data sets");
}
