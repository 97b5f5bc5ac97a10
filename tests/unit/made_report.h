/* Reports made up for tests of the correlator. */
#ifndef PDNA_MADE_REPORT_H
#define PDNA_MADE_REPORT_H

#include <stdlib.h>
#include <string.h>

#include "correlator/report.h"

/* A complete report of `host` with one address and a few executables. */
static inline struct report *made_report(const char *host,
                                         int64_t observed_us) {
  static const char *const paths[] = {"/usr/sbin/a", "/usr/sbin/b",
                                      "/usr/sbin/c"};
  enum { LEN = sizeof(paths) / sizeof(paths[0]) };
  struct report *r = report_new();

  if (r == NULL)
    abort();
  (void)set_text(r->host, host);
  (void)set_text(r->signer, "user");
  (void)set_text(r->identity.id, "0123456789ab");
  r->identity.boot_s = 1700000000;
  r->source = "collectd";
  r->observed_us = observed_us;
  r->arrived_us = observed_us + 1;
  r->complete = true;
  r->figures.sequence = 7;
  r->interval_s = 60;
  r->addresses = calloc(1, sizeof(*r->addresses));
  r->executables = calloc(LEN, sizeof(*r->executables));
  if (r->addresses == NULL || r->executables == NULL)
    abort();
  r->addresses_len = 1;
  (void)set_text(r->addresses[0], "192.0.2.1");
  for (; r->executables_len < LEN; r->executables_len++) {
    struct executable *e = &r->executables[r->executables_len];
    e->path = strdup(paths[r->executables_len]);
    e->state = EXE_CURRENT;
    memset(&e->sha256, (int)r->executables_len + 1, sizeof(e->sha256));
    e->processes = 2;
    e->rss_bytes = 4096;
    e->pid = 100;
    e->uid = 33;
    (void)set_text(e->name, "made");
    e->started_s = 1700000100;
  }
  r->executables[1].has_file = true;
  r->executables[1].file = (struct file_facts){.size = 1,
                                               .mode = 0100755,
                                               .uid = 2,
                                               .gid = 3,
                                               .mtime_s = 4,
                                               .ctime_s = 5};
  (void)set_text(r->executables[2].container, "3f2a9c1b7d04");
  (void)set_text(r->executables[2].package.manager, "dpkg");
  (void)set_text(r->executables[2].package.name, "made");
  (void)set_text(r->executables[2].package.version, "1:2-3");
  (void)set_text(r->executables[2].package.arch, "amd64");
  r->executables[2].package.in_transaction = true;
  return r;
}

#endif
