/* What a row of a table costs, asked for as a poller does: GETBULK with one
 * varbind for each column, on from the last index, until the table ends.
 *
 *   bench_agentx ADDRESS ROWS TABLE-ENTRY-OID FIRST-COLUMN LAST-COLUMN
 *
 * ROWS is how many rows a request asks for. Prints the median of the runs:
 * lines of `name value unit`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

enum { RUNS = 5, COLUMNS_MAX = 32 };

struct table {
  oid entry[MAX_OID_LEN];
  size_t entry_len;
  oid first, last; /* columns */
  long rows;       /* a request */
};

static double now_us(void) {
  struct timespec t;

  (void)clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int fail(const char *what) {
  (void)fprintf(stderr, "bench_agentx: %s\n", what);
  return 1;
}

/* The names to ask from next: the last of each column. Returns how many rows
 * came, 0 at the end of the table, or -1. */
static long take_rows(const struct table *t, const netsnmp_pdu *answer,
                      oid names[COLUMNS_MAX][MAX_OID_LEN],
                      size_t lens[COLUMNS_MAX]) {
  size_t columns = t->last - t->first + 1, i = 0;
  long rows = 0;

  for (const netsnmp_variable_list *v = answer->variables; v != NULL;
       v = v->next_variable, i++) {
    size_t column = i % columns;

    if (v->name_length <= t->entry_len ||
        snmp_oid_compare(v->name, t->entry_len, t->entry, t->entry_len) != 0 ||
        v->name[t->entry_len] != t->first + column)
      return rows;
    memcpy(names[column], v->name, v->name_length * sizeof(oid));
    lens[column] = v->name_length;
    rows += column == columns - 1;
  }
  return rows;
}

/* Returns the rows of the table, or -1. */
static long walk(netsnmp_session *session, const struct table *t) {
  static oid names[COLUMNS_MAX][MAX_OID_LEN];
  size_t columns = t->last - t->first + 1, lens[COLUMNS_MAX];
  long rows = 0, got;

  for (size_t c = 0; c < columns; c++) {
    memcpy(names[c], t->entry, t->entry_len * sizeof(oid));
    names[c][t->entry_len] = t->first + c;
    lens[c] = t->entry_len + 1;
  }
  do {
    netsnmp_pdu *pdu = snmp_pdu_create(SNMP_MSG_GETBULK), *answer = NULL;

    pdu->non_repeaters = 0;
    pdu->max_repetitions = t->rows;
    for (size_t c = 0; c < columns; c++)
      snmp_add_null_var(pdu, names[c], lens[c]);
    if (snmp_synch_response(session, pdu, &answer) != STAT_SUCCESS ||
        answer->errstat != SNMP_ERR_NOERROR) {
      snmp_free_pdu(answer);
      return -1;
    }
    got = take_rows(t, answer, names, lens);
    rows += got;
    snmp_free_pdu(answer);
  } while (got > 0);
  return rows;
}

static int compare(const void *a, const void *b) {
  const double *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

static int run(netsnmp_session *session, const struct table *t) {
  double us[RUNS];
  long rows = 0;

  for (int i = 0; i < RUNS; i++) {
    double start = now_us();

    rows = walk(session, t);
    if (rows <= 0)
      return fail("the walk failed");
    us[i] = (now_us() - start) / (double)rows;
  }
  qsort(us, RUNS, sizeof(us[0]), compare);
  printf("rows %ld rows\nrow_us %.3f us\n", rows, us[RUNS / 2]);
  return 0;
}

int main(int argc, char **argv) {
  struct table t = {.entry_len = MAX_OID_LEN};
  netsnmp_session session, *open;
  int status;

  if (argc != 6)
    return fail("expected ADDRESS ROWS OID FIRST LAST");
  (void)setenv("MIBS", "", 1);
  init_snmp("bench_agentx");
  t.rows = strtol(argv[2], NULL, 10);
  t.first = strtoul(argv[4], NULL, 10);
  t.last = strtoul(argv[5], NULL, 10);
  if (read_objid(argv[3], t.entry, &t.entry_len) == 0 ||
      t.last - t.first >= COLUMNS_MAX)
    return fail("bad table");
  snmp_sess_init(&session);
  session.version = SNMP_VERSION_2c;
  session.peername = argv[1];
  session.community = (u_char *)(char[]){"public"};
  session.community_len = strlen("public");
  open = snmp_open(&session);
  if (open == NULL)
    return fail("can't open the session");
  status = run(open, &t);
  (void)snmp_close(open);
  return status;
}
