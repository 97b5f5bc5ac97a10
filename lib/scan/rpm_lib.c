#include "lib/scan/rpm_lib.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>

/* The Makefile gives the name without quotes. */
#define TEXT(text) #text
#define TEXT_OF(macro) TEXT(macro)

static struct rpm_lib lib;
static unsigned errors;

/* Each message of librpm ends here. */
static int count_message(rpmlogRec rec, rpmlogCallbackData data) {
  (void)data;
  (void)rec;
  errors++;
  return 0;
}

unsigned rpm_lib_errors(void) { return errors; }

static bool find_functions(void *handle, struct rpm_lib *ret) {
#define FIND(name)                                                             \
  if ((ret->name = (__typeof__(ret->name))dlsym(handle, #name)) == NULL)       \
    return false;
  RPM_LIB_FUNCTIONS(FIND)
#undef FIND
  return true;
}

int rpm_lib_load(const struct rpm_lib **ret) {
  static bool loaded;
  void (*set_interrupt_safety)(int on);
  void *handle;

  if (loaded) {
    *ret = &lib;
    return 0;
  }
  /* It stays: its threads' data and the caches of libraries below it make
   * unloading a risk, and there is nothing to gain. */
  if ((handle = dlopen(TEXT_OF(PDNA_RPM_SONAME),
                       RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) == NULL)
    return -ELIBACC;
  if (!find_functions(handle, &lib)) {
    dlclose(handle);
    return -ELIBACC;
  }
  /* Without this an open database takes SIGINT, SIGTERM, SIGHUP, SIGQUIT and
   * SIGPIPE from the program. Not there: a version that never does. */
  set_interrupt_safety =
      (void (*)(int))dlsym(handle, "rpmsqSetInterruptSafety");
  if (set_interrupt_safety != NULL)
    set_interrupt_safety(0);
  lib.rpmlogSetCallback(count_message, NULL);
  lib.rpmlogSetMask(RPMLOG_UPTO(RPMLOG_WARNING));
  loaded = true;
  *ret = &lib;
  return 0;
}
