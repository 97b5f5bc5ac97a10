#include "snmp-subagent/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include "lib/record/version.h"
#include "lib/scan/settings.h"

enum {
  LONG_SCAN = 256,
  LONG_DIRECTIVE, /* and those after it, one for each directive */
  FIXED = 3,      /* long options that are no directives */
  LONGS = FIXED + SCAN_SETTINGS_LEN + 1, /* with the end */
};

static void usage(FILE *to) {
  (void)fprintf(
      to,
      "usage: process-dna-agentx [OPTION...] [--DIRECTIVE=VALUE...]\n"
      "Answers PROCESS-DNA-MIB as a subagent of snmpd.\n"
      "  -x ADDRESS     snmpd's AgentX socket (default: " NETSNMP_AGENTX_SOCKET
      ")\n"
      "  -f             stay in the foreground\n"
      "  -L LOGOPTS     where to log, as with snmpd: -Le standard error,\n"
      "                 -Lf FILE, -Ls FACILITY syslog (see snmpcmd(1));\n"
      "                 default: standard error with -f, else syslog\n"
      "  -c FILE[,...]  read these configuration files too\n"
      "  -C             read none but those of -c\n"
      "  -D[TOKEN,...]  debugging messages of the library\n"
      "  --scan         scan once, print a line of JSON for each process, and\n"
      "                 exit; needs no snmpd\n"
      "  -v, --version  version\n"
      "  -h, --help     this\n"
      "Directives of process-dna-agentx.conf, which --DIRECTIVE=VALUE "
      "overrides:\n");
  for (size_t i = 0; i < SCAN_SETTINGS_LEN; i++)
    (void)fprintf(to, "  %-14s %s\n", scan_settings_table[i].directive,
                  scan_settings_table[i].expected);
}

static void fill_longs(struct option longs[static LONGS]) {
  static const struct option fixed[FIXED] = {
      {"scan", no_argument, NULL, LONG_SCAN},
      {"version", no_argument, NULL, 'v'},
      {"help", no_argument, NULL, 'h'},
  };

  memset(longs, 0, LONGS * sizeof(*longs));
  memcpy(longs, fixed, sizeof(fixed));
  for (int i = 0; i < SCAN_SETTINGS_LEN; i++)
    longs[FIXED + i] =
        (struct option){scan_settings_table[i].directive, required_argument,
                        NULL, LONG_DIRECTIVE + i};
}

static int add_override(struct options *options, const char *directive,
                        const char *text) {
  struct override *overrides = reallocarray(
      options->overrides, options->overrides_len + 1, sizeof(*overrides));

  if (overrides == NULL) {
    (void)fputs("process-dna-agentx: out of memory\n", stderr);
    return EXIT_NO;
  }
  options->overrides = overrides;
  overrides[options->overrides_len++] = (struct override){directive, text};
  return -1;
}

static int handle_log(struct options *options, int argc, char **argv) {
  options->logs = true;
  if (snmp_log_options(optarg, argc, argv) < 0) {
    usage(stderr);
    return EXIT_USAGE;
  }
  return -1;
}

/* Why a file can't be read, or 0. */
static int read_error(const char *name) {
  struct stat st;

  if (access(name, R_OK) < 0 || stat(name, &st) < 0)
    return errno;
  return S_ISDIR(st.st_mode) ? EISDIR : 0;
}

/* The library goes on without a file that it can't read. */
static int handle_files(const char *files) {
  const char *file = files;

  while (*file != '\0') {
    size_t len = strcspn(file, ",");
    char *name = strndup(file, len);
    int error = name == NULL ? ENOMEM : read_error(name);

    if (error != 0) {
      (void)fprintf(stderr, "process-dna-agentx: -c %.*s: %s\n", (int)len, file,
                    strerrordesc_np(error));
      free(name);
      return EXIT_USAGE;
    }
    free(name);
    file += len + (file[len] == ',');
  }
  (void)netsnmp_ds_set_string(NETSNMP_DS_LIBRARY_ID,
                              NETSNMP_DS_LIB_OPTIONALCONFIG, files);
  return -1;
}

/* Returns -1 to go on, or an exit status. */
static int handle(struct options *options, int option, int argc, char **argv) {
  switch (option) {
  case 'x':
    options->socket = optarg;
    return -1;
  case 'f':
    options->foreground = true;
    return -1;
  case LONG_SCAN:
    options->scan = true;
    return -1;
  case 'L':
    return handle_log(options, argc, argv);
  case 'c':
    return handle_files(optarg);
  case 'C':
    (void)netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID,
                                 NETSNMP_DS_LIB_DONT_READ_CONFIGS, 1);
    return -1;
  case 'D':
    debug_register_tokens(optarg != NULL ? optarg : "ALL");
    snmp_set_do_debugging(1);
    return -1;
  case 'v':
    (void)puts("process-dna-agentx " PDNA_VERSION);
    return EXIT_DONE;
  case 'h':
    usage(stdout);
    return EXIT_DONE;
  default:
    if (option >= LONG_DIRECTIVE)
      return add_override(
          options, scan_settings_table[option - LONG_DIRECTIVE].directive,
          optarg);
    usage(stderr);
    return EXIT_USAGE;
  }
}

int options_parse(int argc, char **argv, struct options *ret) {
  struct option longs[LONGS];
  struct options options = {0};
  int option, status = -1;

  fill_longs(longs);
  /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet. */
  while (status < 0 &&
         (option = getopt_long(argc, argv, "x:fL:c:CD::vh", longs, NULL)) != -1)
    status = handle(&options, option, argc, argv);
  if (status < 0 && optind < argc) {
    (void)fprintf(stderr, "process-dna-agentx: %s: expected an option\n",
                  argv[optind]);
    usage(stderr);
    status = EXIT_USAGE;
  }
  if (status >= 0) {
    options_clear(&options);
    return status;
  }
  *ret = options;
  return -1;
}

void options_clear(struct options *options) {
  free(options->overrides);
  *options = (struct options){0};
}
