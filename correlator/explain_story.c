/* What happened, and what to think of it: one entry for each verdict. */
#include <string.h>

#include "correlator/explain_page.h"

typedef void story_fn(struct explain_page *page);

/* What the package's version says about a change of digest. */
static const char *version_remark(const struct explain_facts *f) {
  if (*f->package_name == '\0')
    return "No package is known to own the file, so no update can be the "
           "reason, but a release of your own can.";
  if (*f->baseline_package_version == '\0')
    return "Which version the trusted digest came with is not known.";
  if (strcmp(f->package_version, f->baseline_package_version) == 0)
    return "Its package still has the version with which the trusted digest "
           "came, so an update is not the reason.";
  return "Its package has another version now than the one with which the "
         "trusted digest came.";
}

/* What the other agents say about a changed digest. */
static void compare_with_fleet(struct explain_page *page) {
  const struct explain_facts *f = page->safe;
  long long same = explain_count(f->agents_with_observed);
  long long old = explain_count(f->agents_with_baseline);

  if (same > 0)
    explain_para(page,
                 "%s %lld other agent%s the new digest as well. A release "
                 "whose manifest is missing looks like that; so does an "
                 "attacker who has many hosts. Compare with the distributor's "
                 "own file (below) before you believe the first.",
                 version_remark(f), same, same == 1 ? " has" : "s have");
  else if (same == 0 && old > 0)
    explain_para(page,
                 "%s No other agent has the new digest, and %lld still ha%s "
                 "the old one. A file that changes on one host alone smells "
                 "like an attack: treat it as one until you know who "
                 "changed it.",
                 version_remark(f), old, old == 1 ? "s" : "ve");
  else
    explain_para(page,
                 "%s No other agent has either digest, so the rest of the "
                 "fleet can't tell an attack from a release whose manifest is "
                 "missing. Ask who changed it; until somebody answers, treat "
                 "it as an attack.",
                 version_remark(f));
}

/* What the executable's state says, where that is more than "it is there". */
static void remark_state(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  if (explain_is(f->exe_state, "deleted"))
    explain_para(page,
                 "The file is gone from disk: /proc/%s/exe is the only copy "
                 "there is, and it goes when the process ends. Starting a "
                 "program and deleting its file is a way to leave no traces.",
                 *f->pid != '\0' ? f->pid : "PID");
  else if (explain_is(f->exe_state, "superseded"))
    explain_para(page,
                 "What runs is no longer what lies at that path: "
                 "/proc/%s/exe is the only copy of the observed digest, and "
                 "it goes when the process ends.",
                 *f->pid != '\0' ? f->pid : "PID");
  else if (explain_is(f->exe_state, "replaced"))
    explain_para(page, "The new file lies on disk, but processes that started "
                       "earlier still run the old one. The next restart of the "
                       "service will run the new file.");
}

static void tell_no_known_update(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  explain_para(page,
               "On %s, the digest of %s is no longer the trusted one, and no "
               "package update that is known explains it.",
               f->host, f->path);
  remark_state(page);
  compare_with_fleet(page);
}

static void tell_not_in_manifest(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  explain_para(page,
               "The manifest of %s %s is known, and it lists %s with other "
               "digests only. What %s runs there is not what the distributor "
               "built.",
               f->package_name, f->package_version, f->path, f->host);
  remark_state(page);
  explain_para(page,
               "No missing manifest can be the reason: this smells like an "
               "attack. The harmless explanations are a file that somebody "
               "rebuilt or patched by hand, and a package database that names "
               "another version than the one installed.");
}

static void tell_unverified_update(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  explain_para(page,
               "On %s, %s changed together with the version of its package "
               "(%s: %s, before: %s), but there is no manifest of the new "
               "version to check it against.",
               f->host, f->path, f->package_name, f->package_version,
               *f->baseline_package_version != '\0'
                   ? f->baseline_package_version
                   : "not known");
  remark_state(page);
  explain_para(page,
               "This smells like an ordinary update whose manifest is "
               "missing, but the version is what the host itself says, and "
               "whoever can swap the file can write that too. Compare with "
               "the distributor's own file (below).");
}

static void tell_spoofed(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  explain_para(page,
               "Process %s on %s says that it runs %s, but none of the code "
               "in its memory comes from that file. A process gets that way "
               "by loading other code and then changing what /proc shows, "
               "with prctl(PR_SET_MM_MAP).",
               f->pid, f->host, f->path);
  explain_para(page,
               "This smells like an attack: no update looks like it. A few "
               "tools do it in earnest (checkpoint and restore with CRIU). "
               "The digest is that of the file that the process hides "
               "behind; that file itself may be in order.");
}

static void tell_never_on_disk(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  explain_para(page,
               "Process %s on %s runs a program that never lay on disk under "
               "a name (%s): it was written into memory (memfd_create) and "
               "started from there, and its digest is none of the trusted "
               "ones of that host.",
               f->pid, f->host, f->path);
  explain_para(page,
               "This smells like an attack: malware starts so to leave no "
               "file behind. Some container runtimes, sandboxes and "
               "just-in-time launchers do it too. The memory is all there "
               "is: it goes when the process ends.");
}

static void tell_unreadable(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  explain_para(page,
               "The agent on %s could not read %s in three scans running%s%s%s "
               "so nobody knows what runs there.",
               f->host, f->path, *f->reason != '\0' ? " (" : ",", f->reason,
               *f->reason != '\0' ? ")," : "");
  if (*f->baseline_sha256 != '\0')
    explain_para(page,
                 "It could be read before. A file that even root may not "
                 "read any more lies on a FUSE mount, on a network filesystem "
                 "or on a failing disk; mounting something over a path is a "
                 "way to hide a swapped file. Treat it as an attack until "
                 "you know the mount.");
  else
    explain_para(page,
                 "It never could be read. That smells more like an unusual "
                 "mount (FUSE, a network filesystem) or a failing disk than "
                 "like an attack, but a file that nobody can check is a good "
                 "place to hide: find out what it is.");
}

static void tell_new_binary(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  explain_para(page,
               "%s on %s was never seen before, no package owns it, and no "
               "other agent has it. The host is past its learning period, so "
               "this is not just its first inventory.",
               f->path, f->host);
  remark_state(page);
  explain_para(page,
               "A program of your own that somebody installed looks like "
               "that, and so does one that an attacker brought along. From "
               "now on its digest is the trusted one, and only a change will "
               "be reported: this is the moment to look at it.");
}

static void tell_agent_silent(struct explain_page *page) {
  explain_para(page, "%s", page->safe->line);
  explain_para(page,
               "Whatever happens on %s now is not seen. A host that is "
               "switched off, a network that is down and a collectd that does "
               "not run look like this. Stopping the agent is also what an "
               "attacker does first: if nobody stopped it, look closely.",
               page->safe->host);
}

static void tell_fleet_silent(struct explain_page *page) {
  explain_para(page, "%s", page->safe->line);
  explain_para(page,
               "That many agents at once rarely means that many hosts: look at "
               "what they share, which is the way to this correlator: the "
               "network, a firewall, a relay, the passwords in the auth-file, "
               "the clock.");
}

static const struct verdict {
  const char *name, *headline;
  story_fn *tell;
} verdicts[] = {
    {"no-known-update", "changed without a known package update",
     tell_no_known_update},
    {"not-in-manifest", "is not what its package ships", tell_not_in_manifest},
    {"unverified-update", "changed with an update that nothing vouches for",
     tell_unverified_update},
    {"spoofed", "is named by a process that runs something else", tell_spoofed},
    {"never-on-disk", "runs from memory and was never on disk",
     tell_never_on_disk},
    {"unreadable", "can't be read", tell_unreadable},
    {"new-binary", "is new, and no package owns it", tell_new_binary},
    {"agent-silent", "stopped reporting", tell_agent_silent},
    {"fleet-silent", "many agents stopped reporting at once",
     tell_fleet_silent},
};

/* By the verdict, or by the kind where that is not about an executable. NULL:
 * a later version's. */
static const struct verdict *find(const struct explain_facts *f) {
  for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++)
    if (explain_is(f->verdict, verdicts[i].name) ||
        explain_is(f->kind, verdicts[i].name))
      return &verdicts[i];
  return NULL;
}

void explain_headline(struct explain_page *page) {
  const struct explain_facts *f = page->safe;
  const struct verdict *verdict = find(f);
  const char *what = verdict != NULL ? verdict->headline : f->line;

  if (explain_about_movement(f)) {
    explain_movement_headline(page);
    return;
  }
  explain_para(page, "Alert %s, %s, %s: %s%s%s %s", f->alert_id, f->severity,
               f->state, f->host, *f->path != '\0' ? ": " : "", f->path, what);
}

void explain_story(struct explain_page *page) {
  const struct verdict *verdict = find(page->safe);

  if (explain_about_movement(page->safe))
    explain_movement_story(page);
  else if (verdict != NULL)
    verdict->tell(page);
  else
    explain_para(page, "%s", page->safe->line);
}
