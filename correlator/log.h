/* Messages to the operator: one line each, control bytes escaped, to standard
 * error or to syslog(3). Thread-safe. Object first: what, expected, found. */
#ifndef PDNA_LOG_H
#define PDNA_LOG_H

#include <stdbool.h>

enum log_level {
  LOG_LEVEL_ERROR,
  LOG_LEVEL_WARNING,
  LOG_LEVEL_INFO,
  LOG_LEVEL_DEBUG
};

/* To syslog's daemon facility instead of standard error, and which levels. */
void log_setup(bool to_syslog, enum log_level level);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A warning at most once a minute per (reason, peer); what was held back is
 * counted and said with the next one. Bounded memory. */
void log_limited(const char *reason, const char *peer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
