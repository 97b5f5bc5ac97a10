/* What a movement is: who came from where, how that is known, and what it may
 * mean. */
#include <stdlib.h>

#include "correlator/db.h"
#include "correlator/explain_page.h"
#include "correlator/table.h"

enum { HOPS_MAX = 8 }; /* that are shown */

static bool is_true(const char *fact) { return explain_is(fact, "t"); }

/* A row of the logins or hops, printable; "" for null. */
enum cell {
  AT,
  USER,
  METHOD,
  KEY,
  CERTIFICATE,
  ADDRESS,
  PORT,
  TRUST,
  STAMP,
  ARRIVED,
  SESSION,
  FIRST_TIME,
  AMBIGUOUS,
  SOURCE,
  TARGET,
  CHANGED_ID,
  CHANGED_PATH,
  CHANGED_VERDICT,
  CELLS
};
static const struct {
  const char *column;
  enum table_kind kind;
} cells[CELLS] = {
    [AT] = {"at", TABLE_TIME},
    [USER] = {"auth_user", TABLE_TEXT},
    [METHOD] = {"method", TABLE_TEXT},
    [KEY] = {"key_fingerprint", TABLE_TEXT},
    [CERTIFICATE] = {"cert_id", TABLE_TEXT},
    [ADDRESS] = {"src_ip", TABLE_TEXT},
    [PORT] = {"src_port", TABLE_TEXT},
    [TRUST] = {"trust", TABLE_TEXT},
    [STAMP] = {"stamped_at", TABLE_TIME},
    [ARRIVED] = {"arrived_at", TABLE_TIME},
    [SESSION] = {"session_at", TABLE_TIME},
    [FIRST_TIME] = {"first_time", TABLE_TEXT},
    [AMBIGUOUS] = {"ambiguous", TABLE_TEXT},
    [SOURCE] = {"source", TABLE_TEXT},
    [TARGET] = {"target", TABLE_TEXT},
    [CHANGED_ID] = {"changed_id", TABLE_TEXT},
    [CHANGED_PATH] = {"changed_path", TABLE_TEXT},
    [CHANGED_VERDICT] = {"changed_verdict", TABLE_TEXT},
};

struct row {
  char *text[CELLS];
};

static void row_clear(struct row *row) {
  for (size_t i = 0; i < CELLS; i++)
    free(row->text[i]);
}

/* Returns false, with nothing to clear, if memory ran out. */
static bool row_read(struct explain_page *page, const PGresult *result,
                     int number, struct row *ret_row) {
  struct row row = {0};

  for (size_t i = 0; i < CELLS; i++) {
    row.text[i] =
        table_cell(cells[i].kind, db_text(result, number, cells[i].column));
    if (row.text[i] == NULL) {
      page->failed = true;
      row_clear(&row);
      return false;
    }
  }
  *ret_row = row;
  return true;
}

void explain_movement_headline(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  explain_para(page,
               "Alert %s, %s, %s: lateral movement from %s to %s: %s logged on "
               "while %s was not what it should be",
               f->alert_id, f->severity, f->state, f->host, f->peer_host,
               f->users, f->path);
}

/* How the source is known to be that host. */
static void tell_source(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  if (is_true(f->ambiguous))
    explain_para(page,
                 "More than one host had the address %s at that time: %s. "
                 "Which of them somebody came from is not known; it is told "
                 "of %s since the change was there.",
                 f->source_addresses, f->sources, f->host);
  else
    explain_para(page,
                 "It came from %s, an address that %s had at that time and "
                 "no other host that is known.",
                 f->source_addresses, f->host);
}

/* How far the log of the logins is to be believed. */
static void tell_trust(struct explain_page *page) {
  static const struct {
    const char *trust, *remark;
  } remarks[] = {
      {"udp", "was sent over UDP, which anybody who reaches the correlator can "
              "forge, under any address and name: believe it when the log on "
              "the host itself says the same"},
      {"tcp", "was sent over TCP without a certificate: anybody who reaches "
              "the port can have written it, so compare with the log on the "
              "host itself"},
      {"stdin", "was read from standard input: it is as good as the program "
                "that wrote there"},
      {"file", "was read from a file on the central host: it is as good as "
               "whatever writes that file"},
      {"tls", "came over TLS from a sender with a certificate: a host of "
              "yours wrote it, or whoever has root there, though in the name "
              "that it chose"},
      {"journal", "comes from the journal, with who wrote it: only sshd there "
                  "can have, or whoever has root"},
  };
  const struct explain_facts *f = page->safe;
  bool one = explain_is(f->logins, "1");

  for (size_t i = 0; i < sizeof(remarks) / sizeof(*remarks); i++)
    if (explain_is(f->least_trust, remarks[i].trust))
      explain_para(page, "%s %s. %s",
                   one ? "The line about it"
                       : "The line "
                         "about one of them that is to be trusted least",
                   remarks[i].remark,
                   explain_count(f->logins_confirmed) > 0
                       ? "A second line tells of a session that began with "
                         "it, as each real login has one."
                       : "No second line tells of a session that began; each "
                         "real login has one, unless it is not sent.");
}

static void tell_novelty(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  if (is_true(f->first_time))
    explain_para(page,
                 "Nobody had come this way for 30 days as that user, which "
                 "makes it Critical: somebody who has taken a host goes on "
                 "with the keys, passwords and agents found there. A new "
                 "deployment looks like it too. Treat it as an attack until "
                 "somebody says that it was theirs, and can tell why %s "
                 "changed.",
                 f->path);
  else
    explain_para(page,
                 "The same user had come this way in the 30 days before, so "
                 "it may be routine: a bastion, an Ansible controller or a "
                 "backup logs on everywhere, and then the change on %s is "
                 "what matters. But an intruder takes the ways that are "
                 "there, and this one was used while nobody knows what ran.",
                 f->host);
}

void explain_movement_story(struct explain_page *page) {
  const struct explain_facts *f = page->safe;
  bool one = explain_is(f->logins, "1");

  explain_para(page,
               "On %s, %s is not what is trusted there, and nothing explains "
               "it (alert %s, %s, first seen %s). At about that time %s logged "
               "on by SSH from there to %s: %s%s%s.",
               f->host, f->path, f->related_id, f->verdict, f->related_at,
               f->users, f->peer_host, one ? "once, at " : f->logins,
               one ? "" : " logins, the first at ", f->first_login);
  tell_source(page);
  tell_trust(page);
  tell_novelty(page);
  if (PQntuples(page->movement->hops) > 1)
    explain_para(page,
                 "It did not end there: what followed on %s is listed "
                 "below as its route.",
                 f->peer_host);
}

static void list_login(struct explain_page *page, const struct row *row) {
  char *const *t = row->text;

  explain_item(page, "login", "%s as %s%s%s, from %s%s%s", t[AT], t[USER],
               *t[METHOD] != '\0' ? " by " : "", t[METHOD], t[ADDRESS],
               *t[PORT] != '\0' ? " port " : "", t[PORT]);
  if (*t[KEY] != '\0')
    explain_item(page, "", "key %s%s%s", t[KEY],
                 *t[CERTIFICATE] != '\0' ? ", certificate " : "",
                 t[CERTIFICATE]);
  explain_item(page, "", "line stamped %s, arrived %s by %s",
               *t[STAMP] != '\0' ? t[STAMP] : "never", t[ARRIVED], t[TRUST]);
  if (*t[SESSION] != '\0')
    explain_item(page, "", "session told of at %s", t[SESSION]);
  if (is_true(t[FIRST_TIME]))
    explain_item(page, "", "first time in 30 days");
}

static void list_hop(struct explain_page *page, const struct row *row,
                     bool first) {
  char *const *t = row->text;

  explain_item(page, first ? "route" : "", "%s -> %s: %s as %s%s%s (by %s)",
               t[SOURCE], t[TARGET], t[AT], t[USER],
               *t[METHOD] != '\0' ? " by " : "", t[METHOD], t[TRUST]);
  if (is_true(t[AMBIGUOUS]))
    explain_item(page, "", "other hosts had that address as well");
  if (*t[CHANGED_ID] != '\0')
    explain_item(page, "", "%s changed there as well: %s (alert %s%s%s)",
                 t[CHANGED_PATH], t[TARGET], t[CHANGED_ID],
                 *t[CHANGED_VERDICT] != '\0' ? ", " : "", t[CHANGED_VERDICT]);
}

static void list_logins(struct explain_page *page) {
  const PGresult *logins = page->movement->logins;
  long long all = explain_count(page->safe->logins);
  int shown = PQntuples(logins);
  struct row row;

  shown = shown < EXPLAIN_LOGINS_MAX ? shown : EXPLAIN_LOGINS_MAX;
  for (int i = 0; i < shown && row_read(page, logins, i, &row); i++) {
    list_login(page, &row);
    row_clear(&row);
  }
  if (all > shown)
    explain_item(page, "", "and %lld more, the last at %s", all - shown,
                 page->safe->last_login);
}

static void list_hops(struct explain_page *page) {
  const PGresult *hops = page->movement->hops;
  int all = PQntuples(hops);
  struct row row;

  if (all < 2 && db_value(hops, 0, "changed_id") == NULL)
    return;
  for (int i = 0; i < all && i < HOPS_MAX && row_read(page, hops, i, &row);
       i++) {
    list_hop(page, &row, i == 0);
    row_clear(&row);
  }
  if (all > HOPS_MAX)
    explain_item(page, "", "and %d more: explain --json has them all",
                 all - HOPS_MAX);
}

void explain_movement_items(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  explain_item(page, "from", "%s%s%s", f->host, *f->address != '\0' ? ", " : "",
               f->address);
  explain_item(page, "to", "%s%s%s", f->peer_host,
               *f->peer_address != '\0' ? ", " : "", f->peer_address);
  explain_item(page, "changed", "%s%s%s", f->path,
               *f->container != '\0' ? " in container " : "", f->container);
  explain_item(page, "observed", "%s",
               *f->observed_sha256 != '\0' ? f->observed_sha256
                                           : "no digest: unreadable");
  explain_item(page, "trusted", "%s",
               *f->baseline_sha256 != '\0' ? f->baseline_sha256 : "nothing");
  explain_item(page, "alert", "%s, key %s", f->related_id, f->related_key);
  list_logins(page);
  list_hops(page);
}
