/* What a running correlator counts; `status` shows it. Thread-safe. */
#ifndef PDNA_COUNTERS_H
#define PDNA_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

/* COUNTER(identifier, name in status, what it counts) */
#define COUNTERS(COUNTER)                                                      \
  COUNTER(PACKETS, "packets", "collectd packets received")                     \
  COUNTER(PACKETS_LOST, "packets-lost-in-kernel", "dropped, SO_RXQ_OVFL")      \
  COUNTER(DROP_MALFORMED, "dropped-malformed", "packets cut or garbled")       \
  COUNTER(DROP_OVERSIZED, "dropped-oversized", "packets over the bound")       \
  COUNTER(DROP_SECURITY, "dropped-security-level", "not signed as asked for")  \
  COUNTER(DROP_SIGNATURE, "dropped-signature", "wrong signature or cipher")    \
  COUNTER(DROP_UNKNOWN_USER, "dropped-unknown-user", "user not in auth-file")  \
  COUNTER(DROP_WRONG_USER, "dropped-wrong-user", "not the host's own user")    \
  COUNTER(DROP_REPLAYED, "dropped-replayed", "not newer than the last scan")   \
  COUNTER(DROP_SKEW, "dropped-skew", "time stamp beyond max-skew")             \
  COUNTER(DROP_VALUES, "dropped-values", "signed values that don't decode")    \
  COUNTER(DROP_MEMORY, "dropped-memory", "over the bound of open scans")       \
  COUNTER(SCANS, "scans", "scans put together")                                \
  COUNTER(SCANS_INCOMPLETE, "scans-incomplete", "judged after 10 s")           \
  COUNTER(SCANS_UNCHANGED, "scans-unchanged", "equal to the last, dropped")    \
  COUNTER(SCANS_REFUSED, "scans-refused", "refused by the database")           \
  COUNTER(POLLS, "polls", "times that an SNMP agent was asked")                \
  COUNTER(POLLS_UNCHANGED, "polls-unchanged", "no scan since the last poll")   \
  COUNTER(POLLS_SKIPPED, "polls-skipped", "due while one was under way")       \
  COUNTER(POLLS_UNANSWERED, "polls-unanswered", "no answer, or too late")      \
  COUNTER(POLLS_MALFORMED, "polls-malformed", "answers not as the MIB says")   \
  COUNTER(POLLS_STALE, "polls-stale", "last scan too old, or in the future")   \
  COUNTER(POLLS_FAILED, "polls-failed", "refused by the agent, or by SNMPv3")  \
  COUNTER(ROWS, "rows", "executables handed to the database")                  \
  COUNTER(NOTIFICATIONS, "notifications", "collectd notifications seen")       \
  COUNTER(SPOOLED, "spooled", "scans that went to the spool")                  \
  COUNTER(SPOOL_LOST, "spool-lost", "scans the full spool did not take")       \
  COUNTER(AUTH_LINES, "auth-lines", "log lines read, of whatever program")     \
  COUNTER(AUTH_MALFORMED, "auth-malformed", "sshd's lines that don't fit")     \
  COUNTER(AUTH_CUT, "auth-lines-cut", "lines over 64 KiB")                     \
  COUNTER(AUTH_EVENTS, "auth-events", "auth events handed to the database")    \
  COUNTER(AUTH_REFUSED, "auth-refused", "refused by the database")             \
  COUNTER(AUTH_AGAIN, "auth-read-again", "another correlator read them first") \
  COUNTER(AUTH_WAITS, "auth-waits", "times that a source had to wait")         \
  COUNTER(AUTH_FILES_LOST, "auth-files-lost", "rotated away before the end")   \
  COUNTER(AUTH_SPOOLED, "auth-spooled", "auth events that went to the spool")  \
  COUNTER(AUTH_SPOOL_LOST, "auth-spool-lost", "those that it did not take")    \
  COUNTER(SYSLOG_LOST, "syslog-lost-in-kernel", "messages, SO_RXQ_OVFL")       \
  COUNTER(SYSLOG_CONNECTIONS, "syslog-connections", "connections taken")       \
  COUNTER(SYSLOG_DISPLACED, "syslog-displaced", "closed to make room")         \
  COUNTER(SYSLOG_REFUSED, "syslog-tls-refused", "peers without a certificate") \
  COUNTER(SYSLOG_BROKEN, "syslog-broken-framing", "closed: length too large")  \
  COUNTER(SYSLOG_HALF, "syslog-half-lines", "cut off by a connection's end")   \
  COUNTER(DETECTIONS, "detections", "logins after an unexplained change")      \
  COUNTER(DB_RETRIES, "database-retries", "batches tried again")               \
  COUNTER(MANIFESTS_FOUND, "manifests-found", "package versions fetched")      \
  COUNTER(MANIFESTS_NONE, "manifests-none", "versions that nobody offers")     \
  COUNTER(MANIFESTS_FAILED, "manifests-failed", "fetches without an answer")   \
  COUNTER(TRAPS_SENT, "traps-sent", "traps sent")                              \
  COUNTER(INFORMS_ACKED, "informs-acknowledged", "informs acknowledged")       \
  COUNTER(INFORMS_FAILED, "informs-failed", "informs without an answer")

#define COUNTERS_ENUM(identifier, name, what) COUNTER_##identifier,
enum counter { COUNTERS(COUNTERS_ENUM) COUNTER_MAX };
#undef COUNTERS_ENUM

void counters_add(enum counter counter, uint64_t n);
uint64_t counters_get(enum counter counter);
const char *counters_name(enum counter counter);
/* In words, for `status`; static storage. */
const char *counters_description(enum counter counter);

#endif
