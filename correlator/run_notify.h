/* Telling systemd, sd_notify(3): one datagram to $NOTIFY_SOCKET. */
#ifndef PDNA_RUN_NOTIFY_H
#define PDNA_RUN_NOTIFY_H

/* Does nothing where nobody asked to be told. */
void run_notify(const char *state);

#endif
