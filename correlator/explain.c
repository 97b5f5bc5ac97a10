#include "correlator/explain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/db.h"
#include "correlator/explain_page.h"
#include "correlator/table.h"
#include "correlator/text.h"

enum { ITEM_INDENT = 12, STEP_INDENT = 3, COMMAND_INDENT = 5 };

/* The facts seen as an array of texts. */
enum { FACTS_LEN = sizeof(struct explain_facts) / sizeof(const char *) };
union facts_array {
  struct explain_facts facts;
  const char *texts[FACTS_LEN];
};

#define EXPLAIN_NAME(name) #name,
static const char *const fact_names[FACTS_LEN] = {EXPLAIN_FACTS(EXPLAIN_NAME)};

void explain_facts_of(const PGresult *result, int row,
                      struct explain_facts *ret_facts) {
  union facts_array all = {0};

  for (size_t i = 0; i < FACTS_LEN; i++) {
    const char *text = db_text(result, row, fact_names[i]);

    if (*text != '\0')
      all.texts[i] = text;
  }
  *ret_facts = all.facts;
}

bool explain_is(const char *fact, const char *value) {
  return fact != NULL && strcmp(fact, value) == 0;
}

long long explain_count(const char *fact) {
  char *end;
  long long n;

  if (fact == NULL || *fact == '\0')
    return -1;
  n = strtoll(fact, &end, 10);
  return *end == '\0' && n >= 0 ? n : -1;
}

bool explain_about_movement(const struct explain_facts *facts) {
  return explain_is(facts->kind, "lateral-movement");
}

bool explain_about_executable(const struct explain_facts *facts) {
  return facts->path != NULL && *facts->path != '\0';
}

const char *explain_meaning(const struct explain_word *words, size_t len,
                            const char *word) {
  for (size_t i = 0; i < len; i++)
    if (explain_is(word, words[i].word))
      return words[i].meaning;
  return word;
}

/* Wrapped, after `head`. */
__attribute__((format(printf, 4, 0))) static void
put(struct explain_page *page, const char *head, unsigned indent,
    const char *format, va_list ap) {
  char *text;

  if (vasprintf(&text, format, ap) < 0) {
    page->failed = true;
    return;
  }
  text_wrap(page->out, head, text, indent);
  free(text);
}

void explain_para(struct explain_page *page, const char *format, ...) {
  va_list ap;

  va_start(ap, format);
  put(page, "", 0, format, ap);
  va_end(ap);
  fputc('\n', page->out);
}

void explain_item(struct explain_page *page, const char *label,
                  const char *format, ...) {
  char head[ITEM_INDENT + 1];
  va_list ap;

  (void)snprintf(head, sizeof(head), "  %s", label);
  va_start(ap, format);
  put(page, head, ITEM_INDENT, format, ap);
  va_end(ap);
}

void explain_step(struct explain_page *page, const char *format, ...) {
  char head[16];
  va_list ap;

  (void)snprintf(head, sizeof(head), "%u.", ++page->step);
  fputc('\n', page->out);
  va_start(ap, format);
  put(page, head, STEP_INDENT, format, ap);
  va_end(ap);
}

void explain_note(struct explain_page *page, const char *format, ...) {
  va_list ap;

  va_start(ap, format);
  put(page, "", STEP_INDENT, format, ap);
  va_end(ap);
}

void explain_command(struct explain_page *page, const char *format, ...) {
  va_list ap;

  va_start(ap, format);
  fprintf(page->out, "%*s", COMMAND_INDENT, "");
  /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is, above. */
  vfprintf(page->out, format, ap);
  va_end(ap);
  fputc('\n', page->out);
}

/* With the configuration file where it has to be named. */
void explain_program(struct explain_page *page, const char *rest) {
  char *file;

  if (page->config_file == NULL) {
    explain_command(page, "process-dna-correlator %s", rest);
    return;
  }
  file = text_shell_quote(page->config_file);
  if (file == NULL)
    page->failed = true;
  else
    explain_command(page, "process-dna-correlator -c %s %s", file, rest);
  free(file);
}

void explain_program_about(struct explain_page *page, const char *command,
                           const char *id, const char *rest) {
  long long number = explain_count(id);
  char text[80];

  if (number < 0)
    return;
  (void)snprintf(text, sizeof(text), "%s %lld%s", command, number, rest);
  explain_program(page, text);
}

static const char *others(long long n, char *buffer, size_t size) {
  if (n < 0)
    return "not known how many other agents have it";
  if (n == 0)
    return "no other agent has it";
  (void)snprintf(buffer, size, "%lld other agent%s", n,
                 n == 1 ? " has it" : "s have it");
  return buffer;
}

static void list_digests(struct explain_page *page) {
  const struct explain_facts *f = page->safe;
  char buffer[64];

  if (*f->observed_sha256 != '\0')
    explain_item(page, "observed", "%s", f->observed_sha256);
  else
    explain_item(page, "observed", "no digest: unreadable%s%s",
                 *f->reason != '\0' ? ", " : "", f->reason);
  explain_item(page, "", "first %s, last %s, in %s scan%s", f->first_seen,
               f->last_seen, *f->count != '\0' ? f->count : "?",
               explain_is(f->count, "1") ? "" : "s");
  if (*f->observed_sha256 != '\0')
    explain_item(
        page, "", "%s",
        others(explain_count(f->agents_with_observed), buffer, sizeof(buffer)));

  if (*f->baseline_sha256 == '\0') {
    explain_item(page, "trusted",
                 explain_is(f->verdict, "new-binary")
                     ? "nothing before; the observed digest since then"
                     : "nothing: it has no baseline");
    return;
  }
  explain_item(page, "trusted", "%s", f->baseline_sha256);
  explain_item(page, "", "since %s%s%s%s%s",
               *f->baseline_since != '\0' ? f->baseline_since : "?",
               *f->baseline_grade != '\0' ? ", graded " : "", f->baseline_grade,
               *f->baseline_by != '\0' ? ", by " : "", f->baseline_by);
  explain_item(
      page, "", "%s",
      others(explain_count(f->agents_with_baseline), buffer, sizeof(buffer)));
}

static void list_package(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  if (*f->package_name == '\0') {
    explain_item(page, "package", "none known to own the file");
    return;
  }
  explain_item(page, "package", "%s %s %s (%s, as the host says)",
               f->package_name, f->package_version, f->package_arch,
               f->package_manager);
  if (*f->baseline_package_version != '\0')
    explain_item(page, "", "%s when the trusted digest was taken",
                 f->baseline_package_version);
}

static void list_process(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  if (*f->pid != '\0')
    explain_item(page, "process", "%s%s%s%s%s%s%s", f->pid,
                 *f->process_name != '\0' ? " " : "", f->process_name,
                 *f->uid != '\0' ? ", uid " : "", f->uid,
                 *f->started != '\0' ? ", started " : "", f->started);
  if (*f->exe_state != '\0')
    explain_item(page, *f->pid != '\0' ? "" : "process", "executable is %s",
                 f->exe_state);
  if (*f->file_size != '\0') {
    long long mode = explain_count(f->file_mode);

    explain_item(page, "file", "%s bytes, mode %04llo, owner uid %s",
                 f->file_size, mode < 0 ? 0 : (unsigned long long)mode & 07777,
                 f->file_owner);
    explain_item(page, "", "written %s, inode changed %s", f->file_mtime,
                 f->file_ctime);
  }
  if (*f->container != '\0')
    explain_item(page, "container", "%s (key of its image)", f->container);
}

/* ATT&CK, Enterprise; "" for others. */
static const char *technique_name(const char *tag) {
  static const struct {
    const char *tag, *name;
  } techniques[] = {
      {"T1036", "Masquerading"},
      {"T1078", "Valid Accounts"},
      {"T1554", "Compromise Host Software Binary"},
  };

  for (size_t i = 0; i < sizeof(techniques) / sizeof(*techniques); i++)
    if (strcmp(tag, techniques[i].tag) == 0)
      return techniques[i].name;
  return "";
}

static void list_techniques(struct explain_page *page) {
  const char *rest = page->safe->mitre, *label = "MITRE";
  char tag[16];

  for (; *rest != '\0'; label = "") {
    size_t skip = strspn(rest, " "), len = strcspn(rest + skip, " ");

    (void)snprintf(tag, sizeof(tag), "%.*s", (int)len, rest + skip);
    if (len > 0)
      explain_item(page, label, "%s %s", tag, technique_name(tag));
    rest += skip + len;
  }
}

static void list_facts(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  if (explain_about_movement(f)) {
    explain_movement_items(page);
  } else if (explain_about_executable(f)) {
    list_digests(page);
    list_package(page);
    explain_manifest(page);
    list_process(page);
    explain_item(page, "verdict", "%s", f->verdict);
    if (*f->movements != '\0')
      explain_item(page, "logins", "to other hosts at that time: alert %s",
                   f->movements);
  } else {
    explain_item(page, "noticed", "%s", f->first_seen);
  }
  list_techniques(page);
  explain_item(page, "key", "%s", f->key);
  fputc('\n', page->out);
}

static void put_all(struct explain_page *page) {
  const struct explain_facts *f = page->safe;
  bool accepted = explain_is(f->state, "accepted");
  bool closed = accepted || explain_is(f->state, "resolved");

  explain_headline(page);
  if (closed)
    explain_para(page,
                 "It is closed: %s%s%s%s%s%s%s. This is what it was:", f->state,
                 *f->who != '\0' ? " by " : "", f->who,
                 *f->closed_at != '\0' ? " at " : "", f->closed_at,
                 *f->why != '\0' ? ": " : "", f->why);
  explain_story(page);
  list_facts(page);
  if (!closed)
    explain_steps(page);
}

void explain_facts_on(struct explain_page *page,
                      const struct explain_facts *facts,
                      void (*tell)(struct explain_page *page)) {
  static const struct explain_movement no_movement = {NULL, NULL};
  union facts_array given = {.facts = *facts}, safe = {0};
  char *copies[FACTS_LEN] = {0};

  for (size_t i = 0; i < FACTS_LEN; i++) {
    copies[i] =
        table_cell(TABLE_TIME, given.texts[i] != NULL ? given.texts[i] : "");
    if (copies[i] == NULL) {
      page->failed = true;
      goto out;
    }
    safe.texts[i] = copies[i];
  }
  if (explain_count(safe.facts.pid) == 0)
    safe.facts.pid = "";
  page->raw = facts;
  page->safe = &safe.facts;
  if (page->movement == NULL)
    page->movement = &no_movement;
  tell(page);
out:
  page->raw = page->safe = NULL;
  for (size_t i = 0; i < FACTS_LEN; i++)
    free(copies[i]);
}

int explain_print(FILE *out, const struct explain_facts *facts,
                  const struct explain_movement *movement,
                  const char *config_file) {
  struct explain_page page = {
      .out = out, .movement = movement, .config_file = config_file};

  explain_facts_on(&page, facts, put_all);
  return page.failed ? -ENOMEM : 0;
}
