/* librpm, loaded when a host has an rpm database: most Debian hosts have no
 * librpm, and the programs have to start there too. Only in builds that found
 * librpm's headers; its functions are declared there (rpm/rpmts.h and so on).
 *
 * The library is kept from disturbing the program that loads it: no signal
 * handlers, nothing on stderr or stdout, none of the configuration that
 * rpmReadConfigFiles reads (on Debian its macros run a shell). */
#ifndef PDNA_RPM_LIB_H
#define PDNA_RPM_LIB_H

#include <rpm/header.h>
#include <rpm/rpmdb.h>
#include <rpm/rpmlog.h>
#include <rpm/rpmmacro.h>
#include <rpm/rpmts.h>

#define RPM_LIB_FUNCTIONS(F)                                                   \
  F(headerGetAsString)                                                         \
  F(rpmPopMacro)                                                               \
  F(rpmPushMacro)                                                              \
  F(rpmdbFreeIterator)                                                         \
  F(rpmdbNextIterator)                                                         \
  F(rpmlogClose)                                                               \
  F(rpmlogSetCallback)                                                         \
  F(rpmlogSetMask)                                                             \
  F(rpmtsCreate)                                                               \
  F(rpmtsFree)                                                                 \
  F(rpmtsInitIterator)                                                         \
  F(rpmtsOpenDB)                                                               \
  F(rpmtsSetVSFlags)

struct rpm_lib {
/* NOLINTNEXTLINE(bugprone-macro-parentheses): it declares one. */
#define RPM_LIB_MEMBER(name) __typeof__(name) *name;
  RPM_LIB_FUNCTIONS(RPM_LIB_MEMBER)
#undef RPM_LIB_MEMBER
};

/* Load it, once for the life of the program. Called by one thread at a time.
 * Returns 0, or -ELIBACC: not there, or without one of these functions. */
int rpm_lib_load(const struct rpm_lib **ret);

/* How often librpm has warned or told of an error since it was loaded: some of
 * its functions say "no" where they could not tell. */
unsigned rpm_lib_errors(void);

#endif
