/* From a line of a log to the event that is handed to ingest: the same for each
 * source of such lines. */
#ifndef PDNA_AUTH_INTAKE_H
#define PDNA_AUTH_INTAKE_H

#include "correlator/auth_stream.h"
#include "correlator/ingest.h"

/* Read the stream's next line, and count it. `arrival` says when the line was
 * read; the event's own time of arrival is ingest's. NULL: the line tells of
 * nothing that is kept. */
struct auth_record *auth_intake_line(struct ingest *ingest,
                                     struct auth_stream *stream,
                                     struct auth_text line,
                                     const struct auth_arrival *arrival);

/* Hand in what *record holds, if anything; it is NULL then. What there is no
 * room for goes to the spool if `spooling`; else it is still held, and the
 * answer is false. */
bool auth_intake_hand_in(struct ingest *ingest, struct auth_record **record,
                         bool spooling);

/* The stream had a line that was too long, and skipped. */
void auth_intake_too_long(struct auth_stream *stream);

#endif
