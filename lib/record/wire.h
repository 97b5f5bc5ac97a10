/* What travels over collectd: data sets, identifiers and values, both ways.
 * The identifiers are those of types.db(5) and collectd's network protocol;
 * the plugin part is always "process_dna". */
#ifndef PDNA_WIRE_H
#define PDNA_WIRE_H

#include "lib/record/executable.h"
#include "lib/record/pathname.h"

#define WIRE_PLUGIN "process_dna"

enum {
  WIRE_NAME_MAX = 127, /* collectd's DATA_MAX_NAME_LEN less the NUL */
  WIRE_VALUES_MAX = 9,
  WIRE_HOST_ID_LEN = 12, /* hex digits */
  WIRE_ADDRESS_MAX = 45, /* INET6_ADDRSTRLEN less the NUL */
};

/* The order is that of wire_data_sets. */
enum wire_type {
  WIRE_EXECUTABLE, /* process_dna */
  WIRE_FILE,       /* process_dna_file */
  WIRE_PACKAGE,    /* process_dna_package */
  WIRE_ADDRESS,    /* process_dna_address */
  WIRE_HOST,       /* process_dna_host */
  WIRE_SCAN,       /* process_dna_scan: the marker that ends a scan */
  WIRE_TYPES
};

/* A data set; every source is a GAUGE from 0 up. */
struct wire_data_set {
  const char *type;
  size_t sources_len;
  const char *sources[WIRE_VALUES_MAX];
};
extern const struct wire_data_set wire_data_sets[WIRE_TYPES];

/* A value list without host and time, which are the carrier's. */
struct wire_list {
  enum wire_type type;
  char plugin_instance[WIRE_NAME_MAX + 1];
  char type_instance[WIRE_NAME_MAX + 1];
  double values[WIRE_VALUES_MAX]; /* wire_data_sets[type].sources_len */
};

/* The marker: one scan in figures. */
struct wire_scan {
  uint64_t sequence;     /* counts up from 1 since the agent's start */
  uint64_t series;       /* value lists of the scan, this one included */
  uint64_t processes;    /* looked at */
  uint64_t executables;  /* rows published */
  uint64_t unhashed;     /* rows without a digest */
  uint64_t bytes_hashed; /* in this scan */
  uint64_t cache_hits;   /* in this scan */
  double duration_s;
  double cpu_s;
};

struct wire_host {
  char id[WIRE_HOST_ID_LEN + 1]; /* hex of SHA-256("process-dna" machine-id) */
  int64_t boot_s;                /* seconds since the epoch */
};

/* A decoded value list. Which member is valid follows from type; path,
 * container and digest of WIRE_FILE, and path, container and package of
 * WIRE_PACKAGE are in `executable`, whose path points to `identity`. */
struct wire_item {
  enum wire_type type;
  char identity[PATHNAME_MAX + 1];
  struct executable executable;
  char address[WIRE_ADDRESS_MAX + 1];
  struct wire_host host;
  struct wire_scan scan;
};

/* Host side. Each returns 0 or -EINVAL (a field that can't be carried); times
 * of files are carried as the nearest one from 1970 to 9999. */
int wire_from_executable(const struct executable *e, struct wire_list *ret);
int wire_from_file(const struct executable *e, struct wire_list *ret);
int wire_from_package(const struct executable *e, struct wire_list *ret);
int wire_from_address(const char *address, struct wire_list *ret);
int wire_from_host(const struct wire_host *host, struct wire_list *ret);
int wire_from_scan(const struct wire_scan *scan, struct wire_list *ret);

/* Central side: find a data set by its name. Returns 0 or -ENOENT. */
int wire_type_from_name(const char *name, enum wire_type *ret_type);

/* Decode and check a value list of `values_len` values. Nothing in *ret is
 * owned by the caller. Returns 0 or -EINVAL. */
int wire_decode(const struct wire_list *list, size_t values_len,
                struct wire_item *ret);

#endif
