/* An alert in plain language: what is known, what it may mean and what to do
 * now, with commands that can be pasted; and what an executable is trusted as,
 * and why. Nothing is looked up here: the text follows from the facts alone. */
#ifndef PDNA_EXPLAIN_H
#define PDNA_EXPLAIN_H

#include <libpq-fe.h>
#include <stdio.h>

/* The columns of process_dna.alert_facts and of process_dna.path_... that are
 * used, as PostgreSQL writes them (times: timestamptz of a UTC session). */
#define EXPLAIN_FACTS(FACT)                                                    \
  FACT(alert_id)                                                               \
  FACT(key)                                                                    \
  FACT(kind)                                                                   \
  FACT(state) /* open, resolved, accepted */                                   \
  FACT(severity)                                                               \
  FACT(verdict)                                                                \
  FACT(host)                                                                   \
  FACT(address)                                                                \
  FACT(container)                                                              \
  FACT(path) /* identity, lib/record/pathname.h */                             \
  FACT(exe_state)                                                              \
  FACT(reason) /* why it is unreadable */                                      \
  FACT(observed_sha256)                                                        \
  FACT(first_seen)                                                             \
  FACT(last_seen)                                                              \
  FACT(count)                                                                  \
  FACT(agents_with_observed) /* other agents of the tenant */                  \
  FACT(baseline_sha256)                                                        \
  FACT(baseline_grade)                                                         \
  FACT(baseline_since)                                                         \
  FACT(baseline_by)                                                            \
  FACT(baseline_package_version)                                               \
  FACT(agents_with_baseline)                                                   \
  FACT(pid)                                                                    \
  FACT(process_name)                                                           \
  FACT(uid)                                                                    \
  FACT(started)                                                                \
  FACT(file_size)                                                              \
  FACT(file_mode)                                                              \
  FACT(file_owner)                                                             \
  FACT(file_mtime)                                                             \
  FACT(file_ctime)                                                             \
  FACT(package_manager)                                                        \
  FACT(package_name)                                                           \
  FACT(package_version)                                                        \
  FACT(package_arch)                                                           \
  FACT(manifest_provenance) /* "": no manifest decided */                      \
  FACT(manifest_origin)                                                        \
  FACT(manifest_added_by)                                                      \
  FACT(manifest_added_at)                                                      \
  FACT(manifest_package) /* "": of a release */                                \
  FACT(manifest_version)                                                       \
  FACT(manifest_digests) /* for the path, with spaces between */               \
  FACT(request_state)    /* of the manifest of the package version */          \
  FACT(request_at)                                                             \
  FACT(request_error)                                                          \
  FACT(mitre)                                                                  \
  FACT(movements) /* numbers of those that follow from it */                   \
  /* Of a movement (kind lateral-movement), which has the facts of the alert   \
   * that it follows from. */                                                  \
  FACT(peer_host) /* that was logged on to */                                  \
  FACT(peer_address)                                                           \
  FACT(related_id) /* the alert */                                             \
  FACT(related_key)                                                            \
  FACT(related_at) /* when the change was first seen */                        \
  FACT(users)                                                                  \
  FACT(source_addresses)                                                       \
  FACT(sources)     /* the hosts that had them */                              \
  FACT(least_trust) /* of the logins: journal, tls, file, stdin, tcp, udp */   \
  FACT(logins)                                                                 \
  FACT(logins_confirmed) /* by a line about their session */                   \
  FACT(first_login)                                                            \
  FACT(last_login)                                                             \
  FACT(first_time) /* t: somebody had not come this way for 30 days */         \
  FACT(ambiguous)  /* t: more than one host had an address */                  \
  FACT(closed_at)                                                              \
  FACT(who)                                                                    \
  FACT(why)                                                                    \
  FACT(line)                                                                   \
  /* Of a path only: a baseline, what runs, an event. */                       \
  FACT(baseline_until)                                                         \
  FACT(baseline_why)                                                           \
  FACT(manifest_id)                                                            \
  FACT(held_until)                                                             \
  FACT(at)                                                                     \
  FACT(event)                                                                  \
  FACT(old_sha256)                                                             \
  FACT(new_sha256)

/* Text, or NULL where nothing is known. Nothing is owned. */
#define EXPLAIN_MEMBER(name) const char *name;
struct explain_facts {
  EXPLAIN_FACTS(EXPLAIN_MEMBER)
};
#undef EXPLAIN_MEMBER

/* The facts of a row; they point into the result. An empty text is one that is
 * not known. */
void explain_facts_of(const PGresult *result, int row,
                      struct explain_facts *ret_facts);

enum { EXPLAIN_LOGINS_MAX = 8 }; /* that the text shows */

/* The rows of process_dna.detection_logins, of which the first
 * EXPLAIN_LOGINS_MAX are enough, and of process_dna.detection_hops of a
 * movement; both NULL for other alerts. */
struct explain_movement {
  const PGresult *logins;
  const PGresult *hops;
};

/* Print the text. `movement` may be NULL for other alerts. `config_file` is
 * named in the commands of this program, NULL for the default one. Returns 0 or
 * -ENOMEM. */
int explain_print(FILE *out, const struct explain_facts *facts,
                  const struct explain_movement *movement,
                  const char *config_file);

/* An executable on a host ("" for no container), with all rows of
 * process_dna.path_baselines, path_running and path_events. */
struct explain_path {
  const char *host, *container, *path;
  const PGresult *baselines, *running, *events;
};

/* Print what is trusted there and was before, what else runs, and what happened
 * (explain_path.c). Returns 0 or -ENOMEM. */
int explain_path_print(FILE *out, const struct explain_path *path);

#endif
