/* Headers of log lines: RFC 3164 and RFC 5424, and what rsyslog and journalctl
 * write in files. Whatever follows a header's tag is message, so that nothing
 * in a message is ever taken for a header. */
#ifndef PDNA_SYSLOG_LINE_H
#define PDNA_SYSLOG_LINE_H

#include "correlator/auth_event.h"
#include "correlator/syslog_stamp.h"

struct syslog_line {
  struct syslog_stamp stamp; /* month 0: none */
  struct auth_text host;     /* none: the line has no host name */
  struct auth_text program;  /* without the pid; none: the line has no tag */
  struct auth_text message;
  uint32_t pid; /* 0: none */
};

/* Read a line from its first byte on; newlines, carriage returns and NULs at
 * its end are no part of it. The texts are slices of the line. False: it has no
 * such header, and *ret means nothing. */
bool syslog_line_parse(const char *line, size_t len, struct syslog_line *ret);

/* Is it "last message repeated N time[s]", which speaks of the line before it?
 * Such a line has no tag or that of syslogd. */
bool syslog_line_repeats(const struct syslog_line *line, unsigned *ret_times);

/* Is it a host name, or an address where the sender's name is not known? */
bool syslog_line_is_host(struct auth_text text);

/* A number that is all of a text, without a sign. False: it is none, or over
 * `most`. */
bool syslog_number(struct auth_text text, uint32_t most, uint32_t *ret);

#endif
