/* Many files into the database, with what is said of each: on standard output,
 * a bar on standard error if that is a terminal, and there what is broken. */
#ifndef PDNA_MANIFEST_JOB_H
#define PDNA_MANIFEST_JOB_H

#include "correlator/manifest_import.h"
#include "correlator/manifest_progress.h"
#include "correlator/manifest_walk.h"

struct manifest_job {
  struct manifest_import import; /* but for progress and its arg */
  bool releases;                 /* take them below folders too */
  bool dry_run, quiet;

  /* Used by manifest_job_run only. */
  struct manifest_files files;
  struct manifest_progress progress;
  bool lines;     /* one for each file */
  uint64_t begun; /* bytes done before the present file */
  uint64_t seen;  /* of the present file, both readings */
  uint64_t size;  /* of the present file */
  uint64_t imported, known, executables, broken, left_out;
};

/* Take the paths, "-" for standard input, until SIGINT or SIGTERM comes. Gives
 * an exit status (commands.h): EXIT_NO if anything was broken or it was
 * interrupted. */
int manifest_job_run(struct manifest_job *job, int paths_len, char **paths);

#endif
