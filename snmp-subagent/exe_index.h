/* pdnaExeIndex: the number of an executable, which is given to no other one.
 *
 * Numbers are counted up from 1. One that is not seen for FORGET_SCANS scans,
 * or is the longest absent of too many, is forgotten: if it comes back it gets
 * a new number. After 4294967295 the count starts anew and leaves out the
 * numbers that are remembered, so that a number comes again only after four
 * billion others. */
#ifndef PDNA_AGENTX_EXE_INDEX_H
#define PDNA_AGENTX_EXE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "lib/record/executable.h"

enum {
  EXE_INDEX_FORGET_SCANS = 1440, /* a day of scans a minute */
  EXE_INDEX_ABSENT_MAX = 16384,  /* remembered though they are absent */
};

struct exe_index;

/* Returns 0 or -ENOMEM. */
int exe_index_new(struct exe_index **ret);

/* Go on as if `last` were the number given last; for tests. */
void exe_index_skip_to(struct exe_index *x, uint32_t last);

/* Number the executables of the next scan; two of them that are the same but
 * for what changes (processes, package ...) can't be. Returns 0 or -ENOMEM,
 * with nothing numbered and nothing lost. */
int exe_index_assign(struct exe_index *x, const struct executable *executables,
                     size_t len, uint32_t *ret_numbers);

void exe_index_free(struct exe_index *x);

#endif
