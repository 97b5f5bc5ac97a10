/* What sshd says in a message. The formats are those of OpenSSH's auth.c,
 * auth-pam.c and session.c up to 10.5 and of Linux-PAM's pam_unix, and what
 * older releases wrote.
 *
 * Parts of a message are chosen by whoever connects: user names (any text but
 * a colon), host names, and what follows "ssh2: ". So a message is only read
 * where its place is certain: the verb stands at the very beginning, what
 * follows the first " ssh2: " is nobody's word, and in what is before it the
 * last " from " is sshd's. What does not fit is malformed; nothing is
 * guessed. */
#ifndef PDNA_SSHD_MESSAGE_H
#define PDNA_SSHD_MESSAGE_H

#include "correlator/auth_event.h"

/* Bytes of a user's name: sshd cuts it at 100, and makes four of one at most.
 */
enum { SSHD_USER_MAX = 4 * 100 };

/* Is a program of that name one of sshd's? */
bool sshd_message_is_from(struct auth_text program);

/* Read a message, also "message repeated N times: [ MESSAGE]". For an event,
 * and for what is malformed, everything of *ret but what a header tells is
 * set, and what the message does not tell is none; `method` may be static
 * storage. */
enum auth_line sshd_message_parse(struct auth_text message,
                                  struct auth_event *ret);

/* Make an event malformed, of which only the message, what a header told and
 * how often it was is left. Gives AUTH_LINE_MALFORMED. */
enum auth_line sshd_message_malformed(struct auth_text message,
                                      struct auth_event *event);

#endif
