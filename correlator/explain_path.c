/* What an executable is trusted as and was before, which manifests decided
 * that, what else runs, and what happened. */
#include <errno.h>

#include "correlator/db.h"
#include "correlator/explain_page.h"

enum { SHOWN_MAX = 8 }; /* former baselines, events */

static void put_headline(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  explain_para(page, "%s: %s%s%s", f->host, f->path,
               *f->container != '\0' ? ", in container " : "", f->container);
}

static void put_grade(struct explain_page *page) {
  static const struct explain_word words[] = {
      {"first-use", "trusted on first use: nothing vouches for it"},
      {"fleet", "trusted on first use: other hosts or containers had it too"},
      {"manifest", "a manifest lists it"},
      {"unverified", "nothing vouches for it any more, or the policy lets "
                     "updates pass without a manifest"},
      {"accepted", "accepted"},
  };
  const struct explain_facts *f = page->safe;

  explain_item(page, "", "%s%s%s%s%s",
               EXPLAIN_MEANING(words, f->baseline_grade),
               *f->baseline_by != '\0' ? " by " : "", f->baseline_by,
               *f->baseline_why != '\0' ? ": " : "", f->baseline_why);
}

static void put_baseline(struct explain_page *page) {
  const struct explain_facts *f = page->safe;
  bool present = *f->baseline_until == '\0';

  explain_item(page, present ? "trusted" : "before", "%s", f->baseline_sha256);
  explain_item(page, "", "since %s%s%s", f->baseline_since,
               present ? "" : ", until ", f->baseline_until);
  put_grade(page);
  if (*f->package_name != '\0')
    explain_item(page, "package", "%s %s %s (%s, as the host says)",
                 f->package_name, f->package_version, f->package_arch,
                 f->package_manager);
  if (*f->manifest_provenance != '\0') {
    explain_manifest_source(page);
    explain_item(page, "", "ID %s in `manifest list`", f->manifest_id);
  }
  fputc('\n', page->out);
}

static void put_verdict(struct explain_page *page) {
  static const struct explain_word words[] = {
      {"", "not judged yet"},
      {"held", "verdict held: it is being updated, or a manifest is awaited"},
      {"manifest", "a manifest lists it too"},
      {"restart-pending", "from before an update: restart the service"},
  };
  const struct explain_facts *f = page->safe;

  explain_item(page, "", "%s%s%s", EXPLAIN_MEANING(words, f->verdict),
               *f->held_until != '\0' ? "; at most until " : "", f->held_until);
}

static const char *label_of(const char *exe_state) {
  if (*exe_state == '\0')
    return "ran";
  return explain_is(exe_state, "replaced") || explain_is(exe_state, "spoofed")
             ? "file"
             : "runs";
}

/* Of a file that took another's place, the process is one of the other's. */
static void put_state(struct explain_page *page) {
  static const struct explain_word words[] = {
      {"", "not found like that any more"},
      {"current", "the file at the path"},
      {"replaced", "at the path, while what lay there before runs on"},
      {"superseded", "another file lies at the path"},
      {"deleted", "the file is gone"},
      {"anonymous", "never lay on disk"},
      {"spoofed", "a process pretends to run it"},
  };
  const struct explain_facts *f = page->safe;
  bool told = *f->pid != '\0' && !explain_is(f->exe_state, "replaced");

  explain_item(page, "", "%s %s: %s%s%s%s%s",
               *f->exe_state != '\0' ? "since" : "first seen", f->first_seen,
               EXPLAIN_MEANING(words, f->exe_state), told ? "; process " : "",
               told ? f->pid : "", told ? " " : "",
               told ? f->process_name : "");
}

static void put_running(struct explain_page *page) {
  const struct explain_facts *f = page->safe;
  const char *label = label_of(f->exe_state);

  if (*f->observed_sha256 != '\0')
    explain_item(page, label, "%s", f->observed_sha256);
  else
    explain_item(page, label, "no digest: unreadable%s%s",
                 *f->reason != '\0' ? ", " : "", f->reason);
  put_state(page);
  put_verdict(page);
  if (*f->alert_id != '\0')
    explain_item(page, "", "alert %s, %s: see `explain %s`", f->alert_id,
                 f->severity, f->alert_id);
  fputc('\n', page->out);
}

static void put_event(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  explain_item(page, "event", "%s %s%s%s%s%s", f->at, f->event,
               *f->who != '\0' ? " by " : "", f->who,
               *f->why != '\0' ? ": " : "", f->why);
  if (*f->old_sha256 != '\0' && *f->new_sha256 != '\0' &&
      !explain_is(f->old_sha256, f->new_sha256))
    explain_item(page, "", "%.12s.. gave way to %.12s..", f->old_sha256,
                 f->new_sha256);
}

/* Rows from `first` to before `end`. */
static void put_rows(struct explain_page *page, const PGresult *result,
                     int first, int end,
                     void (*tell)(struct explain_page *page)) {
  for (int i = first; i < end; i++) {
    struct explain_facts facts;

    explain_facts_of(result, i, &facts);
    explain_facts_on(page, &facts, tell);
  }
}

/* The first rows of those from `first` on. */
static void put_newest(struct explain_page *page, const PGresult *result,
                       int first, void (*tell)(struct explain_page *page)) {
  int len = PQntuples(result);
  bool cut = len - first > SHOWN_MAX;

  put_rows(page, result, first, cut ? first + SHOWN_MAX : len, tell);
  if (cut)
    explain_para(page, "Older ones: --json.");
}

int explain_path_print(FILE *out, const struct explain_path *path) {
  const struct explain_facts place = {
      .host = path->host, .container = path->container, .path = path->path};
  struct explain_page page = {.out = out};
  int baselines = PQntuples(path->baselines);
  int present =
      baselines > 0 && db_value(path->baselines, 0, "baseline_until") == NULL;

  explain_facts_on(&page, &place, put_headline);
  if (present == 0)
    explain_para(&page, "Nothing is trusted there now.");
  put_rows(&page, path->baselines, 0, present, put_baseline);
  if (PQntuples(path->running) == 0)
    explain_para(&page,
                 "Nothing else runs there, and no alert is open about it.");
  else
    explain_para(&page, "What else is there, or has an open alert:");
  put_rows(&page, path->running, 0, PQntuples(path->running), put_running);
  if (baselines > present)
    explain_para(&page, "What was trusted before, the newest first:");
  put_newest(&page, path->baselines, present, put_baseline);
  if (PQntuples(path->events) > 0)
    explain_para(&page, "What happened, the newest first:");
  put_newest(&page, path->events, 0, put_event);
  return page.failed ? -ENOMEM : 0;
}
