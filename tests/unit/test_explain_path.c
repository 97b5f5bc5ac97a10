/* Goal: of an executable it is told which manifest decided and who vouches for
 * it, what was before, what else runs and what happened; hostile facts stay
 * text. */
#include "tests/unit/explain_text.h"
#include "tests/unit/made_result.h"

enum { BASELINE_FIELDS = 17, RUNNING_FIELDS = 10, EVENT_FIELDS = 6 };
static const char *const baseline_names[BASELINE_FIELDS] = {
    "baseline_sha256",   "baseline_grade",      "baseline_since",
    "baseline_until",    "baseline_by",         "baseline_why",
    "package_manager",   "package_name",        "package_version",
    "package_arch",      "manifest_id",         "manifest_package",
    "manifest_version",  "manifest_provenance", "manifest_origin",
    "manifest_added_by", "manifest_added_at",
};
static const char *const running_names[RUNNING_FIELDS] = {
    "observed_sha256", "exe_state", "reason",       "verdict",  "first_seen",
    "held_until",      "pid",       "process_name", "alert_id", "severity",
};
static const char *const event_names[EVENT_FIELDS] = {
    "at", "event", "old_sha256", "new_sha256", "who", "why",
};
typedef const char *baseline_row[BASELINE_FIELDS];
typedef const char *running_row[RUNNING_FIELDS];
typedef const char *event_row[EVENT_FIELDS];

#define UPDATED                                                                \
  {                                                                            \
    OBSERVED, "manifest", "2026-05-25 09:14:02+00", NULL, NULL, NULL, "dpkg",  \
        "nginx", "1.25.4-2", "amd64", "12", "nginx", "1.25.4-2",               \
        "signed-index", "https://deb.example.org/nginx_1.25.4-2_amd64.deb",    \
        "apt@central", "2026-05-25 09:13:00+00"                                \
  }
#define FIRST                                                                  \
  {                                                                            \
    TRUSTED, "first-use", "2026-05-01 00:00:00+00", "2026-05-25 09:14:02+00",  \
        NULL, NULL, "dpkg", "nginx", "1.25.4-1", "amd64", NULL, NULL, NULL,    \
        NULL, NULL, NULL, NULL                                                 \
  }

/* Of these rows, as many of each as there are. */
struct facts {
  const baseline_row *baselines;
  const running_row *running;
  const event_row *events;
  size_t baselines_len, running_len, events_len;
  const char *container, *path;
};

static char *explain(const struct facts *facts) {
  static const baseline_row none[1];
  PGresult *b =
      made_result(BASELINE_FIELDS, baseline_names, facts->baselines_len,
                  facts->baselines != NULL ? facts->baselines[0] : none[0]);
  PGresult *r =
      made_result(RUNNING_FIELDS, running_names, facts->running_len,
                  facts->running != NULL ? facts->running[0] : none[0]);
  PGresult *e = made_result(EVENT_FIELDS, event_names, facts->events_len,
                            facts->events != NULL ? facts->events[0] : none[0]);
  const struct explain_path path = {
      "web1",
      facts->container != NULL ? facts->container : "",
      facts->path != NULL ? facts->path : "/usr/sbin/nginx",
      b,
      r,
      e};
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);

  assert_int_equal(explain_path_print(out, &path), 0);
  assert_int_equal(fclose(out), 0);
  PQclear(b);
  PQclear(r);
  PQclear(e);
  return text;
}

static void the_manifest_that_made_it_silent_is_told(void **state) {
  static const baseline_row baselines[] = {UPDATED, FIRST};
  static const event_row events[] = {
      {"2026-05-25 09:14:05+00", "rebaselined", TRUSTED, OBSERVED, NULL,
       "manifest of nginx 1.25.4-2:amd64 (signed-index)"}};
  const struct facts facts = {.baselines = baselines,
                              .baselines_len = 2,
                              .events = events,
                              .events_len = 1};

  (void)state;
  EXPECT(explain(&facts), "web1: /usr/sbin/nginx ", " trusted " OBSERVED,
         "since 2026-05-25T09:14:02Z a manifest lists it ",
         " package nginx 1.25.4-2 amd64 (dpkg, as the host says) ",
         " manifest of nginx 1.25.4-2: an index that is signed names it ",
         " from https://deb.example.org/nginx_1.25.4-2_amd64.deb ",
         " imported 2026-05-25T09:13:00Z by apt@central ",
         "ID 12 in `manifest list`", "Nothing else runs there",
         "trusted before", " before " TRUSTED,
         "since 2026-05-01T00:00:00Z, until 2026-05-25T09:14:02Z",
         "first use: nothing vouches for it", "nginx 1.25.4-1",
         "event 2026-05-25T09:14:05Z rebaselined: manifest of nginx",
         "aaaa456789ab.. gave way to bbbb456789ab..");
}

static void who_accepted_it_is_told(void **state) {
  static const baseline_row baselines[] = {{OBSERVED, "accepted",
                                            "2026-05-25 09:14:02+00", NULL,
                                            "me@here", "my own build"}};
  static const event_row events[] = {{"2026-05-25 09:15:00+00", "accepted",
                                      NULL, OBSERVED, "me@here",
                                      "my own build"}};
  const struct facts facts = {.baselines = baselines,
                              .baselines_len = 1,
                              .events = events,
                              .events_len = 1,
                              .container = "3f2a9c1b7d04"};

  (void)state;
  EXPECT(explain(&facts), "/usr/sbin/nginx, in container 3f2a9c1b7d04 ",
         "accepted by me@here: my own build ",
         "event 2026-05-25T09:15:00Z accepted by me@here: my own build");
  expect_without(explain(&facts), "manifest");
  expect_without(explain(&facts), "package");
  expect_without(explain(&facts), "before");
  expect_without(explain(&facts), "gave way");
}

static void what_else_runs_is_told_with_its_alert(void **state) {
  static const baseline_row baselines[] = {FIRST};
  static const running_row running[] = {
      {OBSERVED, "deleted", NULL, "no-known-update", "2026-05-25 09:14:02+00",
       NULL, "1842", "nginx", "17", "critical"},
      {TRUSTED, "superseded", NULL, "restart-pending", "2026-05-25 09:14:02+00",
       NULL, "1840", "nginx", NULL, NULL},
      {KEY, "current", NULL, "held", "2026-05-25 09:14:02+00",
       "2026-05-25 09:44:02+00", "1850", "nginx", NULL, NULL},
      {NULL, "unreadable", "denied", NULL, "2026-05-25 09:14:02+00", NULL, "0",
       "nginx", NULL, NULL},
      {KEY, "replaced", NULL, "manifest", "2026-05-25 09:14:02+00", NULL,
       "1840", "nginx", NULL, NULL},
      {OBSERVED, NULL, NULL, "not-in-manifest", "2026-05-25 09:14:02+00", NULL,
       "1843", "nginx", "18", "critical"}};
  const struct facts facts = {.baselines = baselines,
                              .baselines_len = 1,
                              .running = running,
                              .running_len = 6};

  (void)state;
  EXPECT(
      explain(&facts), "Nothing is trusted there now", " runs " OBSERVED,
      "since 2026-05-25T09:14:02Z: the file is gone; "
      "process 1842 nginx",
      "no-known-update ", "alert 17, critical: see `explain 17`",
      " runs " TRUSTED, "restart the service", " runs " KEY,
      "verdict held: ", "at most until 2026-05-25T09:44:02Z",
      "no digest: unreadable, denied", "not judged yet", " file " KEY,
      "since 2026-05-25T09:14:02Z: at the path, while what lay there "
      "before runs on ",
      "a manifest lists it too", " ran " OBSERVED,
      "first seen 2026-05-25T09:14:02Z: not found like that any more; process "
      "1843 nginx ",
      "not-in-manifest", "alert 18, critical", "trusted before");
}

static void a_long_history_is_cut(void **state) {
  static const baseline_row baselines[] = {UPDATED, FIRST, FIRST, FIRST, FIRST,
                                           FIRST,   FIRST, FIRST, FIRST, FIRST};
  struct facts facts = {.baselines = baselines, .baselines_len = 10};

  (void)state;
  EXPECT(explain(&facts), "Older ones: --json");
  facts.baselines_len = 9;
  expect_without(explain(&facts), "Older ones");
}

static void hostile_facts_stay_text(void **state) {
  static const baseline_row baselines[] = {
      {OBSERVED, "accepted", "2026-05-25 09:14:02+00", NULL, "\x1b[2J",
       "\x1b[2J", "dpkg", "\x1b[2J", "\x1b[2J", "\x1b[2J", "1", "\x1b[2J",
       "\x1b[2J", "file", "\x1b[2J", "\x1b[2J", "2026-05-25 09:13:00+00"}};
  static const running_row running[] = {{OBSERVED, "\x1b[2J", "\x1b[2J",
                                         "\x1b[2J", "\x1b[2J", "\x1b[2J", "1",
                                         "\x1b[2J", "17", "\x1b[2J"}};
  static const event_row events[] = {
      {"\x1b[2J", "\x1b[2J", "\x1b[2J", "\x1b[2J", "\x1b[2J", "\x1b[2J"}};
  const struct facts facts = {.baselines = baselines,
                              .baselines_len = 1,
                              .running = running,
                              .running_len = 1,
                              .events = events,
                              .events_len = 1,
                              .container = "\x1b[2J",
                              .path = "/\x1b[2J"};

  (void)state;
  EXPECT(explain(&facts), "/\\x1b[2J", "accepted by \\x1b[2J: \\x1b[2J",
         "event \\x1b[2J");
  expect_without(explain(&facts), "\x1b");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_manifest_that_made_it_silent_is_told),
      cmocka_unit_test(who_accepted_it_is_told),
      cmocka_unit_test(what_else_runs_is_told_with_its_alert),
      cmocka_unit_test(a_long_history_is_cut),
      cmocka_unit_test(hostile_facts_stay_text),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
