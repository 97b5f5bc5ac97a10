#include "correlator/manifest_fetcher.h"

#include <stddef.h>
#include <string.h>

#include "correlator/manifest_apt.h"
#include "correlator/manifest_dnf.h"

static const struct fetcher *const fetchers[] = {
    &manifest_apt,
    &manifest_dnf,
};

const struct fetcher *manifest_fetcher_find(const char *manager) {
  for (size_t i = 0; i < sizeof(fetchers) / sizeof(fetchers[0]); i++)
    if (strcmp(fetchers[i]->manager, manager) == 0)
      return fetchers[i];
  return NULL;
}

const char *manifest_fetcher_names(void) { return "dpkg, rpm"; }
