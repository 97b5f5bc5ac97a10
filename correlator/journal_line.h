/* Entries of systemd's journal as `journalctl -o json` writes them: one JSON
 * object a line (systemd.journal-fields(7), and "Journal JSON Format" of
 * systemd). Fields whose names begin with '_' are the journal's own word about
 * the process that logged; all others are that process's. */
#ifndef PDNA_JOURNAL_LINE_H
#define PDNA_JOURNAL_LINE_H

#include "correlator/syslog_line.h"

struct json_t;

struct journal_line {
  struct syslog_line line; /* its stamp is none */
  int64_t stamped_us;      /* since the epoch; 0: none */
  struct auth_text comm;   /* the process's name; none: not told */
  struct auth_text uid;    /* its user's number; none: not told */
  struct json_t *object;   /* the texts are its */
  char *message;           /* or of this, if it was no text */
};

/* The text of a line that looks like such an object, without what
 * `-o json-seq` and `-o json-sse` put before it. None: it is another format's
 * line. */
struct auth_text journal_line_object(const char *line, size_t len);

/* Read an entry of sshd's. False: it is none, or no entry, or has no message,
 * or more than one; nothing is to be cleared then. */
bool journal_line_parse(struct auth_text object, struct journal_line *ret);
void journal_line_clear(struct journal_line *j); /* zeroed: does nothing */

#endif
