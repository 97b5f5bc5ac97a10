#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "lib/scan/dpkg.h"

enum {
  STATUS_MAX = 256 << 20, /* bytes */
  ENTRY_MAX = 4 << 20,    /* bytes of a journal entry */
  ENTRIES_MAX = 10000,    /* their names have four digits */
  VALUE_MAX = 1023,       /* bytes of a name, a version ... */
  TRIES = 3,              /* to read a file that changes meanwhile */
  PROGRESS_STANZAS = 512,
};

static const char status_path[] = "/var/lib/dpkg/status";
static const char updates_path[] = "/var/lib/dpkg/updates";

/* What is read of a stanza. */
enum { FIELD_PACKAGE, FIELD_STATUS, FIELD_VERSION, FIELD_ARCH, FIELDS };

static const char *const field_names[FIELDS] = {"Package", "Status", "Version",
                                                "Architecture"};

struct stanza {
  char values[FIELDS][VALUE_MAX + 1];
  bool any;
};

static const struct {
  const char *name;
  bool has_files, under_way;
} states[] = {
    {"half-installed", true, true},    {"unpacked", true, true},
    {"half-configured", true, true},   {"triggers-awaited", true, false},
    {"triggers-pending", true, false}, {"installed", true, false},
    {"config-files", false, false},    {"not-installed", false, false},
};

/* Take a line "Field: value". A value that can't be is none. */
static void stanza_line(struct stanza *s, const char *line, size_t len) {
  const char *colon = memchr(line, ':', len);

  s->any = true;
  if (colon == NULL)
    return;
  for (size_t i = 0; i < FIELDS; i++) {
    size_t name_len = strlen(field_names[i]);
    const char *value = colon + 1;
    const char *end = line + len;

    if ((size_t)(colon - line) != name_len ||
        strncasecmp(line, field_names[i], name_len) != 0)
      continue;
    while (value < end && (*value == ' ' || *value == '\t'))
      value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
      end--;
    if ((size_t)(end - value) > VALUE_MAX ||
        memchr(value, '\0', (size_t)(end - value)) != NULL)
      end = value;
    memcpy(s->values[i], value, (size_t)(end - value));
    s->values[i][end - value] = '\0';
  }
}

/* "want flag state". false: it is none. */
static bool parse_status(char *status, struct dpkg_facts *facts,
                         bool *replacing) {
  char *rest = NULL;
  const char *want = strtok_r(status, " \t", &rest);
  const char *flag = want != NULL ? strtok_r(NULL, " \t", &rest) : NULL;
  const char *state = flag != NULL ? strtok_r(NULL, " \t", &rest) : NULL;

  for (size_t i = 0; state != NULL && i < sizeof(states) / sizeof(states[0]);
       i++) {
    if (strcmp(state, states[i].name) != 0)
      continue;
    facts->has_files = states[i].has_files;
    facts->under_way = states[i].under_way || strcmp(flag, "reinstreq") == 0;
    *replacing |= i == 0;
    return true;
  }
  return false;
}

/* What the stanza says is true of the package number `i` now. */
static int facts_set(struct dpkg_reader *r, size_t i, const struct stanza *s,
                     const struct dpkg_facts *parsed) {
  struct dpkg_facts *facts = &r->facts[i];
  struct dpkg_facts new = *parsed;

  new.version = strdup(s->values[FIELD_VERSION]);
  new.arch = strdup(s->values[FIELD_ARCH]);
  if (new.version == NULL || new.arch == NULL) {
    free(new.version);
    free(new.arch);
    return -ENOMEM;
  }
  free(facts->version);
  free(facts->arch);
  *facts = new;
  return 0;
}

/* A package of one name may be known for several architectures, of which one
 * has the list without an architecture. */
static bool speaks_of(const struct dpkg_facts *facts, const struct stanza *s,
                      bool has_files) {
  return !facts->has_files || has_files ||
         strcmp(facts->arch, s->values[FIELD_ARCH]) == 0 ||
         s->values[FIELD_ARCH][0] == '\0';
}

/* Take what the stanza says of the packages that were found. */
static int stanza_take(struct dpkg_reader *r, struct stanza *s,
                       bool *replacing) {
  const char *name = s->values[FIELD_PACKAGE];
  struct dpkg_facts parsed = {.has_files = false};
  char qualified[2 * VALUE_MAX + 2];
  size_t i;
  int len;
  int ret = 0;

  if (name[0] == '\0' ||
      !parse_status(s->values[FIELD_STATUS], &parsed, replacing))
    return 0;
  if (texts_find(&r->packages, name, strlen(name), &i) &&
      speaks_of(&r->facts[i], s, parsed.has_files))
    ret = facts_set(r, i, s, &parsed);
  len = snprintf(qualified, sizeof(qualified), "%s:%s", name,
                 s->values[FIELD_ARCH]);
  if (ret == 0 && len > 0 &&
      texts_find(&r->packages, qualified, (size_t)len, &i))
    ret = facts_set(r, i, s, &parsed);
  return ret;
}

static int stanza_end(struct dpkg_reader *r, struct stanza *s,
                      bool *replacing) {
  int ret = s->any ? stanza_take(r, s, replacing) : 0;

  for (size_t i = 0; i < FIELDS; i++)
    s->values[i][0] = '\0';
  s->any = false;
  return ret;
}

static bool is_blank(const char *line, size_t len) {
  while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\t'))
    len--;
  return len == 0;
}

int dpkg_status_parse(struct dpkg_reader *r, int fd, bool *ret_replacing) {
  struct stanza s = {.any = false};
  bool replacing = false;
  size_t stanzas = 0;
  struct lines l;
  char *line;
  size_t len;
  bool cut;
  int ret = lines_begin(&l, fd, r->buf, STATUS_MAX);
  int end;

  if (ret < 0)
    return ret;
  while ((ret = lines_next(&l, &line, &len, &cut)) > 0) {
    if (cut)
      continue;
    if (is_blank(line, len)) {
      ret = stanza_end(r, &s, &replacing);
      if (ret == 0 && ++stanzas % PROGRESS_STANZAS == 0)
        ret = dpkg_progress(r);
    } else if (line[0] != ' ' && line[0] != '\t') {
      stanza_line(&s, line, len);
    }
    if (ret < 0)
      break;
  }
  if (ret == 0)
    ret = stanza_end(r, &s, &replacing);
  end = lines_end(&l);
  *ret_replacing = replacing;
  return ret < 0 ? ret : end;
}

static int entry_filter(const struct dirent *entry) {
  size_t len = strspn(entry->d_name, "0123456789");

  return len == 4 && entry->d_name[len] == '\0';
}

/* Lay one entry of the journal over what is known. */
static int entry_read(struct dpkg_reader *r, const char *name) {
  char path[sizeof(updates_path) + 1 + NAME_MAX];
  struct file_stat found;
  bool replacing;
  int fd;
  int ret;

  (void)snprintf(path, sizeof(path), "%s/%s", updates_path, name);
  fd = package_db_open_file(r->query->root_fd, path);
  if (fd < 0)
    return dpkg_is_garbage(fd) ? 0 : fd;
  ret = file_stat_at(fd, "", FILE_STAT_KNOWN, &found);
  if (ret < 0 || found.id.size > ENTRY_MAX) {
    close(fd);
    return ret;
  }
  ret = dpkg_status_parse(r, fd, &replacing);
  if (ret == 0 && replacing &&
      (r->changing_s == PACKAGE_DB_SETTLED ||
       found.facts.mtime_s < r->changing_s))
    r->changing_s = found.facts.mtime_s;
  return dpkg_is_garbage(ret) ? 0 : ret;
}

static int journal_read(struct dpkg_reader *r) {
  int fd = package_db_open_folder(r->query->root_fd, updates_path);
  struct dirent **entries = NULL;
  int ret = 0;
  int len;

  if (fd < 0)
    return dpkg_is_garbage(fd) ? 0 : fd;
  /* cppcheck-suppress scandirCalled ; sorted by name, four digits each */
  len = scandirat(fd, ".", &entries, entry_filter, alphasort);
  if (len < 0)
    ret = -errno;
  close(fd);
  for (int i = 0; i < len; i++) {
    if (ret == 0 && i < ENTRIES_MAX)
      ret = entry_read(r, entries[i]->d_name);
    free(entries[i]);
  }
  free(entries);
  return ret;
}

int dpkg_status_read(struct dpkg_reader *r) {
  bool replacing;
  int ret = -EAGAIN;

  r->changing_s = PACKAGE_DB_SETTLED;
  r->facts = calloc(r->packages.len + 1, sizeof(*r->facts));
  if (r->facts == NULL)
    return -ENOMEM;
  for (int i = 0; i < TRIES && ret == -EAGAIN; i++) {
    int fd = package_db_open_file(r->query->root_fd, status_path);

    ret = fd < 0 ? fd : dpkg_status_parse(r, fd, &replacing);
  }
  return ret < 0 ? ret : journal_read(r);
}

void dpkg_facts_clear(struct dpkg_reader *r) {
  for (size_t i = 0; r->facts != NULL && i < r->packages.len; i++) {
    free(r->facts[i].version);
    free(r->facts[i].arch);
  }
  free(r->facts);
}
