/* What to do, in an order that loses no evidence. Whatever came from a host
 * gets into a command only as one quoted word. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "correlator/explain_page.h"
#include "correlator/text.h"

/* What commands name, as shell words. */
struct words {
  char pid[24];      /* a number, or "PID" for the operator to fill in */
  char evidence[48]; /* what the files that keep it are called */
  char root[40];     /* the container's, from outside; "" on the host */
  char *path;        /* where to read the file; NULL: no command can name it */
  char *inside;      /* the same as the process's own root has it */
  char *shipped;     /* as a package may have it, or NULL: /usr/bin/x is /bin/x
                        in packages from before Debian merged the two */
  char *package;     /* NULL: not known, or no package's name */
  char *version;
};

static void words_clear(struct words *w) {
  free(w->path);
  free(w->inside);
  free(w->shipped);
  free(w->package);
  free(w->version);
}

/* A package's name or version that a command line may hold (Debian policy
 * 5.6.1 and 5.6.12, and what rpm has beyond). */
static char *package_word(const char *text) {
  if (text == NULL || *text == '\0' || *text == '-' ||
      text[strspn(text, "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789+-.:_~^")] != '\0')
    return NULL;
  return text_shell_quote(text);
}

static int path_word(const char *prefix, const char *path, char **ret_word) {
  int r = path != NULL ? text_shell_path(prefix, path, ret_word) : 0;

  return r == -EINVAL ? 0 : r;
}

/* The path without its /usr, if what is below was once outside. */
static const char *before_merge(const char *path) {
  static const char *const merged[] = {"/usr/bin/", "/usr/sbin/", "/usr/lib"};

  for (size_t i = 0; path != NULL && i < sizeof(merged) / sizeof(*merged); i++)
    if (strncmp(path, merged[i], strlen(merged[i])) == 0)
      return path + strlen("/usr");
  return NULL;
}

static int words_fill(const struct explain_facts *f, struct words *w) {
  long long pid = explain_count(f->pid), id = explain_count(f->alert_id);
  int r;

  if (pid > 0)
    (void)snprintf(w->pid, sizeof(w->pid), "%lld", pid);
  else
    (void)snprintf(w->pid, sizeof(w->pid), "PID");
  if (id >= 0)
    (void)snprintf(w->evidence, sizeof(w->evidence), "/root/process-dna-%lld",
                   id);
  else
    (void)snprintf(w->evidence, sizeof(w->evidence), "/root/process-dna-pid-%s",
                   w->pid);
  if (f->container != NULL && *f->container != '\0')
    (void)snprintf(w->root, sizeof(w->root), "/proc/%s/root", w->pid);

  r = path_word(w->root, f->path, &w->path);
  if (r == 0)
    r = path_word("", f->path, &w->inside);
  if (r == 0)
    r = path_word("", before_merge(f->path), &w->shipped);
  w->package = package_word(f->package_name);
  w->version = package_word(f->package_version);
  return r;
}

/* What /proc/PID/exe is. */
static const char *what_runs(const struct explain_facts *f) {
  if (explain_is(f->verdict, "spoofed"))
    return "what it pretends to run";
  if (explain_is(f->exe_state, "replaced"))
    return "what still runs: not the observed file";
  return "what runs";
}

/* Does anything lie at the path that is worth a look? */
static bool lies_on_disk(const struct explain_facts *f) {
  return !explain_is(f->exe_state, "deleted") &&
         !explain_is(f->exe_state, "anonymous");
}

static void step_evidence(struct explain_page *page, const struct words *w) {
  const struct explain_facts *f = page->safe;
  bool spoofed = explain_is(f->verdict, "spoofed");

  explain_step(page,
               "Keep the evidence, before anyone restarts the service or "
               "reboots: that throws away the image that runs. On %s, as root:",
               f->host);
  /* A filesystem that does not answer must not take the shell with it. */
  explain_command(page, "%scp /proc/%s/exe %s.exe",
                  explain_is(f->verdict, "unreadable") ? "timeout 60 " : "",
                  w->pid, w->evidence);
  if (w->path != NULL && explain_is(f->exe_state, "replaced"))
    explain_command(page, "cp -p %s %s.file", w->path, w->evidence);
  explain_command(page, "cat /proc/%s/{status,cmdline,maps,cgroup} >%s.txt",
                  w->pid, w->evidence);
  explain_command(page, "ls -l /proc/%s/{exe,cwd,fd} >>%s.txt", w->pid,
                  w->evidence);
  explain_command(page, "ss -tuanp | grep pid=%s, >>%s.txt", w->pid,
                  w->evidence);
  if (spoofed || explain_is(f->verdict, "never-on-disk"))
    explain_command(page, "gcore -o %s.core %s   # the memory; gcore is gdb's",
                    w->evidence, w->pid);
  if (spoofed)
    explain_note(page, "Here exe is the file that the process hides behind: "
                       "its own code is in the memory alone.");
  if (explain_is(w->pid, "PID"))
    explain_note(page, "PID is a process that runs it (see step 2).");
}

static void find_processes(struct explain_page *page, const struct words *w) {
  if (w->inside == NULL)
    return;
  explain_note(page, "If that process has ended, these run the path now:");
  explain_command(page, "ls -l /proc/[0-9]*/exe | grep -F -- %s", w->inside);
}

static void step_digest(struct explain_page *page, const struct words *w) {
  const struct explain_facts *f = page->safe;

  explain_step(page,
               "See what is there now. The observed digest begins with %.12s, "
               "the trusted one with %.12s.",
               *f->observed_sha256 != '\0' ? f->observed_sha256 : "(none)",
               *f->baseline_sha256 != '\0' ? f->baseline_sha256 : "(none)");
  explain_command(page, "sha256sum /proc/%s/exe   # %s", w->pid, what_runs(f));
  if (!lies_on_disk(f)) {
    explain_note(page, "Nothing lies at %s: there is no file to compare.",
                 f->path);
  } else if (w->path != NULL) {
    explain_command(page, "sha256sum %s", w->path);
    explain_command(page, "stat %s", w->path);
  } else {
    explain_note(page,
                 "No command can name the file: its path was too long and "
                 "reached us shortened. 'readlink /proc/%s/exe' prints it.",
                 w->pid);
  }
  find_processes(page, w);
}

static void step_mount(struct explain_page *page, const struct words *w) {
  const struct explain_facts *f = page->safe;
  long long uid = explain_count(f->uid);

  explain_step(page, "Find out why it can't be read.");
  explain_command(page, "ls -l /proc/%s/exe", w->pid);
  if (w->inside != NULL)
    explain_command(page, "timeout 10 nsenter -t %s -m findmnt -T %s", w->pid,
                    w->inside);
  explain_command(page, "dmesg | tail   # errors of a disk or a server");
  if (uid > 0 && w->path != NULL) {
    explain_note(page, "A FUSE mount often lets only its own user read:");
    explain_command(page,
                    "timeout 60 setpriv --reuid %lld --clear-groups "
                    "sha256sum %s",
                    uid, w->path);
  }
  find_processes(page, w);
}

static void ask_package_database(struct explain_page *page,
                                 const struct words *w) {
  bool rpm = explain_is(page->raw->package_manager, "rpm");
  char at[56] = ""; /* where the database lies */

  if (*w->root != '\0')
    (void)snprintf(at, sizeof(at), "--root=%s ", w->root);
  if (w->package != NULL) {
    explain_command(page, "%s %s-V %s   # no output: in order",
                    rpm ? "rpm" : "dpkg", at, w->package);
    return;
  }
  explain_command(page, "dpkg %s-S %s   # which package owns it", at,
                  w->inside);
  if (w->shipped != NULL)
    explain_command(page, "dpkg %s-S %s", at, w->shipped);
  explain_command(page, "rpm %s-qf %s   # the same for rpm", at, w->inside);
  explain_command(page, "dpkg %s-V PACKAGE   # or: rpm %s-V PACKAGE", at, at);
}

static void compare_with_distributor(struct explain_page *page,
                                     const struct words *w) {
  if (w->package == NULL || w->version == NULL || w->inside == NULL)
    return;
  explain_note(page, "The answer that counts comes from a clean machine with "
                     "the same release of the distribution:");
  if (explain_is(page->raw->package_manager, "rpm")) {
    explain_command(page, "dnf download %s-%s", w->package, w->version);
    explain_command(page,
                    "rpm2cpio %s-*.rpm | cpio -i --to-stdout .%s | sha256sum",
                    w->package, w->inside);
    return;
  }
  explain_command(page, "apt-get download %s=%s", w->package, w->version);
  explain_command(page, "dpkg-deb --fsys-tarfile %s_*.deb |", w->package);
  explain_command(page, "  tar -xO .%s%s%s | sha256sum", w->inside,
                  w->shipped != NULL ? " ." : "",
                  w->shipped != NULL ? w->shipped : "");
  if (w->shipped != NULL)
    explain_note(page, "(tar complains about the one of the two paths that the "
                       "package doesn't have.)");
}

static void step_package(struct explain_page *page, const struct words *w) {
  if (!lies_on_disk(page->raw) || (w->package == NULL && w->inside == NULL))
    return;
  explain_step(page, "Ask the package database. It and these tools lie on the "
                     "host, so whoever has root there can make them lie: "
                     "\"changed\" is an answer, \"in order\" is none.");
  ask_package_database(page, w);
  compare_with_distributor(page, w);
}

/* In nftables the whole table comes into force at once, so that the session is
 * not cut between its lines. */
void explain_cut_off(struct explain_page *page) {
  explain_command(page, "set -- $SSH_CONNECTION; "
                        "echo \"you: ${1:?}, port ${4:?}\"");
  explain_command(page, "case $1 in *:*) ip=ip6 ;; *) ip=ip ;; esac");
  explain_command(page, "nd='icmpv6 type { nd-neighbor-solicit, "
                        "nd-neighbor-advert } accept'");
  explain_command(page, "nft \"table inet process_dna {");
  explain_command(page, "  chain input { type filter hook input priority -300; "
                        "policy drop;");
  explain_command(page, "    iif lo accept; $nd; "
                        "$ip saddr ${1:?} tcp dport ${4:?} accept; }");
  explain_command(page, "  chain output { type filter hook output priority "
                        "-300; policy drop;");
  explain_command(page, "    oif lo accept; $nd; "
                        "$ip daddr ${1:?} tcp sport ${4:?} accept; }");
  explain_command(page, "  chain forward { type filter hook forward priority "
                        "-300; policy drop; }");
  explain_command(page, "}\"");
  explain_note(page, "If it says that a parameter is null, sudo "
                     "took SSH_CONNECTION away: type 'set -- YOUR-ADDRESS 0 0 "
                     "22' instead. The agent will be reported silent. To "
                     "undo it:");
  explain_command(page, "nft delete table inet process_dna");
}

static void step_cut_off(struct explain_page *page, const struct words *w) {
  explain_step(page, "If it isn't yours: stop it without losing its memory.");
  if (*w->root != '\0') {
    explain_command(page, "cat /proc/%s/cgroup   # names the container",
                    w->pid);
    explain_command(page, "docker pause CONTAINER   # or podman pause");
    explain_note(page, "Do not remove the container: its files go with it.");
  } else {
    explain_command(page, "kill -STOP %s   # the service stands still then",
                    w->pid);
  }
  explain_note(page, "Then cut the host off. This keeps an ssh session from "
                     "your own address and drops everything else; type it in "
                     "that session:");
  explain_cut_off(page);
}

static void step_accept(struct explain_page *page) {
  const struct explain_facts *f = page->safe;

  if (explain_count(f->alert_id) < 0)
    return;
  if (explain_is(f->verdict, "spoofed") || explain_is(f->verdict, "unreadable"))
    explain_step(page,
                 "If it is in order: accept it, here on the central "
                 "host. Nothing becomes trusted by that, but the alert "
                 "closes, and there is no new one for as long as %s "
                 "reports the same.",
                 f->host);
  else
    explain_step(page,
                 "If it was you: accept it, here on the central host. The "
                 "alert closes, a clear goes out, and the observed digest "
                 "%s trusted on %s.",
                 explain_is(f->verdict, "new-binary") ? "stays" : "becomes",
                 f->host);
  explain_program_about(page, "accept", f->alert_id, " --why 'WHAT AND WHO'");
}

static void steps_silent(struct explain_page *page) {
  const struct explain_facts *f = page->raw;
  bool one = explain_is(f->kind, "agent-silent");
  const char *at =
      f->address != NULL && *f->address != '\0' ? f->address : f->host;
  char *word = text_shell_quote(at != NULL ? at : "");
  char *host = text_shell_quote(f->host != NULL ? f->host : "");
  char *retire = NULL;

  if (word == NULL || host == NULL ||
      asprintf(&retire, "agents retire %s", host) < 0) {
    retire = NULL;
    page->failed = true;
    goto out;
  }
  explain_step(page, "See whether packets arrive and are refused, here on "
                     "the central host:");
  explain_program(page, "status");
  explain_program(page, "agents");
  explain_note(page, "The alert clears by itself when scans arrive again.");
  if (one) {
    explain_step(page, "See whether it lives, and what its agent says:");
    explain_command(page, "ping -c 3 -- %s", word);
    explain_command(page,
                    "ssh -- %s 'systemctl status collectd; journalctl "
                    "-n 50 -u collectd'",
                    word);
    explain_note(page, "If somebody stopped it who should not have, read its "
                       "last alerts before you start it again:");
    explain_program(page, "alerts --all");
    explain_step(page, "If it is gone for good:");
    explain_program(page, retire);
  }
out:
  free(word);
  free(host);
  free(retire);
}

static void steps_executable(struct explain_page *page) {
  struct words w = {0};

  if (words_fill(page->raw, &w) < 0) {
    page->failed = true;
  } else {
    step_evidence(page, &w);
    if (explain_is(page->raw->verdict, "unreadable"))
      step_mount(page, &w);
    else
      step_digest(page, &w);
    step_package(page, &w);
    step_cut_off(page, &w);
    explain_import(page);
    step_accept(page);
  }
  words_clear(&w);
}

void explain_steps(struct explain_page *page) {
  fputs("What to do:\n", page->out);
  if (explain_about_movement(page->raw))
    explain_movement_steps(page);
  else if (explain_about_executable(page->raw))
    steps_executable(page);
  else
    steps_silent(page);
}
