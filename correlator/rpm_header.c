#include "correlator/rpm_header.h"

#include <rpm/rpmtag.h>
#include <rpm/rpmtd.h>
#include <stddef.h>
#include <stdint.h>

/* One value for each file. */
static const rpmTagVal file_tags[] = {
    RPMTAG_DIRINDEXES,          RPMTAG_FILESIZES,     RPMTAG_LONGFILESIZES,
    RPMTAG_FILEMODES,           RPMTAG_FILERDEVS,     RPMTAG_FILEMTIMES,
    RPMTAG_FILEDIGESTS,         RPMTAG_FILELINKTOS,   RPMTAG_FILEFLAGS,
    RPMTAG_FILEUSERNAME,        RPMTAG_FILEGROUPNAME, RPMTAG_FILEVERIFYFLAGS,
    RPMTAG_FILEDEVICES,         RPMTAG_FILEINODES,    RPMTAG_FILELANGS,
    RPMTAG_FILECOLORS,          RPMTAG_FILECLASS,     RPMTAG_FILEDEPENDSX,
    RPMTAG_FILEDEPENDSN,        RPMTAG_FILECAPS,      RPMTAG_FILESIGNATURES,
    RPMTAG_FILESIGNATURELENGTH, RPMTAG_FILESTATES,
};

/* What they lead into. */
static const rpmTagVal tables[] = {
    RPMTAG_BASENAMES,
    RPMTAG_DIRNAMES,
    RPMTAG_CLASSDICT,
    RPMTAG_DEPENDSDICT,
};

enum {
  FILE_TAGS = sizeof(file_tags) / sizeof(file_tags[0]),
  TABLES = sizeof(tables) / sizeof(tables[0]),
};

/* Only a database or an installation adds these, or older versions of rpm. */
static const rpmTagVal strange_tags[] = {
    RPMTAG_OLDFILENAMES,
    RPMTAG_ORIGBASENAMES,
    RPMTAG_ORIGDIRINDEXES,
    RPMTAG_ORIGDIRNAMES,
};

static bool is_text(rpmTagType type) {
  return type == RPM_STRING_TYPE || type == RPM_STRING_ARRAY_TYPE ||
         type == RPM_I18NSTRING_TYPE;
}

static bool is_in(rpmTagVal tag, const rpmTagVal *tags, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (tags[i] == tag)
      return true;
  return false;
}

/* rpm itself writes a single text where there could be several. */
static bool is_own_type(rpmtd td) {
  rpmTagVal tag = rpmtdTag(td);
  rpmTagType expected = rpmTagGetTagType(tag);
  rpmTagType found = rpmtdType(td);

  if (expected == RPM_NULL_TYPE || found == expected)
    return true;
  return is_text(expected) && is_text(found) &&
         !is_in(tag, file_tags, FILE_TAGS) && !is_in(tag, tables, TABLES);
}

static bool is_single(rpmtd td) {
  return rpmTagGetReturnType(rpmtdTag(td)) != RPM_SCALAR_RETURN_TYPE ||
         rpmtdType(td) == RPM_BIN_TYPE || is_text(rpmtdType(td)) ||
         rpmtdCount(td) == 1;
}

static bool types_are_sane(Header h) {
  HeaderIterator iterator = headerInitIterator(h);
  rpmtd td = rpmtdNew();
  bool sane = true;

  while (sane && headerNext(iterator, td)) {
    sane = is_own_type(td) && is_single(td);
    rpmtdFreeData(td);
  }
  rpmtdFree(td);
  headerFreeIterator(iterator);
  return sane;
}

static uint32_t count_of(Header h, rpmTagVal tag) {
  struct rpmtd_s td;
  uint32_t count = 0;

  if (headerGet(h, tag, &td, HEADERGET_MINMEM | HEADERGET_RAW))
    count = rpmtdCount(&td);
  rpmtdFreeData(&td);
  return count;
}

/* Every value of `tag` is below the count of `table`. */
static bool leads_into(Header h, rpmTagVal tag, rpmTagVal table) {
  uint32_t bound = count_of(h, table);
  struct rpmtd_s td;
  bool sane = true;

  if (headerGet(h, tag, &td, HEADERGET_MINMEM | HEADERGET_RAW))
    while (sane && rpmtdNext(&td) >= 0)
      sane = rpmtdGetNumber(&td) < bound;
  rpmtdFreeData(&td);
  return sane;
}

bool rpm_header_is_sane(Header h) {
  uint32_t files;

  for (size_t i = 0; i < sizeof(strange_tags) / sizeof(strange_tags[0]); i++)
    if (headerIsEntry(h, strange_tags[i]))
      return false;
  if (!types_are_sane(h))
    return false;
  files = count_of(h, RPMTAG_BASENAMES);
  for (size_t i = 0; i < FILE_TAGS; i++)
    if (headerIsEntry(h, file_tags[i]) && count_of(h, file_tags[i]) != files)
      return false;
  return (files == 0 || headerIsEntry(h, RPMTAG_DIRINDEXES)) &&
         leads_into(h, RPMTAG_DIRINDEXES, RPMTAG_DIRNAMES) &&
         leads_into(h, RPMTAG_FILECLASS, RPMTAG_CLASSDICT);
}
