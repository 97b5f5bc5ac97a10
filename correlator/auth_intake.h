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

/* The stream had a line that was too long, and skipped. */
void auth_intake_too_long(struct auth_stream *stream);

#endif
