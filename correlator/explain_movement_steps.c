/* What to do about a movement: what only the host that was logged on to has
 * comes first, since it goes when somebody logs off. */
#include <stdlib.h>
#include <string.h>

#include "correlator/db.h"
#include "correlator/explain_page.h"
#include "correlator/text.h"

/* What commands name, as shell words; NULL: not known. */
struct words {
  char evidence[48]; /* what the files that keep it are called */
  char *source;      /* address of the first login */
  char *peer;        /* address of the host that was logged on to */
  char *user, *key;  /* of the first login */
  char *from;        /* its line, as a text to look for */
  char *since;       /* its time, for journalctl */
};

static void words_clear(struct words *w) {
  free(w->source);
  free(w->peer);
  free(w->user);
  free(w->key);
  free(w->from);
  free(w->since);
}

static bool quote(const char *raw, char **ret_word) {
  if (raw == NULL || *raw == '\0')
    return true;
  *ret_word = text_shell_quote(raw);
  return *ret_word != NULL;
}

/* A value of the first login; NULL: none. */
static const char *first_login(const struct explain_page *page,
                               const char *column) {
  return db_value(page->movement->logins, 0, column);
}

static bool words_fill(const struct explain_page *page, struct words *w) {
  enum { SECONDS = 19 }; /* "2026-05-25 09:14:02" of a UTC session */
  const char *source = first_login(page, "src_ip");
  const char *port = first_login(page, "src_port");
  const char *stamp = first_login(page, "stamped_at");
  char text[128];
  bool done;

  if (stamp == NULL)
    stamp = first_login(page, "at");
  (void)snprintf(w->evidence, sizeof(w->evidence), "/root/process-dna-%lld",
                 explain_count(page->raw->alert_id));
  done = quote(source, &w->source) &&
         quote(page->raw->peer_address, &w->peer) &&
         quote(first_login(page, "auth_user"), &w->user) &&
         quote(first_login(page, "key_fingerprint"), &w->key);
  if (done && source != NULL) {
    (void)snprintf(text, sizeof(text), "from %s port %s", source,
                   port != NULL ? port : "");
    done = quote(text, &w->from);
  }
  if (done && stamp != NULL && strlen(stamp) >= SECONDS) {
    (void)snprintf(text, sizeof(text), "%.*s UTC", SECONDS, stamp);
    done = quote(text, &w->since);
  }
  return done;
}

static void step_evidence(struct explain_page *page, const struct words *w) {
  explain_step(page,
               "Keep what only %s can tell, before somebody logs off or "
               "reboots it: who is on it, what runs, and its own logs. There, "
               "as root:",
               page->safe->peer_host);
  explain_command(page,
                  "{ w; ss -tnpo; ps axfo user,pid,ppid,lstart,args; } "
                  ">%s.now",
                  w->evidence);
  explain_command(page, "tar -cf %s.tar /var/log", w->evidence);
  if (w->since != NULL)
    explain_command(page, "journalctl --since %s >%s.log", w->since,
                    w->evidence);
  if (w->user != NULL) {
    explain_command(page, "home=$(getent passwd -- %s | cut -d: -f6)", w->user);
    explain_command(page,
                    "tar -rf %s.tar -- \"${home:?}\"/.ssh "
                    "\"$home\"/.*history",
                    w->evidence);
  }
}

static void step_compare(struct explain_page *page, const struct words *w) {
  if (w->from == NULL)
    return;
  explain_step(page,
               "See whether its own log has the login: a line that was forged "
               "on the way is not there. (One of the two is, by the host's "
               "distribution.)");
  explain_command(page, "journalctl -t sshd -t sshd-session | grep -F -- %s",
                  w->from);
  explain_command(page, "grep -F -- %s /var/log/auth.log* /var/log/secure*",
                  w->from);
  if (w->key != NULL) {
    explain_note(page, "Whose key it is stands behind the fingerprint:");
    explain_command(page,
                    "ssh-keygen -lf \"$home\"/.ssh/authorized_keys | grep -F "
                    "-- %s",
                    w->key);
  }
}

static void step_source(struct explain_page *page, const struct words *w) {
  const struct explain_facts *f = page->safe;

  explain_step(page,
               "On %s, see which process holds the connection and what "
               "started it; then do what the alert about %s says there, which "
               "begins with its evidence.",
               f->host, f->path);
  if (w->peer != NULL)
    explain_command(page, "ss -tnp dst %s   # then: ps -o ppid,args PID",
                    w->peer);
  explain_program_about(page, "explain", f->related_id, "");
}

static void step_ask(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  explain_step(page,
               "Ask whoever works as %s whether they came from %s then, by "
               "another way than these hosts.",
               f->users, f->host);
}

static void step_stop(struct explain_page *page, const struct words *w) {
  const struct explain_facts *f = page->safe;

  explain_step(page,
               "If it was none of you: stop the session on %s without losing "
               "its memory, then cut that host off like %s. PID is what the "
               "first command shows; this keeps the ssh session in which it is "
               "typed.",
               f->peer_host, f->host);
  if (w->source != NULL)
    explain_command(page, "ss -tnp state established sport = :22 and dst %s",
                    w->source);
  explain_command(page, "kill -STOP PID $(pgrep -P PID)");
  explain_cut_off(page);
  explain_note(page,
               "Every key, password and agent that was used on %s since then "
               "is known to the intruder: take them out of authorized_keys "
               "everywhere, and change them.",
               f->host);
}

/* The hosts behind it, and the alerts about those that changed as well. */
static void step_onward(struct explain_page *page) {
  const PGresult *hops = page->movement->hops;
  int len = PQntuples(hops); /* 0 if it is NULL */
  bool any = false;

  for (int i = 0; i < len; i++)
    any = any || db_value(hops, i, "changed_id") != NULL;
  if (!any && len < 2)
    return;
  explain_step(page, "Go on along the route, host by host, as above%s",
               any ? "; those that changed as well have alerts of their own:"
                   : ".");
  for (int i = 0; i < len && any; i++)
    explain_program_about(page, "explain", db_value(hops, i, "changed_id"), "");
}

static void step_accept(struct explain_page *page) {
  static const char why[] = " --why 'WHAT AND WHO'";
  const struct explain_facts *f = page->safe;

  explain_step(page,
               "If it is in order: accept the alert about %s, here on the "
               "central host, and this one goes with it.",
               f->path);
  explain_program_about(page, "accept", f->related_id, why);
  explain_note(page,
               "If only the login is: accept this one. It closes, and further "
               "logins from %s to %s because of that alert stay silent.",
               f->host, f->peer_host);
  explain_program_about(page, "accept", f->alert_id, why);
}

void explain_movement_steps(struct explain_page *page) {
  struct words w = {0};

  if (words_fill(page, &w)) {
    step_evidence(page, &w);
    step_compare(page, &w);
    step_source(page, &w);
    step_ask(page);
    step_stop(page, &w);
    step_onward(page);
    step_accept(page);
  } else {
    page->failed = true;
  }
  words_clear(&w);
}
